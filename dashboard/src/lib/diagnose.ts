/**
 * "Is it broken, since when, which version": reads the rollups of the Overview
 * and says it in one finding per Worker. Pure; thresholds are below. It only
 * words what the charts show and decides nothing: that is the rollout guard's.
 */
import type { SeriesPoint, VersionSummary, WorkerSummary } from "../../../workers/api/contract.ts";

/** An error rate below this is never called broken. */
const FAILING_RATE = 0.01;
/** Fewer failures than this may be chance. */
const MIN_ERRORS = 5;
/** A version is blamed when it fails this many times as often as the rest of its Worker. */
const BLAME_RATIO = 3;
/** "Now" is the last fifth of the range. */
const RECENT_SHARE = 5;

export interface Finding {
  script: string;
  errors: number;
  requests: number;
  errorRate: number;
  /** Start of the first bucket of the trouble that still lasts; undefined when it lasted all along. */
  since?: number;
  /** The version that fails far more often than the others, if there are others. */
  version?: VersionSummary;
  ongoing: boolean;
}

const sum = (points: SeriesPoint[], key: "requests" | "errors") => points.reduce((n, p) => n + p[key], 0);

/** Buckets with requests, walked backwards: where did the error rate begin to be high? */
function sinceWhen(series: SeriesPoint[], threshold: number): { since?: number; ongoing: boolean } {
  const busy = series.filter((p) => p.requests > 0);
  let at = busy.length;
  // One quiet bucket in between does not end an incident.
  while (at > 0 && bad(busy[at - 1], threshold, busy[at - 2])) at--;
  while (at < busy.length && (busy[at] as SeriesPoint).errorRate < threshold) at++;
  const recent = series.slice(-Math.max(2, Math.ceil(series.length / RECENT_SHARE)));
  const ongoing =
    sum(recent, "errors") > 0 && sum(recent, "errors") / Math.max(1, sum(recent, "requests")) >= threshold;
  const first = busy[at];
  return { since: at > 0 && first !== undefined ? first.t : undefined, ongoing };
}

function bad(point: SeriesPoint | undefined, threshold: number, before: SeriesPoint | undefined): boolean {
  return (point?.errorRate ?? 0) >= threshold || (before?.errorRate ?? 0) >= threshold;
}

function blame(worker: WorkerSummary): VersionSummary | undefined {
  if (worker.versions.length < 2) return undefined;
  for (const v of [...worker.versions].sort((a, b) => b.errors - a.errors)) {
    if (v.errors < MIN_ERRORS || v.errorRate < FAILING_RATE) continue;
    const requests = worker.requests - v.requests;
    const rest = requests > 0 ? Math.max(0, worker.errors - v.errors) / requests : 0;
    if (requests > 0 && v.errorRate >= rest * BLAME_RATIO) return v;
  }
  return undefined;
}

export function diagnose(worker: WorkerSummary): Finding | undefined {
  const version = blame(worker);
  const failing = worker.errors >= MIN_ERRORS && worker.errorRate >= FAILING_RATE;
  if (!failing && version === undefined) return undefined;
  const subject = version ?? worker;
  const { since, ongoing } = sinceWhen(subject.series, Math.max(FAILING_RATE / 2, subject.errorRate / 4));
  return {
    script: worker.script,
    errors: subject.errors,
    requests: subject.requests,
    errorRate: subject.errorRate,
    since: version !== undefined && since === undefined ? version.firstSeen : since,
    version,
    ongoing,
  };
}

/** The worst first. */
export function diagnoseAll(workers: WorkerSummary[]): Finding[] {
  return workers
    .map(diagnose)
    .filter((f) => f !== undefined)
    .sort((a, b) => Number(b.ongoing) - Number(a.ongoing) || b.errors - a.errors);
}
