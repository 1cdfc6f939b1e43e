/** Numbers and times on the command line. Pure; throws `CliFailure` that says what is wrong. */
import { usageFailure } from "./failure.ts";

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
export const HOUR_MS = UNIT_MS.h;

/** @param see where to read more: `(tailrace tail --help)` */
export function wholeNumber(option: string, text: string, most: number, see: string): number {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (n >= 1 && n <= most) return n;
  throw usageFailure(`${option} must be a whole number from 1 to ${most}, not "${text}" ${see}`);
}

/** @returns ms */
export function duration(option: string, text: string, hours: number, see: string): number {
  const ms = readDuration(text);
  if (ms !== undefined && ms > 0 && ms <= hours * HOUR_MS) return ms;
  throw usageFailure(`${option} must be a time up to ${hours}h, like 30s or 5m, not "${text}" ${see}`);
}

export function readDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Math.round(Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS]);
}
