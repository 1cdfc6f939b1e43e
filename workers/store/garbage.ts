/**
 * Deletes objects from R2: those that compaction or retention took out of the
 * catalog, once no running query can still read them, and those that never got
 * into it (a put whose D1 batch failed for good).
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { garbage, segments, settings } from "../db/schema.ts";
import { EVENTS_PREFIX } from "./paths.ts";

export interface GarbageEnv {
  DB: D1Database;
  BUCKET: R2Bucket;
}

/** No query runs for an hour. */
export const GARBAGE_DELAY_MS = 3_600_000;
/** Keys that R2 deletes in one call. */
const KEYS_PER_DELETE = 1_000;
const DELETES_PER_RUN = 20;

/** Returns the number of objects deleted. */
export async function collectGarbage({ DB, BUCKET }: GarbageEnv, now: number): Promise<number> {
  let deleted = 0;
  for (let n = 0; n < DELETES_PER_RUN; n++) {
    const [rows] = await runBatch<[{ key: string }]>(DB, [
      sql`SELECT key FROM ${garbage} WHERE delete_after <= ${now}
        AND NOT EXISTS (SELECT 1 FROM ${segments} WHERE ${segments.key} = ${garbage.key}) LIMIT ${KEYS_PER_DELETE}`,
    ]);
    if (rows.length === 0) break;
    const keys = rows.map((row) => row.key);
    // The object first: a crash in between deletes it once more, which is nothing.
    await BUCKET.delete(keys);
    await runBatch(DB, [
      sql`DELETE FROM ${garbage} WHERE key IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`,
    ]);
    deleted += keys.length;
  }
  return deleted;
}

/**
 * An object this old that the catalog does not know never will be in it: every
 * try of a seal or a compaction puts its objects anew, seconds before its batch.
 */
const ORPHAN_AGE_MS = 86_400_000;
/** R2 lists 1,000 objects at once. The next run goes on where this one ended. */
const PAGES_PER_RUN = 50;
const POSITION = "store.orphans_after";

/** Returns the number of objects deleted. */
export async function sweepOrphans({ DB, BUCKET }: GarbageEnv, now: number): Promise<number> {
  let deleted = 0;
  let after = await position(DB);
  for (let n = 0; n < PAGES_PER_RUN; n++) {
    const page = await BUCKET.list({ prefix: EVENTS_PREFIX, ...(after === "" ? {} : { startAfter: after }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < now - ORPHAN_AGE_MS).map((o) => o.key);
    const [known] = await runBatch<[{ key: string }]>(DB, [
      sql`SELECT value AS key FROM json_each(${JSON.stringify(old)}) WHERE value IN (SELECT key FROM ${segments})
        OR value IN (SELECT key FROM ${garbage})`,
    ]);
    const kept = new Set(known.map((row) => row.key));
    const orphans = old.filter((key) => !kept.has(key));
    if (orphans.length > 0) await BUCKET.delete(orphans);
    deleted += orphans.length;
    after = page.truncated ? (page.objects.at(-1)?.key ?? "") : "";
    if (after === "") break;
  }
  await runBatch(DB, [
    sql`INSERT OR REPLACE INTO ${settings} (key, value, updated_at) VALUES (${POSITION}, ${JSON.stringify(after)}, ${now})`,
  ]);
  return deleted;
}

async function position(d1: D1Database): Promise<string> {
  const [rows] = await runBatch<[{ value: string }]>(d1, [sql`SELECT value FROM ${settings} WHERE key = ${POSITION}`]);
  return rows[0] === undefined ? "" : (JSON.parse(rows[0].value) as string);
}
