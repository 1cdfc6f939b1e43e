/** What is kept in the bucket for destinations, for how long, and that it goes. Alone with its stores: sweeps look at all there is. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { CourierRpc } from "../../../../workers/delivery/contract.ts";
import { readBackfill } from "../../../../workers/delivery/source/backfill.ts";
import { expireSealed } from "../../../../workers/delivery/source/expire.ts";
import { HOLD_DAYS } from "../../../../workers/delivery/source/limits.ts";
import { endBackfill, takeBackfill } from "../../../../workers/delivery/source/start.ts";
import { compact } from "../../../../workers/store/compaction.ts";
import { collectGarbage, GARBAGE_DELAY_MS, sweepOrphans } from "../../../../workers/store/garbage.ts";
import { ADMIN, call } from "../../api/client.ts";
import { appendOf, ingester, TEN_O_CLOCK } from "../../buffer/support.ts";
import { addDestination, invoked, Reader, removeDestination } from "./support.ts";

const HOUR_US = 3_600_000_000;
const DAY_MS = 86_400_000;
const LATER = TEN_O_CLOCK / 1000 + 5 * 3_600_000;

afterEach(async () => {
  await env.BUCKET.delete(await objects());
  await env.DB.batch(
    ["destinations", "sealed_log", "backfill_segments", "segments", "garbage"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table}`),
    ),
  );
});

async function seal(script: string, count = 2, time = TEN_O_CLOCK): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => invoked(script, time + n, { logs: 1 })).flat();
  await ingester(script).append(appendOf(script, events));
  await ingester(script).seal();
}

/** Couriers that say where they are; one that is not listed does not answer. */
function courierEnv(marks: Record<string, Awaited<ReturnType<CourierRpc["marks"]>>>) {
  const getByName = (name: string) => ({
    marks: async () => marks[name] ?? Promise.reject(new Error("away")),
  });
  return { ...env, COURIERS: { getByName } };
}

const keysOf = async (table: string) =>
  (await env.DB.prepare(`SELECT key FROM ${table} ORDER BY key`).all<{ key: string }>()).results.map(({ key }) => key);
const objects = async () => (await env.BUCKET.list({ prefix: "events/" })).objects.map(({ key }) => key);
const sealedThrough = async (shard: string) =>
  (await env.DB.prepare("SELECT sealed_through AS n FROM shards WHERE shard = ?").bind(shard).first<number>("n")) ?? 0;
/** Rows are a minute old at least before they go. */
const soon = () => Date.now() + 120_000;

describe("what is sealed", () => {
  it("is noted only while there are destinations", async () => {
    await seal("kept-none");
    expect(await keysOf("sealed_log")).toEqual([]);
    await addDestination("d");
    await seal("kept-none");
    expect(await keysOf("sealed_log")).toHaveLength(1);
  });

  it("is kept for nobody where all that destinations take are notices", async () => {
    await addDestination("slack", { state: "enabled", rules: { feeds: ["notices"] } });
    await seal("kept-notices");
    expect(await keysOf("sealed_log")).toEqual([]);
    await addDestination("otlp");
    await seal("kept-notices");
    expect(await keysOf("sealed_log")).toHaveLength(1);
    const at = [{ shard: "kept-notices", through: await sealedThrough("kept-notices") }];
    expect(await expireSealed(courierEnv({ otlp: at }), soon())).toMatchObject({ done: 1, silent: [] });
  });

  it("stays readable after compaction, until all destinations are past it", async () => {
    await addDestination("a");
    await addDestination("b");
    for (let n = 0; n < 4; n++) await seal("kept-compact");
    const before = await keysOf("sealed_log");
    expect((await compact(env, LATER)).inputs).toBe(4);
    const past = LATER + GARBAGE_DELAY_MS;
    expect(await collectGarbage(env, past)).toBe(0);
    expect(await sweepOrphans(env, Date.now() + 10 * DAY_MS)).toBe(0);
    const reader = new Reader("kept-compact");
    await reader.drain();
    expect(reader.ids).toHaveLength(8);

    const through = await sealedThrough("kept-compact");
    const at = { shard: "kept-compact", through };
    const half = { ...at, through: Number(before[1]?.match(/-(\d+)\.parquet$/)?.[1]) };
    expect(await expireSealed(courierEnv({ a: [at], b: [half] }), soon())).toMatchObject({
      done: 2,
      lost: 0,
      silent: [],
    });
    expect(await collectGarbage(env, past)).toBe(2);
    expect(await expireSealed(courierEnv({ a: [at], b: [at] }), soon())).toMatchObject({ done: 2 });
    expect(await collectGarbage(env, past)).toBe(2);
    expect(await objects()).toEqual(await keysOf("segments"));
  });

  it("is kept for one that does not answer, or does not know the shard; not for one that does not want the Worker, or is a standby", async () => {
    await addDestination("a");
    await addDestination("silent");
    await seal("kept-silent");
    const at = [{ shard: "kept-silent", through: await sealedThrough("kept-silent") }];
    expect(await expireSealed(courierEnv({ a: at }), soon())).toMatchObject({ done: 0, silent: ["silent"] });
    expect(await expireSealed(courierEnv({ a: at, silent: [] }), soon())).toMatchObject({ done: 0, silent: [] });
    await removeDestination("silent");
    await addDestination("other", { rules: { workers: ["shop-*"] } });
    await addDestination("standby");
    await env.DB.prepare("UPDATE destinations SET standby = 1 WHERE id = 'standby'").run();
    expect(await expireSealed(courierEnv({ a: at, other: [] }), soon())).toMatchObject({ done: 1, silent: [] });
  });

  it("is not let go in the minute in which it was sealed", async () => {
    await seal("kept-young");
    await addDestination("a");
    await seal("kept-young");
    await removeDestination("a");
    expect(await expireSealed(courierEnv({}), Date.now())).toMatchObject({ done: 0 });
    expect(await expireSealed(courierEnv({}), soon())).toMatchObject({ done: 1 });
  });

  it("is let go by hand as well", async () => {
    await addDestination("a");
    await seal("kept-by-hand");
    await removeDestination("a");
    const young = await call("/api/v1/maintenance", { method: "POST", token: ADMIN });
    expect(await young.json()).toMatchObject({ expiry: { sealed: { done: 0 }, errors: [] } });
    expect(await keysOf("sealed_log")).toHaveLength(1);
    await env.DB.exec("UPDATE sealed_log SET sealed_at = sealed_at - 120000");
    const done = await call("/api/v1/maintenance", { method: "POST", token: ADMIN });
    expect(await done.json()).toMatchObject({ expiry: { sealed: { done: 1, expired: 0, lost: 0 } } });
    expect(await keysOf("sealed_log")).toEqual([]);
  });

  it("is kept for a week; then who comes late knows how much it lost", async () => {
    await addDestination("down");
    await seal("kept-week", 2);
    await seal("kept-week", 3);
    const week = Date.now() + HOLD_DAYS * DAY_MS + 1_000;
    expect(await expireSealed(courierEnv({ down: [] }), week)).toEqual({ done: 0, expired: 2, lost: 10, silent: [] });
    expect(await expireSealed(courierEnv({ down: [] }), week)).toMatchObject({ expired: 0, lost: 0 });
    await ingester("kept-week").append(appendOf("kept-week", invoked("kept-week", TEN_O_CLOCK)));
    const reader = new Reader("kept-week");
    await reader.drain();
    expect(reader).toMatchObject({ lost: 10 });
    expect(reader.ids).toHaveLength(1);
    const at = [{ shard: "kept-week", through: reader.position.through }];
    expect(await expireSealed(courierEnv({ down: at }), week + DAY_MS)).toMatchObject({ done: 1 });
  });
});

describe("what nobody came to fetch for a week", () => {
  const marksOf = async (shard: string) =>
    (
      await env.DB.prepare("SELECT rows FROM sealed_log WHERE shard = ? AND key = ''")
        .bind(shard)
        .all<{ rows: number }>()
    ).results;

  it("leaves one row of each shard, however often some of it goes", async () => {
    await addDestination("down");
    let rows = 0;
    for (let hour = 1; hour <= 4; hour++) {
      await seal("kept-hours", 1);
      rows += 2;
      const week = Date.now() + HOLD_DAYS * DAY_MS + 1_000;
      expect(await expireSealed(courierEnv({ down: [] }), week)).toMatchObject({ expired: 1, lost: 2 });
      expect(await marksOf("kept-hours")).toEqual([{ rows }]);
    }
    const reader = new Reader("kept-hours");
    await reader.drain();
    expect(reader.lost).toBe(8);
  });

  it("is counted as lost only as far as a destination had not read it", async () => {
    await addDestination("down");
    for (let n = 0; n < 4; n++) await seal("kept-half", 1);
    const reader = new Reader("kept-half");
    for (let n = 0; n < 2; n++) await reader.step({ maxRows: 1 });
    expect(reader.ids).toHaveLength(2);
    await expireSealed(courierEnv({ down: [] }), Date.now() + HOLD_DAYS * DAY_MS + 1_000);
    await reader.drain();
    expect(reader.lost).toBe(4);
  });
});

describe("a back-fill", () => {
  const read = async (
    destination: string,
    more: { maxRows?: number; wants?: (script: string) => boolean; errorsOnly?: boolean } = {},
  ) => {
    let position = { through: 0, offset: 0 };
    const ids: string[] = [];
    for (let n = 0; n < 200; n++) {
      const page = await readBackfill(env, { destination, position, maxRows: 1_000, errorsOnly: false, ...more });
      ids.push(...page.invocations.map(({ id }) => id));
      position = page.after(page.invocations.length);
      if (!page.more) return { ids, position };
    }
    throw new Error("a back-fill that comes to no end");
  };

  it("lists what overlaps the range, and says where live readers go on, as of one moment", async () => {
    await seal("fill-range", 2, TEN_O_CLOCK - 3 * HOUR_US);
    await seal("fill-range", 2, TEN_O_CLOCK);
    await seal("fill-range", 2, TEN_O_CLOCK + 3 * HOUR_US);
    const from = TEN_O_CLOCK / 1000;
    const taken = await takeBackfill(env, "d", from, from + 3_600_000);
    expect(taken).toMatchObject({ segments: 1, rows: 4 });
    expect(taken.marks).toContainEqual({
      shard: "fill-range",
      script: "fill-range",
      through: await sealedThrough("fill-range"),
    });
    expect((await read("d")).ids).toHaveLength(2);
    expect(await takeBackfill(env, "d", from, null)).toMatchObject({ segments: 2, rows: 8 });
  });

  it("reads each invocation once, in pages of any size, though all was compacted and swept meanwhile", async () => {
    await addDestination("d");
    for (let n = 0; n < 4; n++) await seal("fill-compact", 3);
    await takeBackfill(env, "d", 0, LATER);
    await env.DB.prepare("DELETE FROM sealed_log").run();
    await compact(env, LATER);
    expect(await collectGarbage(env, LATER + GARBAGE_DELAY_MS)).toBe(0);
    for (const maxRows of [1, 4, 7, 1_000]) {
      const { ids } = await read("d", { maxRows });
      expect(ids).toHaveLength(12);
      expect(new Set(ids).size).toBe(12);
    }
    await endBackfill(env, "d", 2);
    expect(await collectGarbage(env, LATER + GARBAGE_DELAY_MS)).toBe(2);
    await removeDestination("d");
    await expireSealed(courierEnv({}), soon());
    expect(await collectGarbage(env, LATER + GARBAGE_DELAY_MS)).toBe(2);
  });

  it("does not read Workers that nobody wants", async () => {
    await seal("fill-wanted", 1);
    await seal("fill-unwanted", 1);
    await takeBackfill(env, "d", 0, LATER);
    expect((await read("d", { wants: (script) => script === "fill-wanted" })).ids).toHaveLength(1);
    expect((await read("d", { errorsOnly: true })).ids).toHaveLength(0);
  });
});
