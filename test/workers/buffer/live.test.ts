/** What the Ingester does for those who watch: pushes, positions, replay. The hub is a recorder; hubs have tests of their own. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ingester } from "../../../workers/buffer/ingester.ts";
import { ANSWER_BYTES, RECENT_MS } from "../../../workers/buffer/limits.ts";
import { LEASE_MS, type LiveEntry, type LivePush, type PushAnswer, tailHub } from "../../../workers/live/contract.ts";
import { appendOf, ingester, invocation, TEN_O_CLOCK, until } from "./support.ts";

type Stub = DurableObjectStub<Ingester>;

/** Answers like a hub with viewers, unless told otherwise. */
class Recorder {
  readonly pushes: LivePush[] = [];
  answer: () => Promise<PushAnswer> = async () => ({ until: Date.now() + LEASE_MS, items: false });

  /** Without those that come again after a restart: hubs know them by their ids. */
  get entries(): LiveEntry[] {
    const all = this.pushes.flatMap(({ entries }) => entries);
    return all.filter(({ id }, at) => all.findIndex((entry) => entry.id >= id) === at);
  }

  /** Of this life of the object only. */
  async listen(stub: Stub): Promise<void> {
    await runInDurableObject(stub, (instance: Ingester) => {
      instance.hub = () => ({
        push: (push) => {
          this.pushes.push(push);
          return this.answer();
        },
      });
    });
  }
}

const lease = (script: string, items = false) => ({ hub: tailHub(script), until: Date.now() + LEASE_MS, items });
const events = (script: string, count: number) =>
  Array.from({ length: count }, (_, n) => invocation(script, TEN_O_CLOCK + n));

async function watched(script: string, items = false) {
  const stub = ingester(script);
  const hub = new Recorder();
  await hub.listen(stub);
  await stub.watch(lease(script, items));
  return { stub, hub };
}

/** An eviction in the middle of work: `evictDurableObject` waits for it to end. */
async function crash(stub: Stub): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.abort("crash")).catch(() => {});
}

async function replayed(stub: Stub, afterId = 0, maxBytes = ANSWER_BYTES) {
  const entries: LiveEntry[] = [];
  for (;;) {
    const page = await stub.replay({ afterId: entries.at(-1)?.id ?? afterId, maxBytes });
    entries.push(...page.entries);
    if (!page.more) return { entries, sealedThrough: page.sealedThrough };
  }
}

describe("pushes", () => {
  it("are not made while nobody watches", async () => {
    const stub = ingester("unwatched");
    const hub = new Recorder();
    await hub.listen(stub);
    expect(await stub.append(appendOf("unwatched", events("unwatched", 2)))).toEqual({ ok: true, shards: 1 });
    await stub.status();
    expect(hub.pushes).toEqual([]);
  });

  it("carry what is in the log, as it is there", async () => {
    const { stub, hub } = await watched("pushed");
    const request = appendOf("pushed", events("pushed", 3));
    expect(await stub.append(request)).toMatchObject({ ok: true, leases: [{ hub: tailHub("pushed") }] });
    await until(async () => hub.entries.length === 1);
    expect(hub.pushes).toMatchObject([{ script: "pushed", shard: "pushed", missed: 0 }]);
    const { entries } = await replayed(stub);
    expect(hub.entries).toEqual(entries);
    expect(entries).toMatchObject([{ through: 3, rows: 3, batch: request.batch, extras: "" }]);
  });

  it("go on after a crash in mid-stream with what had not left, though not with what is old", async () => {
    const { stub, hub } = await watched("crashed");
    await stub.append(appendOf("crashed", events("crashed", 2)));
    await until(async () => hub.entries.length === 1);
    hub.answer = () => new Promise(() => {});
    await stub.append(appendOf("crashed", events("crashed", 5)));
    await until(async () => hub.pushes.length === 2);
    // Waits, and goes with the object.
    await stub.append(appendOf("crashed", events("crashed", 7)));
    await runInDurableObject(stub, (_, { storage }) => {
      const [table] = storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'");
      storage.sql.exec(`UPDATE ${table?.name} SET at = at - ${RECENT_MS + 60_000} WHERE rows = 2`);
    });
    await crash(stub);
    const reborn = ingester("crashed");
    const again = new Recorder();
    await again.listen(reborn);
    for (const rows of [1, 3]) await reborn.append(appendOf("crashed", events("crashed", rows)));
    await until(async () => again.entries.length === 4);
    expect(again.entries.map(({ rows, through }) => [rows, through])).toEqual([
      [5, 7],
      [7, 14],
      [1, 15],
      [3, 18],
    ]);
  });

  it("do not begin before the lease: what came before it is not pushed, nor again after the hub asked anew", async () => {
    const stub = ingester("begun");
    await stub.append(appendOf("begun", events("begun", 1)));
    await stub.watch(lease("begun"));
    await evictDurableObject(stub);
    await stub.watch(lease("begun"));
    const hub = new Recorder();
    await hub.listen(stub);
    await stub.append(appendOf("begun", events("begun", 2)));
    await until(async () => hub.entries.length > 0);
    expect(hub.entries.map(({ through }) => through)).toEqual([3]);
  });

  it("are made once for an append that is tried again, also after an eviction and a seal", async () => {
    const { stub, hub } = await watched("again");
    const request = appendOf("again", events("again", 1));
    await stub.append(request);
    await stub.append(request);
    await until(async () => hub.entries.length === 1);
    await evictDurableObject(stub);
    const later = new Recorder();
    await later.listen(stub);
    await stub.append(request);
    await stub.seal();
    await stub.append(request);
    await stub.append(appendOf("again", events("again", 4)));
    await until(async () => later.entries.length > 0);
    expect(later.entries.map(({ rows, through }) => [rows, through])).toEqual([[4, 5]]);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("no hub"))],
    ["hangs", () => new Promise<PushAnswer>(() => {})],
  ])("to a hub that %s keep no append waiting", async (how, answer) => {
    const { stub, hub } = await watched(`away-${how}`);
    hub.answer = answer;
    for (let n = 0; n < 20; n++) {
      expect(await stub.append(appendOf(`away-${how}`, events(`away-${how}`, 1)))).toMatchObject({ ok: true });
    }
    expect((await stub.status()).unsealedRows).toBe(20);
    expect(hub.pushes.length).toBeGreaterThan(0);
  });

  it("end with the lease, also on disk", async () => {
    const { stub, hub } = await watched("ended");
    hub.answer = async () => ({ until: 0, items: false });
    await stub.append(appendOf("ended", events("ended", 1)));
    await until(async () => hub.pushes.length === 1);
    await evictDurableObject(stub);
    await hub.listen(stub);
    expect(await stub.append(appendOf("ended", events("ended", 1)))).toEqual({ ok: true, shards: 1 });
    expect(hub.pushes.length).toBe(1);
  });

  it("of a sub-shard and of a new Worker begin with the append that brings the lease", async () => {
    for (const [shard, script, hub] of [
      ["spread#3", "spread", tailHub("spread")],
      ["newcomer", "newcomer", tailHub(null)],
    ] as const) {
      const stub = ingester(shard);
      const recorder = new Recorder();
      await recorder.listen(stub);
      const leases = [{ hub, until: Date.now() + LEASE_MS, items: false }];
      await stub.append(appendOf(script, events(script, 1), { leases }));
      await until(async () => recorder.entries.length === 1);
      expect(recorder.pushes[0]).toMatchObject({ script, shard });
    }
  });

  it.each([
    ["of all Workers", tailHub(null)],
    ["of the Worker", tailHub("opened-1")],
  ])(
    "begin with the first append of a Worker that nobody had heard of, when the hub %s is registered",
    async (_, hub) => {
      const script = `opened-${hub === tailHub(null) ? 0 : 1}`;
      const written = env.DB.prepare("INSERT OR REPLACE INTO live_hubs (name, until) VALUES (?, ?)");
      await written.bind(hub, Date.now() + LEASE_MS).run();
      const stub = ingester(script);
      const recorder = new Recorder();
      await recorder.listen(stub);
      const answers = await Promise.all([1, 2].map((n) => stub.append(appendOf(script, events(script, n)))));
      expect(answers).toMatchObject([{ leases: [{ hub }] }, { leases: [{ hub }] }]);
      await stub.append(appendOf(script, events(script, 3)));
      await until(async () => recorder.entries.length === 3);
      expect(recorder.entries.map(({ through }) => through)).toEqual([1, 3, 6]);
      await env.DB.prepare("DELETE FROM live_hubs WHERE name = ?").bind(hub).run();
    },
  );

  it("wait a moment for extras that the Collector hands in after", async () => {
    const { stub, hub } = await watched("supplied", true);
    const request = appendOf("supplied", events("supplied", 1));
    expect(await stub.append(request)).toMatchObject({ supply: true });
    await stub.supply(request.batchId, '{"items":{"a":"{}"}}');
    await until(async () => hub.entries.length === 1);
    expect(hub.entries[0]?.extras).toBe('{"items":{"a":"{}"}}');
    // Passed on, never stored.
    expect((await replayed(stub)).entries[0]?.extras).toBe("");
  });
});

describe("watch", () => {
  it("answers where the log is: zeros before there is anything", async () => {
    const stub = ingester("position");
    expect(await stub.watch(lease("position"))).toEqual({ id: 0, through: 0 });
    await stub.append(appendOf("position", events("position", 3)));
    const [entry] = (await replayed(stub)).entries;
    expect(await stub.watch(lease("position"))).toEqual({ id: entry?.id, through: 3 });
    await stub.seal();
    await evictDurableObject(stub);
    expect(await stub.watch(lease("position"))).toEqual({ id: entry?.id, through: 3 });
  });
});

describe("replay", () => {
  it("comes in pages, in order", async () => {
    const stub = ingester("pages-of-the-log");
    const message = "x".repeat(10_000);
    for (let n = 1; n <= 6; n++) {
      await stub.append(
        appendOf("pages-of-the-log", [invocation("pages-of-the-log", TEN_O_CLOCK + n, { message: message + n })]),
      );
      await stub.append(appendOf("pages-of-the-log", []));
    }
    const { entries } = await replayed(stub, 0, 25_000);
    expect(entries.map(({ rows, through }) => [rows, through])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [1, n]));
    expect(await replayed(stub, entries[2]?.id)).toMatchObject({ entries: entries.slice(3) });
  });

  it("keeps its positions when a batch before is set aside, and when the rest is sealed", async () => {
    const stub = ingester("aside");
    await stub.append(appendOf("aside", events("aside", 2)));
    await stub.append({ ...appendOf("aside", events("aside", 5)), batch: "no batch" });
    await stub.append(appendOf("aside", events("aside", 3)));
    const before = await replayed(stub);
    expect(before.entries.map(({ through }) => through)).toEqual([2, 7, 10]);
    await stub.seal();
    expect(await stub.status()).toMatchObject({ quarantined: 1 });
    expect(await replayed(stub)).toEqual({ entries: [], sealedThrough: 10 });
    await evictDurableObject(stub);
    await stub.append(appendOf("aside", events("aside", 1)));
    expect(await replayed(stub)).toMatchObject({ entries: [{ through: 11 }], sealedThrough: 10 });
  });

  it("and pushes tell every event's position, over any sequence of appends, retries, seals and evictions", async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ rows: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.constant("again" as const) },
      { weight: 2, arbitrary: fc.constant("seal" as const) },
      { weight: 2, arbitrary: fc.constant("evict" as const) },
    );
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
        const script = `positions-${++runs}`;
        const { stub, hub } = await watched(script);
        const expected: { rows: number; through: number }[] = [];
        let logged = 0;
        let sealedThrough = 0;
        let last: ReturnType<typeof appendOf> | undefined;
        for (const s of steps) {
          if (s === "again") {
            if (last !== undefined) await stub.append(last);
          } else if (s === "seal") {
            await stub.seal();
            sealedThrough = logged;
          } else if (s === "evict") {
            await until(async () => hub.entries.length === expected.length);
            await evictDurableObject(stub);
            await hub.listen(stub);
          } else {
            last = appendOf(script, events(script, s.rows));
            await stub.append(last);
            logged += s.rows;
            if (s.rows > 0) expected.push({ rows: s.rows, through: logged });
          }
          const replay = await replayed(stub);
          expect(replay.sealedThrough).toBe(sealedThrough);
          const left = expected.filter(({ through }) => through > sealedThrough);
          expect(replay.entries.map(({ rows, through }) => ({ rows, through }))).toEqual(left);
        }
        await until(async () => hub.entries.length === expected.length);
        expect(hub.entries.map(({ rows, through }) => ({ rows, through }))).toEqual(expected);
        const ids = hub.entries.map(({ id }) => id);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
        expect(hub.pushes.every(({ missed }) => missed === 0)).toBe(true);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });
});

it("the bindings lead to real hubs", async () => {
  expect(env.LIVE.getByName(tailHub("any"))).toHaveProperty("push");
});
