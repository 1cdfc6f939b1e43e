/**
 * An item as the fields of a line, the same for all formats: names as they are in
 * Tailrace's own columns, so that what is found in a file is found in Explore.
 */
import type { AttributeValue } from "../../event/event.ts";
import type { EventItem } from "../contract.ts";
import { failureText } from "../sending/failure-text.ts";
import type { StackTexts } from "../sending/stack-text.ts";

export interface Entry {
  /** µs since the epoch. */
  time: number;
  id: string;
  level: string;
  worker: string;
  version: string;
  kind: string;
  message: string;
  /** Everything else that is known, in a stable order, without what is empty. */
  fields: Record<string, AttributeValue>;
  attributes: Readonly<Record<string, AttributeValue>>;
}

const FIELDS = [
  ...["version_tag", "entrypoint", "event_type", "outcome", "name", "invocation_id", "seq", "trace_id", "span_id"],
  ...["parent_span_id", "ray_id", "duration", "cpu_time", "method", "route", "status", "colo", "country"],
  ...["durable_object_id", "fingerprint"],
] as const;

export function entryOf(item: EventItem, stacks: StackTexts): Entry {
  const { event, feed, tags, id } = item;
  const all = event as unknown as Record<string, AttributeValue | undefined>;
  const fields: Record<string, AttributeValue> = {};
  for (const name of FIELDS) {
    const value = all[name];
    if (value !== undefined && value !== "") fields[name] = value;
  }
  if (event.sample_weight !== 1) fields.sample_weight = event.sample_weight;
  const stack = stacks.get(event) ?? event.stack;
  if (stack !== undefined) fields.stack = stack;
  const failed = feed === "errors" && event.kind === "invocation";
  return {
    time: Math.max(0, Math.round(event.time)),
    id,
    level: feed === "errors" && event.kind !== "log" ? "error" : (event.level ?? "info"),
    worker: event.script,
    version: event.version_id ?? "",
    kind: event.kind,
    message: failed ? failureText(event) : event.message || event.name || event.kind,
    fields,
    attributes: { ...event.attributes, ...tags },
  };
}

/** `2026-11-21T12:00:00.123456Z`: RFC 3339, six digits of a second. */
export function timeText(micros: number): string {
  const ms = Math.floor(micros / 1_000);
  const text = new Date(Math.min(ms, LAST_MS)).toISOString();
  return `${text.slice(0, -1)}${String(micros - ms * 1_000).padStart(3, "0")}Z`;
}

/** The end of the year 9999: later ones have more digits than the formats allow. */
const LAST_MS = 253_402_300_799_999;
