/** Time ranges as the URL holds them (`from`, `to`) and as ms. Pure; `now` is passed in. */
import { parseTime as parse } from "../../../workers/query/language/time.ts";

export interface RangeText {
  from: string;
  to: string;
}
export interface RangeMs {
  from: number;
  to: number;
}

export const PRESETS: { text: string; label: string }[] = [
  { text: "-15m", label: "15 min" },
  { text: "-1h", label: "1 hour" },
  { text: "-6h", label: "6 hours" },
  { text: "-24h", label: "24 hours" },
  { text: "-7d", label: "7 days" },
  { text: "-30d", label: "30 days" },
];
export const DEFAULT_RANGE: RangeText = { from: "-1h", to: "now" };
/** An issue lives for days: whether it still goes on shows against the last one. */
export const ISSUES_RANGE: RangeText = { from: "-24h", to: "now" };

/** As workers/query reads them; NaN when it is no time. */
export const parseTime = (text: string, now: number): number => parse(text, now) ?? Number.NaN;

export function resolveRange(range: RangeText, now: number): RangeMs {
  const from = parseTime(range.from, now);
  const to = parseTime(range.to, now);
  if (Number.isNaN(from) || Number.isNaN(to) || from >= to) {
    return { from: parseTime(DEFAULT_RANGE.from, now), to: now };
  }
  return { from, to };
}

/** A range that ends now moves on by itself. */
export const isRelative = (range: RangeText): boolean => range.to === "now" && range.from.startsWith("-");
