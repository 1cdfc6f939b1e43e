/**
 * Rollup rows → what the Overview and a Worker's page show. Rows are added up
 * once, per Worker, version and bucket; everything wider is merged from those.
 * Pure: `routes/overview.ts` and `routes/workers.ts` fetch and send.
 */
import type { Rollup } from "../../store/counts/merge.ts";
import type { BreakdownRow, Measures, SeriesPoint, VersionSummary, WorkerSummary } from "../contract.ts";
import type { Buckets } from "./buckets.ts";
import { ensure, mergeSeries, points, type SparseSeries, Sum, sumAt, total } from "./sum.ts";

/** When something was first and last seen, ms since the epoch; to the minute. */
export interface Seen {
  firstSeen: number;
  lastSeen: number;
}
const NEVER: Seen = { firstSeen: Number.POSITIVE_INFINITY, lastSeen: 0 };
/** What the database knows of before and after the range. */
export interface SeenSource {
  /** Workers to list even when nothing of them is in the range. */
  scripts: readonly string[];
  worker(script: string): Seen | undefined;
  version(script: string, versionId: string): Seen | undefined;
}

interface VersionSums {
  id: string;
  tag: string;
  message: string;
  seen: Seen;
  series: SparseSeries;
}
type WorkerSums = Map<string, VersionSums>;

/** Rows outside the buckets are left out. */
export function addUp(rows: readonly Rollup[], buckets: Buckets): Map<string, WorkerSums> {
  const workers = new Map<string, WorkerSums>();
  for (const row of rows) {
    const at = row.minute * 1000;
    if (at < buckets.from || at >= buckets.to) continue;
    const version = versionOf(
      ensure(workers, row.script, () => new Map()),
      row,
    );
    version.seen = widen(version.seen, { firstSeen: at, lastSeen: at });
    const bucket = buckets.from + Math.floor((at - buckets.from) / buckets.bucketMs) * buckets.bucketMs;
    sumAt(version.series, bucket).add(row);
  }
  return workers;
}

function versionOf(versions: WorkerSums, row: Rollup): VersionSums {
  const version = ensure(versions, row.version_id, () => ({
    id: row.version_id,
    tag: row.version_tag,
    message: row.version_message,
    seen: NEVER,
    series: new Map(),
  }));
  // An item may come without the tag that others of its version have.
  version.tag ||= row.version_tag;
  version.message ||= row.version_message;
  return version;
}

const widen = (a: Seen, b: Seen | undefined): Seen =>
  b === undefined ? a : { firstSeen: Math.min(a.firstSeen, b.firstSeen), lastSeen: Math.max(a.lastSeen, b.lastSeen) };

/** Newest version first; at most `maxVersions` of them are listed, all are counted. */
export function summarizeWorker(
  script: string,
  versions: WorkerSums,
  buckets: Buckets,
  seen: SeenSource,
  maxVersions: number,
): WorkerSummary & { sums: SparseSeries } {
  const sums: SparseSeries = new Map();
  let all = NEVER;
  const listed: VersionSummary[] = [];
  for (const version of versions.values()) {
    mergeSeries(sums, version.series);
    all = widen(all, version.seen);
    const { id, tag, message } = version;
    listed.push({
      id,
      tag,
      message,
      ...widen(version.seen, seen.version(script, id)),
      ...charted(version.series, buckets),
    });
  }
  listed.sort((a, b) => b.firstSeen - a.firstSeen || b.lastSeen - a.lastSeen || (a.id < b.id ? -1 : 1));
  return {
    script,
    ...widen(all, seen.worker(script)),
    ...charted(sums, buckets),
    versions: listed.slice(0, maxVersions),
    sums,
  };
}

/** The busiest Workers first; at most `maxWorkers` are listed, all are in the total. */
export function summarizeAll(
  rows: readonly Rollup[],
  buckets: Buckets,
  seen: SeenSource,
  limits: { maxWorkers: number; maxVersions: number },
): { total: Measures & { series: SeriesPoint[] }; workers: WorkerSummary[] } {
  const everything: SparseSeries = new Map();
  const workers: WorkerSummary[] = [];
  const added = addUp(rows, buckets);
  for (const script of seen.scripts) ensure(added, script, () => new Map());
  for (const [script, versions] of added) {
    const { sums, ...worker } = summarizeWorker(script, versions, buckets, seen, limits.maxVersions);
    mergeSeries(everything, sums);
    workers.push(worker);
  }
  workers.sort((a, b) => b.requests - a.requests || (a.script < b.script ? -1 : 1));
  return { total: charted(everything, buckets), workers: workers.slice(0, limits.maxWorkers) };
}

const charted = (series: SparseSeries, buckets: Buckets): Measures & { series: SeriesPoint[] } => ({
  ...total(series).measures(),
  series: points(series, buckets),
});

/** Rows by the value of one key, busiest first. */
export function breakDown(rows: readonly Rollup[], key: "entrypoint" | "event_type"): BreakdownRow[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) ensure(sums, row[key], () => new Sum()).add(row);
  const found = [...sums].map(([value, sum]) => ({ value, ...sum.measures() }));
  return found.sort((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : 1));
}

/** Requests by outcome or status class, most frequent first. */
export function countBy(rows: readonly Rollup[], key: "outcomes" | "statuses"): { value: string; requests: number }[] {
  const counts = new Map<string, number>();
  for (const row of rows)
    for (const value of Object.keys(row[key])) counts.set(value, (counts.get(value) ?? 0) + (row[key][value] ?? 0));
  const found = [...counts].map(([value, requests]) => ({ value, requests: Number(requests.toPrecision(12)) }));
  return found.sort((a, b) => b.requests - a.requests || (a.value < b.value ? -1 : 1));
}
