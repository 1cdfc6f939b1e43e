/** Numbers, durations and times as people read them. Pure; every figure carries its unit. */

const COUNT_UNITS = ["", "k", "M", "G", "T"];
const NO_VALUE = "–";

/** 1234567 → `1.23M`. Counts below 10,000 are exact. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  if (Math.abs(value) < 10_000) return Number.isInteger(value) ? value.toLocaleString("en") : trim(value, 2);
  let unit = 0;
  let v = value;
  while (Math.abs(v) >= 999.5 && unit < COUNT_UNITS.length - 1) {
    v /= 1000;
    unit++;
  }
  return v.toFixed(Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : 0) + COUNT_UNITS[unit];
}

/** For axes: round values, so no zeros behind the point. */
export const countTick = (value: number): string => tick(count(value));
export const durationTick = (ms: number): string => tick(duration(ms));
const tick = (text: string): string => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

function trim(value: number, digits: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A rate per second with the unit that keeps it readable: `12.3/s`, `4.2/min`. */
export function rate(events: number, spanMs: number): string {
  const perSecond = spanMs > 0 ? events / (spanMs / 1000) : 0;
  if (perSecond === 0) return "0/s";
  if (perSecond >= 1) return `${count(Number(perSecond.toPrecision(3)))}/s`;
  const perMinute = perSecond * 60;
  return perMinute >= 1 ? `${trim(perMinute, 1)}/min` : `${trim(perMinute * 60, 1)}/h`;
}

/** 0.0421 → `4.21 %`. Never shows 0 % for a ratio that is not 0. */
export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return NO_VALUE;
  const p = ratio * 100;
  if (p === 0) return "0 %";
  if (p < 0.01) return "< 0.01 %";
  if (p < 100 && p >= 99.995) return "> 99.99 %";
  return `${p < 1 ? p.toFixed(2) : p < 10 ? p.toFixed(1) : p.toFixed(p < 99.5 || p === 100 ? 0 : 2)} %`;
}

/** Milliseconds with the unit that fits: `840 µs`, `12.4 ms`, `3.20 s`, `4 m 10 s`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NO_VALUE;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 9.995) return `${ms.toFixed(2)} ms`;
  if (ms < 99.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
  return span(ms);
}

/** A little more than the relative error of a rollup's sketch (workers/event/sketch.ts). */
const SKETCH_ERROR = 0.012;

/**
 * A quantile read from rollups, with no more digits than it is worth: two, and
 * one where the round value is as likely (10.1 ms is 10 ms, 0.99 ms is 1 ms).
 */
export function quantile(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NO_VALUE;
  const round = Number(ms.toPrecision(1));
  return durationTick(Math.abs(round - ms) <= SKETCH_ERROR * ms ? round : Number(ms.toPrecision(2)));
}

const SPANS: [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"],
];

/** A stretch of time in its two largest units: `2 h 14 m`. */
export function span(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000) * 1000);
  const parts: string[] = [];
  for (const [size, unit] of SPANS) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${n} ${unit}`);
    else if (parts.length > 0) break;
    rest -= n * size;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 s";
}

/** As `span`, to the minute once it is more than ten of them. */
export const about = (ms: number): string => span(ms > 600_000 ? Math.round(ms / 60_000) * 60_000 : ms);

/** A stretch of time in its largest unit alone, for lists that are looked over: `2 h`. */
export const roughly = (ms: number): string => span(ms).split(" ").slice(0, 2).join(" ");

/** `3 m 2 s ago`, or `just now`. */
export function ago(t: number, now: number): string {
  const ms = now - t;
  return ms < 2000 ? "just now" : `${span(ms)} ago`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let v = n;
  let unit = -1;
  do {
    v /= 1024;
    unit++;
  } while (v >= 999.5 && unit < units.length - 1);
  return `${trim(v, v < 10 ? 1 : 0)} ${units[unit]}`;
}

const pad = (n: number, width = 2) => String(n).padStart(width, "0");

/** Local wall-clock `14:03:09`, with milliseconds on demand. */
export function clock(t: number, ms = false): string {
  const d = new Date(t);
  const hms = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  return ms ? `${hms}.${pad(d.getMilliseconds(), 3)}` : hms;
}

export function day(t: number): string {
  const d = new Date(t);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

/** Local date and time; leaves out the date when it is `now`'s. */
export function moment(t: number, now: number): string {
  const hm = clock(t).slice(0, 5);
  return day(t) === day(now) ? hm : `${day(t).slice(5)} ${hm}`;
}

export function full(t: number): string {
  return `${day(t)} ${clock(t, true)}`;
}

/** Offset from a start in ms: `+0 ms`, `+1.20 s`. */
export function offset(ms: number): string {
  return ms === 0 ? "+0 ms" : `${ms < 0 ? "−" : "+"}${duration(Math.abs(ms))}`;
}

/** A value of a query answer with its unit. */
export function withUnit(value: unknown, unit: string | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  if (typeof value !== "number") return typeof value === "object" ? JSON.stringify(value) : String(value);
  if (unit === "ms") return duration(value);
  if (unit === "us") return duration(value / 1000);
  if (unit === "bytes") return bytes(value);
  return count(value);
}
