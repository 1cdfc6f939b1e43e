/**
 * Blobs of source maps: `api/` hands in parts, R2 keeps the whole under its
 * SHA-256. A small blob is one put that R2 itself checks against the hash. A
 * large one is R2's multipart upload, whose state is in D1: what is missing is
 * asked for, sent in any order, and sent twice does no harm, from any process
 * that has the same credential. Who has another one has another upload, and
 * cannot spoil this one with wrong bytes.
 *
 * Parts are joined under a key of their own, and put under the hash by a put that
 * R2 checks: what lies there is proven, and nothing takes it away but the sweep.
 */
import { sql } from "drizzle-orm";
import type { BlobAnswer } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { sourceMapParts, sourceMaps, sourceMapUploads } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { blobKey, joinedKey } from "./keys.ts";
import { JOIN_PATIENCE_MS, PART_BYTES, UNUSED_TRUSTED_MS } from "./limits.ts";

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
  owner: string;
  uploadId: string;
  bytes: number;
  createdAt: number;
}

const COMPLETE: BlobAnswer = { complete: true, partBytes: PART_BYTES, missing: [] };
const partsOf = (bytes: number) => Math.max(1, Math.ceil(bytes / PART_BYTES));
const isSmall = (bytes: number) => bytes <= PART_BYTES;

/**
 * What is missing of a blob. Begins the upload of one that is not there.
 * @param owner the credential, as what can be part of a key
 */
export async function announceBlob(env: MapsEnv, blob: Blob, owner: string, now: number): Promise<BlobResult> {
  const { hash, bytes } = blob;
  const [{ object, used }, upload] = await Promise.all([look(env, hash), readUpload(env, hash, owner)]);
  if (object !== null && object.size !== bytes)
    return wrong(`The blob with this SHA-256 has ${object.size} bytes, not ${bytes}.`);
  if (object !== null && (used || isYoung(object, now))) return { ok: true, answer: COMPLETE };
  if (upload?.bytes === bytes) {
    const settled = await settle(env, upload);
    if (settled.ok || settled.problem !== "lost") return settled;
  }
  // Two lengths for one hash: at most one can be right, and only the end of an upload tells which.
  else if (upload !== undefined) await abortUpload(env, upload);
  if (isSmall(bytes)) return { ok: true, answer: { complete: false, partBytes: PART_BYTES, missing: [1] } };
  return settle(env, await beginUpload(env, blob, owner, now));
}

/**
 * One part. `body` must have the length that is due.
 * @param part from 1
 */
export async function putPart(
  env: MapsEnv,
  { hash, owner, part }: { hash: string; owner: string; part: number },
  body: ReadableStream,
  length: number,
): Promise<BlobResult> {
  const upload = await readUpload(env, hash, owner);
  if (upload === undefined) return putWhole(env, hash, part, body);
  const last = partsOf(upload.bytes);
  if (part > last) return wrong(`The blob has ${last} parts; there is no part ${part}.`);
  const due = part < last ? PART_BYTES : upload.bytes - (last - 1) * PART_BYTES;
  if (length !== due) return wrong(`Part ${part} must have ${due} bytes, not ${length}.`);
  let etag: string;
  try {
    ({ etag } = await multipartOf(env, upload).uploadPart(part, body));
  } catch (error) {
    if (isLost(error)) return completeOrLost(env, upload);
    throw error;
  }
  await runBatch(env.DB, [
    sql`INSERT OR REPLACE INTO ${sourceMapParts} (hash, owner, part, etag) VALUES (${hash}, ${owner}, ${part}, ${etag})`,
  ]);
  return settle(env, upload);
}

/** Whether the blob lies in R2, and will stay for as long as it takes to refer to it. */
export async function isComplete(env: MapsEnv, { hash, bytes }: Blob, now: number): Promise<boolean> {
  const { object, used } = await look(env, hash);
  return object !== null && object.size === bytes && (used || isYoung(object, now));
}

async function look(env: MapsEnv, hash: string) {
  const [object, [uses]] = await Promise.all([
    env.BUCKET.head(blobKey(hash)),
    runBatch<[unknown]>(env.DB, [
      sql`SELECT 1 FROM ${sourceMaps} WHERE hash = ${hash} OR seekable_hash = ${hash} LIMIT 1`,
    ]),
  ]);
  return { object, used: uses.length > 0 };
}

const isYoung = (object: R2Object, now: number) => object.uploaded.getTime() > now - UNUSED_TRUSTED_MS;

/** A blob that was not announced in parts is one part, and its hash is R2's to check. */
async function putWhole(env: MapsEnv, hash: string, part: number, body: ReadableStream): Promise<BlobResult> {
  if (part !== 1) {
    const message = `There is no upload of ${hash} under way. POST /api/v1/sourcemaps/blobs begins one.`;
    return { ok: false, problem: "lost", message };
  }
  return (await putProven(env, hash, body)) ? { ok: true, answer: COMPLETE } : wrong(otherHash(hash));
}

/** False when it has another hash: nothing was stored then, and what was there before is there. */
async function putProven(env: MapsEnv, hash: string, body: ReadableStream): Promise<boolean> {
  try {
    await env.BUCKET.put(blobKey(hash), body, { sha256: hash });
    return true;
  } catch (error) {
    // R2's error 10037 (BadDigest).
    if (/sha-?256|digest|10037/i.test(rootMessage(error))) return false;
    throw error;
  }
}

async function beginUpload(env: MapsEnv, { hash, bytes }: Blob, owner: string, now: number): Promise<Upload> {
  const begun = await env.BUCKET.createMultipartUpload(joinedKey(hash, owner));
  const [, rows] = await runBatch<[unknown, Upload]>(env.DB, [
    sql`INSERT OR IGNORE INTO ${sourceMapUploads} (hash, owner, upload_id, bytes, created_at)
      VALUES (${hash}, ${owner}, ${begun.uploadId}, ${bytes}, ${now})`,
    selectUpload(hash, owner),
  ]);
  const upload = rows[0];
  if (upload === undefined) throw new Error(`BUG: the upload of ${hash} is not where it was just written`);
  // The same was begun in the same moment: we go on with that.
  if (upload.uploadId !== begun.uploadId) await begun.abort().catch(() => {});
  return upload;
}

const selectUpload = (hash: string, owner: string) =>
  sql`SELECT hash, owner, upload_id AS uploadId, bytes, created_at AS createdAt FROM ${sourceMapUploads}
    WHERE hash = ${hash} AND owner = ${owner}`;

async function readUpload(env: MapsEnv, hash: string, owner: string): Promise<Upload | undefined> {
  const [[upload]] = await runBatch<[Upload]>(env.DB, [selectUpload(hash, owner)]);
  return upload;
}

const multipartOf = (env: MapsEnv, { hash, owner, uploadId }: Pick<Upload, "hash" | "owner" | "uploadId">) =>
  env.BUCKET.resumeMultipartUpload(joinedKey(hash, owner), uploadId);

/** Says what is missing; when nothing is, joins the parts and proves the hash. May be repeated at any point. */
async function settle(env: MapsEnv, upload: Upload): Promise<BlobResult> {
  const parts = await readParts(env, upload);
  const there = new Set(parts.map((row) => row.part));
  const missing: number[] = [];
  for (let part = 1; part <= partsOf(upload.bytes); part++) if (!there.has(part)) missing.push(part);
  if (missing.length > 0) return { ok: true, answer: { complete: false, partBytes: PART_BYTES, missing } };
  try {
    await multipartOf(env, upload).complete(parts.map(({ part, etag }) => ({ partNumber: part, etag })));
  } catch (error) {
    // Completed before, and the answer or the worker was lost; or the same part came twice, and the other was faster.
    if (!isLost(error) && !isStuck(upload)) throw error;
    console.warn(`joining the parts of ${upload.hash}: ${rootMessage(error)}`);
    return completeOrLost(env, upload, parts);
  }
  return prove(env, upload);
}

const readParts = async (env: MapsEnv, { hash, owner }: Upload) =>
  (
    await runBatch<[{ part: number; etag: string }]>(env.DB, [
      sql`SELECT part, etag FROM ${sourceMapParts} WHERE hash = ${hash} AND owner = ${owner} ORDER BY part`,
    ])
  )[0];

/** Puts the joined parts where they belong; as a stream, so that memory does not grow with the blob. */
async function prove(env: MapsEnv, upload: Upload): Promise<BlobResult> {
  const { hash } = upload;
  const key = joinedKey(hash, upload.owner);
  const joined = await env.BUCKET.get(key);
  // Another request has proven it, or found it wrong.
  if (joined === null) return completeOrLost(env, upload);
  const isRight = await putProven(env, hash, joined.body);
  await forgetUpload(env, upload);
  await env.BUCKET.delete(key);
  return isRight ? { ok: true, answer: COMPLETE } : wrong(`${otherHash(hash)} Begin again.`);
}

/**
 * R2 does not know the upload, or a part as D1 has it: it forgets uploads after
 * seven days. Or another request sent the same part, and has joined them all.
 */
async function completeOrLost(env: MapsEnv, upload: Upload, tried?: readonly { etag: string }[]): Promise<BlobResult> {
  const { hash, owner, bytes } = upload;
  const joined = await env.BUCKET.head(joinedKey(hash, owner));
  if (joined?.size === bytes) return prove(env, upload);
  // Asked in this order: what is proven lies here before it goes from there.
  if ((await env.BUCKET.head(blobKey(hash)))?.size === bytes) return { ok: true, answer: COMPLETE };
  const parts = tried === undefined ? [] : await readParts(env, upload);
  if (parts.length > 0 && parts.some(({ etag }, at) => etag !== tried?.[at]?.etag)) return settle(env, upload);
  await abortUpload(env, upload);
  const message = `R2 has lost parts of ${hash}. Begin again with POST /api/v1/sourcemaps/blobs.`;
  return { ok: false, problem: "lost", message };
}

/** What R2 no longer knows cannot be aborted, and need not be. */
export async function abortUpload(env: MapsEnv, upload: Pick<Upload, "hash" | "owner" | "uploadId">): Promise<void> {
  await multipartOf(env, upload)
    .abort()
    .catch((error: unknown) => console.warn(`aborting the upload of ${upload.hash}: ${rootMessage(error)}`));
  await forgetUpload(env, upload);
}

async function forgetUpload(
  env: MapsEnv,
  { hash, owner, uploadId }: Pick<Upload, "hash" | "owner" | "uploadId">,
): Promise<void> {
  const it = sql`hash = ${hash} AND owner = ${owner}`;
  await runBatch(env.DB, [
    sql`DELETE FROM ${sourceMapParts} WHERE ${it}
      AND EXISTS (SELECT 1 FROM ${sourceMapUploads} WHERE ${it} AND upload_id = ${uploadId})`,
    sql`DELETE FROM ${sourceMapUploads} WHERE ${it} AND upload_id = ${uploadId}`,
  ]);
}

/**
 * An R2 that fails to join is asked again for this long; then it is the upload
 * that cannot be joined, and sending it anew is better than failing until the sweep.
 */
const isStuck = (upload: Upload) => Date.now() - upload.createdAt > JOIN_PATIENCE_MS;

/** R2's NoSuchUpload and InvalidPart. */
const isLost = (error: unknown) => /1002[45]|does not exist|could not be found/i.test(rootMessage(error));

const otherHash = (hash: string) => `What was sent does not have the SHA-256 ${hash}.`;
const wrong = (message: string): BlobResult => ({ ok: false, problem: "wrong", message });
