import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import { Leases } from "../../../workers/buffer/leases.ts";
import {
  MAX_PUSH_CHARS,
  MAX_PUSH_ENTRIES,
  MAX_WAITING_CHARS,
  MAX_WAITING_ENTRIES,
  PUSH_TIMEOUT_MS,
  SUPPLY_MS,
} from "../../../workers/buffer/limits.ts";
import { PushQueue } from "../../../workers/buffer/push-queue.ts";
import { LEASE_MS, type Lease, type LivePush, type PushAnswer, tailHub } from "../../../workers/live/contract.ts";

const SCRIPT = "shop";
const HUB = tailHub(SCRIPT);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Does = "ok" | "throw" | "take and throw" | "hang" | "take and hang";

/** A hub that keeps what it has not had yet, as `live/` does. */
class Hub {
  readonly pushes: LivePush[] = [];
  readonly had: LivePush["entries"] = [];
  missed = 0;
  inFlight = 0;
  most = 0;
  readonly script: Does[] = [];
  answer: () => PushAnswer = () => ({ until: Date.now() + LEASE_MS, items: false });
  /** How long it takes, ms. */
  takes = 0;

  async push(push: LivePush): Promise<PushAnswer> {
    const does = this.script.shift() ?? "ok";
    this.inFlight += 1;
    this.most = Math.max(this.most, this.inFlight);
    this.pushes.push(push);
    if (this.takes > 0) await new Promise((resolve) => setTimeout(resolve, this.takes));
    this.inFlight -= 1;
    if (does === "ok" || does.startsWith("take")) this.take(push);
    if (does.endsWith("throw")) throw new Error("Network connection lost.");
    if (does.endsWith("hang")) return new Promise(() => {});
    return this.answer();
  }

  private take({ entries, missed }: LivePush): void {
    const last = this.had.at(-1)?.id ?? 0;
    if (entries[0] !== undefined && entries[0].id > last) this.missed += missed;
    this.had.push(...entries.filter(({ id }) => id > last));
  }
}

function setUp({ watched = true, items = false } = {}) {
  const hub = new Hub();
  const disk = new Map<string, string>();
  const meta = {
    get: (key: string) => disk.get(key) ?? "",
    set: (key: string, value: string) => void disk.set(key, value),
  };
  const leases = new Leases(meta, () => SCRIPT);
  const queue = new PushQueue({ leases, shard: SCRIPT, script: () => SCRIPT, hub: () => hub, since: () => [] });
  if (watched) leases.watch({ hub: HUB, until: Date.now() + LEASE_MS, items }, Date.now());
  let id = 0;
  let through = 0;
  const append = (more: Partial<AppendRequest> = {}) => {
    const request: AppendRequest = {
      script: SCRIPT,
      batchId: crypto.randomUUID(),
      batch: "b",
      rows: 1,
      minTime: 1,
      maxTime: 1,
      rollups: [],
      ledger: [],
      essential: false,
      ...more,
    };
    queue.hear(request);
    id += 1;
    through += request.rows;
    const logged = { id, through, at: Date.now() };
    queue.add(request, () => logged);
    return { request, answer: queue.answer(request) };
  };
  return { hub, leases, queue, append, disk, meta, logged: () => through };
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

test("while nobody watches, nothing is pushed, kept or said", async () => {
  const { queue, hub, append } = setUp({ watched: false });
  expect(append().answer).toBeUndefined();
  const logged = vi.fn();
  queue.add(append().request, logged);
  expect(logged).not.toHaveBeenCalled();
  await settle(60_000);
  expect(hub.pushes).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("an entry goes at once; what comes while a push is under way goes with the next, in order", async () => {
  const { hub, append } = setUp();
  hub.takes = 100;
  append({ rows: 2 });
  await settle();
  for (let n = 0; n < 5; n++) append({ rows: 3 });
  await settle(1_000);
  expect(hub.pushes.map(({ entries }) => entries.map((e) => [e.id, e.through, e.rows]))).toEqual([
    [[1, 2, 2]],
    [2, 3, 4, 5, 6].map((id) => [id, 2 + (id - 1) * 3, 3]),
  ]);
  expect(hub.pushes[0]).toMatchObject({ script: SCRIPT, shard: SCRIPT, missed: 0 });
  expect(hub.most).toBe(1);
});

test("counts without events are not pushed", async () => {
  const { hub, append } = setUp();
  append({ rows: 0, batch: "" });
  await settle();
  expect(hub.pushes).toEqual([]);
});

test("both hubs get it, and one that hangs does not keep the other waiting", async () => {
  const { hub: slow, leases, meta } = setUp();
  const fast = new Hub();
  slow.script.push("hang");
  leases.watch({ hub: tailHub(null), until: Date.now() + LEASE_MS, items: false }, Date.now());
  const hub = (name: string) => (name === HUB ? slow : fast);
  const queue = new PushQueue({
    leases: new Leases(meta, () => SCRIPT),
    shard: SCRIPT,
    script: () => SCRIPT,
    hub,
    since: () => [],
  });
  for (let id = 1; id <= 3; id++) {
    const request = { batchId: `${id}`, rows: 1, batch: "b", essential: false } as AppendRequest;
    queue.add(request, () => ({ id, through: id, at: 0 }));
    await settle(1_000);
  }
  expect(fast.had.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(slow.had).toEqual([]);
  await settle(PUSH_TIMEOUT_MS + 2_000);
  expect(slow.had.map(({ id }) => id)).toEqual([1, 2, 3]);
});

describe("a hub that is away", () => {
  test.each<[Does]>([["throw"], ["hang"]])(
    "is tried again, later and later, with what it missed (%s)",
    async (does) => {
      const { hub, append } = setUp();
      hub.script.push(does, does, does);
      append();
      await settle(60_000);
      expect(hub.pushes.length).toBe(4);
      expect(hub.had.map(({ id }) => id)).toEqual([1]);
    },
  );

  test("keeps little waiting: extras go first, then the oldest events, errors last; all are counted", async () => {
    const { hub, append } = setUp();
    hub.script.push("hang");
    append();
    await settle();
    const size = MAX_WAITING_CHARS / 10;
    append({ batch: "e".repeat(size), essential: true, extras: "x".repeat(size) });
    for (let n = 0; n < 12; n++) append({ batch: "b".repeat(size), rows: 100, extras: "x".repeat(100) });
    await settle(PUSH_TIMEOUT_MS + 5_000);
    // The first and the error, and nine others.
    expect(hub.had.map(({ id }) => id)).toEqual([1, 2, ...[6, 7, 8, 9, 10, 11, 12, 13, 14]]);
    expect(hub.had.slice(1, -1).every(({ extras }) => extras === "")).toBe(true);
    expect(hub.missed).toBe(300);
  });

  test("is forgotten when its lease is over", async () => {
    const { hub, append } = setUp();
    hub.script.push(...Array.from({ length: 1_000 }, () => "throw" as const));
    append();
    await settle(LEASE_MS + 60_000);
    const { length } = hub.pushes;
    expect(length).toBeLessThan(30);
    append();
    await settle(60_000);
    expect(hub.pushes.length).toBe(length);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("an answer that nobody watches any more ends the lease, and what waits is let go", async () => {
  const { hub, append } = setUp();
  hub.takes = 50;
  hub.answer = () => ({ until: 0, items: false });
  append();
  append();
  await settle(1_000);
  expect(hub.pushes.length).toBe(1);
  expect(append().answer).toBeUndefined();
  await settle(1_000);
  expect(hub.pushes.length).toBe(1);
});

test("no push is larger than a hub can read in one go", async () => {
  const { hub, append } = setUp();
  hub.takes = 10;
  for (let n = 0; n < 1_200; n++) append();
  for (let n = 0; n < 5; n++) append({ batch: "b".repeat(MAX_PUSH_CHARS / 3) });
  await settle(5_000);
  expect(hub.had.length).toBe(1_205);
  for (const { entries } of hub.pushes) {
    expect(entries.length).toBeLessThanOrEqual(MAX_PUSH_ENTRIES);
    expect(entries.reduce((sum, e) => sum + e.batch.length, 0)).toBeLessThanOrEqual(MAX_PUSH_CHARS);
  }
});

describe("extras", () => {
  const known: Lease = { hub: HUB, until: Number.MAX_SAFE_INTEGER, items: true };

  test("are asked of a Collector that did not know, and what follows waits with its entry", async () => {
    const { hub, queue, append } = setUp({ items: true });
    const { request, answer } = append();
    expect(answer).toMatchObject({ supply: true, leases: [{ hub: HUB, items: true }] });
    expect(append({ extras: "{}", leases: [known] }).answer).not.toHaveProperty("supply");
    await settle(SUPPLY_MS / 2);
    expect(hub.pushes).toEqual([]);
    await queue.supply(request.batchId, '{"items":{}}');
    await settle();
    expect(hub.had.map(({ extras }) => extras)).toEqual(['{"items":{}}', "{}"]);
  });

  test("that do not come are not waited for any longer", async () => {
    const { hub, queue, append } = setUp({ items: true });
    const { request } = append();
    await settle(SUPPLY_MS);
    expect(hub.had.map(({ extras }) => extras)).toEqual([""]);
    await queue.supply(request.batchId, "late");
    await queue.supply("unknown", "late");
    await settle(1_000);
    expect(hub.pushes.length).toBe(1);
  });

  test("are asked of one that knew of viewers, but of none that wants items, and not of the others", async () => {
    const { hub, queue, append } = setUp({ items: true });
    const { request, answer } = append({
      leases: [{ ...known, until: Date.now() + 1_000, items: false }],
      extras: '{"stacks":{}}',
    });
    expect(answer).toMatchObject({ supply: true });
    queue.supply(request.batchId, '{"stacks":{},"items":{}}');
    await settle();
    expect(hub.had.map(({ extras }) => extras)).toEqual(['{"stacks":{},"items":{}}']);
  });

  test("have items for those only who want them, and only they wait for them", async () => {
    const { leases, meta } = setUp({ items: true });
    leases.watch({ hub: tailHub(null), until: Date.now() + LEASE_MS, items: false }, Date.now());
    const own = new Hub();
    const all = new Hub();
    own.answer = () => ({ until: Date.now() + LEASE_MS, items: true });
    const queue = new PushQueue({
      leases: new Leases(meta, () => SCRIPT),
      shard: SCRIPT,
      script: () => SCRIPT,
      hub: (name) => (name === HUB ? own : all),
      since: () => [],
    });
    const given = [
      '{"stacks":{"a.1":"x,\\"items\\":"},"items":{"a":"{\\"items\\":1}"}}',
      '{"items":{"a":"b"}}',
      '{"stacks":{"a.1":"x"}}',
    ];
    let id = 0;
    for (const extras of given) {
      const request = { batchId: extras, rows: 1, batch: "b", leases: [known], extras } as AppendRequest;
      queue.add(request, () => ({ id: ++id, through: id, at: 0 }));
      await settle(1_000);
    }
    queue.add({ batchId: "late", rows: 1, batch: "b" } as AppendRequest, () => ({ id: ++id, through: id, at: 0 }));
    await settle(1);
    expect(all.had.map(({ extras }) => extras)).toEqual([
      '{"stacks":{"a.1":"x,\\"items\\":"}}',
      "",
      '{"stacks":{"a.1":"x"}}',
      "",
    ]);
    expect(own.had.map(({ extras }) => extras)).toEqual(given);
    queue.supply("late", given[0] as string);
    await settle(1_000);
    expect(own.had.at(-1)?.extras).toBe(given[0]);
  });

  test("are not asked of one that knew, nor while nobody wants items and there is no error", () => {
    expect(setUp({ items: true }).append({ leases: [known], extras: "" }).answer).not.toHaveProperty("supply");
    expect(setUp().append().answer).not.toHaveProperty("supply");
    const issues = [{}] as AppendRequest["issues"];
    expect(setUp().append({ issues }).answer).toHaveProperty("supply");
  });
});

describe("leases", () => {
  const lease = (until: number, items = false): Lease => ({ hub: HUB, until, items });

  test("outlive the object, and end by themselves", async () => {
    const { meta, append } = setUp();
    append();
    const again = new Leases(meta, () => SCRIPT);
    expect(again.current(Date.now())).toHaveLength(1);
    expect(again.current(Date.now() + LEASE_MS)).toBeUndefined();
  });

  test("renewed with every push, they are written to disk now and then", async () => {
    const { meta, append } = setUp();
    const written = vi.spyOn(meta, "set");
    for (let n = 0; n < 300; n++) {
      append();
      await settle(1_000);
    }
    expect(written.mock.calls.length).toBeLessThan(5);
    const again = new Leases(meta, () => SCRIPT).current(Date.now());
    expect(again?.[0]?.until).toBeGreaterThan(Date.now() + LEASE_MS / 2);
  });

  test("that ended do not come back with a Collector that has not heard so, but a new one does", () => {
    const { leases } = setUp({ watched: false });
    leases.watch(lease(10_000), 0);
    leases.answered(HUB, { until: 0, items: false }, 0);
    leases.pass([lease(10_000)], 0);
    expect(leases.current(0)).toBeUndefined();
    leases.pass([lease(10_001)], 0);
    expect(leases.current(0)).toHaveLength(1);
  });

  test("of a shard that does not know its Worker yet: one beside that of all Workers, renewed, and another when it is over", () => {
    const { meta } = setUp({ watched: false });
    const leases = new Leases(meta, () => "");
    const everyone = { hub: tailHub(null), until: 10_000, items: false };
    leases.watch(lease(10_000), 0);
    leases.watch(everyone, 0);
    leases.watch({ ...lease(10_000), hub: tailHub("other") }, 0);
    expect(leases.current(0)).toEqual([lease(10_000), everyone]);
    leases.watch(lease(20_000), 0);
    expect(leases.current(0)).toEqual([lease(20_000), everyone]);
    expect(leases.current(30_000)).toBeUndefined();
    leases.watch({ ...lease(40_000), hub: tailHub("other") }, 30_000);
    expect(leases.current(30_000)).toEqual([{ ...lease(40_000), hub: tailHub("other") }]);
  });

  test("of other Workers are not taken", () => {
    const { leases } = setUp({ watched: false });
    leases.pass([{ hub: tailHub("another"), until: 10_000, items: true }], 0);
    leases.watch({ hub: "hub", until: 10_000, items: true }, 0);
    expect(leases.current(0)).toBeUndefined();
  });

  test("the newer word holds", () => {
    const { leases } = setUp({ watched: false });
    leases.pass([lease(10_000, true)], 0);
    leases.pass([lease(9_000, false)], 0);
    expect(leases.current(0)).toEqual([lease(10_000, true)]);
    leases.watch(lease(9_500, false), 0);
    expect(leases.current(0)).toEqual([lease(9_500, false)]);
    leases.watch(lease(0), 1);
    expect(leases.current(1)).toBeUndefined();
  });
});

test("whatever a hub does, entries come in order and once, and what came and what was missed is all there was", async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ rows: fc.nat(50), chars: fc.constantFrom(1, 1_000, 400_000), essential: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ ms: fc.constantFrom(1, 30, 700, 15_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constantFrom<Does>("throw", "take and throw", "hang", "take and hang") }),
    },
    { weight: 1, arbitrary: fc.record({ burst: fc.constant(MAX_WAITING_ENTRIES + 7) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 20, 3_000), async (steps, takes) => {
      const { hub, append, logged } = setUp();
      hub.takes = takes;
      let watchedFrom = Date.now();
      for (const action of steps) {
        if ("ms" in action) await settle(action.ms);
        else if ("does" in action) hub.script.push(action.does);
        else if ("burst" in action) for (let n = 0; n < action.burst; n++) append();
        else append({ ...action, batch: "b".repeat(action.chars) });
        if (Date.now() - watchedFrom > LEASE_MS / 2) return;
      }
      watchedFrom = Date.now();
      hub.script.length = 0;
      append();
      await settle(120_000);
      const ids = hub.had.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      const came = hub.had.reduce((sum, { rows }) => sum + rows, 0);
      expect(came + hub.missed).toBe(logged());
      // "one at a time", but for those that were given up as hanging.
      if (takes * 2 < PUSH_TIMEOUT_MS) expect(hub.most).toBe(1);
    }),
    { numRuns: 60 },
  );
});
