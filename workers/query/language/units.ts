/**
 * Numbers with units. A duration is turned into the unit of the field it is
 * compared with (`duration:>1.5s` on a column of milliseconds), a size into bytes.
 */
import type { Field, Value } from "./ast.ts";
import { parseDuration, parseTimeUs } from "./time.ts";

const SIZES: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const SIZE = /^(\d+(?:\.\d+)?)([kmgt]?i?b)$/i;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const PER_MS = { ms: 1, us: 1e3, ns: 1e6, s: 1e-3 };

/** Unit of a field's numbers: declared for core fields, read off the end of an attribute's name. */
export function durationUnit(field: Field): "ms" | "us" | "ns" | "s" {
  const unit = field.core?.unit;
  if (unit === "ms" || unit === "us") return unit;
  const inner = /\((.+)\)$/.exec(field.name)?.[1] ?? field.name;
  const suffix = /(?:^|[._])(ms|us|ns|s|sec|seconds)$/.exec(inner)?.[1];
  if (suffix === undefined) return "ms";
  return suffix === "ms" || suffix === "us" || suffix === "ns" ? suffix : "s";
}

export function parseNumber(text: string, field: Field, nowMs: number): number | undefined {
  if (field.core?.type === "time") return parseTimeUs(text, nowMs);
  if (NUMBER.test(text)) return Number(text);
  const ms = parseDuration(text.replace(/^[-+]/, ""));
  if (ms !== undefined) return (text.startsWith("-") ? -ms : ms) * PER_MS[durationUnit(field)];
  const size = SIZE.exec(text);
  return size ? Number(size[1]) * (SIZES[(size[2] as string).toLowerCase()] as number) : undefined;
}

export function typedValue(text: string, quoted: boolean, field: Field, nowMs: number): Value {
  const number = parseNumber(text, field, nowMs);
  return number === undefined ? { text, quoted } : { text, quoted, number };
}
