/** How a range of time is cut into the points of a chart. Pure; times and widths in ms. */

/** A chart is some hundreds of pixels wide: more points say nothing more. */
const MAX_POINTS = 120;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Round to a reader of clocks. */
const WIDTHS = [1, 2, 5, 10, 15, 30].map((m) => m * MINUTE).concat([1, 2, 3, 6, 12].map((h) => h * HOUR));

export interface Buckets {
  /** Start of the first bucket and end of the last: whole buckets that cover the range. */
  from: number;
  to: number;
  bucketMs: number;
  count: number;
}

/** Buckets are aligned to the epoch, so that two charts of overlapping ranges agree. `least`: the step of the data, of which a width is a multiple. */
export function cutRange(from: number, to: number, least = MINUTE, points = MAX_POINTS): Buckets {
  const wanted = Math.max(least, (to - from) / points);
  const bucketMs = WIDTHS.find((width) => width >= wanted && width % least === 0) ?? Math.ceil(wanted / DAY) * DAY;
  const start = Math.floor(from / bucketMs) * bucketMs;
  const end = Math.max(start + bucketMs, Math.ceil(to / bucketMs) * bucketMs);
  return { from: start, to: end, bucketMs, count: (end - start) / bucketMs };
}
