import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import { CHUNK_EVENTS } from "../../../workers/buffer/limits.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import {
  appendOf,
  failingBucket,
  failingDb,
  ingester,
  invocation,
  sealed,
  TEN_O_CLOCK,
  until,
  visible,
  withStores,
} from "./support.ts";

const HOUR_US = 3_600_000_000;

describe("seal", () => {
  it("puts one segment per hour under a key made of what it holds", async () => {
    const stub = ingester("seal-hours");
    await stub.append(
      appendOf("seal-hours", [invocation("seal-hours", TEN_O_CLOCK + HOUR_US + 5), invocation("seal-hours")]),
    );
    await stub.append(appendOf("seal-hours", [invocation("seal-hours", TEN_O_CLOCK + 7)]));
    await stub.seal();
    const { results } = await env.DB.prepare("SELECT * FROM segments WHERE script = ? ORDER BY min_time")
      .bind("seal-hours")
      .all<{ key: string; rows: number; bytes: number; min_time: number; max_time: number }>();
    expect(results.map((s) => [s.rows, s.min_time, s.max_time])).toEqual([
      [2, TEN_O_CLOCK, TEN_O_CLOCK + 7],
      [1, TEN_O_CLOCK + HOUR_US + 5, TEN_O_CLOCK + HOUR_US + 5],
    ]);
    expect(results[0]?.key).toMatch(
      /^events\/script=seal-hours\/date=2026-11-20\/hour=10\/[0-9a-f]{16}-\d+-\d+\.parquet$/,
    );
    const object = await env.BUCKET.get(results[0]?.key ?? "");
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
    expect(bytes.byteLength).toBe(results[0]?.bytes);
    const segment = await openSegment({ read: async (at, n) => bytes.subarray(at, at + n) }, bytes.byteLength);
    const { columns } = await segment.read(0, ["time"]);
    expect(columns.get("time")).toMatchObject({ data: new Float64Array([TEN_O_CLOCK, TEN_O_CLOCK + 7]) });
  });

  it("adds up rollups and the ledger, and notes the Worker and its versions", async () => {
    const stub = ingester("seal-counts");
    const v2 = { version_id: "v2", version_tag: "canary", status: 500 };
    await stub.append(appendOf("seal-counts", [invocation("seal-counts"), invocation("seal-counts", TEN_O_CLOCK, v2)]));
    await stub.append(appendOf("seal-counts", [invocation("seal-counts", TEN_O_CLOCK + 1, { sample_weight: 10 })]));
    await stub.seal();
    const { results } = await env.DB.prepare(
      "SELECT minute, version_id, requests, errors, statuses FROM rollup_minutes WHERE script = ? ORDER BY version_id",
    )
      .bind("seal-counts")
      .all();
    const minute = TEN_O_CLOCK / 1e6;
    expect(results).toEqual([
      { minute, version_id: "v1", requests: 11, errors: 0, statuses: '{"2xx":11}' },
      { minute, version_id: "v2", requests: 1, errors: 1, statuses: '{"5xx":1}' },
    ]);
    expect(await sealed("seal-counts")).toMatchObject({ rows: 3, requests: 12, received: 3 });
    const seen = await env.DB.prepare("SELECT tag, first_seen FROM versions WHERE script = ? AND version_id = 'v2'")
      .bind("seal-counts")
      .first();
    expect(seen).toEqual({ tag: "canary", first_seen: minute * 1000 });
    const worker = await env.DB.prepare("SELECT settings FROM workers WHERE script = 'seal-counts'").first();
    expect(worker).toEqual({ settings: "{}" });
  });

  it("seals a chunk that is full without being told, while appends go on", async () => {
    const stub = ingester("seal-full");
    const events = Array.from({ length: CHUNK_EVENTS / 4 }, (_, i) => invocation("seal-full", TEN_O_CLOCK + i));
    for (let n = 0; n < 5; n++) await stub.append(appendOf("seal-full", events));
    await until(async () => (await sealed("seal-full")).rows === CHUNK_EVENTS);
    expect((await stub.status()).unsealedRows).toBe(CHUNK_EVENTS / 4);
    expect(await visible("seal-full")).toBe((CHUNK_EVENTS / 4) * 5);
  });

  it("seals what is old by its alarm, also when the object was evicted meanwhile", async () => {
    const stub = ingester("seal-old");
    await stub.append(appendOf("seal-old", [invocation("seal-old")]));
    const age = await runInDurableObject(stub, async (_: Ingester, state) => {
      const name = state.storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'");
      state.storage.sql.exec(`UPDATE ${name.one().name} SET at = at - 3600000`);
      return ((await state.storage.getAlarm()) ?? 0) - Date.now();
    });
    expect(age).toBeGreaterThan(0);
    await evictDurableObject(stub);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await until(async () => (await sealed("seal-old")).rows === 1);
    expect(await stub.status()).toMatchObject({ unsealedRows: 0, oldestMs: 0 });
  });

  it("sets the alarm again when it was lost", async () => {
    const stub = ingester("seal-lost-alarm");
    await stub.append(appendOf("seal-lost-alarm", [invocation("seal-lost-alarm")]));
    await runInDurableObject(stub, (_: Ingester, state) => state.storage.deleteAlarm());
    await evictDurableObject(stub);
    await stub.status();
    const alarm = await runInDurableObject(stub, (_: Ingester, state) => state.storage.getAlarm());
    expect(alarm).not.toBeNull();
  });

  it("sets a batch aside that cannot be decoded, seals the rest, and says so", async () => {
    const stub = ingester("seal-broken");
    await stub.append(appendOf("seal-broken", [invocation("seal-broken")]));
    await stub.append(appendOf("seal-broken", [invocation("seal-broken")], { batch: '{"v":99,"n":1,"c":{}}' }));
    await stub.append(appendOf("seal-broken", [invocation("seal-broken")], { batch: "{" }));
    await stub.seal();
    expect((await sealed("seal-broken")).rows).toBe(1);
    expect(await stub.status()).toMatchObject({ unsealedRows: 0, quarantined: 2, sealFailures: 0 });
  });

  it("bounds the segments of a seal when old events of many hours arrive", async () => {
    const stub = ingester("seal-scattered");
    const events = Array.from({ length: 200 }, (_, i) => invocation("seal-scattered", TEN_O_CLOCK - i * HOUR_US));
    await stub.append(appendOf("seal-scattered", events));
    await stub.seal();
    const { rows, segments } = await sealed("seal-scattered");
    expect(rows).toBe(200);
    expect(segments).toBeLessThanOrEqual(24);
  });
});

describe("a seal that fails", () => {
  for (const [name, stores] of [
    ["R2 refuses the put", () => ({ BUCKET: failingBucket("before") })],
    ["R2 stores the object, but the answer is lost", () => ({ BUCKET: failingBucket("after") })],
    ["D1 refuses the batch", () => ({ DB: failingDb("before") })],
    ["D1 applies the batch, but the answer is lost", () => ({ DB: failingDb("after") })],
  ] as const) {
    for (const restart of [false, true]) {
      it(`loses and doubles nothing: ${name}${restart ? ", then a restart" : ""}`, async () => {
        const script = `fail-${name.replaceAll(/[^a-zA-Z0-9]/g, "-")}-${restart}`;
        const stub = ingester(script);
        await stub.append(appendOf(script, [invocation(script), invocation(script)]));
        await withStores(stub, stores());
        expect(await stub.seal()).toMatchObject({ ok: false, error: expect.stringMatching(/is away/) });
        expect(await stub.status()).toMatchObject({ sealFailures: 1, lastError: expect.stringMatching(/is away/) });
        expect(await visible(script)).toBe(2);

        await stub.append(appendOf(script, [invocation(script)]));
        expect(await visible(script)).toBe(3);
        if (restart) await evictDurableObject(stub);
        else await withStores(stub, {});
        await stub.seal();
        expect(await sealed(script)).toMatchObject({ rows: 3, requests: 3, received: 3 });
        expect(await stub.status()).toMatchObject({ unsealedRows: 0, sealFailures: 0 });
        expect(await visible(script)).toBe(3);
      });
    }
  }

  it("does not bring a segment back that was compacted away before the seal was tried again", async () => {
    const script = "fail-compacted";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script)]));
    await withStores(stub, { DB: failingDb("after") });
    expect((await stub.seal()).ok).toBe(false);
    await env.DB.prepare("UPDATE segments SET key = 'events/elsewhere' WHERE script = ?").bind(script).run();
    await withStores(stub, {});
    await stub.seal();
    expect(await sealed(script)).toMatchObject({ rows: 1, segments: 1 });
  });

  /** Batches are given up; `apply` runs them after all. */
  function lateDb() {
    const batches: D1PreparedStatement[][] = [];
    const db = new Proxy(env.DB, {
      get(on, property) {
        if (property !== "batch") return Reflect.get(on, property, on).bind(on) as unknown;
        return async (statements: D1PreparedStatement[]) => {
          batches.push(statements);
          throw new Error("D1 is late");
        };
      },
    });
    const apply = (stub: DurableObjectStub<Ingester>) =>
      runInDurableObject(stub, async () => {
        for (const statements of batches) await env.DB.batch(statements);
      });
    return { db, apply };
  }
  const openMark = (shard: string) =>
    env.DB.prepare("SELECT open FROM shards WHERE shard = ?").bind(shard).first<number>("open");

  it("counts once when D1 applies a batch long after it was given up and tried again", async () => {
    const script = "fail-late";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script)]));
    const { db, apply } = lateDb();
    await withStores(stub, { DB: db });
    expect((await stub.seal()).ok).toBe(false);
    await withStores(stub, {});
    await stub.seal();
    await apply(stub);
    expect(await sealed(script)).toMatchObject({ rows: 1, requests: 1, received: 1 });
  });

  it("leaves the shard announced when a batch is applied late, after more was appended", async () => {
    const script = "fail-late-open";
    const stub = ingester(script);
    await stub.append(appendOf(script, [invocation(script)]));
    const { db, apply } = lateDb();
    await withStores(stub, { DB: db });
    expect((await stub.seal()).ok).toBe(false);
    // Announced again by the alarm, and only then more arrives.
    await runDurableObjectAlarm(stub);
    await stub.append(appendOf(script, [invocation(script)]));
    await apply(stub);
    expect(await openMark(script)).not.toBe(0);
    expect(await visible(script)).toBe(2);
    await withStores(stub, {});
    await stub.seal();
    expect(await sealed(script)).toMatchObject({ rows: 2, requests: 2, received: 2 });
    expect(await openMark(script)).toBe(0);
  });

  it("is tried again by the alarm, later and later, until the store is back", async () => {
    const script = "fail-alarm";
    const stub = ingester(script);
    await withStores(stub, { BUCKET: failingBucket("before") });
    await stub.append(appendOf(script, [invocation(script)]));
    expect((await stub.seal()).ok).toBe(false);
    const first = await runInDurableObject(stub, (_: Ingester, state) => state.storage.getAlarm());
    expect(first).toBeLessThanOrEqual(Date.now() + 1_000);
    await runDurableObjectAlarm(stub);
    expect((await stub.status()).sealFailures).toBe(2);
    await withStores(stub, {});
    await until(async () => (await sealed(script)).rows === 1);
    expect((await stub.status()).sealFailures).toBe(0);
  });

  it("takes appends while D1 is away, and announces them once it is back", async () => {
    const script = "fail-mark";
    const stub = ingester(script);
    const away = new Proxy(env.DB, {
      get(on, property) {
        if (property === "prepare" || property === "batch") {
          return () => {
            throw new Error("D1 is away");
          };
        }
        return Reflect.get(on, property, on) as unknown;
      },
    });
    await withStores(stub, { DB: away });
    expect(await stub.append(appendOf(script, [invocation(script)]))).toMatchObject({ ok: true });
    expect(await env.DB.prepare("SELECT 1 FROM shards WHERE shard = ?").bind(script).first()).toBeNull();
    await withStores(stub, {});
    await until(
      async () => (await env.DB.prepare("SELECT open FROM shards WHERE shard = ?").bind(script).first("open")) !== null,
    );
  });
});
