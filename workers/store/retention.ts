/**
 * Forgets what is too old. Daily, by `maintenance.ts`.
 *   segments   per Worker, `retentionDays` of its settings, else of the platform's
 *   rollups, ledger   minutes and ten-minute folds 30 days, hours 13 months (counts/steps.ts)
 * Segments leave the catalog first and the bucket later, through `garbage`.
 */
import { sql } from "drizzle-orm";
import { DEFAULT_RETENTION_DAYS } from "../api/contract.ts";
import { runBatch } from "../db/batch.ts";
import {
  folds,
  garbage,
  ledgerFolds,
  ledgerMinutes,
  PLATFORM_SETTINGS_KEY,
  rollupFolds,
  rollupMinutes,
  segments,
  settings,
  workers,
} from "../db/schema.ts";
import { foldMark } from "./counts/folding.ts";
import { ofWorkers } from "./counts/rows.ts";
import { FINE_HORIZON_MS, HOUR_S, HOURS_HORIZON_MS } from "./counts/steps.ts";
import { GARBAGE_DELAY_MS } from "./garbage.ts";

const DAY_MS = 86_400_000;
/** Rows that one statement deletes, and statements of one run per table: the next day goes on. */
const ROWS_PER_STATEMENT = 5_000;
const STATEMENTS_PER_RUN = 100;

export interface RetentionReport {
  segments: number;
  countRows: number;
}

export async function retain(d1: D1Database, now: number): Promise<RetentionReport> {
  return { segments: await expireSegments(d1, now), countRows: await expireCounts(d1, now) };
}

interface Days {
  days: number | null;
}

async function expireSegments(d1: D1Database, now: number): Promise<number> {
  const [platform, all] = await runBatch<[Days, Days & { script: string }]>(d1, [
    sql`SELECT value->>'$.worker.retentionDays' AS days FROM ${settings} WHERE key = ${PLATFORM_SETTINGS_KEY}`,
    sql`SELECT script, settings->>'$.retentionDays' AS days FROM ${workers}`,
  ]);
  const standard = validDays(platform[0]?.days) ?? DEFAULT_RETENTION_DAYS;
  let expired = 0;
  for (const { script, days } of all) {
    const cutoff = (now - (validDays(days) ?? standard) * DAY_MS) * 1000;
    for (let n = 0; n < STATEMENTS_PER_RUN; n++) {
      const some = sql`SELECT key FROM ${segments} WHERE script = ${script} AND max_time < ${cutoff}
        ORDER BY max_time, key LIMIT ${ROWS_PER_STATEMENT}`;
      const [, deleted] = await runBatch<[unknown, { n: number }]>(d1, [
        sql`INSERT OR REPLACE INTO ${garbage} (key, delete_after) SELECT key, ${now + GARBAGE_DELAY_MS} FROM (${some})`,
        sql`DELETE FROM ${segments} WHERE key IN (${some}) RETURNING 1 AS n`,
      ]);
      expired += deleted.length;
      if (deleted.length < ROWS_PER_STATEMENT) break;
    }
  }
  return expired;
}

function validDays(days: number | null | undefined): number | undefined {
  return typeof days === "number" && days > 0 ? days : undefined;
}

async function expireCounts(d1: D1Database, now: number): Promise<number> {
  const fine = Math.floor((now - FINE_HORIZON_MS) / 1000);
  const coarse = Math.floor((now - HOURS_HORIZON_MS) / 1000);
  const oldMinutes = (name: "rollup_minutes" | "ledger_minutes") =>
    // What is not folded yet is not forgotten.
    sql`minute < ${fine} AND id <= ${foldMark(name)} AND ${ofWorkers(undefined)}`;
  const oldFolds = sql`${ofWorkers(undefined)} AND (step = ${HOUR_S} AND start < ${coarse} OR step < ${HOUR_S} AND start < ${fine})`;
  let deleted = 0;
  for (const [table, old] of [
    [rollupMinutes, oldMinutes("rollup_minutes")],
    [ledgerMinutes, oldMinutes("ledger_minutes")],
    [rollupFolds, oldFolds],
    [ledgerFolds, oldFolds],
  ] as const) {
    for (let n = 0; n < STATEMENTS_PER_RUN; n++) {
      const [gone = []] = await runBatch(d1, [
        sql`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${old} LIMIT ${ROWS_PER_STATEMENT})
          RETURNING 1 AS n`,
        ...LOWER_MARKS,
      ]);
      deleted += gone.length;
      if (gone.length < ROWS_PER_STATEMENT) break;
    }
  }
  return deleted;
}

/** SQLite gives the ids of the newest rows again when those were deleted: the marks must not be above them. */
const LOWER_MARKS = (
  [
    ["rollup_minutes", rollupMinutes],
    ["ledger_minutes", ledgerMinutes],
  ] as const
).map(
  ([name, table]) =>
    sql`UPDATE ${folds} SET through_id = min(through_id, ifnull((SELECT max(id) FROM ${table}), 0)) WHERE name = ${name}`,
);
