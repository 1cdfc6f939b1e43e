import { describe, expect, test } from "vitest";
import { MAX_APPEND_BYTES } from "../../../workers/buffer/limits.ts";
import { HARD_BYTES, MAX_GROUP_EVENTS, SOFT_BYTES, WINDOW_MS } from "../../../workers/ingest/group-commit.ts";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import { bench, fetchItem, logItem, NOW_MS } from "./support.ts";

const failed = (overrides: Record<string, unknown> = {}) =>
  fetchItem({ outcome: "exception", exceptions: [{ timestamp: NOW_MS, name: "E", message: "no" }], ...overrides });

/** One tail call with these items. */
function call(b: ReturnType<typeof bench>, ...items: unknown[]) {
  const intake = b.intake();
  for (const item of items) expect(intake.take(item)).toBeUndefined();
  return intake.settled();
}

test("calls of one window share one append, and each waits for it", async () => {
  const b = bench();
  const calls = Array.from({ length: 200 }, () => call(b, fetchItem()));
  await b.clock.advance(WINDOW_MS - 1);
  expect(b.recorder.calls).toBe(0);
  await b.clock.advance(1);
  expect(await Promise.all(calls)).toEqual(calls.map(() => ({ kept: 1, dropped: 0, overloaded: 0 })));
  expect(b.recorder.calls).toBe(1);
  expect(new Set(b.recorder.events().map((e) => e.invocation_id)).size).toBe(200);
});

test("Workers do not share an append", async () => {
  const b = bench();
  const calls = ["a", "b", "a"].map((scriptName) => call(b, fetchItem({ scriptName })));
  await b.clock.advance(WINDOW_MS);
  await Promise.all(calls);
  expect(b.recorder.appends.map(({ request }) => [request.script, request.rows])).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
});

test("a full group does not wait for its window", async () => {
  const b = bench();
  const calls = Array.from({ length: MAX_GROUP_EVENTS + 10 }, () => call(b, fetchItem()));
  await b.clock.advance(0);
  expect(b.recorder.appends.map(({ request }) => request.rows)).toEqual([MAX_GROUP_EVENTS]);
  await b.clock.advance(WINDOW_MS);
  await Promise.all(calls);
  expect(b.recorder.events().length).toBe(MAX_GROUP_EVENTS + 10);
});

test.each([["fail" as const], ["fail-after" as const]])(
  "after an append that %ss, a retry counts once",
  async (first) => {
    const b = bench();
    b.recorder.script.push(first, first);
    const done = call(b, fetchItem(), logItem("hi"));
    await b.clock.advance(5_000);
    expect(await done).toEqual({ kept: 2, dropped: 0, overloaded: 0 });
    expect(b.recorder.calls).toBe(3);
    expect(b.recorder.appends.length).toBe(1);
    expect(b.recorder.events().length).toBe(3);
  },
);

test("an overloaded Ingester is sent the errors only, and the rest is counted", async () => {
  const b = bench();
  b.recorder.essentialOnly = true;
  const calls = [call(b, fetchItem(), failed()), call(b, logItem("hi")), call(b, failed({ truncated: true }))];
  await b.clock.advance(1_000);
  expect(await Promise.all(calls)).toEqual([
    { kept: 1, dropped: 1, overloaded: 1 },
    { kept: 0, dropped: 1, overloaded: 1 },
    { kept: 1, dropped: 0, overloaded: 0 },
  ]);
  expect(b.recorder.appends.map(({ request }) => request.essential)).toEqual([true]);
  expect(b.recorder.events().map((e) => [e.kind, e.outcome])).toEqual([
    ["invocation", "exception"],
    ["exception", "exception"],
    ["invocation", "exception"],
    ["exception", "exception"],
  ]);
  expect(b.recorder.ledger()).toMatchObject({ received: 4, kept: 2, overloaded: 2, truncated: 1, events: 4 });
  expect(b.recorder.requests()).toBe(4);
});

test("a logged error is not shed either", async () => {
  const b = bench();
  b.recorder.essentialOnly = true;
  const done = call(b, fetchItem({ logs: [{ timestamp: NOW_MS, level: "error", message: ["swallowed"] }] }));
  await b.clock.advance(1_000);
  expect(await done).toMatchObject({ kept: 1, dropped: 0 });
});

test("what could not be stored at all is counted with the next group", async () => {
  const b = bench();
  b.recorder.script.push(...Array.from({ length: 400 }, () => "overloaded" as const));
  const lost = call(b, fetchItem(), failed());
  await b.clock.advance(20_000);
  expect(await lost).toEqual({ kept: 0, dropped: 2, overloaded: 2 });
  b.recorder.script.length = 0;
  const next = call(b, fetchItem());
  await b.clock.advance(WINDOW_MS);
  expect(await next).toMatchObject({ kept: 1 });
  expect(b.recorder.ledger()).toMatchObject({ received: 3, kept: 1, overloaded: 2, events: 1 });
  expect(b.recorder.requests()).toBe(3);
});

test("while nothing can be stored, memory is bounded: first all but errors is dropped, then errors too", async () => {
  const b = bench();
  b.recorder.script.push(...Array.from({ length: 10_000 }, () => "overloaded" as const));
  const long = "x".repeat(30_000);
  const big = () => fetchItem({ logs: [{ timestamp: NOW_MS, level: "log", message: [`${Math.random()}${long}`] }] });
  const intake = b.intake();
  for (let sent = 0; sent < SOFT_BYTES * 2; sent += long.length) intake.take(big());
  expect(b.collector.commit.hasRoom(false)).toBe(false);
  expect(b.collector.commit.hasRoom(true)).toBe(true);
  for (let sent = 0; sent < HARD_BYTES; sent += long.length) intake.take({ ...big(), outcome: "exception" });
  expect(b.collector.commit.hasRoom(true)).toBe(false);
  const done = intake.settled();
  await b.clock.advance(60_000);
  const tally = await done;
  expect(tally.kept).toBe(0);
  expect(b.collector.commit.hasRoom(false)).toBe(true);
});

test("the Ingester's hint spreads a hot Worker, and retries stay on their shard", async () => {
  const b = bench();
  b.recorder.shards = 8;
  const first = call(b, fetchItem());
  await b.clock.advance(WINDOW_MS);
  await first;
  b.recorder.script.push("fail");
  const second = call(b, fetchItem());
  await b.clock.advance(1_000);
  await second;
  expect(b.recorder.appends.map(({ shard, request }) => [shard, request.spread])).toEqual([
    [0, 1],
    [4, 8],
  ]);
});

test("a call whose append is never answered leaves its group to those who wait", async () => {
  const b = bench();
  b.recorder.script.push("hang");
  const calls = [call(b, fetchItem()), call(b, fetchItem())];
  await b.clock.advance(10_000);
  expect(await Promise.all(calls)).toMatchObject([{ kept: 1 }, { kept: 1 }]);
  expect(b.recorder.calls).toBe(2);
  expect(b.recorder.appends.length).toBe(1);
});

test("text that escaping makes many times longer is sent in parts", async () => {
  const b = bench();
  const escaped = "\u0001".repeat(30_000);
  const item = (name: string) =>
    fetchItem({
      logs: Array.from({ length: 16 }, (_, i) => ({
        timestamp: NOW_MS,
        level: "log",
        message: [`${name}${i}${escaped}`],
      })),
    });
  const done = call(b, item("a"), item("b"));
  await b.clock.advance(WINDOW_MS);
  expect(await done).toMatchObject({ kept: 2 });
  expect(b.recorder.appends.length).toBeGreaterThan(1);
  for (const { request } of b.recorder.appends) expect(Buffer.byteLength(request.batch)).toBeLessThanOrEqual(3_000_000);
  expect(b.recorder.events().length).toBe(34);
  expect(b.recorder.ledger()).toMatchObject({ received: 2, kept: 2, events: 34 });
});

test("a body that names a Worker per item takes no more memory than one that names few", async () => {
  const b = bench();
  const workers = 4_000;
  const done = call(b, ...Array.from({ length: workers }, (_, i) => fetchItem({ scriptName: `w${i}` })));
  await b.clock.advance(1_000);
  const { kept, overloaded } = await done;
  expect(kept).toBeGreaterThan(500);
  expect(kept).toBeLessThan(SOFT_BYTES / 10_000);
  expect(kept + overloaded).toBe(workers);
  expect(b.recorder.ledger()).toMatchObject({ received: workers, kept, overloaded });
});

describe("counts", () => {
  test("sampled-out invocations are in the ledger and, exactly, in the rollups", async () => {
    const policy = compilePolicy({
      ...DEFAULT_SETTINGS,
      workers: new Map([["shop", { sampling: [{ rate: 0.1 }] }]]),
    });
    const b = bench(policy);
    const done = call(b, ...Array.from({ length: 3_000 }, () => fetchItem()));
    await b.clock.advance(WINDOW_MS);
    const { kept, dropped } = await done;
    expect(kept + dropped).toBe(3_000);
    expect(kept).toBeGreaterThan(200);
    expect(kept).toBeLessThan(400);
    expect(b.recorder.ledger()).toMatchObject({ received: 3_000, kept, sampled_out: dropped });
    expect(b.recorder.requests()).toBe(3_000);
    for (const event of b.recorder.events()) expect(event.sample_weight).toBe(10);
  });

  test("a replay of old items that are dropped makes appends that an Ingester takes", async () => {
    const policy = compilePolicy({ ...DEFAULT_SETTINGS, workers: new Map([["shop", { sampling: [{ rate: 1e-9 }] }]]) });
    const b = bench(policy);
    const old = (minutes: number) =>
      fetchItem({
        eventTimestamp: NOW_MS - minutes * 60_000,
        scriptVersion: { id: `v${minutes}`, tag: "t".repeat(200), message: "m".repeat(200) },
      });
    const done = call(b, ...Array.from({ length: 10_000 }, (_, i) => old(i)));
    await b.clock.advance(1_000);
    expect(await done).toMatchObject({ dropped: 10_000 });
    for (const { request } of b.recorder.appends) {
      expect(JSON.stringify([request.rollups, request.ledger]).length).toBeLessThan(MAX_APPEND_BYTES / 2);
    }
    expect(b.recorder.ledger()).toMatchObject({ received: 10_000, sampled_out: 10_000 });
    expect(b.recorder.requests()).toBe(10_000);
  });

  test("a window of nothing but counts is sent without a batch, in less of a hurry", async () => {
    const policy = compilePolicy({
      ...DEFAULT_SETTINGS,
      workers: new Map([["shop", { sampling: [{ rate: 1e-9 }] }]]),
    });
    const b = bench(policy);
    const done = call(b, fetchItem());
    await b.clock.advance(WINDOW_MS);
    expect(b.recorder.calls).toBe(0);
    await b.clock.advance(1_000);
    expect(await done).toMatchObject({ dropped: 1 });
    expect(b.recorder.appends[0]?.request).toMatchObject({ rows: 0, batch: "", minTime: 0, maxTime: 0 });
    const mixed = [call(b, fetchItem()), call(b, failed())];
    await b.clock.advance(WINDOW_MS);
    expect((await Promise.all(mixed)).map((t) => t.kept)).toEqual([0, 1]);
  });
});
