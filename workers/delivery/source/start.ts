/**
 * Where destinations begin and end: the marks of a new one, which shards have
 * something new for a known one, the segments of a back-fill, and letting go of
 * what was kept. Called by Couriers; everything is read from D1.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { backfillSegments, segments, shards } from "../../db/schema.ts";

type StartEnv = Pick<Env, "DB">;

export interface StartMark {
  shard: string;
  script: string;
  through: number;
}

/** How far each shard is sealed: a destination that begins there reads what was not sealed when it was made, and all that comes. */
export async function startMarks(env: StartEnv): Promise<StartMark[]> {
  const [marks] = await runBatch<[StartMark]>(env.DB, [MARKS]);
  return marks;
}

const MARKS = sql`SELECT shard, script, sealed_through AS through FROM ${shards} ORDER BY shard`;

/** Shards with something unsealed, or sealed after what is known of them; one that is not known is new. */
export async function shardsWithNews(
  env: StartEnv,
  known: ReadonlyMap<string, number>,
): Promise<{ shard: string; script: string }[]> {
  const [rows] = await runBatch<[StartMark & { open: number }]>(env.DB, [
    sql`SELECT shard, script, sealed_through AS through, open FROM ${shards} ORDER BY shard`,
  ]);
  return rows
    .filter(({ shard, through, open }) => open !== 0 || through > (known.get(shard) ?? 0))
    .map(({ shard, script }) => ({ shard, script }));
}

export interface TakenBackfill {
  rows: number;
  segments: number;
  /** As of the same moment: live cursors that begin here read the rest, so that each event is in one of both. */
  marks: StartMark[];
}

/**
 * Lists all segments with events in `[from, to)`, ms (null: without an end), oldest first, for a back-fill: in one transaction, so that
 * compaction and retention neither double nor lose one. What it had listed before is let go.
 */
export async function takeBackfill(
  env: StartEnv,
  destination: string,
  from: number,
  to: number | null,
): Promise<TakenBackfill> {
  const until = to === null ? sql`` : sql`AND min_time < ${to * 1000}`;
  const [, , sums, marks] = await runBatch<[unknown, unknown, { rows: number; segments: number }, StartMark]>(env.DB, [
    sql`DELETE FROM ${backfillSegments} WHERE destination = ${destination}`,
    sql`INSERT INTO ${backfillSegments} (destination, number, key, script, rows, bytes, min_time, max_time)
      SELECT ${destination}, row_number() OVER (ORDER BY min_time, key), key, script, rows, bytes, min_time, max_time
      FROM ${segments} WHERE max_time >= ${from * 1000} ${until}`,
    sql`SELECT total(rows) AS rows, count(*) AS segments FROM ${backfillSegments} WHERE destination = ${destination}`,
    MARKS,
  ]);
  return { rows: sums[0]?.rows ?? 0, segments: sums[0]?.segments ?? 0, marks };
}

/** Segments of a back-fill up to this number are done: their objects need not be kept for it. */
export async function endBackfill(
  env: StartEnv,
  destination: string,
  through = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  await runBatch(env.DB, [
    sql`DELETE FROM ${backfillSegments} WHERE destination = ${destination} AND number <= ${through}`,
  ]);
}

/** The destination is removed: nothing is kept for it any more. Sealed segments go with the next sweep (expire.ts). */
export async function letGo(env: StartEnv, destination: string): Promise<void> {
  await endBackfill(env, destination);
}
