/** Time buckets of charts: which width fits a range, and where the empty ones are. Pure. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WIDTHS: [number, string][] = [
  [SECOND, "1s"],
  [2 * SECOND, "2s"],
  [5 * SECOND, "5s"],
  [10 * SECOND, "10s"],
  [30 * SECOND, "30s"],
  [MINUTE, "1m"],
  [2 * MINUTE, "2m"],
  [5 * MINUTE, "5m"],
  [10 * MINUTE, "10m"],
  [30 * MINUTE, "30m"],
  [HOUR, "1h"],
  [2 * HOUR, "2h"],
  [6 * HOUR, "6h"],
  [12 * HOUR, "12h"],
  [DAY, "1d"],
  [7 * DAY, "7d"],
];

/** More bars than this are narrower than the eye needs. */
const MAX_BUCKETS = 120;

export interface Bucket {
  ms: number;
  /** As the query language writes it: `5m`. */
  text: string;
}

export function bucketFor(spanMs: number, most = MAX_BUCKETS): Bucket {
  const fit = WIDTHS.find(([ms]) => spanMs / ms <= most) ?? (WIDTHS.at(-1) as [number, string]);
  return { ms: fit[0], text: fit[1] };
}

/** The starts of all buckets that touch [from, to). */
export function bucketStarts(from: number, to: number, ms: number): number[] {
  const starts: number[] = [];
  for (let t = Math.floor(from / ms) * ms; t < to; t += ms) starts.push(t);
  return starts;
}
