/** When to try again, and how long to wait before it. Pure. */

/** Six tries are some 30 s: a redeployed Tailrace is back by then, a broken one is not worth a build's time. */
export const MAX_TRIES = 6;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15_000;
/** A server that asks for more than this is asked no more. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Overloaded, rate-limited, restarting, or a proxy in between that gave up. */
export const isWorthRetrying = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * Half of the wait is fixed, half is chance ("equal jitter": Marc Brooker, AWS
 * Architecture Blog, 2015): clients that failed together do not come back together.
 * @param tried number of tries so far, from 1
 * @param random 0..1
 * @returns ms, or undefined when it is time to give up
 */
export function waitBefore(tried: number, random: number, retryAfterMs?: number): number | undefined {
  if (tried >= MAX_TRIES) return undefined;
  if (retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS) return undefined;
  const step = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1));
  const wait = step / 2 + (random * step) / 2;
  return Math.round(Math.max(wait, (retryAfterMs ?? 0) + random * FIRST_WAIT_MS));
}

/** RFC 9110, 10.2.3: seconds, or a date. */
export function readRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
