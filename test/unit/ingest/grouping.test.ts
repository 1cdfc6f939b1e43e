import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { MAX_APPEND_BYTES } from "../../../workers/buffer/limits.ts";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import type { Place, PlaceMap, PlaceMaps } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { WINDOW_MS } from "../../../workers/ingest/group-commit.ts";
import { MAX_FINGERPRINTS_PER_MINUTE } from "../../../workers/ingest/grouping/flood.ts";
import { MAX_WAIT_MS } from "../../../workers/ingest/grouping/waits.ts";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import { hash32 } from "../../../workers/util/hash.ts";
import { type Bench, bench, fetchItem, NO_MAPS, NOW_MS } from "./support.ts";

const STACK = "    at t (file:///index.js:1:100)\n    at Object.fetch (file:///index.js:1:200)";
const VERSION = { id: "v1", tag: "blue", message: "First" };

/** An invocation that threw. */
const thrown = (overrides: Record<string, unknown> = {}, exception: Record<string, unknown> = {}) =>
  fetchItem({
    event: {
      request: { url: "https://shop.test/cart/17", method: "POST", headers: {}, cf: { colo: "LHR", country: "GB" } },
    },
    outcome: "exception",
    scriptVersion: VERSION,
    exceptions: [{ timestamp: NOW_MS, name: "TypeError", message: "no price", stack: STACK, ...exception }],
    ...overrides,
  });
const logged = (overrides: Record<string, unknown>, item: Record<string, unknown> = {}) =>
  fetchItem({
    scriptVersion: VERSION,
    logs: [{ timestamp: NOW_MS, level: "log", message: [], ...overrides }],
    ...item,
  });

function start(b: Bench, ...items: unknown[]) {
  const intake = b.intake();
  for (const item of items) expect(intake.take(item)).toBeUndefined();
  return intake.settled();
}

async function run(b: Bench, ...items: unknown[]): Promise<IssueDelta[]> {
  const settled = start(b, ...items);
  await b.clock.advance(2_000);
  await settled;
  return b.recorder.issues();
}

const kindsOf = async (item: unknown) => (await run(bench(), item)).map(({ kind, type }) => `${kind} ${type}`);

/** A map that comes when it is let through. */
class SlowMaps implements PlaceMaps {
  asked = 0;
  known = false;
  private open = () => {};
  private readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
  private readonly map: PlaceMap = {
    locateCached: (_, column) => this.place(column),
    locateAll: async (positions) => positions.map(({ column }) => this.place(column)),
    context: async () => undefined,
  };
  private place(column: number): Place {
    const name = column === 100 ? "priceOf" : "fetch";
    return { source: 0, file: "src/cart.ts", line: column, column: 1, name: null, function: name, ignored: false };
  }
  find = async () => {
    this.asked++;
    await this.opened;
    this.known = true;
    return this.map;
  };
  findCached = () => (this.known ? this.map : undefined);
  hasAny = () => true;
  arrive() {
    this.open();
  }
}

describe("which events are errors", () => {
  test("an uncaught exception, by its own event", async () => {
    const b = bench();
    const deltas = await run(b, thrown());
    expect(deltas).toMatchObject([
      { kind: "exception", type: "TypeError", title: "no price", script: "shop", count: 1 },
    ]);
    const marked = b.recorder.events().filter((e) => e.fingerprint !== undefined);
    expect(marked.map((e) => [e.kind, e.fingerprint])).toEqual([["exception", deltas[0]?.fingerprint]]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      "a rejection after the answer",
      thrown({ event: { request: { url: "https://a.test/", method: "GET" }, response: { status: 200 } } }),
      ["rejection TypeError"],
    ],
    [
      "a logged Error at any level",
      logged({ level: "warn", message: ["E: x"], errorInfo: [{ name: "E", message: "x", stack: STACK }] }),
      ["log E"],
    ],
    [
      "a logged text with a stack in it",
      logged({ level: "error", message: [`RangeError: too far\n${STACK}`] }),
      ["log RangeError"],
    ],
    [
      "a structured log with an Error in it",
      logged({ message: [{ msg: "no", err: { type: "DbError", message: "gone", stack: `DbError: gone\n${STACK}` } }] }),
      ["log DbError"],
    ],
    [
      "a structured log with a stack of its own",
      logged({ message: [{ level: "error", message: "no", stack: `DbError: gone\n${STACK}` }] }),
      ["log DbError"],
    ],
    [
      "an Error without a stack in a structured error",
      logged({ message: [{ level: "error", error: { name: "DbError", message: "gone" } }] }),
      ["log DbError"],
    ],
    ["a message at level error", logged({ level: "error", message: ["cannot pay"] }), ["message console.error"]],
    ["nothing at level warn", logged({ level: "warn", message: ["slow"] }), []],
    [
      "a 5xx that nothing explains",
      fetchItem({ event: { request: { url: "https://a.test/", method: "GET" }, response: { status: 503 } } }),
      ["http 5xx"],
    ],
    ["an isolate out of memory", fetchItem({ outcome: "exceededMemory" }), ["death exceededMemory"]],
    [
      "… with what the runtime throws because of it",
      thrown(
        { outcome: "exceededMemory" },
        { name: "Error", message: "Worker exceeded memory limit.", stack: undefined },
      ),
      ["death exceededMemory"],
    ],
    [
      "… and with what the Worker threw before",
      thrown({ outcome: "exceededCpu" }),
      ["exception TypeError", "death exceededCpu"],
    ],
    ["a client that left", fetchItem({ outcome: "canceled" }), ["noise canceled"]],
    [
      "a stream that was left",
      fetchItem({ outcome: "responseStreamDisconnected" }),
      ["noise responseStreamDisconnected"],
    ],
    [
      "a lost connection",
      thrown({}, { name: "Error", message: "Network connection lost.", stack: undefined }),
      ["noise Error"],
    ],
    ["nothing wrong", fetchItem(), []],
    [
      "a channel that complains is no console",
      fetchItem({
        diagnosticsChannelEvents: [{ timestamp: NOW_MS, channel: "x", message: { level: "error", message: "no" } }],
      }),
      [],
    ],
  ])("%s", async (_, item, kinds) => {
    expect(await kindsOf(item)).toEqual(kinds);
  });

  test("a 5xx is explained by an exception or a logged Error of the same invocation", async () => {
    const answer = { request: { url: "https://a.test/", method: "GET" }, response: { status: 500 } };
    const errorInfo = [{ name: "E", message: "x", stack: STACK }];
    expect(await kindsOf(logged({ message: ["E: x"], errorInfo }, { event: answer }))).toEqual(["log E"]);
    expect(await kindsOf(thrown({ event: answer }))).toEqual(["exception TypeError"]);
  });

  test("what the item says of causes is in the stack", async () => {
    const cause = {
      name: "SyntaxError",
      message: "bad json",
      stack: "SyntaxError: bad json\n    at p (file:///index.js:1:9)",
    };
    const error = { name: "Error", message: "cannot load", stack: STACK, cause };
    const b = bench();
    const [delta] = await run(b, logged({ level: "error", message: [{ error }] }));
    expect(delta).toMatchObject({ kind: "log", type: "SyntaxError", title: "bad json" });
    const stack = b.recorder.events().find((e) => e.kind === "log")?.stack;
    expect(stack).toBe(`${STACK}\n  [cause]: SyntaxError: bad json\n      at p (file:///index.js:1:9)`);
  });
});

test("several Errors of one call are a chain, or the parts of an AggregateError", async () => {
  const [a, b] = ["a", "b"].map((at) => ({
    name: "CarrierError",
    message: at,
    stack: `    at ${at} (file:///index.js:1:9)`,
  }));
  const stackFor = async (first: Record<string, unknown>) => {
    const bed = bench();
    await run(bed, logged({ level: "error", message: ["x", "y", "z"], errorInfo: [first, a, b] }));
    return bed.recorder.events().find((e) => e.kind === "log")?.stack;
  };
  expect(await stackFor({ name: "E", message: "outer", stack: STACK })).toBe(
    `${STACK}\n  [cause]: CarrierError: a\n      at a (file:///index.js:1:9)\n    [cause]: CarrierError: b\n        at b (file:///index.js:1:9)`,
  );
  expect(await stackFor({ name: "AggregateError", message: "all failed" })).toBe(
    "AggregateError: all failed\n  [errors]: CarrierError: a\n      at a (file:///index.js:1:9)\n  [errors]: CarrierError: b\n      at b (file:///index.js:1:9)",
  );
});

describe("deltas", () => {
  test("a thousand identical exceptions at once are one delta of one append", async () => {
    const b = bench();
    const calls = Array.from({ length: 1_000 }, (_, i) =>
      start(b, thrown({ logs: [{ timestamp: NOW_MS, level: "log", message: [{ user: { id: `u-${i % 300}` } }] }] })),
    );
    await b.clock.advance(WINDOW_MS);
    await Promise.all(calls);
    expect(b.recorder.calls).toBe(1);
    const [delta, ...more] = b.recorder.issues();
    expect(more).toEqual([]);
    const time = NOW_MS;
    const minute = Math.floor(time / 60_000) * 60;
    expect(delta).toMatchObject({
      count: 1_000,
      firstSeen: time,
      lastSeen: time,
      minutes: [minute, 1_000],
      versionId: "v1",
      versionTag: "blue",
      versionMessage: "First",
      exemplar: { type: "TypeError", message: "no price", stack: STACK, method: "POST", outcome: "exception" },
      distinct: { routes: [hash32("/cart/:id")], colos: [hash32("LHR")], countries: [hash32("GB")] },
    });
    expect(new Set(delta?.distinct.users)).toEqual(new Set(Array.from({ length: 300 }, (_, i) => hash32(`u-${i}`))));
    expect(new Set(b.recorder.events().flatMap((e) => e.fingerprint ?? []))).toEqual(new Set([delta?.fingerprint]));
  });

  test("messages that differ in their variable parts are one, versions are told apart", async () => {
    const b = bench();
    const v2 = { scriptVersion: { id: "v2" } };
    const deltas = await run(
      b,
      thrown({}, { message: "no order 17" }),
      thrown({}, { message: "no order 18" }),
      thrown(v2, { message: "no order 19" }),
    );
    expect(deltas.map(({ versionId, count }) => [versionId, count])).toEqual([
      ["v1", 2],
      ["v2", 1],
    ]);
    expect(new Set(deltas.map(({ group }) => group)).size).toBe(1);
  });

  test("what is sampled weighs as much as it stands for", async () => {
    const worker = { sampling: [{ outcome: "canceled", rate: 0.5 }] };
    const b = bench(compilePolicy({ ...DEFAULT_SETTINGS, platform: { ...DEFAULT_SETTINGS.platform, worker } }));
    const deltas = await run(b, ...Array.from({ length: 400 }, () => fetchItem({ outcome: "canceled" })));
    const kept = b.recorder.events().length;
    expect(deltas).toMatchObject([{ kind: "noise", noise: "client_left", count: 2 * kept }]);
  });

  test("items that may come again say which they are, deaths say where and when", async () => {
    const id = "00000000000000000000000000000abc";
    const cf = { colo: "FRA" };
    const death = fetchItem({
      outcome: "exceededMemory",
      invocationId: id,
      event: { request: { url: "https://a.test/", method: "GET", cf } },
    });
    const [delta] = await run(bench(), death);
    const time = NOW_MS - 1_000;
    expect(delta?.victims).toEqual(["FRA", time]);
    expect(delta?.replayable).toEqual([`${id}/0`, 1, Math.floor(time / 60_000) * 60]);
    const [plain] = await run(bench(), thrown());
    expect(plain).not.toHaveProperty("replayable");
    expect(plain).not.toHaveProperty("victims");
  });

  test("however many Ingesters a Worker has, one of them counts what may come again", async () => {
    const b = bench();
    b.recorder.shards = 8;
    await run(b, fetchItem());
    const invocationId = "00000000000000000000000000000abc";
    await run(b, thrown({ invocationId }), thrown({}, { name: "Other" }));
    const told = b.recorder.appends
      .slice(1)
      .map(({ shard, request }) => [
        shard,
        request.rows,
        request.issues?.map((delta) => [delta.type, delta.replayable?.length ?? 0]),
      ]);
    expect(told).toEqual([
      [4, 4, [["Other", 0]]],
      [0, 0, [["TypeError", 3]]],
    ]);
    await run(b, thrown());
    expect(b.recorder.appends.at(-1)?.shard).toBe(4);
  });

  test("users are told by the team's attribute first, else by known ones, else by address", async () => {
    const grouping = { fingerprintRules: [], userAttributes: ["tenant"] };
    const b = bench(compilePolicy({ ...DEFAULT_SETTINGS, platform: { ...DEFAULT_SETTINGS.platform, grouping } }));
    const request = { url: "https://a.test/", method: "GET", headers: { "cf-connecting-ip": "192.0.2.7" } };
    const item = (message: unknown[]) =>
      thrown({ event: { request }, logs: [{ timestamp: NOW_MS, level: "log", message }] });
    const [delta] = await run(b, item([{ tenant: "acme", userId: "u-1" }]), item([{ userId: "u-1" }]), item(["hi"]));
    expect(delta?.distinct.users).toEqual([hash32("acme"), hash32("u-1"), hash32("192.0.2.7")]);
  });

  test("a stack is sent once a minute, and again if its append was lost", async () => {
    const b = bench();
    b.recorder.script.push(...Array.from({ length: 400 }, () => "overloaded" as const));
    const lost = start(b, thrown());
    await b.clock.advance(30_000);
    expect(await lost).toMatchObject({ kept: 0 });
    b.recorder.script.length = 0;
    const stacks = async () => (await run(b, thrown())).at(-1)?.exemplar.stack;
    expect(await stacks()).toBe(STACK);
    expect(await stacks()).toBeUndefined();
    await b.clock.advance(60_000);
    expect(await stacks()).toBe(STACK);
  });

  test("shedding what is not essential keeps every delta", async () => {
    const b = bench();
    b.recorder.essentialOnly = true;
    const deltas = await run(b, thrown(), fetchItem(), fetchItem({ outcome: "canceled" }));
    expect(deltas.map(({ kind }) => kind)).toEqual(["exception", "noise"]);
    expect(b.recorder.ledger()).toMatchObject({ received: 3, kept: 1, overloaded: 2 });
  });

  test("a retried append is the same append, with the same deltas", async () => {
    const b = bench();
    b.recorder.script.push("fail-after", "fail-after");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    expect(await run(b, thrown())).toMatchObject([{ count: 1 }]);
    vi.restoreAllMocks();
    expect(b.recorder.calls).toBe(3);
  });

  test("many deltas with long stacks are appends of their own, each below what an Ingester takes", async () => {
    const b = bench();
    const long = (i: number) =>
      Array.from({ length: 100 }, (_, n) => `    at f${i}_${n} (file:///${"é".repeat(100)}.js:${i}:${n})`).join("\n");
    const intake = b.intake();
    for (let i = 0; i < 250; i++)
      intake.take(thrown({}, { name: `E${"x".repeat(i % 30)}`, message: "no", stack: long(i) }));
    const settled = intake.settled();
    await b.clock.advance(5_000);
    await settled;
    expect(b.recorder.issues().reduce((sum, { count }) => sum + count, 0)).toBe(250);
    for (const { request } of b.recorder.appends) {
      expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(MAX_APPEND_BYTES);
    }
  });

  test("a Worker that makes new errors without end fills its place; further ones share one issue, known ones go on", async () => {
    const b = bench();
    const different = (i: number) =>
      thrown({}, { name: `E${letters(i)}`, stack: `    at ${letters(i)} (index.js:1:1)` });
    const deltas = await run(
      b,
      ...Array.from({ length: MAX_FINGERPRINTS_PER_MINUTE + 500 }, (_, i) => different(i)),
      different(0),
    );
    const fingerprints = new Map<string, number>();
    for (const { fingerprint, count } of deltas)
      fingerprints.set(fingerprint, (fingerprints.get(fingerprint) ?? 0) + count);
    expect(fingerprints.size).toBe(MAX_FINGERPRINTS_PER_MINUTE + 1);
    expect([...fingerprints.values()].sort((a, b) => b - a).slice(0, 3)).toEqual([500, 2, 1]);
    expect(b.recorder.events().filter((e) => e.kind === "exception" && e.fingerprint === undefined)).toEqual([]);
  });

  test("one error in more versions than a Worker has places for stays one issue: the one of its raw frames", async () => {
    const b = bench();
    const of = (i: number) =>
      thrown(
        { scriptVersion: { id: `version-${i}` } },
        { name: "Error", message: "no", stack: "    at f (index.js:1:1)" },
      );
    const deltas = await run(b, ...Array.from({ length: MAX_FINGERPRINTS_PER_MINUTE + 50 }, (_, i) => of(i)));
    expect(new Set(deltas.map(({ group }) => group)).size).toBe(1);
    expect(deltas.reduce((sum, { count }) => sum + count, 0)).toBe(MAX_FINGERPRINTS_PER_MINUTE + 50);
  });
});

const letters = (i: number) => String.fromCharCode(...[...String(i)].map((digit) => 97 + Number(digit)));

test("whatever an item says of errors, its events are kept, and nothing is said to be a bug", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom(STACK, "", "Worker exceeded memory limit.", "[cause]: x"),
  );
  const value = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }));
  const anError = fc.record(
    { name: value, message: value, stack: value, cause: value, errors: fc.array(value) },
    { requiredKeys: [] },
  );
  const log = fc.record({
    level: fc.oneof(fc.constantFrom("error", "log"), value),
    message: fc.array(fc.oneof(value, fc.record({ error: anError, stack: text, level: fc.constant("error") }))),
    errorInfo: fc.oneof(fc.constant(null), fc.array(fc.oneof(fc.constant(null), anError))),
  });
  const item = fc.record({
    outcome: fc.constantFrom("ok", "exception", "exceededMemory", "canceled", "unknown"),
    logs: fc.array(log, { maxLength: 3 }),
    exceptions: fc.array(anError, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 5 }), async (items) => {
      const b = bench();
      await run(b, ...items.map((one) => fetchItem({ scriptVersion: VERSION, ...one })));
      const { received, kept, unreadable } = b.recorder.ledger();
      expect([received, kept, unreadable]).toEqual([items.length, items.length, 0]);
      const counted = b.recorder.issues().reduce((sum, { count }) => sum + count, 0);
      expect(b.recorder.events().filter((e) => e.fingerprint !== undefined).length).toBe(counted);
    }),
  );
  expect(error).not.toHaveBeenCalled();
  error.mockRestore();
});

describe("source maps", () => {
  test("an error whose map is being read is held back, and grouped by the source", async () => {
    const maps = new SlowMaps();
    const b = bench(undefined, maps);
    const calls = Array.from({ length: 100 }, () => start(b, thrown()));
    await b.clock.advance(MAX_WAIT_MS / 2);
    expect(b.recorder.events()).toEqual([]);
    maps.arrive();
    await b.clock.advance(WINDOW_MS);
    await Promise.all(calls);
    expect(maps.asked).toBe(1);
    const [delta, ...more] = b.recorder.issues();
    expect(more).toEqual([]);
    expect(delta).toMatchObject({ count: 100, awaitsMap: "", fingerprint: delta?.group });
    expect(delta?.culprit).toMatch(/priceOf.*src\/cart\.ts/);
    expect(b.recorder.ledger()).toMatchObject({ received: 100, kept: 100 });
  });

  test("what needs no map does not wait for those that do", async () => {
    const b = bench(undefined, new SlowMaps());
    const slow = start(b, thrown());
    await b.clock.advance(0);
    const quick = start(b, fetchItem());
    await b.clock.advance(WINDOW_MS);
    expect(await quick).toMatchObject({ kept: 1 });
    await b.clock.advance(2_000);
    await slow;
  });

  test("after a bounded wait it is grouped raw, says what it waits for, and for a while nobody waits", async () => {
    const maps = new SlowMaps();
    const b = bench(undefined, maps);
    const first = start(b, thrown());
    await b.clock.advance(MAX_WAIT_MS + WINDOW_MS);
    expect(await first).toMatchObject({ kept: 1 });
    const [raw] = b.recorder.issues();
    expect(raw).toMatchObject({ awaitsMap: "v1" });
    expect(raw?.fingerprint).toMatch(/^u1-/);
    expect(raw?.group).toMatch(/^v1-/);
    const second = start(b, thrown(), thrown({}, { stack: "    at z (file:///index.js:1:300)" }));
    await b.clock.advance(WINDOW_MS);
    expect(await second).toMatchObject({ kept: 2 });
    maps.arrive();
    await b.clock.advance(2_000);
    const third = start(b, thrown());
    await b.clock.advance(WINDOW_MS);
    await third;
    expect(b.recorder.issues().at(-1)).toMatchObject({ awaitsMap: "" });
  });

  test("a version without a map joins by its raw frames, and waits for no one", async () => {
    const b = bench();
    const done = start(b, thrown());
    await b.clock.advance(WINDOW_MS);
    await done;
    expect(b.recorder.issues()).toMatchObject([{ awaitsMap: "v1", group: expect.stringMatching(/^v1-/) }]);
    expect((await run(bench(), thrown({ scriptVersion: undefined })))[0]?.awaitsMap).toBe("");
  });

  test("a look-up that throws costs nothing but the map", async () => {
    const maps: PlaceMaps = {
      ...NO_MAPS,
      findCached: () => {
        throw new Error("boom");
      },
    };
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const b = bench(undefined, maps);
    const deltas = await run(b, thrown(), thrown());
    expect(b.recorder.ledger()).toMatchObject({ kept: 2, events: 4 });
    expect(deltas).toMatchObject([{ kind: "exception", count: 2 }]);
    expect(error).toHaveBeenCalledTimes(1);
    error.mockRestore();
  });

  test("while many wait, memory is bounded: the rest is grouped raw at once", async () => {
    const b = bench(undefined, new SlowMaps());
    const long = "x".repeat(30_000);
    const item = () => thrown({ logs: [{ timestamp: NOW_MS, level: "log", message: [long] }] });
    const done = start(b, ...Array.from({ length: 400 }, item));
    await b.clock.advance(WINDOW_MS);
    expect(b.recorder.events().length).toBeGreaterThan(0);
    await b.clock.advance(2_000);
    expect(await done).toMatchObject({ kept: 400 });
    expect(b.recorder.issues().reduce((sum, { count }) => sum + count, 0)).toBe(400);
  });
});
