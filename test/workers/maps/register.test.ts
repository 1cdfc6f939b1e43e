/** Which map is whose: registering, replacing, listing, deleting, and the map as it is. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { SourceMapInfo, SourceMapsAnswer } from "../../../workers/api/contract.ts";
import { MAX_RAW_BYTES } from "../../../workers/errors/maps/limits.ts";
import { registerMap } from "../../../workers/errors/maps/register.ts";
import { ADMIN, call, errorCode, makeToken } from "../api/client.ts";
import { blobOf, mapsPath, noise, register, send, sourceMap, storeMap, testMap, upload } from "./support.ts";

const list = async (script: string, version: string): Promise<SourceMapInfo[]> => {
  const response = await call(mapsPath(script, version), { token: ADMIN });
  expect(response.status).toBe(200);
  return ((await response.json()) as SourceMapsAnswer).maps;
};
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe("registering", () => {
  it("needs both blobs, names who did it, and changes nothing the second time", async () => {
    const { original, seekable, request } = await testMap("index.js", "const nobodyElseHasThis = 1;\n");
    const early = await register("reg", "v1", request);
    expect(early.status).toBe(409);
    expect(await early.text()).toContain(request.hash);
    await upload(original);
    expect((await register("reg", "v1", request)).status).toBe(409);
    await upload(seekable);
    const first = await register("reg", "v1", request);
    expect(first.status).toBe(201);
    const info: SourceMapInfo = await first.json();
    expect(info).toMatchObject({
      file: "index.js",
      hash: request.hash,
      sources: 1,
      mappings: 2,
      uploadedBy: "bootstrap",
    });
    const again = await register("reg", "v1", request);
    expect(again.status).toBe(200);
    expect(await again.json()).toEqual(info);
    expect(await list("reg", "v1")).toEqual([info]);
    expect(await list("reg", "v2")).toEqual([]);
    const audited = await env.DB.prepare(
      "SELECT count(*) AS n FROM audit WHERE action = 'sourcemap.upload' AND target = ?",
    )
      .bind("reg v1 index.js")
      .first("n");
    expect(audited).toBe(1);
  });

  it("replaces the map of the same file, and of no other version", async () => {
    await storeMap("replaced", "v1", "index.js", "const a = 1;\n");
    await storeMap("replaced", "v2", "index.js", "const a = 1;\n");
    const better = await storeMap("replaced", "v1", "index.js", "const better = 1;\n");
    expect((await list("replaced", "v1")).map((map) => map.hash)).toEqual([better.request.hash]);
    expect((await list("replaced", "v2")).map((map) => map.hash)).not.toEqual([better.request.hash]);
  });

  it("refuses a blob that is no seekable map", async () => {
    const { original, request } = await testMap("index.js", "// no seekable form of it\n");
    const junk = await blobOf(noise(5_000, 21));
    await upload(original);
    await upload(junk);
    const response = await register("junk", "v1", { ...request, seekableHash: junk.hash, seekableBytes: 5_000 });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(junk.hash);
  });

  it("says nothing about a map that R2 does not give: the sender is to try again, and nothing is registered", async () => {
    const { original, seekable, request } = await testMap("index.js", "const farAway = 1;\n");
    await upload(original);
    await upload(seekable);
    for (const get of [() => Promise.resolve(null), () => Promise.reject(new Error("it is away"))]) {
      const BUCKET = new Proxy(env.BUCKET, {
        get: (on, name) => (name === "get" ? get : (Reflect.get(on, name, on) as () => unknown).bind(on)),
      });
      const by = { actor: "test", now: Date.now() };
      const result = await registerMap({ DB: env.DB, BUCKET }, { script: "away", versionId: "v1" }, request, by);
      expect(result).toMatchObject({ ok: false, problem: "unread" });
    }
    expect(await list("away", "v1")).toEqual([]);
    expect((await register("away", "v1", request)).status).toBe(201);
  });

  it("refuses names and numbers that cannot be", async () => {
    const { request } = await testMap("index.js");
    for (const wrong of [
      { file: "" },
      { file: "a\u0000b" },
      { file: "x".repeat(600) },
      { hash: "nothing" },
      { bytes: -1 },
      { mappings: 1.5 },
      { more: 1 },
    ]) {
      const response = await register("wrong", "v1", { ...request, ...wrong });
      expect(response.status, JSON.stringify(wrong)).toBe(400);
    }
  });
});

describe("deleting", () => {
  it("takes one file's map away, and says so when there is none", async () => {
    await storeMap("gone", "v1", "index.js");
    await storeMap("gone", "v1", "assets/chunk-1.js");
    const path = `${mapsPath("gone", "v1")}/${encodeURIComponent("assets/chunk-1.js")}`;
    expect((await call(path, { method: "DELETE", token: ADMIN })).status).toBe(204);
    expect((await list("gone", "v1")).map((map) => map.file)).toEqual(["index.js"]);
    const again = await call(path, { method: "DELETE", token: ADMIN });
    expect([again.status, await errorCode(again)]).toEqual([404, "not_found"]);
  });
});

describe("a map as it is", () => {
  const put = (script: string, file: string, body: Uint8Array, headers?: Record<string, string>) =>
    send(`${mapsPath(script, "v1")}/${encodeURIComponent(file)}`, body, headers);

  it("is converted and registered, plain or gzip, once", async () => {
    const body = json(sourceMap("raw();\n"));
    const first = await put("raw", "index.js", body, { "content-type": "application/json" });
    expect(first.status, await first.clone().text()).toBe(201);
    expect(await first.json()).toMatchObject({ file: "index.js", bytes: body.byteLength, sources: 1, mappings: 2 });
    expect((await put("raw", "index.js", body)).status).toBe(200);
    expect((await put("raw", "index.js", await gzip(body), { "content-encoding": "gzip" })).status).toBe(200);
    expect(await list("raw", "v1")).toHaveLength(1);
  });

  it("that is not valid is refused with the file's name and what is wrong", async () => {
    const wrong: [body: Uint8Array, says: RegExp][] = [
      [new Uint8Array(), /empty/],
      [new TextEncoder().encode("<!doctype html>"), /JSON/],
      [json({ ...sourceMap(), version: 2 }), /version/],
      [json({ ...sourceMap(), mappings: "A*" }), /mappings|base64/],
      [json([]), /object/],
    ];
    for (const [body, says] of wrong) {
      const response = await put("invalid", "worker.js", body);
      const text = await response.text();
      expect(response.status, text).toBe(400);
      expect(text).toContain("worker.js");
      expect(text).toMatch(says);
    }
    expect(await list("invalid", "v1")).toEqual([]);
  });

  it("is converted beside few others: the rest is asked to come back", async () => {
    const bodies = Array.from({ length: 6 }, (_, n) => json(sourceMap(`many(${n});\n`)));
    const answers = await Promise.all(bodies.map((body, n) => put("many", `f${n}.js`, body)));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(answers.every(({ status }) => status === 201 || status === 429)).toBe(true);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    for (const [n, body] of bodies.entries()) expect((await put("many", `f${n}.js`, body)).status).toBeLessThan(300);
  });

  it("that is too large is for the command, also when only gzip makes it small", async () => {
    const bomb = await gzip(new Uint8Array(MAX_RAW_BYTES + 1));
    expect(bomb.byteLength).toBeLessThan(100_000);
    for (const [body, headers] of [
      [new Uint8Array(MAX_RAW_BYTES + 1), {}],
      [bomb, { "content-encoding": "gzip" }],
    ] as [Uint8Array, Record<string, string>][]) {
      const response = await put("large", "index.js", body, headers);
      expect(response.status).toBe(413);
      expect(await response.text()).toContain("tailrace sourcemaps upload");
    }
    expect((await put("large", "index.js", json(sourceMap()), { "content-encoding": "br" })).status).toBe(415);
    expect((await put("large", "index.js", json(sourceMap()), { "content-encoding": "gzip" })).status).toBe(400);
  });
});

describe("scopes", () => {
  it("uploading is for deploy, listing for read", async () => {
    const [deploy, read] = await Promise.all([makeToken("deploy"), makeToken("read")]);
    const body = { hash: "0".repeat(64), bytes: 1 };
    const announce = (token: string) => call("/api/v1/sourcemaps/blobs", { method: "POST", token, body });
    expect((await announce(deploy.token)).status).toBe(200);
    expect((await announce(read.token)).status).toBe(403);
    expect((await call(mapsPath("any", "v1"), { token: read.token })).status).toBe(200);
    expect((await call(mapsPath("any", "v1"), { token: deploy.token })).status).toBe(403);
  });
});
