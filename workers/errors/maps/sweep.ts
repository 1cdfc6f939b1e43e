/**
 * Takes away what nobody needs any more: blobs that no map refers to, and
 * uploads that nobody went on with. `index.ts` runs it with the daily cron. A
 * blob is only relied on again while it is young (`blobs.ts`), so none is deleted
 * between being found and being referred to.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { sweepBucket } from "../../db/bucket-sweep.ts";
import { sourceMaps, sourceMapUploads } from "../../db/schema.ts";
import { abortUpload, type MapsEnv } from "./blobs.ts";
import { MAPS_PREFIX } from "./keys.ts";
import { UNUSED_KEPT_MS, UPLOAD_KEPT_MS } from "./limits.ts";

/** Each is a request to R2. */
const UPLOADS_PER_RUN = 200;

export interface SweepReport {
  blobs: number;
  uploads: number;
}

export async function sweepMaps(env: MapsEnv, now: number): Promise<SweepReport> {
  return { uploads: await sweepUploads(env, now), blobs: await sweepBlobs(env, now) };
}

async function sweepUploads(env: MapsEnv, now: number): Promise<number> {
  const [abandoned] = await runBatch<[{ hash: string; owner: string; uploadId: string }]>(env.DB, [
    sql`SELECT hash, owner, upload_id AS uploadId FROM ${sourceMapUploads}
      WHERE created_at < ${now - UPLOAD_KEPT_MS} LIMIT ${UPLOADS_PER_RUN}`,
  ]);
  for (const upload of abandoned) await abortUpload(env, upload);
  return abandoned.length;
}

function sweepBlobs(env: MapsEnv, now: number): Promise<number> {
  const hash = sql`substr(value, ${MAPS_PREFIX.length + 1})`;
  return sweepBucket(
    env,
    {
      prefix: MAPS_PREFIX,
      uploadedBefore: now - UNUSED_KEPT_MS,
      isUsed: sql`${hash} IN (SELECT hash FROM ${sourceMaps}) OR ${hash} IN (SELECT seekable_hash FROM ${sourceMaps})`,
      position: "maps.sweep_after",
    },
    now,
  );
}
