/** What an Ingester tells of itself to `self/`: once per append, flush or seal, never per event. */
import type { LedgerReason } from "../event/rollup.ts";
import { count } from "../self/count.ts";
import type { StoredSegment } from "../store/seal-commit.ts";
import type { AppendRequest } from "./contract.ts";

type CountEnv = Pick<Env, "COUNTERS">;

/** Batches whose newest event is older are replays of other days: they say nothing of how far behind we are. */
const MAX_LAG_MS = 10 * 60_000;

export function countAppend(env: CountEnv, request: AppendRequest, bytes: number, now: number): void {
  const { script: worker, rows, maxTime, ledger } = request;
  count(env, "tailrace_ingest_batches_total", { worker });
  count(env, "tailrace_ingest_events_total", { worker }, rows);
  count(env, "tailrace_ingest_bytes_total", { worker }, bytes);
  for (const { counts } of ledger)
    for (const reason of Object.keys(counts) as LedgerReason[])
      if (reason !== "events") count(env, "tailrace_ingest_items_total", { worker, reason }, counts[reason]);
  const lagMs = now - maxTime / 1000;
  if (rows === 0 || lagMs > MAX_LAG_MS) return;
  count(env, "tailrace_ingest_timed_batches_total", { worker });
  count(env, "tailrace_ingest_lag_seconds_total", { worker }, Math.max(lagMs, 0) / 1000);
}

export const countRefused = (env: CountEnv, worker: string): void =>
  count(env, "tailrace_ingest_refused_batches_total", { worker });

export function countSealed(env: CountEnv, worker: string, segments: readonly StoredSegment[]): void {
  count(env, "tailrace_seal_segments_total", { worker }, segments.length);
  count(
    env,
    "tailrace_seal_events_total",
    { worker },
    total(segments, (segment) => segment.rows),
  );
  count(
    env,
    "tailrace_seal_bytes_total",
    { worker },
    total(segments, (segment) => segment.size),
  );
}

export const countSealFailure = (env: CountEnv, worker: string): void =>
  count(env, "tailrace_seal_failures_total", { worker });

export const countFlush = (env: CountEnv, worker: string, ok: boolean): void =>
  count(env, "tailrace_issues_flushes_total", { worker, outcome: ok ? "ok" : "failed" });

export const countPush = (env: CountEnv, worker: string, entries: readonly { rows: number }[]): void => {
  count(env, "tailrace_live_pushes_total", { worker });
  count(
    env,
    "tailrace_live_events_total",
    { worker },
    total(entries, (entry) => entry.rows),
  );
};

const total = <T>(list: readonly T[], of: (entry: T) => number) => list.reduce((sum, entry) => sum + of(entry), 0);
