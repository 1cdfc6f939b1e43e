/**
 * How long to wait after the n-th failure in a row: exponential with full jitter,
 * so that many who failed together do not come again together (AWS Architecture
 * Blog, "Exponential Backoff And Jitter", 2015). Pure.
 */
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, HOLD_MAX_MS, HOLD_MIN_MS, RETRY_AFTER_MAX_MS } from "./limits.ts";

/** @param failures in a row, 1 or more; @param random 0 to 1 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(failures - 1, 20));
  // Not from 0 on: a try at once is no wait.
  return Math.round(BACKOFF_MIN_MS / 2 + random * (ceiling - BACKOFF_MIN_MS / 2));
}

/** While only a person can mend it. */
export function holdMs(tries: number, random: number): number {
  const ceiling = Math.min(HOLD_MAX_MS, HOLD_MIN_MS * 2 ** Math.min(tries, 20));
  return Math.round(ceiling * (0.5 + random / 2));
}

/** What a receiver asked for, within reason; 0 when it asked for nothing. */
export function askedMs(retryAfterMs: number | undefined): number {
  if (retryAfterMs === undefined || !(retryAfterMs > 0)) return 0;
  return Math.min(RETRY_AFTER_MAX_MS, retryAfterMs);
}
