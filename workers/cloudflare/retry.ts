/**
 * When to ask Cloudflare's API again, and how long to wait before. Pure: time and
 * chance are handed in by `request.ts`.
 */
import type { ApiFailure } from "./contract.ts";

/** Cloudflare's hiccups pass within a second or two; whoever needs longer is asked again by the caller's own clock. */
export const MAX_TRIES = 3;
/** A wait that Cloudflare asks for and that is longer is the caller's: a Durable Object that sleeps is paid for. */
export const MAX_WAIT_MS = 5_000;
const FIRST_WAIT_MS = 250;
/** An hour: the limit itself is per five minutes, so more is a broken header. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date.
 * @returns ms from `now` on; null where there is none, or nothing that can be read
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  const isSeconds = /^\d{1,9}(\.\d+)?$/.test(text);
  // All three forms of a date begin with the day's name; Date.parse would take a mere "-5" for one.
  if (!isSeconds && !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return null;
  const ms = isSeconds ? Number(text) * 1_000 : Date.parse(text) - now;
  if (!Number.isFinite(ms)) return null;
  return Math.min(Math.max(0, Math.ceil(ms)), MAX_RETRY_AFTER_MS);
}

/** Failures that the next try may not meet. */
export function isPassing(failure: ApiFailure): boolean {
  return failure.kind === "unavailable" || failure.kind === "timeout" || failure.kind === "rate_limited";
}

/**
 * @param tries made so far
 * @param random 0 to 1: so that many guards that failed together do not come back together ("full jitter", but never at once)
 * @returns null: do not try again
 */
export function waitBefore(tries: number, failure: ApiFailure, random: number): number | null {
  if (tries >= MAX_TRIES || !isPassing(failure)) return null;
  const asked = failure.retryAfterMs ?? 0;
  if (asked > MAX_WAIT_MS) return null;
  const backOff = FIRST_WAIT_MS * 2 ** (tries - 1);
  return Math.max(asked, Math.round(backOff * (0.5 + random)));
}
