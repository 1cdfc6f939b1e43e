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
