/** Where reading goes from the log to what was sealed, and what happens when something is not there any more. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ingester } from "../../../../workers/buffer/ingester.ts";
import { readShard } from "../../../../workers/delivery/source/read.ts";
import { shardsWithNews, startMarks } from "../../../../workers/delivery/source/start.ts";
import { waitingOf } from "../../../../workers/delivery/source/waiting.ts";
import { appendOf, failingDb, ingester, TEN_O_CLOCK, until, withStores } from "../../buffer/support.ts";
import { addDestination, invoked, Reader, removeDestination } from "./support.ts";

const HOUR_US = 3_600_000_000;
const idsOf = (events: { invocation_id: string }[]) => [...new Set(events.map((e) => e.invocation_id))];

beforeAll(() => addDestination("borders"));
afterAll(async () => {
  await removeDestination("borders");
});

const some = (script: string, count = 3, more: Parameters<typeof invoked>[2] = {}) =>
  Array.from({ length: count }, (_, n) => invoked(script, TEN_O_CLOCK + n, { logs: 1, ...more })).flat();

describe("reading on after a seal", () => {
  it("goes on in the middle of an entry, within what was sealed of it", async () => {
    const script = "border-mid-entry";
    const stub = ingester(script);
    const events = some(script, 5);
    await stub.append(appendOf(script, events));
    const reader = new Reader(script);
    expect((await reader.step({}, 2)).from).toBe("log");
    await stub.seal();
    expect((await reader.step()).from).toBe("segments");
    expect(reader.ids).toEqual(idsOf(events));
    await reader.drain();
    expect(reader.ids).toHaveLength(5);
  });

  it("puts an invocation together that lies in the segments of two hours", async () => {
    const script = "border-hours";
    const stub = ingester(script);
    const events = invoked(script, TEN_O_CLOCK + HOUR_US - 1_000, { logs: 3, logsAfter: 600 });
    await stub.append(appendOf(script, events));
    await stub.seal();
    const reader = new Reader(script);
    await reader.drain();
    expect(reader.delivered.map((one) => one.events)).toEqual([events]);
  });

  it("reads many small chunks in one page, and stops between them when it is full", async () => {
    const script = "border-chunks";
    const stub = ingester(script);
    for (let n = 0; n < 5; n++) {
      await stub.append(appendOf(script, some(script, 2)));
      await stub.seal();
    }
    const reader = new Reader(script);
    const page = await reader.step({ maxRows: 10 });
    expect(page).toMatchObject({ from: "segments", more: true, waiting: 12 });
    expect(page.invocations).toHaveLength(4);
    expect((await reader.step()).invocations).toHaveLength(6);
  });

  it("says how much waits after a page, wherever in a chunk or in an entry it ends", async () => {
    const script = "border-waiting";
    const stub = ingester(script);
    for (let n = 0; n < 3; n++) await stub.append(appendOf(script, some(script, 4)));
    const [inLog, inSegments] = [new Reader(script), new Reader(script)];
    const waited = async (reader: Reader) => {
      const page = await reader.step({ maxRows: 6 });
      return { from: page.from, sum: page.waiting + 2 * reader.ids.length };
    };
    for (let n = 0; n < 3; n++) expect(await waited(inLog)).toEqual({ from: "log", sum: 24 });
    await stub.seal();
    for (let n = 0; n < 3; n++) expect(await waited(inSegments)).toEqual({ from: "segments", sum: 24 });
  });

  it("says, when it is put off, how much waits after where it is", async () => {
    const script = "border-put-off";
    const stub = ingester(script);
    for (let n = 0; n < 4; n++) await stub.append(appendOf(script, some(script, 2)));
    const reader = new Reader(script);
    for (let n = 0; n < 3; n++) await reader.step({ maxRows: 4 });
    expect(reader.ids).toHaveLength(6);
    // What `readLog` answers to one whom it puts off.
    await runInDurableObject(stub, (it: Ingester) => {
      (it as unknown as { readers: { putsOff(): boolean } }).readers.putsOff = () => true;
    });
    expect(await reader.read()).toMatchObject({ invocations: [], waiting: 4, more: true });
  });

  it("tells how much waits without reading: of several shards, sealed and not, in the middle of a chunk", async () => {
    const [sealed, both, none] = ["border-count-a", "border-count-b", "border-count-c"];
    for (const script of [sealed, both])
      for (let n = 0; n < 4; n++) await ingester(script).append(appendOf(script, some(script, 2)));
    const reader = new Reader(sealed);
    await reader.step({ maxRows: 4 });
    await ingester(sealed).seal();
    await ingester(both).seal();
    await ingester(both).append(appendOf(both, some(both, 1)));
    const start = { through: 0, offset: 0 };
    const asked = [
      { shard: sealed, position: reader.position },
      { shard: both, position: start },
      { shard: none, position: start },
    ];
    const found = await waitingOf(env, "reader", asked);
    expect([...found].map(([shard, { rows }]) => [shard, rows])).toEqual([
      [sealed, 12],
      [both, 18],
      [none, 0],
    ]);
    expect(found.get(both)?.oldest).toBe(Math.floor(TEN_O_CLOCK / 1000));
    // An Ingester that does not answer: half of it would be told as all of it.
    const away = { DB: env.DB, INGESTER: { getByName: () => ({ readLog: () => Promise.reject(new Error("away")) }) } };
    const some_ = await waitingOf(away as unknown as Pick<Env, "DB" | "INGESTER">, "reader", asked);
    expect([...some_.keys()]).toEqual([sealed]);
  });

  it("moves over chunks without events", async () => {
    const script = "border-empty";
    const stub = ingester(script);
    await stub.append(appendOf(script, []));
    await stub.seal();
    await stub.append(appendOf(script, some(script, 1)));
    const reader = new Reader(script);
    await reader.drain();
    expect(reader.ids).toHaveLength(1);
    expect((await reader.read()).waiting).toBe(0);
  });

  it("reads what is in D1 and, after a crash, still in the log, once", async () => {
    const script = "border-doubtful";
    const stub = ingester(script);
    await stub.append(appendOf(script, some(script)));
    await withStores(stub, { DB: failingDb("after") });
    expect((await stub.seal()).ok).toBe(false);
    const reader = new Reader(script);
    await reader.step({}, 1);
    await withStores(stub, {});
    await stub.seal();
    await reader.drain();
    expect(new Set(reader.ids).size).toBe(3);
    expect(reader.ids).toHaveLength(3);
  });

  it("begins at the first entry of a shard that nobody knew", async () => {
    const script = "border-new";
    const shard = "border-new#1";
    await ingester(shard).append(appendOf(script, some(script)));
    const reader = new Reader(script, false, shard);
    await reader.drain();
    expect(reader.ids).toHaveLength(3);
    expect(await shardsWithNews(env, new Map())).toContainEqual({ shard, script });
    await ingester(shard).seal();
    const known = new Map((await startMarks(env)).map((mark) => [mark.shard, mark.through]));
    expect(reader.position).toEqual({ through: known.get(shard), offset: 0 });
    expect((await shardsWithNews(env, known)).map((one) => one.shard)).not.toContain(shard);
  });

  it("goes on when the Ingester lost its storage, with what was sealed before and what came after", async () => {
    const script = "border-lost-storage";
    const stub = ingester(script);
    await stub.append(appendOf(script, some(script, 2)));
    const reader = new Reader(script);
    await reader.step({}, 1);
    await stub.append(appendOf(script, some(script, 1)));
    await stub.seal();
    await stub.append(appendOf(script, some(script, 1)));
    await runInDurableObject(stub, async (_: Ingester, state) => {
      await state.storage.deleteAll();
      state.abort("storage lost");
    }).catch(() => undefined);
    await until(async () => Date.now() > reader.position.through + 10);
    await ingester(script).append(appendOf(script, some(script, 4)));
    await reader.drain();
    expect(new Set(reader.ids).size).toBe(2 + 1 + 4);
    expect(reader.ids).toHaveLength(2 + 1 + 4);
  });
});

describe("what is not there", () => {
  it("a segment that is gone from the bucket counts as lost, and holds nothing up", async () => {
    const script = "border-gone";
    const stub = ingester(script);
    await stub.append(appendOf(script, some(script, 2)));
    await stub.seal();
    await stub.append(appendOf(script, some(script, 1)));
    const { key } = (await env.DB.prepare("SELECT key FROM sealed_log WHERE shard = ?").bind(script).first()) as {
      key: string;
    };
    await env.BUCKET.delete(key);
    const reader = new Reader(script);
    await reader.drain();
    expect(reader.lost).toBe(4);
    expect(reader.ids).toHaveLength(1);
  });

  it("an entry that cannot be read is counted, in the log; it is set aside when it is sealed", async () => {
    const script = "border-unreadable";
    const stub = ingester(script);
    await stub.append(appendOf(script, some(script, 1), { batch: "{" }));
    await stub.append(appendOf(script, some(script, 1)));
    const reader = new Reader(script);
    await reader.drain();
    expect(reader).toMatchObject({ lost: 2 });
    expect(reader.ids).toHaveLength(1);
  });

  it("throws when a store is away, and has not moved", async () => {
    const script = "border-away";
    await ingester(script).append(appendOf(script, some(script, 1)));
    await ingester(script).seal();
    const reader = new Reader(script);
    const request = { shard: script, script, reader: "r", position: reader.position, maxBytes: 1, maxRows: 1 };
    const away = readShard({ ...env, DB: failingDb("before") }, { ...request, errorsOnly: false });
    await expect(away).rejects.toThrow("D1 is away");
    await reader.drain();
    expect(reader.ids).toHaveLength(1);
  });
});

describe("errors only", () => {
  it("reads neither entries nor chunks that hold none", async () => {
    const script = "border-errors";
    const stub = ingester(script);
    for (let n = 0; n < 3; n++) await stub.append(appendOf(script, some(script, 2)));
    await stub.append(appendOf(script, some(script, 2, { failed: true })));
    const { batches, through } = await stub.readLog({
      reader: "test",
      afterId: await firstOf(script),
      maxBytes: 1e6,
      errorsOnly: true,
    });
    expect(batches.map(({ rows }) => rows)).toEqual([6]);
    expect(through).toBe(batches[0]?.id);
    await stub.seal();
    await stub.append(appendOf(script, some(script, 2)));
    await stub.seal();
    const flags = await env.DB.prepare("SELECT errors FROM sealed_log WHERE shard = ? ORDER BY first_id")
      .bind(script)
      .all();
    expect(flags.results.map((row) => row.errors)).toEqual([1, 0]);
    const reader = new Reader(script, true);
    await reader.drain();
    expect(reader.ids).toHaveLength(2);
    expect(reader.delivered.every(({ events }) => events.some((e) => e.kind === "exception"))).toBe(true);
  });

  const firstOf = async (script: string) =>
    (await ingester(script).readLog({ reader: "test", afterId: 0, maxBytes: 1, errorsOnly: false })).firstId - 1;
});
