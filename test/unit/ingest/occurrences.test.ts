/** Which events are errors, and what they say. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { logged, run, STACK, thrown, VERSION } from "./grouping-support.ts";
import { bench, fetchItem, NOW_MS } from "./support.ts";

const kindsOf = async (item: unknown) => (await run(bench(), item)).map(({ kind, type }) => `${kind} ${type}`);

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
