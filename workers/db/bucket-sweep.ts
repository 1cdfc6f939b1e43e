/**
 * Deletes objects of the bucket that no row of D1 refers to: what was put, and
 * whose row was never written or is gone. `store/garbage.ts` sweeps segments,
 * `errors/maps/sweep.ts` source maps. Bounded: the next run goes on where this
 * one ended, so a run that is lost costs nothing but time.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "./batch.ts";
import { settings } from "./schema.ts";

/** R2 lists 1,000 objects at once. */
const PAGES_PER_RUN = 50;

export interface Sweep {
  /** Which keys. */
  prefix: string;
  /** ms: younger objects may be about to be referred to. */
  uploadedBefore: number;
  /** Of a key that is called `value`: does a row refer to it? */
  isUsed: SQL;
  /** Key in `settings` of where the last run ended. */
  position: string;
}

/** Returns the number of objects deleted. */
export async function sweepBucket(
  { DB, BUCKET }: Pick<Env, "DB" | "BUCKET">,
  { prefix, uploadedBefore, isUsed, position }: Sweep,
  now: number,
): Promise<number> {
  let deleted = 0;
  let after = await readPosition(DB, position);
  for (let n = 0; n < PAGES_PER_RUN; n++) {
    const page = await BUCKET.list({ prefix, ...(after === "" ? {} : { startAfter: after }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < uploadedBefore).map((o) => o.key);
    const [used] = await runBatch<[{ key: string }]>(DB, [
      sql`SELECT value AS key FROM json_each(${JSON.stringify(old)}) WHERE ${isUsed}`,
    ]);
    const kept = new Set(used.map((row) => row.key));
    const unused = old.filter((key) => !kept.has(key));
    if (unused.length > 0) await BUCKET.delete(unused);
    deleted += unused.length;
    after = page.truncated ? (page.objects.at(-1)?.key ?? "") : "";
    if (after === "") break;
  }
  await runBatch(DB, [
    sql`INSERT OR REPLACE INTO ${settings} (key, value, updated_at) VALUES (${position}, ${JSON.stringify(after)}, ${now})`,
  ]);
  return deleted;
}

async function readPosition(d1: D1Database, key: string): Promise<string> {
  const [rows] = await runBatch<[{ value: string }]>(d1, [sql`SELECT value FROM ${settings} WHERE key = ${key}`]);
  return rows[0] === undefined ? "" : (JSON.parse(rows[0].value) as string);
}
