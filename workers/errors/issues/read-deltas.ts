/**
 * Issue deltas as they lie in the log, read with distrust: one that D1 would
 * refuse must be found here, before it keeps others waiting. Pure.
 */
import { ERROR_KINDS, type IssueDelta } from "../delta.ts";

const TEXTS = [
  "fingerprint",
  "group",
  "noise",
  "type",
  "title",
  "culprit",
  "awaitsMap",
  "script",
  "versionId",
  "versionTag",
  "versionMessage",
] as const;
const NUMBERS = ["algorithm", "count", "firstSeen", "lastSeen"] as const;

/** Throws with what is wrong. */
export function readDeltas(json: string): IssueDelta[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) throw new Error("issue deltas are not a list");
  for (const delta of list) check(delta);
  return list as IssueDelta[];
}

function check(value: unknown): void {
  if (!isObject(value)) throw new Error("an issue delta is not an object");
  for (const name of TEXTS) if (typeof value[name] !== "string") throw new Error(`issue delta: ${name} is no text`);
  for (const name of NUMBERS) if (!Number.isFinite(value[name])) throw new Error(`issue delta: ${name} is no number`);
  if (value.fingerprint === "" || value.group === "") throw new Error("issue delta: no fingerprint or no group");
  if (!((value.count as number) > 0)) throw new Error(`issue delta: a count of ${value.count}`);
  if (!(ERROR_KINDS as readonly unknown[]).includes(value.kind)) throw new Error(`issue delta: kind ${value.kind}`);
  if (!isList(value.aliases, "string")) throw new Error("issue delta: aliases");
  if (!isList(value.minutes, "number")) throw new Error("issue delta: minutes");
  if (!isObject(value.exemplar)) throw new Error("issue delta: no exemplar");
  const { distinct } = value;
  const lists = isObject(distinct)
    ? [distinct.users, distinct.routes, distinct.colos, distinct.countries]
    : [undefined];
  if (!lists.every((hashes) => isList(hashes, "number"))) throw new Error("issue delta: distinct");
  for (const name of ["victims", "replayable"] as const) {
    if (value[name] !== undefined && !Array.isArray(value[name])) throw new Error(`issue delta: ${name}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown, of: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((v) => typeof v === of && (of === "string" || Number.isFinite(v)));
}
