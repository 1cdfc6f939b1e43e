/**
 * Blobs of source maps: `api/` hands in parts, R2 keeps the whole under its
 * SHA-256. A small blob is one put that R2 itself checks against the hash. A
 * large one is R2's multipart upload, whose state is in D1, so that anybody may
 * go on with it: what is missing is asked for, sent in any order, and sent twice
 * does no harm. It counts only when its hash was read back and is right.
 */
import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import type { BlobAnswer } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { sourceMapParts, sourceMaps, sourceMapUploads } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { blobKey } from "./keys.ts";
import { PART_BYTES, UNUSED_TRUSTED_MS } from "./limits.ts";

export type MapsEnv = Pick<Env, "DB" | "BUCKET">;

export interface Blob {
  /** SHA-256, hex. */
  hash: string;
  bytes: number;
}

export type BlobResult =
  | { ok: true; answer: BlobAnswer }
  /** `wrong`: what came is not what was announced. `lost`: it must be announced again. */
  | { ok: false; problem: "wrong" | "lost"; message: string };

interface Upload {
  hash: string;
  uploadId: string;
  bytes: number;
}

const COMPLETE: BlobAnswer = { complete: true, partBytes: PART_BYTES, missing: [] };
const partsOf = (bytes: number) => Math.max(1, Math.ceil(bytes / PART_BYTES));
const isSmall = (bytes: number) => bytes <= PART_BYTES;

/** What is missing of a blob. Begins the upload of one that is not there. */
export async function announceBlob(env: MapsEnv, blob: Blob, now: number): Promise<BlobResult> {
  const { hash, bytes } = blob;
  const { object, used, upload } = await look(env, hash);
  if (upload !== undefined) {
    if (upload.bytes === bytes) return settle(env, upload);
    // Two lengths for one hash: at most one can be right, and only the end of an upload tells which.
    await abortUpload(env, upload);
  } else if (object !== null) {
    if (object.size !== bytes) return wrong(`The blob with this SHA-256 has ${object.size} bytes, not ${bytes}.`);
    if (used || isYoung(object, now)) return { ok: true, answer: COMPLETE };
  }
  if (isSmall(bytes)) return { ok: true, answer: { complete: false, partBytes: PART_BYTES, missing: [1] } };
  return settle(env, await beginUpload(env, blob, now));
}

/**
 * One part. `body` must have the length that is due.
 * @param part from 1
 */
export async function putPart(
  env: MapsEnv,
  hash: string,
  part: number,
  body: ReadableStream,
  length: number,
): Promise<BlobResult> {
  const [[upload]] = await runBatch<[Upload]>(env.DB, [selectUpload(hash)]);
  if (upload === undefined) return putWhole(env, hash, part, body);
  const last = partsOf(upload.bytes);
  if (part > last) return wrong(`The blob has ${last} parts; there is no part ${part}.`);
  const due = part < last ? PART_BYTES : upload.bytes - (last - 1) * PART_BYTES;
  if (length !== due) return wrong(`Part ${part} must have ${due} bytes, not ${length}.`);
  let etag: string;
  try {
    ({ etag } = await env.BUCKET.resumeMultipartUpload(blobKey(hash), upload.uploadId).uploadPart(part, body));
  } catch (error) {
    if (isLost(error)) return lost(env, upload);
    throw error;
  }
  await runBatch(env.DB, [
    sql`INSERT OR REPLACE INTO ${sourceMapParts} (hash, part, etag) VALUES (${hash}, ${part}, ${etag})`,
  ]);
  return settle(env, upload);
}

/** Whether the blob lies in R2 with its hash proven, and will stay for as long as it takes to refer to it. */
export async function isComplete(env: MapsEnv, { hash, bytes }: Blob, now: number): Promise<boolean> {
  const { object, used, upload } = await look(env, hash);
  return object !== null && object.size === bytes && upload === undefined && (used || isYoung(object, now));
}

/** An object whose upload is still in D1 may be joined, but its hash is not proven yet. */
async function look(env: MapsEnv, hash: string) {
  const [object, [uploads, uses]] = await Promise.all([
    env.BUCKET.head(blobKey(hash)),
    runBatch<[Upload, unknown]>(env.DB, [
      selectUpload(hash),
      sql`SELECT 1 FROM ${sourceMaps} WHERE hash = ${hash} OR seekable_hash = ${hash} LIMIT 1`,
    ]),
  ]);
  return { object, upload: uploads[0], used: uses.length > 0 };
}

const isYoung = (object: R2Object, now: number) => object.uploaded.getTime() > now - UNUSED_TRUSTED_MS;

/** A blob that was not announced in parts is one part, and its hash is R2's to check. */
async function putWhole(env: MapsEnv, hash: string, part: number, body: ReadableStream): Promise<BlobResult> {
  if (part !== 1) {
    const message = `There is no upload of ${hash} under way. POST /api/v1/sourcemaps/blobs begins one.`;
    return { ok: false, problem: "lost", message };
  }
  try {
    await env.BUCKET.put(blobKey(hash), body, { sha256: hash });
  } catch (error) {
    // R2's error 10037 (BadDigest); a put that failed has stored nothing.
    if (!/sha-?256|digest|10037/i.test(rootMessage(error))) throw error;
    return wrong(`What was sent does not have the SHA-256 ${hash}.`);
  }
  return { ok: true, answer: COMPLETE };
}

async function beginUpload(env: MapsEnv, { hash, bytes }: Blob, now: number): Promise<Upload> {
  const begun = await env.BUCKET.createMultipartUpload(blobKey(hash));
  const [, rows] = await runBatch<[unknown, Upload]>(env.DB, [
    sql`INSERT OR IGNORE INTO ${sourceMapUploads} (hash, upload_id, bytes, created_at)
      VALUES (${hash}, ${begun.uploadId}, ${bytes}, ${now})`,
    selectUpload(hash),
  ]);
  const upload = rows[0];
  if (upload === undefined) throw new Error(`BUG: the upload of ${hash} is not where it was just written`);
  // Somebody began the same blob in the same moment: we go on with theirs.
  if (upload.uploadId !== begun.uploadId) await begun.abort().catch(() => {});
  return upload;
}

const selectUpload = (hash: string) =>
  sql`SELECT hash, upload_id AS uploadId, bytes FROM ${sourceMapUploads} WHERE hash = ${hash}`;

/** Says what is missing; when nothing is, joins the parts and proves the hash. May be repeated at any point. */
async function settle(env: MapsEnv, upload: Upload): Promise<BlobResult> {
  const [parts] = await runBatch<[{ part: number; etag: string }]>(env.DB, [
    sql`SELECT part, etag FROM ${sourceMapParts} WHERE hash = ${upload.hash} ORDER BY part`,
  ]);
  const there = new Set(parts.map((row) => row.part));
  const missing: number[] = [];
  for (let part = 1; part <= partsOf(upload.bytes); part++) if (!there.has(part)) missing.push(part);
  if (missing.length > 0) return { ok: true, answer: { complete: false, partBytes: PART_BYTES, missing } };
  if (!(await joinParts(env, upload, parts))) return lost(env, upload);
  if (!(await hasItsHash(env, upload.hash))) {
    await env.BUCKET.delete(blobKey(upload.hash));
    await forgetUpload(env, upload);
    return wrong(`What was sent does not have the SHA-256 ${upload.hash}. Begin again.`);
  }
  await forgetUpload(env, upload);
  return { ok: true, answer: COMPLETE };
}

/** @returns false when R2 does not have what D1 says: it forgets uploads after seven days, and parts that came twice at once */
async function joinParts(env: MapsEnv, upload: Upload, parts: { part: number; etag: string }[]): Promise<boolean> {
  const key = blobKey(upload.hash);
  try {
    const uploaded = parts.map(({ part, etag }) => ({ partNumber: part, etag }));
    await env.BUCKET.resumeMultipartUpload(key, upload.uploadId).complete(uploaded);
    return true;
  } catch (error) {
    // Completed before, and the answer or the worker was lost; or somebody else was a moment faster.
    const object = await env.BUCKET.head(key);
    if (object?.size === upload.bytes) return true;
    console.warn(`joining the parts of ${key}: ${rootMessage(error)}`);
    if (isLost(error)) return false;
    throw error;
  }
}

/** As a stream: memory does not grow with the blob. */
async function hasItsHash(env: MapsEnv, hash: string): Promise<boolean> {
  const object = await env.BUCKET.get(blobKey(hash));
  // Gone again: another request found it wrong, or is replacing it. Whoever asks next sees what there is.
  if (object === null) return false;
  const digest = createHash("sha256");
  for await (const chunk of object.body) digest.update(chunk as Uint8Array);
  return digest.digest("hex") === hash;
}

/** What R2 no longer knows cannot be aborted, and need not be. */
export async function abortUpload(env: MapsEnv, upload: Pick<Upload, "hash" | "uploadId">): Promise<void> {
  await env.BUCKET.resumeMultipartUpload(blobKey(upload.hash), upload.uploadId)
    .abort()
    .catch((error: unknown) => console.warn(`aborting the upload of ${upload.hash}: ${rootMessage(error)}`));
  await forgetUpload(env, upload);
}

async function forgetUpload(env: MapsEnv, { hash, uploadId }: Pick<Upload, "hash" | "uploadId">): Promise<void> {
  await runBatch(env.DB, [
    sql`DELETE FROM ${sourceMapParts} WHERE hash = ${hash}
      AND EXISTS (SELECT 1 FROM ${sourceMapUploads} WHERE hash = ${hash} AND upload_id = ${uploadId})`,
    sql`DELETE FROM ${sourceMapUploads} WHERE hash = ${hash} AND upload_id = ${uploadId}`,
  ]);
}

/** R2's NoSuchUpload and InvalidPart. */
const isLost = (error: unknown) => /1002[45]|does not exist|could not be found/i.test(rootMessage(error));

async function lost(env: MapsEnv, upload: Upload): Promise<BlobResult> {
  await abortUpload(env, upload);
  const message = `R2 has lost parts of ${upload.hash}. Begin again with POST /api/v1/sourcemaps/blobs.`;
  return { ok: false, problem: "lost", message };
}

const wrong = (message: string): BlobResult => ({ ok: false, problem: "wrong", message });
