/**
 * Takes away what nobody needs any more: blobs that no map refers to, and
 * uploads that nobody went on with. `index.ts` runs it with the daily cron. A
 * blob is only relied on again while it is young (`blobs.ts`), so none is deleted
 * between being found and being referred to.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { settings, sourceMaps, sourceMapUploads } from "../../db/schema.ts";
import { abortUpload, type MapsEnv } from "./blobs.ts";
import { MAPS_PREFIX } from "./keys.ts";
import { UNUSED_KEPT_MS, UPLOAD_KEPT_MS } from "./limits.ts";

/** R2 lists 1,000 objects at once. The next run goes on where this one ended. */
const PAGES_PER_RUN = 50;
const UPLOADS_PER_RUN = 200;
const POSITION = "maps.sweep_after";

export interface SweepReport {
  blobs: number;
  uploads: number;
}

export async function sweepMaps(env: MapsEnv, now: number): Promise<SweepReport> {
  return { uploads: await sweepUploads(env, now), blobs: await sweepBlobs(env, now) };
}

async function sweepUploads(env: MapsEnv, now: number): Promise<number> {
  const [abandoned] = await runBatch<[{ hash: string; uploadId: string }]>(env.DB, [
    sql`SELECT hash, upload_id AS uploadId FROM ${sourceMapUploads}
      WHERE created_at < ${now - UPLOAD_KEPT_MS} LIMIT ${UPLOADS_PER_RUN}`,
  ]);
  for (const upload of abandoned) await abortUpload(env, upload);
  return abandoned.length;
}

async function sweepBlobs({ DB, BUCKET }: MapsEnv, now: number): Promise<number> {
  let deleted = 0;
  let after = await position(DB);
  for (let n = 0; n < PAGES_PER_RUN; n++) {
    const page = await BUCKET.list({ prefix: MAPS_PREFIX, ...(after === "" ? {} : { startAfter: after }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < now - UNUSED_KEPT_MS).map((o) => o.key);
    const hashes = old.map((key) => key.slice(MAPS_PREFIX.length));
    const [known] = await runBatch<[{ hash: string }]>(DB, [
      sql`SELECT value AS hash FROM json_each(${JSON.stringify(hashes)})
        WHERE value IN (SELECT hash FROM ${sourceMaps}) OR value IN (SELECT seekable_hash FROM ${sourceMaps})`,
    ]);
    const kept = new Set(known.map((row) => MAPS_PREFIX + row.hash));
    const unused = old.filter((key) => !kept.has(key));
    if (unused.length > 0) await BUCKET.delete(unused);
    deleted += unused.length;
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
