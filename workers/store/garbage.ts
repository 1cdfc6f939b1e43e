/**
 * Deletes objects from R2: those that compaction or retention took out of the
 * catalog, once no running query can still read them, and those that never got
 * into it (a put whose D1 batch failed for good). What a destination has not read
 * yet stays, whatever became of its row in the catalog (`delivery/source/`).
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { sweepBucket } from "../db/bucket-sweep.ts";
import { backfillSegments, garbage, sealedLog, segments } from "../db/schema.ts";
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

/** By a destination: later, or because it was down. */
function isToBeRead(key: SQL): SQL {
  return sql`(EXISTS (SELECT 1 FROM ${sealedLog} AS s WHERE s.key = ${key})
    OR EXISTS (SELECT 1 FROM ${backfillSegments} AS b WHERE b.key = ${key}))`;
}

/** Returns the number of objects deleted. */
export async function collectGarbage({ DB, BUCKET }: GarbageEnv, now: number): Promise<number> {
  let deleted = 0;
  for (let n = 0; n < DELETES_PER_RUN; n++) {
    const [rows] = await runBatch<[{ key: string }]>(DB, [
      sql`SELECT key FROM ${garbage} WHERE delete_after <= ${now}
        AND NOT EXISTS (SELECT 1 FROM ${segments} WHERE ${segments.key} = ${garbage.key})
        AND NOT ${isToBeRead(sql`${garbage.key}`)} LIMIT ${KEYS_PER_DELETE}`,
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

/** Returns the number of objects deleted. */
export function sweepOrphans(env: GarbageEnv, now: number): Promise<number> {
  return sweepBucket(
    env,
    {
      prefix: EVENTS_PREFIX,
      uploadedBefore: now - ORPHAN_AGE_MS,
      isUsed: sql`value IN (SELECT key FROM ${segments}) OR value IN (SELECT key FROM ${garbage})
        OR ${isToBeRead(sql`value`)}`,
      position: "store.orphans_after",
    },
    now,
  );
}
