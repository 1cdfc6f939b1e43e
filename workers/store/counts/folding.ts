/**
 * Folds minutes of rollups and of the ledger to ten minutes and hours, so that a
 * chart of a month reads hundreds of rows, not hundreds of thousands. Hourly, by
 * `maintenance.ts`.
 *
 * Rows of minutes have growing ids, and `folds.through_id` says up to which they
 * are in the folds; readers add what is above it, so an answer is the same
 * before and after. A page of new rows is added to the folds that exist, and the
 * mark moved, in one D1 batch whose statements all ask that the mark is still
 * where it was: a fold that is tried twice, or runs twice at once, counts once.
 * Data that comes late is just another page.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { jsonChunks } from "../../db/json-chunks.ts";
import { folds, ledgerFolds, ledgerMinutes, rollupFolds, rollupMinutes } from "../../db/schema.ts";
import { LedgerSums, RollupSums } from "./merge.ts";
import {
  type LedgerRow,
  ledgerValues,
  ROLLUP_COLUMNS,
  ROLLUP_FROM_JSON,
  type RollupRow,
  rollupValues,
  toLedger,
  toRollup,
} from "./rows.ts";
import { FOLD_STEPS_S } from "./steps.ts";

/** Rows of one page: some 2 MB, and as much again for the folds that they touch. */
const PAGE_ROWS = 1_500;
/** Pages of one run: some seconds of D1. The next run goes on. */
const PAGES_PER_RUN = 40;

/** Returns the rows folded; `more` when the run ended before it was through. */
export async function foldCounts(d1: D1Database): Promise<{ rows: number; more: boolean }> {
  let rows = 0;
  let more = false;
  for (const fold of [foldRollups, foldLedger]) {
    let page = PAGE_ROWS;
    for (let n = 0; n < PAGES_PER_RUN && page === PAGE_ROWS; n++) {
      page = await fold(d1);
      rows += page;
    }
    more ||= page === PAGE_ROWS;
  }
  return { rows, more };
}

async function foldRollups(d1: D1Database): Promise<number> {
  const through = await foldedThrough(d1, "rollup_minutes");
  const [rows] = await runBatch<[RollupRow & { id: number }]>(d1, [
    sql`SELECT id, minute AS start, ${ROLLUP_COLUMNS} FROM ${rollupMinutes} WHERE id > ${through} ORDER BY id LIMIT ${PAGE_ROWS}`,
  ]);
  const last = rows.at(-1);
  if (last === undefined) return 0;
  const writes: SQL[] = [];
  for (const step of FOLD_STEPS_S) {
    const sums = new RollupSums();
    const buckets = bucketsOf(rows, step);
    const [existing] = await runBatch<[RollupRow]>(d1, [
      sql`SELECT start, ${ROLLUP_COLUMNS} FROM ${rollupFolds} WHERE ${inBuckets(step, buckets)}`,
    ]);
    for (const row of existing) sums.add(toRollup(row));
    for (const row of rows) sums.add(toRollup({ ...row, start: row.start - (row.start % step) }));
    // Rows of a bucket that no new row touches would be written as they are.
    const touched = new Set(rows.map((r) => foldKey(r.start - (r.start % step), r)));
    const changed = sums.list().filter((r) => touched.has(foldKey(r.minute, r)));
    for (const json of jsonChunks(changed.map(rollupValues))) {
      writes.push(sql`INSERT OR REPLACE INTO ${rollupFolds} (step, start, ${ROLLUP_COLUMNS})
        SELECT ${step}, value->>0, ${ROLLUP_FROM_JSON} FROM json_each(${json}) WHERE ${markIs("rollup_minutes", through)}`);
    }
  }
  await runBatch(d1, [...writes, moveMark("rollup_minutes", through, last.id)]);
  return rows.length;
}

async function foldLedger(d1: D1Database): Promise<number> {
  const through = await foldedThrough(d1, "ledger_minutes");
  const [rows] = await runBatch<[LedgerRow & { id: number }]>(d1, [
    sql`SELECT id, minute AS start, script, counts FROM ${ledgerMinutes} WHERE id > ${through} ORDER BY id LIMIT ${PAGE_ROWS}`,
  ]);
  const last = rows.at(-1);
  if (last === undefined) return 0;
  const writes: SQL[] = [];
  for (const step of FOLD_STEPS_S) {
    const sums = new LedgerSums();
    const [existing] = await runBatch<[LedgerRow]>(d1, [
      sql`SELECT start, script, counts FROM ${ledgerFolds} WHERE ${inBuckets(step, bucketsOf(rows, step))}`,
    ]);
    for (const row of existing) sums.add(toLedger(row));
    for (const row of rows) sums.add(toLedger({ ...row, start: row.start - (row.start % step) }));
    for (const json of jsonChunks(sums.list().map(ledgerValues))) {
      writes.push(sql`INSERT OR REPLACE INTO ${ledgerFolds} (step, start, script, counts)
        SELECT ${step}, value->>0, value->>1, value->>2 FROM json_each(${json}) WHERE ${markIs("ledger_minutes", through)}`);
    }
  }
  await runBatch(d1, [...writes, moveMark("ledger_minutes", through, last.id)]);
  return rows.length;
}

type Folded = "rollup_minutes" | "ledger_minutes";

async function foldedThrough(d1: D1Database, name: Folded): Promise<number> {
  const [rows] = await runBatch<[{ id: number }]>(d1, [sql`SELECT ${foldMark(name)} AS id`]);
  return rows[0]?.id ?? 0;
}

/** Rows of minutes above this are not in the folds. */
export function foldMark(name: Folded): SQL {
  return sql`ifnull((SELECT through_id FROM ${folds} WHERE name = ${name}), 0)`;
}

function markIs(name: Folded, through: number): SQL {
  return sql`${foldMark(name)} = ${through}`;
}

function moveMark(name: Folded, from: number, to: number): SQL {
  return sql`INSERT INTO ${folds} (name, through_id) SELECT ${name}, ${to} WHERE ${markIs(name, from)}
    ON CONFLICT (name) DO UPDATE SET through_id = excluded.through_id`;
}

function foldKey(
  start: number,
  r: { script: string; version_id: string; entrypoint: string; event_type: string },
): string {
  return `${start}\0${r.script}\0${r.version_id}\0${r.entrypoint}\0${r.event_type}`;
}

function bucketsOf(
  rows: readonly { script: string; start: number }[],
  step: number,
): [script: string, start: number][] {
  const buckets = new Map<string, [string, number]>();
  for (const { script, start } of rows) {
    const bucket = start - (start % step);
    buckets.set(`${bucket}\0${script}`, [script, bucket]);
  }
  return [...buckets.values()];
}

function inBuckets(step: number, buckets: readonly [string, number][]): SQL {
  return sql`step = ${step} AND (script, start) IN (SELECT value->>0, value->>1 FROM json_each(${JSON.stringify(buckets)}))`;
}
