/**
 * A trace item as it arrives: from the runtime (native objects with getters)
 * or as JSON that somebody posted. Nothing about it is certain, so everything
 * is read through these few functions, each property once: a native getter
 * costs far more than a field.
 */
import { clip, MAX_AHEAD_MS, MAX_FIELD_CHARS, MAX_SCRIPT_CHARS, MIN_TIME_MS } from "../limits.ts";

export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A short text, or undefined. Numbers count as text: ids are sometimes sent as such. */
export function text(value: unknown, limit = MAX_FIELD_CHARS): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : clip(value, limit);
  return typeof value === "number" ? String(value) : undefined;
}

/** The name of a Worker: it names Ingesters (`name#2` is a shard) and folders in the bucket. */
export function scriptName(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const name = clip(value, MAX_SCRIPT_CHARS).toWellFormed();
  return name.includes("#") ? name.replaceAll("#", "_") : name;
}

/** A finite number ≥ 0, or undefined. */
export function amount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** Milliseconds since the epoch from a number, a Date or ISO text; undefined if it is none or out of range. */
export function milliseconds(value: unknown, nowMs: number): number | undefined {
  let ms: number;
  if (typeof value === "number") ms = value;
  else if (value instanceof Date) ms = value.getTime();
  else if (typeof value === "string") ms = Date.parse(value);
  else return undefined;
  return ms >= MIN_TIME_MS && ms <= nowMs + MAX_AHEAD_MS ? ms : undefined;
}

export const toMicroseconds = (ms: number): number => (Number.isInteger(ms) ? ms * 1000 : Math.round(ms * 1000));

/** The list, an empty one if there is none, or undefined if it is something else. */
export function list(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : undefined;
}
