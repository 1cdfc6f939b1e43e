/**
 * JSON text of values that JSON.stringify would choke on or tell secrets from:
 * cycles, bigints, dates, maps, bytes, sensitive fields. Bounded in depth and
 * in number of values. Used for lists, for what is nested too deep, and for
 * items that could not be read.
 */
import { clip, MAX_VALUE_CHARS } from "../limits.ts";
import { hides, hidesSecond, REDACTED, type Redactor } from "../redact/redact.ts";

const MAX_VALUES = 2_000;
const MAX_DEPTH = 8;

export function jsonOf(value: unknown, redactor: Redactor): string {
  return JSON.stringify(plain(value, redactor, 0, { values: MAX_VALUES })) ?? "null";
}

/** Objects that are one value: dates and bytes. */
export function scalarOf(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return undefined;
}

function plain(value: unknown, redactor: Redactor, depth: number, left: { values: number }): unknown {
  left.values--;
  switch (typeof value) {
    case "bigint":
      return String(value);
    case "string":
      return clip(value, MAX_VALUE_CHARS);
    case "object":
      return value === null ? null : plainObject(value, redactor, depth, left);
    case "function":
    case "symbol":
      return undefined;
    default:
      return value;
  }
}

function plainObject(value: object, redactor: Redactor, depth: number, left: { values: number }): unknown {
  const scalar = scalarOf(value);
  if (scalar !== undefined) return scalar;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const isList = Array.isArray(value) || value instanceof Set;
  if (depth >= MAX_DEPTH) return isList ? "[Array]" : "[Object]";
  return isList ? plainList(value, redactor, depth, left) : plainFields(value, redactor, depth, left);
}

function plainList(values: Iterable<unknown>, redactor: Redactor, depth: number, left: { values: number }): unknown[] {
  const list: unknown[] = [];
  const hidden = hidesSecond(redactor, values);
  for (const value of values) {
    if (left.values <= 0) break;
    list.push(hidden && list.length === 1 ? REDACTED : plain(value, redactor, depth + 1, left));
  }
  return list;
}

function plainFields(value: object, redactor: Redactor, depth: number, left: { values: number }): unknown {
  const fields = (value instanceof Map ? Object.fromEntries(value) : value) as Record<string, unknown>;
  const copy: [string, unknown][] = [];
  for (const key in fields) {
    if (left.values <= 0) break;
    const field = fields[key];
    copy.push([key, hides(redactor, key, field) ? REDACTED : plain(field, redactor, depth + 1, left)]);
  }
  return Object.fromEntries(copy);
}
