/** What the daily cron takes away, and what it leaves. */
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { announceBlob, isComplete } from "../../../workers/errors/maps/blobs.ts";
import { blobKey } from "../../../workers/errors/maps/keys.ts";
import { PART_BYTES, UNUSED_KEPT_MS, UPLOAD_KEPT_MS } from "../../../workers/errors/maps/limits.ts";
import { sweepMaps } from "../../../workers/errors/maps/sweep.ts";
import { sweepOrphans } from "../../../workers/store/garbage.ts";
import { ADMIN, call } from "../api/client.ts";
import { announced, blobOf, mapsPath, noise, sendPart, storeMap, upload } from "./support.ts";

const exists = async (hash: string) => (await env.BUCKET.head(blobKey(hash))) !== null;
const later = (ms: number) => Date.now() + ms;

it("takes blobs that no map refers to, when they are old, and keeps those that two versions share", async () => {
  const shared = await storeMap("sweep", "v1", "index.js", "shared\n");
  await storeMap("sweep", "v2", "index.js", "shared\n");
  const unused = await blobOf(noise(300, 31));
  await upload(unused);
  await sweepMaps(env, later(0));
  expect(await exists(unused.hash)).toBe(true);

  const tooOld = later(UNUSED_KEPT_MS + 60_000);
  await call(`${mapsPath("sweep", "v1")}/index.js`, { method: "DELETE", token: ADMIN });
  await sweepMaps(env, tooOld);
  expect(await exists(unused.hash)).toBe(false);
  expect([await exists(shared.original.hash), await exists(shared.seekable.hash)]).toEqual([true, true]);

  await call(`${mapsPath("sweep", "v2")}/index.js`, { method: "DELETE", token: ADMIN });
  expect((await sweepMaps(env, tooOld)).blobs).toBeGreaterThanOrEqual(2);
  expect([await exists(shared.original.hash), await exists(shared.seekable.hash)]).toEqual([false, false]);
});

it("is not relied on any more before it may be swept: an old unused blob is sent again", async () => {
  const blob = await blobOf(noise(300, 32));
  await upload(blob);
  const { hash } = blob;
  const almost = later(UNUSED_KEPT_MS - 3_600_000);
  expect(await isComplete(env, { hash, bytes: 300 }, almost)).toBe(false);
  expect(await announceBlob(env, { hash, bytes: 300 }, "somebody", almost)).toMatchObject({
    answer: { complete: false, missing: [1] },
  });
  expect(await isComplete(env, { hash, bytes: 300 }, later(0))).toBe(true);
});

it("ends uploads that nobody went on with, and they can be begun again", async () => {
  const blob = await blobOf(noise(PART_BYTES + 10, 33));
  await announced(blob);
  await sendPart(blob, 1, PART_BYTES);
  expect((await sweepMaps(env, later(0))).uploads).toBe(0);
  expect((await sweepMaps(env, later(UPLOAD_KEPT_MS + 60_000))).uploads).toBe(1);
  const rows = await env.DB.prepare("SELECT count(*) AS n FROM source_map_parts WHERE hash = ?")
    .bind(blob.hash)
    .first("n");
  expect(rows).toBe(0);
  expect((await announced(blob)).missing).toEqual([1, 2]);
  await upload(blob);
  expect(await exists(blob.hash)).toBe(true);
});

it("and the sweep of events leaves source maps alone", async () => {
  const { request } = await storeMap("orphans", "v1", "index.js", "not an orphan\n");
  await sweepOrphans(env, later(30 * 86_400_000));
  expect(await exists(request.hash)).toBe(true);
});
