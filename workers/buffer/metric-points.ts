/**
 * Minute rollups as Analytics Engine points, for the long range
 * (docs/analytics-engine.md has the layout). Written after the seal is in the
 * catalog; a crash in between loses points, never doubles them. Nothing decides
 * by them: the dataset is sampled.
 */
import { type Rollup, RollupSums } from "../store/counts/merge.ts";

/** What Analytics Engine takes from one invocation. */
export const POINTS_PER_INVOCATION = 250;
/** Of the index, in bytes. */
const INDEX_BYTES = 96;
/** Of each of the five blobs, so that together they stay far below 16 KB. */
const BLOB_CHARS = 512;

/**
 * At most `max` points. When there are more rollups than that, the minutes of
 * one key are added up first, and then the keys with the fewest requests go.
 */
export function metricPoints(rollups: readonly Rollup[], max: number): AnalyticsEngineDataPoint[] {
  let chosen = rollups;
  if (chosen.length > max) {
    const sums = new RollupSums();
    const first = rollups.reduce((least, r) => Math.min(least, r.minute), Number.POSITIVE_INFINITY);
    for (const rollup of rollups) sums.add({ ...rollup, minute: first });
    chosen = sums
      .list()
      .sort((a, b) => b.requests - a.requests)
      .slice(0, Math.max(max, 0));
  }
  return chosen.map(point);
}

function point(r: Rollup): AnalyticsEngineDataPoint {
  const status = (cls: string) => r.statuses[cls] ?? 0;
  return {
    indexes: [cutBytes(r.script, INDEX_BYTES)],
    blobs: [r.script, r.version_id, r.version_tag, r.entrypoint, r.event_type].map((b) => b.slice(0, BLOB_CHARS)),
    doubles: [
      r.minute,
      r.requests,
      r.errors,
      r.duration.quantile(0.5) ?? -1,
      r.duration.quantile(0.99) ?? -1,
      r.cpu.quantile(0.5) ?? -1,
      r.cpu.quantile(0.99) ?? -1,
      status("2xx"),
      status("3xx"),
      status("4xx"),
      status("5xx"),
    ],
  };
}

function cutBytes(text: string, max: number): string {
  let cut = text.slice(0, max);
  while (Buffer.byteLength(cut) > max) cut = cut.slice(0, -1);
  return cut;
}
