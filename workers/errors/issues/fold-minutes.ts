/**
 * Counts per minute that are some days old become counts per hour, so that a
 * page over a month reads 24 rows a day, not 1,440, and D1 keeps as few. A row of
 * an hour is one whose minute is the hour's start. Daily; bounded.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprintMinutes } from "../../db/schema.ts";
import { FOLD_MINUTES_AFTER_MS, RETENTION_ROWS, RETENTION_STATEMENTS } from "./limits.ts";

const HOUR_S = 3_600;

/** Returns how many rows were folded. */
export async function foldMinutes(env: Pick<Env, "DB">, now: number): Promise<number> {
  const before = Math.floor((now - FOLD_MINUTES_AFTER_MS) / 1000 / HOUR_S) * HOUR_S;
  // The same rows in both statements: hours are none of them, and nothing comes between within one batch.
  const some = sql`SELECT rowid FROM ${fingerprintMinutes} WHERE minute < ${before} AND minute % ${HOUR_S} != 0
    ORDER BY minute, rowid LIMIT ${RETENTION_ROWS}`;
  let folded = 0;
  for (let n = 0; n < RETENTION_STATEMENTS; n++) {
    const [, gone = []] = await runBatch<unknown[]>(env.DB, [
      sql`INSERT INTO ${fingerprintMinutes} (fingerprint, minute, version_id, count)
        SELECT fingerprint, minute - minute % ${HOUR_S}, version_id, sum(count) FROM ${fingerprintMinutes}
        WHERE rowid IN (${some}) GROUP BY 1, 2, 3
        ON CONFLICT (fingerprint, minute, version_id) DO UPDATE SET count = count + excluded.count`,
      sql`DELETE FROM ${fingerprintMinutes} WHERE rowid IN (${some}) RETURNING 1`,
    ]);
    folded += gone.length;
    if (gone.length < RETENTION_ROWS) break;
  }
  return folded;
}
