/** `GET /api/v1/overview`: all Workers at a glance, over a range. */
import type { Handler } from "../context.ts";
import type { OverviewAnswer } from "../contract.ts";
import { bucketsFor, readCharted } from "../counts.ts";
import { summarizeAll } from "../measures/summaries.ts";
import { readRange } from "../range.ts";
import { readSeen } from "../seen.ts";

/** A page lists so many; beyond, one asks a query. Bounds the answer to a few MB. */
const LIMITS = { maxWorkers: 200, maxVersions: 5 };

export const overview: Handler = async (c) => {
  const now = Date.now();
  const range = readRange(c, now);
  if (!range.ok) return range.failure;
  const buckets = bucketsFor(range.value, now);
  const [counts, known] = await Promise.all([readCharted(c.env, buckets, undefined), readSeen(c.env.DB, buckets.from)]);
  const { from, to, bucketMs } = buckets;
  const summaries = summarizeAll(counts.rollups, buckets, known, LIMITS);
  return c.json({ from, to, bucketMs, ...summaries, completeness: counts.completeness } satisfies OverviewAnswer);
};
