/** One JSON object a line (ndjson.org). Attributes have an object of their own: they may be called anything. */
import { type Entry, timeText } from "./entry.ts";

export function ndjsonLine(entry: Entry): string {
  const { time, id, level, worker, version, kind, message, fields, attributes } = entry;
  const line = { time: timeText(time), id, level, worker, version, kind, message, ...fields, attributes };
  return JSON.stringify(line, (_, value) => (typeof value === "string" ? value.toWellFormed() : value));
}
