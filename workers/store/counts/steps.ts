/** The lengths in which counts are kept: by the minute as they are sealed, and folded to longer ones. */

export const MINUTE_S = 60;
export const TEN_MINUTES_S = 600;
export const HOUR_S = 3_600;
/** What minutes are folded to. */
export const FOLD_STEPS_S = [TEN_MINUTES_S, HOUR_S] as const;

/**
 * A row of rollups takes 1 to 2 KB (two distributions), and a busy Worker has
 * several a minute. These keep an answer for ten Workers at some ten thousand
 * rows, and a chart at 360 points.
 */
const MINUTES_UP_TO_MS = 6 * 3_600_000;
const TENS_UP_TO_MS = 48 * 3_600_000;

/** Minutes and ten-minute folds are deleted after this (retention.ts). */
export const FINE_HORIZON_MS = 30 * 86_400_000;
/** Hours: thirteen months, so that a month can be compared with the same one a year ago. */
export const HOURS_HORIZON_MS = 397 * 86_400_000;

/** Length of the buckets, seconds, in which a range (ms) is read. */
export function stepFor(from: number, to: number, now: number): number {
  if (from < now - FINE_HORIZON_MS || to - from > TENS_UP_TO_MS) return HOUR_S;
  return to - from > MINUTES_UP_TO_MS ? TEN_MINUTES_S : MINUTE_S;
}
