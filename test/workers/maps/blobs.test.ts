/** Uploading a blob: in parts, in any order, more than once, from several sides, and with what it must not be. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { BlobAnswer } from "../../../workers/api/contract.ts";
import { blobKey, joinedKey } from "../../../workers/errors/maps/keys.ts";
import { JOIN_PATIENCE_MS, PART_BYTES } from "../../../workers/errors/maps/limits.ts";
import { ADMIN, call, errorCode } from "../api/client.ts";
import { announce, announced, blobOf, noise, send, sendPart, type TestBlob, upload } from "./support.ts";

const stored = async ({ hash }: TestBlob) => {
  const object = await env.BUCKET.get(blobKey(hash));
  return object === null ? undefined : (await blobOf(new Uint8Array(await object.arrayBuffer()))).hash;
};
const rowsOf = async (table: string, hash: string) =>
  await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE hash = ?`).bind(hash).first<number>("n");
const uploadOf = async ({ hash }: TestBlob) => {
  const query = env.DB.prepare("SELECT owner, upload_id FROM source_map_uploads WHERE hash = ?").bind(hash);
  const row = await query.first<{ owner: string; upload_id: string }>();
  if (row === null) throw new Error(`no upload of ${hash}`);
  return row;
};
const answerOf = async (response: Response): Promise<BlobAnswer> => {
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};

describe("a small blob", () => {
  it("is one part, checked against its hash, and is there the next time", async () => {
    const blob = await blobOf(noise(1_000, 1));
    expect(await announced(blob)).toEqual({ complete: false, partBytes: PART_BYTES, missing: [1] });
    expect(await answerOf(await sendPart(blob, 1, PART_BYTES))).toMatchObject({ complete: true, missing: [] });
    expect(await announced(blob)).toMatchObject({ complete: true });
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("is refused when it has another hash, and nothing is stored", async () => {
    const blob = await blobOf(noise(1_000, 2));
    const other = noise(1_000, 3);
    const response = await send(`/api/v1/sourcemaps/blobs/${blob.hash}/1`, other);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(blob.hash);
    expect(await stored(blob)).toBeUndefined();
  });
});

describe("a large blob", () => {
  const LARGE = 2 * PART_BYTES + 12_345;

  it("comes in parts of any order, goes on where it was left, and leaves no rows behind", async () => {
    const blob = await blobOf(noise(LARGE, 4));
    expect(await announced(blob)).toEqual({ complete: false, partBytes: PART_BYTES, missing: [1, 2, 3] });
    expect(await answerOf(await sendPart(blob, 3, PART_BYTES))).toMatchObject({ missing: [1, 2] });
    expect(await answerOf(await sendPart(blob, 3, PART_BYTES))).toMatchObject({ missing: [1, 2] });
    expect(await stored(blob)).toBeUndefined();
    // Another process, later.
    expect(await announced(blob)).toMatchObject({ complete: false, missing: [1, 2] });
    expect(await answerOf(await sendPart(blob, 2, PART_BYTES))).toMatchObject({ missing: [1] });
    expect(await answerOf(await sendPart(blob, 1, PART_BYTES))).toMatchObject({ complete: true });
    expect(await stored(blob)).toBe(blob.hash);
    expect(await rowsOf("source_map_uploads", blob.hash)).toBe(0);
    expect(await rowsOf("source_map_parts", blob.hash)).toBe(0);
    expect(await announced(blob)).toMatchObject({ complete: true });
  });

  it("is whole when two send it at the same time", async () => {
    const blob = await blobOf(noise(LARGE, 5));
    const [first, second] = await Promise.all([announced(blob), announced(blob)]);
    expect([first.missing, second.missing]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(await rowsOf("source_map_uploads", blob.hash)).toBe(1);
    await Promise.all([1, 2, 3].map((part) => sendPart(blob, part, PART_BYTES)));
    expect(await announced(blob)).toMatchObject({ complete: true });
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("is thrown away when the whole does not have the hash, and can be sent again", async () => {
    const blob = await blobOf(noise(LARGE, 6));
    const broken: TestBlob = { hash: blob.hash, bytes: new Uint8Array(noise(LARGE, 7)) };
    await announced(blob);
    for (const part of [1, 2]) await sendPart(broken, part, PART_BYTES);
    const last = await sendPart(broken, 3, PART_BYTES);
    expect(last.status).toBe(400);
    expect(await last.text()).toContain("SHA-256");
    expect(await stored(blob)).toBeUndefined();
    await upload(blob);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("is not taken for complete between being joined and its hash being proven", async () => {
    const blob = await blobOf(noise(LARGE, 8));
    await announced(blob);
    for (const part of [1, 2]) await sendPart(blob, part, PART_BYTES);
    // As after a crash at that point: the parts are joined, to something wrong, and the upload is over.
    const { owner, upload_id } = await uploadOf(blob);
    await env.BUCKET.resumeMultipartUpload(joinedKey(blob.hash, owner), upload_id).abort();
    await env.BUCKET.put(joinedKey(blob.hash, owner), noise(LARGE, 9));
    expect((await sendPart(blob, 3, PART_BYTES)).status).toBe(400);
    expect(await stored(blob)).toBeUndefined();
    await upload(blob);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("is complete for each who sends its last part at the same time", async () => {
    const blob = await blobOf(noise(LARGE, 16));
    await announced(blob);
    for (const part of [1, 2]) await sendPart(blob, part, PART_BYTES);
    const answers = await Promise.all([1, 2, 3].map(() => sendPart(blob, 3, PART_BYTES)));
    for (const answer of answers) expect(await answerOf(answer)).toMatchObject({ complete: true });
    expect(await stored(blob)).toBe(blob.hash);
    expect(await rowsOf("source_map_parts", blob.hash)).toBe(0);
    expect((await env.BUCKET.list({ prefix: joinedKey(blob.hash, "") })).objects).toEqual([]);
  });

  it("cannot be spoilt by another token that knows its hash", async () => {
    const blob = await blobOf(noise(LARGE, 17));
    const broken: TestBlob = { hash: blob.hash, bytes: new Uint8Array(noise(LARGE, 18)) };
    const made = await call("/api/v1/tokens", {
      method: "POST",
      token: ADMIN,
      body: { name: "other", scope: "deploy" },
    });
    const { token } = await made.json<{ token: string }>();
    await announced(blob);
    for (const part of [1, 2]) await sendPart(blob, part, PART_BYTES);
    expect(await announced(blob, token)).toMatchObject({ missing: [1, 2, 3] });
    await sendPart(broken, 1, PART_BYTES, token);
    await announce({ hash: blob.hash, bytes: LARGE + 1 }, token);
    expect(await announced(blob)).toMatchObject({ missing: [3] });
    await announced(blob, token);
    for (const part of [1, 2]) await sendPart(broken, part, PART_BYTES, token);
    expect(await answerOf(await sendPart(blob, 3, PART_BYTES))).toMatchObject({ complete: true });
    // It ends only now: what is there stays there.
    expect((await sendPart(broken, 3, PART_BYTES, token)).status).toBe(400);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("begins again when R2 has forgotten the upload", async () => {
    const blob = await blobOf(noise(LARGE, 10));
    await announced(blob);
    for (const part of [1, 2]) await sendPart(blob, part, PART_BYTES);
    await env.DB.prepare("UPDATE source_map_parts SET etag = 'gone' WHERE hash = ? AND part = 1").bind(blob.hash).run();
    const response = await sendPart(blob, 3, PART_BYTES);
    expect(response.status).toBe(409);
    expect(await errorCode(response)).toBe("incomplete");
    expect(await announced(blob)).toMatchObject({ missing: [1, 2, 3] });
    await upload(blob);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("begins again when R2 has ended the upload by itself, as it does after a week", async () => {
    const blob = await blobOf(noise(LARGE, 15));
    await announced(blob);
    await sendPart(blob, 1, PART_BYTES);
    const { owner, upload_id } = await uploadOf(blob);
    await env.BUCKET.resumeMultipartUpload(joinedKey(blob.hash, owner), upload_id).abort();
    expect((await sendPart(blob, 2, PART_BYTES)).status).toBe(409);
    await upload(blob);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("begins again when R2 fails to join it for minutes, and is not failed by every try until the sweep", async () => {
    const blob = await blobOf(noise(LARGE, 19));
    await announced(blob);
    for (const part of [1, 2]) await sendPart(blob, part, PART_BYTES);
    // The local R2 says "internal error" to an upload that it does not know.
    const change = "UPDATE source_map_uploads SET upload_id = 'unknown' WHERE hash = ?";
    const insert =
      "INSERT INTO source_map_parts SELECT hash, owner, 3, etag FROM source_map_parts WHERE hash = ? AND part = 1";
    await env.DB.batch([env.DB.prepare(change).bind(blob.hash), env.DB.prepare(insert).bind(blob.hash)]);
    const size = { hash: blob.hash, bytes: LARGE };
    expect((await announce(size)).status).toBe(500);
    await env.DB.prepare("UPDATE source_map_uploads SET created_at = created_at - ? WHERE hash = ?")
      .bind(JOIN_PATIENCE_MS, blob.hash)
      .run();
    expect(await announced(blob)).toMatchObject({ missing: [1, 2, 3] });
    await upload(blob);
    expect(await stored(blob)).toBe(blob.hash);
  });

  it("refuses parts of the wrong length, of the wrong number, and without an announcement", async () => {
    const blob = await blobOf(noise(LARGE, 11));
    const early = await sendPart(blob, 2, PART_BYTES);
    expect(early.status).toBe(409);
    await announced(blob);
    const short = await send(`/api/v1/sourcemaps/blobs/${blob.hash}/1`, blob.bytes.subarray(0, 100));
    expect([short.status, await short.text()]).toEqual([400, expect.stringContaining(`${PART_BYTES} bytes`)]);
    const beyond = await send(`/api/v1/sourcemaps/blobs/${blob.hash}/4`, blob.bytes.subarray(0, 100));
    expect([beyond.status, await beyond.text()]).toEqual([400, expect.stringContaining("3 parts")]);
    const large = await send(`/api/v1/sourcemaps/blobs/${blob.hash}/1`, blob.bytes.subarray(0, PART_BYTES + 1));
    expect(large.status).toBe(413);
    expect((await send(`/api/v1/sourcemaps/blobs/${blob.hash}/0`, blob.bytes.subarray(0, 1))).status).toBe(400);
    expect((await send(`/api/v1/sourcemaps/blobs/${blob.hash}/1`, new Uint8Array())).status).toBe(400);
  });
});

describe("an announcement", () => {
  it("refuses what is no hash, no length, or too long", async () => {
    const { hash } = await blobOf(noise(10, 12));
    for (const wrong of [
      { hash: "abc", bytes: 1 },
      { hash: hash.toUpperCase(), bytes: 1 },
      { hash: `../${hash.slice(3)}`, bytes: 1 },
      { hash, bytes: 0 },
      { hash, bytes: 1.5 },
      { hash, bytes: 300 * 2 ** 20 },
    ]) {
      expect((await announce(wrong)).status, JSON.stringify(wrong)).toBe(400);
    }
  });

  it("does not let a wrong length spoil a blob that is there, nor one that is on its way", async () => {
    const small = await blobOf(noise(500, 13));
    await upload(small);
    expect((await announce({ hash: small.hash, bytes: 3 * PART_BYTES })).status).toBe(400);
    expect(await stored(small)).toBe(small.hash);

    const large = await blobOf(noise(PART_BYTES + 1, 14));
    await announce({ hash: large.hash, bytes: 5 * PART_BYTES });
    await upload(large);
    expect(await stored(large)).toBe(large.hash);
  });
});
