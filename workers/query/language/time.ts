/**
 * Times and durations as users type them. Pure: `now` is passed in. Used by the
 * parser, by `api/` for its `from` and `to`, and by the dashboard.
 */
import { AUTO_BUCKETS } from "./limits.ts";

const MS = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|min|m|h|d|w)$/;
const ISO = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/i;
/** Year 9999: beyond it no ISO text of four digits. */
const MAX_MS = 253_402_300_799_999;

/** `1.5s`, `200ms`, `2h` → milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * MS[match[2] as keyof typeof MS] : undefined;
}

/**
 * `now`, `-1h`, `now-15m`, ISO 8601 (UTC unless it has an offset), or epoch ms
 * → microseconds since the epoch. Undefined when it is none of these.
 */
export function parseTimeUs(input: string | number, nowMs: number): number | undefined {
  if (typeof input === "number")
    return Number.isFinite(input) && Math.abs(input) <= MAX_MS ? Math.round(input * 1_000) : undefined;
  const text = input.trim();
  if (text === "now") return nowMs * 1_000;
  const relative = /^(?:now)?([-+])(.+)$/.exec(text);
  if (relative) {
    const ms = parseDuration(relative[2] as string);
    const at = ms === undefined ? Number.NaN : nowMs + (relative[1] === "-" ? -ms : ms);
    return Math.abs(at) <= MAX_MS ? Math.round(at * 1_000) : undefined;
  }
  if (/^\d{5,}(\.\d+)?$/.test(text)) return parseTimeUs(Number(text), nowMs);
  return parseIso(text);
}

/** Date.parse takes 30 February for 2 March. */
function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}

/** Date.parse stops at milliseconds: the rest of the fraction is added by hand. */
function parseIso(text: string): number | undefined {
  if (!ISO.test(text) || !isDay(text.slice(0, 10))) return undefined;
  const fraction = /[.,](\d{1,9})/.exec(text)?.[1];
  let plain = text
    .replace(/[.,]\d{1,9}/, "")
    .replace(" ", "T")
    .toUpperCase();
  if (plain.includes("T") && !/(Z|[+-]\d{2}:?\d{2})$/.test(plain)) plain += "Z";
  const ms = Date.parse(plain);
  if (Number.isNaN(ms)) return undefined;
  return ms * 1_000 + (fraction ? Number(fraction.padEnd(6, "0").slice(0, 6)) : 0);
}

/** As `parseTimeUs`, in whole milliseconds. */
export function parseTime(input: string | number, nowMs: number): number | undefined {
  const us = parseTimeUs(input, nowMs);
  return us === undefined ? undefined : Math.floor(us / 1_000);
}

/** `2026-11-20T10:00:00.123456Z` */
export function formatTimeUs(us: number): string {
  const ms = Math.floor(us / 1_000);
  if (!(Math.abs(ms) <= MAX_MS)) return String(us);
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, -1)}${String(Math.round(us - ms * 1_000)).padStart(3, "0")}Z`;
}

const NICE_MS = [1, 10, 100, 1e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 6048e5];

/** Width in µs that cuts the range into at most AUTO_BUCKETS buckets. */
export function autoBinUs(fromUs: number, toUs: number): number {
  const wanted = (toUs - fromUs) / 1_000 / AUTO_BUCKETS;
  const nice = NICE_MS.find((ms) => ms >= wanted);
  return (nice ?? Math.ceil(wanted / 864e5) * 864e5) * 1_000;
}
