/**
 * Reads rollups and the ledger, sealed and unsealed together, each counted
 * exactly once. Callers: `api/` for charts, `query/` for how complete an answer
 * is.
 *
 * The protocol is that of events: list the open shards, ask their Ingesters what
 * is unsealed, and only then read D1: rows, folds, and seal marks in one batch.
 * Entries up to the mark of their shard are in the rows. An Ingester that does
 * not answer is named in `missing`: a number is never silently short.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Completeness } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { ledgerFolds, ledgerMinutes, rollupFolds, rollupMinutes, shards } from "../../db/schema.ts";
import type { LedgerDelta, RollupDelta } from "../../event/rollup.ts";
import { type AskEnv, askUnsealedCounts, type UnsealedCounts } from "./ask-ingesters.ts";
import { foldMark } from "./folding.ts";
import { LedgerSums, type Rollup, RollupSums } from "./merge.ts";
import { type LedgerRow, ofWorkers, ROLLUP_COLUMNS, type RollupRow, toLedger, toRollup } from "./rows.ts";
import { MINUTE_S, stepFor } from "./steps.ts";

/** Rows of one answer, some 1.5 KB each: what an isolate can hold beside its other work. */
const MAX_ROWS = 30_000;

export interface CountsQuestion {
  /** ms since the epoch, half-open `[from, to)`: buckets that overlap it. */
  from: number;
  to: number;
  script?: string | undefined;
}

export interface RollupsAnswer {
  /** Merged per bucket and key; `minute` is the bucket's start in seconds. */
  rows: Rollup[];
  /** Length of the buckets: 60,000, 600,000 or 3,600,000. */
  stepMs: number;
  /** What could not be read, and why; empty when all could. */
  missing: string[];
}

export interface LedgerRowsAnswer {
  /** Merged per bucket and Worker. */
  rows: LedgerDelta[];
  stepMs: number;
  /** How long ago the oldest unsealed entry arrived, ms; 0 when all is sealed. */
  behindMs: number;
  missing: string[];
}

export async function readRollups(env: AskEnv, question: CountsQuestion): Promise<RollupsAnswer> {
  return (await readCounts(env, question)).rollups;
}

/** The seal marks and folds of one moment, and what Ingesters had just before it. */
export async function readCounts(
  env: AskEnv,
  question: CountsQuestion,
): Promise<{ rollups: RollupsAnswer; ledger: LedgerRowsAnswer }> {
  const live = await askUnsealedCounts(env, question.script);
  const range = rangeOf(question);
  const [minutes, folded, ledgerRows, ledgerFolded, marks] = await runBatch<
    [RollupRow, RollupRow, LedgerRow, LedgerRow, Mark]
  >(env.DB, [
    rollupRows(question, range),
    rollupFoldRows(question, range),
    ledgerMinuteRows(question, range),
    ledgerFoldRows(question, range),
    marksOf(live),
  ]);
  const unsealed = notYetSealed(live, marks);
  return {
    rollups: mergeRollups(range, [...minutes, ...folded], unsealed, live.missing),
    ledger: mergeLedger(range, [...ledgerRows, ...ledgerFolded], unsealed, live.missing),
  };
}

export async function readLedger(env: AskEnv, question: CountsQuestion): Promise<LedgerRowsAnswer> {
  const live = await askUnsealedCounts(env, question.script);
  const range = rangeOf(question);
  const [minutes, folded, marks] = await runBatch<[LedgerRow, LedgerRow, Mark]>(env.DB, [
    ledgerMinuteRows(question, range),
    ledgerFoldRows(question, range),
    marksOf(live),
  ]);
  return mergeLedger(range, [...minutes, ...folded], notYetSealed(live, marks), live.missing);
}

/** How complete an answer over this range is. */
export function completeness(rows: readonly LedgerDelta[], behindMs: number, missing: readonly string[]): Completeness {
  const sum = (reason: keyof LedgerDelta["counts"]) => rows.reduce((n, row) => n + (row.counts[reason] ?? 0), 0);
  const received = sum("received");
  const kept = sum("kept");
  const sampledOut = sum("sampled_out");
  return {
    ratio: received === 0 ? 1 : Math.min((kept + sampledOut) / received, 1),
    received,
    kept,
    sampledOut,
    rateLimited: sum("rate_limited"),
    overloaded: sum("overloaded"),
    truncated: sum("truncated"),
    unreadable: sum("unreadable"),
    behindMs,
    ...(missing.length === 0 ? {} : { missing: [...missing] }),
  };
}

/** The same, read for a range. */
export async function readCompleteness(env: AskEnv, question: CountsQuestion): Promise<Completeness> {
  const { rows, behindMs, missing } = await readLedger(env, question);
  return completeness(rows, behindMs, missing);
}

interface Range {
  /** Seconds; half-open, on the bounds of buckets. */
  from: number;
  to: number;
  step: number;
}

function rangeOf(question: CountsQuestion): Range {
  const step = stepFor(question.from, question.to, Date.now());
  const floor = (ms: number) => Math.floor(ms / 1000 / step) * step;
  return { from: floor(question.from), to: Math.max(floor(question.to - 1) + step, floor(question.from)), step };
}

/** For ranges by the minute all of them, else only those that are not folded yet. */
function newMinutes(
  question: CountsQuestion,
  { from, to, step }: Range,
  name: "rollup_minutes" | "ledger_minutes",
): SQL {
  const time = sql`minute >= ${from} AND minute < ${to} AND ${ofWorkers(question.script)}`;
  return step === MINUTE_S ? time : sql`id > ${foldMark(name)} AND ${time}`;
}

function inFolds(question: CountsQuestion, { from, to, step }: Range): SQL {
  return sql`step = ${step} AND start >= ${from} AND start < ${to} AND ${ofWorkers(question.script)}`;
}

function rollupRows(question: CountsQuestion, range: Range): SQL {
  return sql`SELECT minute AS start, ${ROLLUP_COLUMNS} FROM ${rollupMinutes}
    WHERE ${newMinutes(question, range, "rollup_minutes")} LIMIT ${MAX_ROWS + 1}`;
}

function rollupFoldRows(question: CountsQuestion, range: Range): SQL {
  return sql`SELECT start, ${ROLLUP_COLUMNS} FROM ${rollupFolds} WHERE ${inFolds(question, range)} LIMIT ${MAX_ROWS + 1}`;
}

function ledgerMinuteRows(question: CountsQuestion, range: Range): SQL {
  return sql`SELECT minute AS start, script, counts FROM ${ledgerMinutes}
    WHERE ${newMinutes(question, range, "ledger_minutes")} LIMIT ${MAX_ROWS + 1}`;
}

function ledgerFoldRows(question: CountsQuestion, range: Range): SQL {
  return sql`SELECT start, script, counts FROM ${ledgerFolds} WHERE ${inFolds(question, range)} LIMIT ${MAX_ROWS + 1}`;
}

interface Mark {
  shard: string;
  through: number;
}

/** Of the shards whose Ingesters were asked. */
function marksOf(live: UnsealedCounts): SQL {
  const asked = JSON.stringify([...new Set(live.entries.map((e) => e.shard))]);
  return sql`SELECT shard, sealed_through AS through FROM ${shards} WHERE shard IN (SELECT value FROM json_each(${asked}))`;
}

function notYetSealed(live: UnsealedCounts, marks: readonly Mark[]): UnsealedCounts["entries"] {
  const through = new Map(marks.map((m) => [m.shard, m.through]));
  return live.entries.filter((e) => e.id > (through.get(e.shard) ?? 0));
}

function mergeRollups(
  range: Range,
  rows: readonly RollupRow[],
  unsealed: UnsealedCounts["entries"],
  missing: readonly string[],
): RollupsAnswer {
  const sums = new RollupSums();
  const add = (delta: RollupDelta) => {
    const minute = delta.minute - (delta.minute % range.step);
    if (minute >= range.from && minute < range.to) sums.add({ ...delta, minute });
  };
  for (const row of rows.slice(0, MAX_ROWS)) add(toRollup(row));
  for (const entry of unsealed) for (const delta of JSON.parse(entry.rollups) as RollupDelta[]) add(delta);
  return { rows: sums.list(), stepMs: range.step * 1000, missing: withCut(rows, missing) };
}

function mergeLedger(
  range: Range,
  rows: readonly LedgerRow[],
  unsealed: UnsealedCounts["entries"],
  missing: readonly string[],
): LedgerRowsAnswer {
  const sums = new LedgerSums();
  const add = (delta: LedgerDelta) => {
    const minute = delta.minute - (delta.minute % range.step);
    if (minute >= range.from && minute < range.to) sums.add({ ...delta, minute });
  };
  for (const row of rows.slice(0, MAX_ROWS)) add(toLedger(row));
  let oldest = Number.POSITIVE_INFINITY;
  for (const entry of unsealed) {
    oldest = Math.min(oldest, entry.at);
    for (const delta of JSON.parse(entry.ledger) as LedgerDelta[]) add(delta);
  }
  const behindMs = Number.isFinite(oldest) ? Math.max(Date.now() - oldest, 0) : 0;
  return { rows: sums.list(), stepMs: range.step * 1000, behindMs, missing: withCut(rows, missing) };
}

function withCut(rows: readonly unknown[], missing: readonly string[]): string[] {
  if (rows.length <= MAX_ROWS) return [...missing];
  return [...missing, `more than ${MAX_ROWS} rows of counts: ask for a shorter range or one Worker`];
}
