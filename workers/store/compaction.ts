/**
 * Merges small segments of one Worker and hour into bigger ones. Hourly, by
 * `maintenance.ts`. Ingesters seal often, to keep their logs short; queries like
 * few segments, and R2 counts every read.
 *
 *   plan (pure) → read inputs → merge, sort, encode → R2 put → one D1 batch
 *
 * The batch inserts the new segment, deletes the old ones, and lists their
 * objects as garbage, all only while every input is still in the catalog. So it
 * counts once, whoever else compacts or retains at the same time; an object that
 * was put in vain is swept as an orphan. Running queries find the old objects
 * for another hour.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { garbage, segments } from "../db/schema.ts";
import type { ColumnBatch } from "../event/batch.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { BatchCollection } from "./batch-collection.ts";
import { type CompactionInput, MAX_OUTPUT_ROWS, planGroups } from "./compaction-plan.ts";
import { GARBAGE_DELAY_MS } from "./garbage.ts";
import { MAX_ATTRIBUTE_COLUMNS } from "./overflow.ts";
import { compactedKey, digest } from "./paths.ts";
import { openSegment, SegmentError } from "./segment-reader.ts";
import { type WrittenSegment, writeSegment } from "./segment-writer.ts";

export interface CompactionEnv {
  DB: D1Database;
  BUCKET: R2Bucket;
}

export interface CompactionReport {
  inputs: number;
  outputs: number;
  rows: number;
  /** Inputs that could not be read; they are left as they are. */
  unreadable: string[];
  /** Groups that failed otherwise, and why; the next run tries them again. */
  failed: string[];
  /** True when there is more to do than one run may: the next one goes on. */
  more: boolean;
}

/**
 * Rows of one run: reading and writing take some 10 µs a row together, so this
 * stays below half of the 300 s of CPU that wrangler.toml asks for.
 */
const ROWS_PER_RUN = 10_000_000;
/** Hours looked at in one run, the most scattered first. */
const HOURS_PER_RUN = 300;
/** One bad group must not keep all others scattered; but when a store is away, nothing works. */
const FAILURES_PER_RUN = 3;
const HOUR_US = 3_600_000_000;
const STORE_TIMEOUT_MS = 30_000;

export async function compact(env: CompactionEnv, now: number, rowsPerRun = ROWS_PER_RUN): Promise<CompactionReport> {
  const report: CompactionReport = { inputs: 0, outputs: 0, rows: 0, unreadable: [], failed: [], more: false };
  const hours = await scatteredHours(env.DB);
  for (const { script, hour } of hours) {
    const inputs = await inputsOf(env.DB, script, hour);
    for (const group of planGroups(inputs, (hour + 1) * HOUR_US > now * 1000)) {
      const rows = group.reduce((sum, input) => sum + input.rows, 0);
      if (report.rows > 0 && report.rows + rows > rowsPerRun) return { ...report, more: true };
      try {
        await compactGroup(env, script, group, now, report);
      } catch (error) {
        report.failed.push(`${script}, hour ${hour}: ${rootMessage(error)}`);
        if (report.failed.length === FAILURES_PER_RUN) return { ...report, more: true };
      }
    }
  }
  return { ...report, more: hours.length === HOURS_PER_RUN };
}

async function compactGroup(
  env: CompactionEnv,
  script: string,
  group: readonly CompactionInput[],
  now: number,
  report: CompactionReport,
): Promise<void> {
  const { batches, readable, unreadable } = await readInputs(env.BUCKET, group);
  report.unreadable.push(...unreadable);
  const first = readable[0];
  if (first === undefined || readable.length < 2) return;
  const merged = batches.merged() as ColumnBatch;
  const expected = readable.reduce((sum, input) => sum + input.rows, 0);
  if (merged.rows !== expected)
    throw new Error(`BUG: compaction read ${merged.rows} rows of ${expected}: ${first.key} …`);
  const level = Math.max(...readable.map((input) => input.level)) + 1;
  const keys = readable.map((input) => input.key).sort();
  const written = writeSegment(merged);
  const key = compactedKey(script, Math.min(...readable.map((input) => input.minTime)), level, digest(keys));
  const options = { httpMetadata: { contentType: "application/vnd.apache.parquet" } };
  await within(STORE_TIMEOUT_MS, "R2", env.BUCKET.put(key, written.bytes, options));
  await within(STORE_TIMEOUT_MS, "D1", runBatch(env.DB, swap({ key, script, level, now }, written, keys)));
  report.inputs += keys.length;
  report.outputs += 1;
  report.rows += merged.rows;
}

function swap(
  output: { key: string; script: string; level: number; now: number },
  written: WrittenSegment,
  inputs: readonly string[],
): SQL[] {
  const { key, script, level, now } = output;
  const isInput = sql`key IN (SELECT value FROM json_each(${JSON.stringify(inputs)}))`;
  const done = sql`EXISTS (SELECT 1 FROM ${segments} WHERE key = ${key})`;
  return [
    sql`INSERT INTO ${segments} (key, script, min_time, max_time, rows, bytes, level, pruning, attributes, created_at)
      SELECT ${key}, ${script}, ${written.minTime}, ${written.maxTime}, ${written.rows}, ${written.bytes.byteLength},
      ${level}, ${JSON.stringify(written.pruning)}, ${JSON.stringify(written.attributes)}, ${now}
      WHERE (SELECT count(*) FROM ${segments} WHERE ${isInput}) = ${inputs.length}`,
    sql`INSERT OR REPLACE INTO ${garbage} (key, delete_after)
      SELECT key, ${now + GARBAGE_DELAY_MS} FROM ${segments} WHERE ${isInput} AND ${done}`,
    sql`DELETE FROM ${segments} WHERE ${isInput} AND ${done}`,
  ];
}

/** One input at a time, one row group at a time: only the decoded rows are held. */
async function readInputs(bucket: R2Bucket, group: readonly CompactionInput[]) {
  const batches = new BatchCollection();
  const readable: CompactionInput[] = [];
  const unreadable: string[] = [];
  for (const input of group) {
    try {
      for (const batch of await readWhole(bucket, input)) batches.add(batch);
      readable.push(input);
    } catch (error) {
      if (!(error instanceof SegmentError)) throw error;
      unreadable.push(`${input.key}: ${error.message}`);
    }
  }
  return { batches, readable, unreadable };
}

async function readWhole(bucket: R2Bucket, input: CompactionInput): Promise<ColumnBatch[]> {
  const object = await within(STORE_TIMEOUT_MS, "R2", bucket.get(input.key));
  if (object === null) throw new SegmentError("the object is not in the bucket");
  const bytes = new Uint8Array(await object.arrayBuffer());
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const segment = await openSegment({ read }, bytes.byteLength);
  const batches: ColumnBatch[] = [];
  for (let group = 0; group < segment.rowGroups.length; group++) batches.push(await segment.readStored(group));
  return batches;
}

/** Hours with segments that no merge has seen yet, and something to merge them with. */
async function scatteredHours(d1: D1Database): Promise<{ script: string; hour: number }[]> {
  const [rows] = await runBatch<[{ script: string; hour: number }]>(d1, [
    sql`SELECT script, min_time / ${sql.raw(String(HOUR_US))} AS hour FROM ${segments}
      WHERE rows < ${MAX_OUTPUT_ROWS / 2} GROUP BY 1, 2 HAVING count(*) > 1 AND min(level) = 0
      ORDER BY sum(level = 0) DESC, 2 DESC, 1 LIMIT ${HOURS_PER_RUN}`,
  ]);
  return rows;
}

async function inputsOf(d1: D1Database, script: string, hour: number): Promise<CompactionInput[]> {
  const from = hour * HOUR_US;
  const [rows] = await runBatch<[CompactionInput]>(d1, [
    sql`SELECT key, min_time AS minTime, rows, bytes, level,
      min(json_array_length(attributes), ${MAX_ATTRIBUTE_COLUMNS}) AS attributes FROM ${segments}
      WHERE script = ${script} AND max_time >= ${from} AND min_time >= ${from} AND min_time < ${from + HOUR_US}
      ORDER BY min_time, key`,
  ]);
  return rows;
}
