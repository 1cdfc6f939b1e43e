import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_ATTRIBUTES, MAX_EVENTS_PER_ITEM, MAX_MESSAGE_CHARS } from "../../../workers/ingest/limits.ts";
import { compileNormalizer } from "../../../workers/ingest/normalize/normalize.ts";
import { eventsOf, fetchItem, logItem, NOW_MS, redactor, surroundings } from "./support.ts";

const only = (item: unknown, defaults = {}) => eventsOf(item, defaults)[0];
const log = (...args: unknown[]) => eventsOf(logItem(...args))[1];

describe("event kinds that workerd does not produce locally", () => {
  test.each([
    ["email", { mailFrom: "a@shop.test", rcptTo: "b@shop.test", rawSize: 512 }, "email"],
    ["connect and custom, as JSON", {}, "unknown"],
    ["none", null, "unknown"],
    ["hibernate", { reason: "inactive" }, "hibernate"],
    ["one of the future", { workflowStep: { name: "pay" } }, "workflowStep"],
  ])("%s", (_, event, type) => expect(only(fetchItem({ event }))?.event_type).toBe(type));

  test("classes tell connect and custom apart when live", () => {
    class CustomEventInfo {
      readonly [Symbol.toStringTag] = "CustomEventInfo";
    }
    expect(only(fetchItem({ event: new CustomEventInfo() }))?.event_type).toBe("custom");
  });

  test("so are fields of an item that nobody knows yet", () => {
    const item = fetchItem({ spans: [{ name: "db" }], retry: { count: 2 } });
    expect(only(item)?.attributes).toMatchObject({ "item.spans": '[{"name":"db"}]', "item.retry.count": 2 });
  });

  test("entries that are no objects are the message of one", () => {
    const item = fetchItem({ logs: ["text", 5], exceptions: ["boom"], diagnosticsChannelEvents: ["news"] });
    expect(eventsOf(item).map((e) => [e.kind, e.message])).toEqual([
      ["invocation", "GET /"],
      ["log", "text"],
      ["log", "5"],
      ["log", "news"],
      ["exception", "boom"],
    ]);
  });

  test("what an unknown kind says is kept", () => {
    const event = only(fetchItem({ event: { workflowStep: { name: "pay", attempt: 2 } } }));
    expect(event?.attributes).toMatchObject({ "event.workflowStep.name": "pay", "event.workflowStep.attempt": 2 });
  });
});

describe("outcomes", () => {
  test.each([
    ["ok", 200, "info"],
    ["ok", 404, "warn"],
    ["ok", 500, "error"],
    ["canceled", undefined, "warn"],
    ["responseStreamDisconnected", 200, "warn"],
    ["exceededCpu", undefined, "error"],
    ["exceededMemory", undefined, "error"],
    ["loadShed", undefined, "error"],
    ["somethingNew", undefined, "error"],
  ])("%s with status %s is level %s", (outcome, status, level) => {
    const event = only(
      fetchItem({ outcome, event: { request: { url: "https://s.test/", method: "GET" }, response: { status } } }),
    );
    expect(event).toMatchObject({ outcome, level });
  });
});

describe("missing and null fields", () => {
  test("an item of nothing but a script is an invocation of now", () => {
    expect(eventsOf({ scriptName: "shop" })).toEqual([
      expect.objectContaining({
        kind: "invocation",
        script: "shop",
        outcome: "unknown",
        time: NOW_MS * 1000,
        event_type: "unknown",
      }),
    ]);
  });

  test("null everywhere is as good as missing", () => {
    const item = Object.fromEntries(Object.keys(fetchItem()).map((key) => [key, null]));
    expect(only(item)).toMatchObject({ script: "unknown", outcome: "unknown" });
  });

  test("without a time of its own it happened when it first said something", () => {
    const item = { ...logItem("hi"), eventTimestamp: null };
    expect(only(item)?.time).toBe((NOW_MS - 999) * 1000);
  });

  test("props fill in what the item lacks, and nothing else", () => {
    const defaults = { script: "local", version: { id: "v-1", tag: "one" } };
    expect(only(fetchItem({ scriptName: null }), defaults)).toMatchObject({ script: "local", version_id: "v-1" });
    const own = fetchItem({ scriptVersion: { id: "v-2" } });
    expect(only(own, defaults)).toMatchObject({ script: "shop", version_id: "v-2" });
  });

  test("locally the wall time is taken from the clock, and no CPU time is made up", () => {
    const item = fetchItem({ wallTime: 0, cpuTime: 0 });
    const event = only(item, { local: true });
    expect(event?.duration).toBe(1_000);
    expect(event?.cpu_time).toBeUndefined();
    expect(only(item)).toMatchObject({ duration: 0, cpu_time: 0 });
  });

  test("locally a fetch without an answer was canceled", () => {
    const event = { request: { url: "https://s.test/", method: "GET" } };
    expect(only(fetchItem({ event }), { local: true })?.outcome).toBe("canceled");
    const upgrade = { request: { ...event.request, headers: { upgrade: "websocket" } } };
    const socket = only(fetchItem({ event: upgrade, wallTime: 0 }), { local: true });
    expect(socket?.outcome).toBe("ok");
    // The item comes when the socket is closed: the clock says nothing about an answer.
    expect(socket?.duration).toBeUndefined();
    expect(only(fetchItem({ event }))?.outcome).toBe("ok");
  });
});

describe("context", () => {
  test("a password in the address of a request is hidden, also where nothing else of it needs a look", () => {
    const url = "https://bob:hunter2@shop.test/products/12";
    const event = only(fetchItem({ event: { request: { url, method: "GET" }, response: { status: 200 } } }));
    expect(JSON.stringify(event)).not.toContain("hunter2");
  });

  test("every event carries that of its invocation", () => {
    const item = fetchItem({
      event: {
        request: {
          url: "https://shop.test/products/12?x=1",
          method: "PUT",
          headers: { "cf-ray": "8f1c2d3e4f5a6b7c-LHR", traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
          cf: { colo: "LHR", country: "GB", asn: 2856, botManagement: { score: 30 } },
        },
        response: { status: 503 },
      },
      entrypoint: "Shop",
      scriptVersion: { id: "v-1", tag: "t", message: "m" },
      durableObjectId: "d0",
      logs: [{ timestamp: NOW_MS, level: "log", message: ["hi"] }],
      exceptions: [{ timestamp: NOW_MS, name: "TypeError", message: "no", stack: "at x" }],
      diagnosticsChannelEvents: [{ timestamp: NOW_MS, channel: "c", message: { a: 1 } }],
    });
    const events = eventsOf(item);
    expect(events.map((e) => e.kind)).toEqual(["invocation", "log", "log", "exception"]);
    expect(events.map((e) => e.seq)).toEqual([0, 1, 2, 3]);
    for (const event of events) {
      expect(event).toMatchObject({
        script: "shop",
        entrypoint: "Shop",
        version_id: "v-1",
        version_tag: "t",
        version_message: "m",
        event_type: "fetch",
        outcome: "ok",
        method: "PUT",
        route: "/products/:id",
        status: 503,
        colo: "LHR",
        country: "GB",
        ray_id: "8f1c2d3e4f5a6b7c",
        trace_id: "a".repeat(32),
        durable_object_id: "d0",
        invocation_id: events[0]?.invocation_id,
      });
    }
    expect(events[0]).toMatchObject({ parent_span_id: "b".repeat(16), span_id: events[0]?.invocation_id.slice(-16) });
  });

  test("logs of the same millisecond keep their order", () => {
    const logs = [3, 1, 2].map((n) => ({ timestamp: NOW_MS, level: "log", message: [`m${n}`] }));
    const events = eventsOf(fetchItem({ logs }));
    expect(events.slice(1).map((e) => [e.message, e.seq])).toEqual([
      ["m3", 1],
      ["m1", 2],
      ["m2", 3],
    ]);
  });

  test("ids are 32 hex digits that sort by time, or those that the item brings", () => {
    const ids = new Set(Array.from({ length: 2_000 }, () => only(fetchItem())?.invocation_id));
    expect(ids.size).toBe(2_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    const later = only(fetchItem({ eventTimestamp: NOW_MS }))?.invocation_id ?? "";
    for (const id of ids) expect((id ?? "") < later).toBe(true);
    const invocationId = "ab".repeat(16);
    expect(only(fetchItem({ invocationId }))?.invocation_id).toBe(invocationId);
    expect(only(fetchItem({ invocationId: "DROP TABLE" }))?.invocation_id).toMatch(/^[0-9a-f]{32}$/);
  });

  test("a Worker's name cannot be that of another's shard", () => {
    expect(only(fetchItem({ scriptName: "shop#1" }))?.script).toBe("shop_1");
    expect(only(fetchItem({ scriptName: "x".repeat(1_000) }))?.script.length).toBe(255);
  });
});

describe("console calls", () => {
  test.each([
    [["a", 1, true, null, undefined], "a 1 true null undefined"],
    [["%s has %d items", "cart", 3], "cart has 3 items"],
    [["100%", 5], "100% 5"],
    [["%c styled", "color: red"], " styled"],
    [[[1, [2, { a: "b" }]]], "[ 1, [ 2, { a: 'b' } ] ]"],
    [[{ a: 1, "b-c": [true] }], "{ a: 1, 'b-c': [ true ] }"],
    [[], ""],
    [[""], ""],
    [["{ not json }"], "{ not json }"],
  ])("%j is printed as %j", (args, message) => expect(log(...args)?.message).toBe(message));

  test("one object is a structured log: message, level, attributes", () => {
    expect(log({ level: "warning", msg: "slow", user: { id: 7, tags: ["a"] }, ok: true, none: null })).toMatchObject({
      level: "warn",
      message: "slow",
      attributes: { "user.id": 7, "user.tags": '["a"]', ok: true },
    });
  });

  test("so is one string that is JSON, with pino's numbers for levels", () => {
    const line = JSON.stringify({
      level: 50,
      msg: "failed",
      orderId: "o-1",
      err: { type: "PayError", message: "no", stack: "at x" },
    });
    expect(log(line)).toMatchObject({
      level: "error",
      message: "failed",
      name: "PayError",
      stack: "at x",
      attributes: { orderId: "o-1", "err.message": "no" },
    });
  });

  test("the object beside a text becomes attributes and is not printed", () => {
    const event = log("paid", { order: "o-1", total: 12.5 });
    expect(event).toMatchObject({ message: "paid", attributes: { order: "o-1", total: 12.5 } });
  });

  test("a field called like a built-in of objects is just a field", () => {
    const event = log(JSON.parse('{"constructor":"c","__proto__":{"x":1},"level":"constructor","toString":"t"}'));
    expect(event?.attributes).toMatchObject({ constructor: "c", toString: "t" });
    expect(event?.level).toBe("constructor");
  });

  test("further errors of a call are kept beside the first, as what it came from", () => {
    const errorInfo = [{ name: "A", message: "a", stack: "at a" }, null, { name: "B", message: "b" }];
    const item = fetchItem({ logs: [{ timestamp: NOW_MS, level: "error", message: ["A: a", 1, "B: b"], errorInfo }] });
    expect(eventsOf(item)[1]).toMatchObject({
      kind: "log",
      name: "A",
      stack: "at a\n  [cause]: B: b",
      message: "A: a 1 B: b",
      attributes: { "error.message": "a", "error.2.type": "B", "error.2.message": "b" },
    });
  });

  test("values of every JavaScript type survive", () => {
    const cyclic: Record<string, unknown> = { n: 1 };
    cyclic.self = cyclic;
    const item = fetchItem({
      diagnosticsChannelEvents: [
        {
          timestamp: NOW_MS,
          channel: "all",
          message: {
            date: new Date(0),
            bad: new Date(Number.NaN),
            map: new Map<unknown, unknown>([["k", 1]]),
            set: new Set([1]),
            big: 12n,
            bytes: new Uint8Array(3),
            error: new TypeError("t"),
            nan: Number.NaN,
            cyclic,
            symbol: Symbol("s"),
            run: () => 1,
          },
        },
      ],
    });
    expect(eventsOf(item)[1]).toMatchObject({
      name: "all",
      attributes: {
        date: "1970-01-01T00:00:00.000Z",
        bad: "Invalid Date",
        "map.k": 1,
        set: "[1]",
        big: "12",
        bytes: "[3 bytes]",
        "error.type": "TypeError",
        nan: "NaN",
        "cyclic.n": 1,
      },
    });
  });
});

describe("bounds", () => {
  test("long text is cut, without half a character at the end", () => {
    const message = log("🛒".repeat(MAX_MESSAGE_CHARS))?.message ?? "";
    expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_CHARS);
    expect(message.isWellFormed()).toBe(true);
  });

  test("more attributes than fit are counted", () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
    const attributes = log("wide", wide)?.attributes ?? {};
    expect(Object.keys(attributes).length).toBe(MAX_ATTRIBUTES + 1);
    expect(attributes["tailrace.dropped_attributes"]).toBe(5_000 - MAX_ATTRIBUTES);
  });

  test("nesting ends in JSON text", () => {
    let deep: unknown = "bottom";
    for (let i = 0; i < 1_000; i++) deep = { d: deep };
    expect(JSON.stringify(log("deep", { deep })?.attributes)?.length).toBeLessThan(2_000);
  });

  test("logs beyond an item's bounds are counted, its exceptions kept", () => {
    const logs = Array.from({ length: 5_000 }, () => ({ timestamp: NOW_MS, level: "log", message: ["x"] }));
    const exceptions = [{ timestamp: NOW_MS, name: "E", message: "last" }];
    const events = eventsOf(fetchItem({ logs, exceptions }));
    expect(events.length).toBe(MAX_EVENTS_PER_ITEM + 1);
    expect(events.at(-1)).toMatchObject({ kind: "exception", message: "last" });
    expect(events[0]?.attributes?.["tailrace.dropped_events"]).toBe(5_001 - MAX_EVENTS_PER_ITEM);
  });
});

describe("items that cannot be read", () => {
  const normalizer = compileNormalizer(redactor);
  const problem = (item: unknown) => {
    const read = normalizer.read(item, surroundings());
    return "unreadable" in read ? read.unreadable : undefined;
  };

  test.each([
    [null],
    [5],
    ["text"],
    [[1]],
    [{ logs: 5 }],
    [{ exceptions: "x" }],
    [{ event: 3 }],
    [{ eventTimestamp: 12 }],
  ])("%j is none", (item) => expect(problem(item)).toBeTypeOf("string"));

  test("are kept raw, redacted and bounded", () => {
    const item = { scriptName: "shop", logs: 5, password: "hunter2", pad: "x".repeat(100_000) };
    const event = normalizer.raw(item, "logs is not a list", surroundings());
    expect(event).toMatchObject({
      kind: "raw",
      script: "shop",
      message: expect.stringContaining("logs is not a list"),
    });
    const raw = String(event.attributes?.["tailrace.raw"]);
    expect(raw).toContain('"logs":5');
    expect(raw).not.toContain("hunter2");
    expect(raw.length).toBeLessThan(10_000);
  });

  test("whatever JSON an item is, it is read or called unreadable, never thrown at", () => {
    const shape = fc.record(
      Object.fromEntries(Object.keys(fetchItem()).map((key) => [key, fc.jsonValue()])) as Record<
        string,
        fc.Arbitrary<unknown>
      >,
      { requiredKeys: [] },
    );
    const lists = fc.record({
      scriptName: fc.string(),
      logs: fc.array(
        fc.record({ timestamp: fc.anything(), level: fc.anything(), message: fc.anything(), errorInfo: fc.anything() }),
      ),
      exceptions: fc.array(
        fc.record({ timestamp: fc.anything(), name: fc.anything(), message: fc.anything(), stack: fc.anything() }),
      ),
      diagnosticsChannelEvents: fc.array(fc.record({ channel: fc.anything(), message: fc.anything() })),
      event: fc.record({
        request: fc.record({ url: fc.anything(), headers: fc.anything(), cf: fc.anything(), method: fc.anything() }),
      }),
    });
    fc.assert(
      fc.property(fc.oneof(shape, lists, fc.jsonValue()), (item) => {
        const read = normalizer.read(item, surroundings());
        if ("unreadable" in read) return;
        const events = normalizer.events(read, NOW_MS);
        expect(events[0]?.kind).toBe("invocation");
        for (const event of events) expect(Number.isSafeInteger(event.time)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
