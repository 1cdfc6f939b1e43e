/** Rows of rollups and of the ledger in D1, and back: shared by sealing, folding and reading. */
import { type SQL, sql } from "drizzle-orm";
import type { LedgerDelta, RollupDelta } from "../../event/rollup.ts";
import type { Rollup } from "./merge.ts";

/** In the order of `rollupValues`. */
export const ROLLUP_COLUMNS = sql.raw(
  "script, version_id, version_tag, version_message, entrypoint, event_type, requests, errors, outcomes, statuses, duration, cpu",
);
/** The same columns out of element `value` of a JSON array of `[start, …rollupValues]`. */
export const ROLLUP_FROM_JSON = sql.raw(Array.from({ length: 12 }, (_, i) => `value->>${i + 1}`).join(", "));

export interface RollupRow {
  /** Bucket's start, seconds. */
  start: number;
  script: string;
  version_id: string;
  version_tag: string;
  version_message: string;
  entrypoint: string;
  event_type: string;
  requests: number;
  errors: number;
  outcomes: string;
  statuses: string;
  duration: string;
  cpu: string;
}

export interface LedgerRow {
  start: number;
  script: string;
  counts: string;
}

export function rollupValues(r: Rollup): unknown[] {
  return [
    r.minute,
    r.script,
    r.version_id,
    r.version_tag,
    r.version_message,
    r.entrypoint,
    r.event_type,
    r.requests,
    r.errors,
    JSON.stringify(r.outcomes),
    JSON.stringify(r.statuses),
    JSON.stringify(r.duration.encode()),
    JSON.stringify(r.cpu.encode()),
  ];
}

export function toRollup({ start, ...row }: RollupRow): RollupDelta {
  return {
    ...row,
    minute: start,
    outcomes: JSON.parse(row.outcomes) as RollupDelta["outcomes"],
    statuses: JSON.parse(row.statuses) as RollupDelta["statuses"],
    duration: JSON.parse(row.duration) as RollupDelta["duration"],
    cpu: JSON.parse(row.cpu) as RollupDelta["cpu"],
  };
}

export function ledgerValues(l: LedgerDelta): unknown[] {
  return [l.minute, l.script, JSON.stringify(l.counts)];
}

export function toLedger(row: LedgerRow): LedgerDelta {
  return { minute: row.start, script: row.script, counts: JSON.parse(row.counts) as LedgerDelta["counts"] };
}

/** `script` is one of these, or of all that were ever seen: either way the key's first column is known. */
export function ofWorkers(script: string | undefined): SQL {
  return script === undefined ? sql`script IN (SELECT script FROM workers)` : sql`script = ${script}`;
}
