/**
 * Which map belongs to which file of which version: rows of `source_maps`.
 * `api/` hands in who registers what, once both blobs are complete. Registering
 * the same again changes nothing; another map for the same file replaces the
 * first, and the caller is told, so that stored errors are led to their source anew.
 */
import { sql } from "drizzle-orm";
import type { RegisterRequest, SourceMapInfo } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { sourceMaps } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { openSeekable, SeekableMapError } from "../source-map/open.ts";
import { isComplete, type MapsEnv } from "./blobs.ts";
import { MAX_FILES_PER_VERSION } from "./limits.ts";
import { readRanges } from "./ranges.ts";

export interface VersionOf {
  script: string;
  versionId: string;
}

export type RegisterResult =
  | { ok: true; info: SourceMapInfo; change: "none" | "added" | "replaced" }
  /** `incomplete`: a blob is not there yet. `unusable`: it is, and is no seekable map. `unread`: R2 did not give it. */
  | { ok: false; problem: Problem; message: string };

type Problem = "incomplete" | "unusable" | "unread" | "too_many";

export async function registerMap(
  env: MapsEnv,
  { script, versionId }: VersionOf,
  request: RegisterRequest,
  by: { actor: string; now: number },
): Promise<RegisterResult> {
  const { file, hash, bytes, seekableHash, seekableBytes, debugId = "", sources, mappings } = request;
  const [[before], [count]] = await runBatch<[SourceMapInfo & { seekableHash: string }, { files: number }]>(env.DB, [
    sql`SELECT ${COLUMNS}, seekable_hash AS seekableHash FROM ${sourceMaps}
      WHERE script = ${script} AND version_id = ${versionId} AND file = ${file}`,
    sql`SELECT count(*) AS files FROM ${sourceMaps} WHERE script = ${script} AND version_id = ${versionId}`,
  ]);
  if (before?.hash === hash && before.seekableHash === seekableHash) {
    const { seekableHash: _, ...info } = before;
    return { ok: true, info, change: "none" };
  }
  if (before === undefined && (count?.files ?? 0) >= MAX_FILES_PER_VERSION)
    return refused("too_many", `A version has ${MAX_FILES_PER_VERSION} source maps at most.`);
  for (const blob of [
    { hash, bytes },
    { hash: seekableHash, bytes: seekableBytes },
  ]) {
    if (!(await isComplete(env, blob, by.now)))
      return refused("incomplete", `The blob ${blob.hash} (${blob.bytes} bytes) is not complete. Upload it first.`);
  }
  const doubt = await tryToOpen(env, seekableHash, seekableBytes);
  if (doubt !== undefined) return doubt;
  const [, [info]] = await runBatch<[unknown, SourceMapInfo]>(env.DB, [
    sql`INSERT OR REPLACE INTO ${sourceMaps} (script, version_id, file, hash, bytes, seekable_hash, seekable_bytes,
        debug_id, sources, mappings, uploaded_at, uploaded_by)
      VALUES (${script}, ${versionId}, ${file}, ${hash}, ${bytes}, ${seekableHash}, ${seekableBytes},
        ${debugId}, ${sources}, ${mappings}, ${by.now}, ${by.actor})`,
    sql`SELECT ${COLUMNS} FROM ${sourceMaps}
      WHERE script = ${script} AND version_id = ${versionId} AND file = ${file}`,
  ]);
  if (info === undefined) throw new Error(`BUG: the map of ${file} is not where it was just written`);
  return { ok: true, info, change: before === undefined ? "added" : "replaced" };
}

/** Undefined when it opens. A bucket that does not answer says nothing about the map: the sender tries again. */
async function tryToOpen(env: MapsEnv, hash: string, bytes: number): Promise<RegisterResult | undefined> {
  try {
    await openSeekable(readRanges(env.BUCKET, hash, bytes));
    return undefined;
  } catch (error) {
    const message = rootMessage(error);
    if (error instanceof SeekableMapError) return refused("unusable", `${hash} is no seekable source map: ${message}`);
    console.warn(`opening the source map ${hash}: ${message}`);
    return refused("unread", `The blob ${hash} cannot be read at the moment. Try again.`);
  }
}

export async function listMaps(env: Pick<MapsEnv, "DB">, { script, versionId }: VersionOf): Promise<SourceMapInfo[]> {
  const [maps] = await runBatch<[SourceMapInfo]>(env.DB, [
    sql`SELECT ${COLUMNS} FROM ${sourceMaps} WHERE script = ${script} AND version_id = ${versionId}
      ORDER BY file LIMIT ${MAX_FILES_PER_VERSION}`,
  ]);
  return maps;
}

/** The blobs go later, with the sweep: other versions may have the same. @returns false when there was none */
export async function removeMap(env: MapsEnv, { script, versionId }: VersionOf, file: string): Promise<boolean> {
  const [gone] = await runBatch<[unknown]>(env.DB, [
    sql`DELETE FROM ${sourceMaps} WHERE script = ${script} AND version_id = ${versionId} AND file = ${file}
      RETURNING 1`,
  ]);
  return gone.length > 0;
}

const COLUMNS = sql.raw(
  "file, hash, bytes, seekable_bytes AS seekableBytes, debug_id AS debugId, sources, mappings, uploaded_at AS uploadedAt, uploaded_by AS uploadedBy",
);

const refused = (problem: Problem, message: string): RegisterResult => ({
  ok: false,
  problem,
  message,
});
