/** Finding the map of a frame's file: exact version, caches, and what happens when D1 or R2 does not answer. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { forgetVersion, hasMaps, MapStore } from "../../../workers/errors/maps/lookup.ts";
import { SeekableMap } from "../../../workers/errors/source-map/open.ts";
import { storeMap } from "./support.ts";

const maps = new MapStore(env);

/** A binding that fails, or never answers, and counts how often it was asked. */
function broken<T extends object>(how: "fails" | "hangs"): { binding: T; asked: () => number } {
  let asked = 0;
  const call = () => {
    asked++;
    return how === "hangs" ? new Promise(() => {}) : Promise.reject(new Error("it is away"));
  };
  const statement = { bind: () => statement, all: call, first: call, run: call };
  const methods: Record<string, unknown> = { prepare: () => statement, batch: call, get: call, head: call };
  return { binding: methods as T, asked: () => asked };
}

/** Reads at once, and answers when it is let. */
function slow(d1: D1Database): { binding: D1Database; release: () => void } {
  let release = () => {};
  const gate = new Promise<void>((done) => {
    release = done;
  });
  const binding = new Proxy(d1, {
    get(on, property) {
      if (property !== "batch") return (Reflect.get(on, property, on) as () => unknown).bind(on);
      return async (statements: D1PreparedStatement[]) => {
        const answer = await on.batch(statements);
        await gate;
        return answer;
      };
    },
  });
  return { binding, release };
}

describe("a frame's file", () => {
  it("has the map of its own version, which leads it back", async () => {
    await storeMap("look", "v1", "index.js");
    expect(maps.findCached("look", "v1", "index.js")).toBeUndefined();
    const map = await maps.find("look", "v1", "index.js");
    expect(map).toBeInstanceOf(SeekableMap);
    expect(await (map as SeekableMap).locate(1, 5)).toMatchObject({ file: "src/cart.ts", line: 1, column: 5 });
    expect(maps.findCached("look", "v1", "index.js")).toBe(map);
    expect(await maps.find("look", "v1", "file:///srv/index.js")).toBe(map);
    expect(await maps.find("look", "v1", "other.js")).toBe("none");
    expect(maps.findCached("look", "v1", "other.js")).toBe("none");
    expect(maps.hasAny("look", "v1")).toBe(true);
  });

  it("has no map of another version or another Worker", async () => {
    await storeMap("exact", "v1", "index.js");
    expect(await maps.find("exact", "v2", "index.js")).toBe("none");
    expect(await maps.find("exactly", "v1", "index.js")).toBe("none");
    expect(maps.hasAny("exact", "v2")).toBe(false);
    expect(await hasMaps(env, "exact", ["v1", "v2"])).toEqual(new Set(["v1"]));
  });

  it("finds a map that came later once the version is forgotten", async () => {
    expect(await maps.find("later", "v1", "index.js")).toBe("none");
    // Registering forgets it in this isolate; others ask again after seconds.
    await storeMap("later", "v1", "index.js");
    expect(await maps.find("later", "v1", "index.js")).toBeInstanceOf(SeekableMap);
  });

  it("does not keep, or hand to later askers, what was read before the map came", async () => {
    const { binding, release } = slow(env.DB);
    const early = new MapStore({ DB: binding, BUCKET: env.BUCKET }).find("racing", "v1", "index.js");
    await storeMap("racing", "v1", "index.js");
    const late = maps.find("racing", "v1", "index.js");
    release();
    expect(await early).toBe("none");
    expect(await late).toBeInstanceOf(SeekableMap);
    expect(maps.findCached("racing", "v1", "index.js")).toBeInstanceOf(SeekableMap);
  });

  it("shares one open map between versions with the same bundle", async () => {
    await storeMap("same", "v1", "index.js");
    await storeMap("same", "v2", "index.js");
    expect(await maps.find("same", "v1", "index.js")).toBe(await maps.find("same", "v2", "index.js"));
  });
});

describe("when a store does not answer", () => {
  it("D1 that fails is `failed`, and is not asked by every frame", async () => {
    const { binding, asked } = broken<D1Database>("fails");
    const store = new MapStore({ DB: binding, BUCKET: env.BUCKET });
    expect(await store.find("d1-away", "v1", "index.js")).toBe("failed");
    expect(await store.find("d1-away", "v1", "index.js")).toBe("failed");
    expect(store.findCached("d1-away", "v1", "index.js")).toBeUndefined();
    expect(asked()).toBe(1);
  });

  it("D1 that hangs is given up", async () => {
    const { binding } = broken<D1Database>("hangs");
    const store = new MapStore({ DB: binding, BUCKET: env.BUCKET });
    expect(await store.find("d1-hangs", "v1", "index.js")).toBe("failed");
  });

  it("R2 that fails is `failed` for a while; concurrent frames share the try", async () => {
    await storeMap("r2-away", "v1", "index.js", "of its own\n");
    const { binding, asked } = broken<R2Bucket>("fails");
    const store = new MapStore({ DB: env.DB, BUCKET: binding });
    const found = await Promise.all(Array.from({ length: 20 }, () => store.find("r2-away", "v1", "index.js")));
    expect(new Set(found)).toEqual(new Set(["failed"]));
    expect(await store.find("r2-away", "v1", "index.js")).toBe("failed");
    expect(asked()).toBe(1);
  });

  it("a blob that is gone is `failed`, never an exception", async () => {
    const { request } = await storeMap("blob-gone", "v1", "index.js", "gone from the bucket\n");
    await env.BUCKET.delete(`maps/${request.seekableHash}`);
    forgetVersion("blob-gone", "v1");
    expect(await maps.find("blob-gone", "v1", "index.js")).toBe("failed");
  });
});

describe("memory", () => {
  it("stays bounded however many versions and files are asked for", async () => {
    for (let n = 0; n < 700; n++) expect(await maps.find("many", `v${n}`, "index.js")).toBe("none");
    expect(maps.findCached("many", "v699", "index.js")).toBe("none");
    expect(maps.findCached("many", "v0", "index.js")).toBeUndefined();
  });
});
