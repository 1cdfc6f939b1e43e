import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventItem } from "../../../../workers/integrations/contract.ts";
import { encode } from "../../../../workers/integrations/otlp/exporter.ts";
import { arbitraryEvent } from "../../../support/events.ts";
import { hexId, invocation, itemOf, itemsOf, testIo } from "../../../support/integration-items.ts";
import { attributesOf, decodeOtlp } from "../../../support/otlp-requests.ts";

const TARGET = { environment: "production", weight: "tailrace.sample_weight" };
const io = testIo();

async function both(signal: "logs" | "traces", items: readonly EventItem[]) {
  const [protobuf, json] = await Promise.all([
    encode({ ...TARGET, encoding: "protobuf" }, signal, items, io),
    encode({ ...TARGET, encoding: "json" }, signal, items, io),
  ]);
  const decoded = decodeOtlp(signal, "protobuf", protobuf);
  expect(decodeOtlp(signal, "json", json)).toEqual(decoded);
  return decoded;
}

describe("what both encodings say", () => {
  it("a log record has time, severity, body, ids and everything that is known of it", async () => {
    const from = invocation({}, [
      {
        level: "warn",
        message: "card declined",
        attributes: { "user.id": 7, retry: true, ratio: 0.25, "cart.total": -3 },
      },
    ]);
    const [group] = await both("logs", [itemOf(from, 1)]);
    expect(attributesOf(group?.resource ?? [])).toEqual({
      "service.name": "shop",
      "service.version": "b5c3f8d0-1111-4222-8333-444455556666",
      "cloud.provider": "cloudflare",
      "cloud.platform": "cloudflare.workers",
      "faas.name": "shop",
      "faas.version": "b5c3f8d0-1111-4222-8333-444455556666",
      "cloudflare.script_version.tag": "v1.2.0",
      "deployment.environment.name": "production",
    });
    expect(group?.scope.name).toBe("tailrace");
    const [record] = group?.records ?? [];
    expect(record).toMatchObject({
      timeUnixNano: "1795262400000000000",
      observedTimeUnixNano: "1795262400000000000",
      severityNumber: 13,
      severityText: "warn",
      body: { stringValue: "card declined" },
      traceId: from.id,
      spanId: from.id.slice(16),
    });
    expect(attributesOf(record?.attributes ?? [])).toMatchObject({
      "log.record.uid": itemOf(from, 1).id,
      "faas.invocation_id": from.id,
      "faas.trigger": "http",
      "http.request.method": "GET",
      "http.route": "/products/:id",
      "http.response.status_code": 200,
      "cloudflare.colo": "LHR",
      "geo.country.iso_code": "GB",
      "user.id": 7,
      retry: true,
      ratio: 0.25,
      "cart.total": -3,
    });
  });

  it("groups by version of a Worker, in order, and tags of the rules have the last word", async () => {
    const [a, b] = [
      invocation({}, [{ message: "1" }, { message: "2" }]),
      invocation({ script: "cart" }, [{ message: "3" }]),
    ];
    const tags = { team: "payments", "deployment.environment.name": "staging" };
    const groups = await both("logs", [itemOf(a, 1), itemOf(b, 1), itemOf(a, 2), itemOf(a, 1, "logs", tags)]);
    expect(groups.map(({ records }) => records.map(({ body }) => body?.stringValue))).toEqual([
      ["1", "2"],
      ["3"],
      ["1"],
    ]);
    expect(attributesOf(groups[2]?.resource ?? [])).toMatchObject(tags);
  });

  it("a Worker's attribute never hides what Tailrace says under the same name, and both arrive", async () => {
    const attributes = { "http.route": "mine", "attr.http.route": "mine, too", "log.record.uid": "x" };
    const [group] = await both("logs", [itemOf(invocation({}, [{ message: "m", attributes }]), 1)]);
    expect(attributesOf(group?.records[0]?.attributes ?? [])).toMatchObject({
      "http.route": "/products/:id",
      "attr.http.route": "mine, too",
      "attr.attr.http.route": "mine",
      "attr.log.record.uid": "x",
    });
  });

  it("headers are lists, as the conventions have them", async () => {
    const attributes = { "http.request.header.accept": "*/*" };
    const [group] = await both("logs", [itemOf(invocation({}, [{ message: "m", attributes }]), 1)]);
    expect(attributesOf(group?.records[0]?.attributes ?? [])["http.request.header.accept"]).toEqual(["*/*"]);
  });

  it("numbers keep what they are: whole ones are integers, -0 and fractions are doubles", async () => {
    const attributes = {
      big: Number.MAX_SAFE_INTEGER,
      small: Number.MIN_SAFE_INTEGER,
      edge: 2 ** 31,
      zero: 0,
      minus: -0,
      huge: 1e300,
    };
    const [group] = await both("logs", [itemOf(invocation({}, [{ message: "m", attributes }]), 1)]);
    const values = Object.fromEntries((group?.records[0]?.attributes ?? []).map(({ key, value }) => [key, value]));
    expect(values).toMatchObject({
      big: { intValue: "9007199254740991" },
      small: { intValue: "-9007199254740991" },
      edge: { intValue: "2147483648" },
      zero: { intValue: "0" },
      minus: { doubleValue: -0 },
      huge: { doubleValue: 1e300 },
    });
  });

  it("a value that a person edited into an object is sent as its text", async () => {
    const item = itemOf(invocation({}, [{ message: "m", attributes: JSON.parse('{"a":{"b":1}}') }]), 1);
    const [group] = await both("logs", [item]);
    expect(attributesOf(group?.records[0]?.attributes ?? [])).toMatchObject({ a: '{"b":1}' });
  });

  it("half a surrogate pair becomes a replacement character in both, wherever it stands", async () => {
    const attributes = { "k\ud800": "v\udc00" };
    const from = invocation({ script: "s\ud800", route: "/\ud800" }, [
      { message: "a\ud800b", level: "l\ud800", attributes },
    ]);
    const [group] = await both("logs", [itemOf(from, 1)]);
    expect(group?.records[0]?.body?.stringValue).toBe("a\ufffdb");
    expect(attributesOf(group?.records[0]?.attributes ?? [])).toMatchObject({ "k\ufffd": "v\ufffd" });
    expect(attributesOf(group?.resource ?? [])["service.name"]).toBe("s\ufffd");
    const [spans] = await both("traces", [itemOf(from, 0)]);
    expect(spans?.records[0]?.name).toBe("GET /\ufffd");
  });

  it("any event decodes to the same in both encodings, with each attribute once", async () => {
    const item = fc.record({
      event: arbitraryEvent,
      feed: fc.constantFrom("logs" as const, "errors" as const, "traces" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 8 }), async (given) => {
        const items = given.map(({ event, feed }): EventItem => {
          const from = { script: event.script, id: event.invocation_id, events: [event] };
          return { id: hexId(), feed, event, invocation: from, tags: {} };
        });
        for (const signal of ["logs", "traces"] as const) {
          const some = items.filter(({ feed }) => (feed === "traces") === (signal === "traces"));
          const records = (await both(signal, some)).flatMap((group) => group.records);
          expect(records).toHaveLength(some.length);
          for (const { attributes } of records) attributesOf(attributes);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("errors", () => {
  it("an exception has type, message and a stack in the team's own source, causes included", async () => {
    const from = invocation({ status: 500, outcome: "exception" }, [
      {
        kind: "exception",
        level: "error",
        name: "TypeError",
        message: "x is not a function",
        stack: "    at a (index.js:1:2)",
      },
    ]);
    const frame = { line: 12, column: 3, inApp: true, mapped: true, pre: [], at: "", post: [] };
    const cause = {
      type: "RangeError",
      message: "no card",
      frames: [{ ...frame, function: "", file: "src/card.ts" }],
      omitted: 0,
      cause: null,
      errors: [],
    };
    const mapped = testIo({
      trace: async () => ({
        type: "TypeError",
        message: "",
        frames: [{ ...frame, function: "pay", file: "src/pay.ts" }],
        omitted: 2,
        cause,
        errors: [],
      }),
    });
    const body = await encode({ ...TARGET, encoding: "protobuf" }, "logs", [itemOf(from, 1)], mapped);
    const record = decodeOtlp("logs", "protobuf", body)[0]?.records[0];
    expect(record).toMatchObject({ severityNumber: 17, body: { stringValue: "x is not a function" } });
    expect(attributesOf(record?.attributes ?? [])).toMatchObject({
      "exception.type": "TypeError",
      "exception.message": "x is not a function",
      "exception.stacktrace":
        "TypeError: x is not a function\n    at pay (src/pay.ts:12:3)\n    ... 2 more\n  [cause]: RangeError: no card\n      at src/card.ts:12:3",
    });
  });

  it("keeps the stack as it was thrown when maps cannot be read", async () => {
    const from = invocation({}, [{ kind: "exception", name: "Error", message: "m", stack: "    at a (index.js:1:2)" }]);
    const away = testIo({ trace: () => Promise.reject(new Error("R2 is away")) });
    const body = await encode({ ...TARGET, encoding: "json" }, "logs", [itemOf(from, 1)], away);
    const record = decodeOtlp("logs", "json", body)[0]?.records[0];
    expect(attributesOf(record?.attributes ?? [])["exception.stacktrace"]).toBe("Error: m\n    at a (index.js:1:2)");
  });

  it("an invocation that failed without an exception says how", async () => {
    const [died, answered] = [invocation({ outcome: "exceededCpu", status: undefined }), invocation({ status: 503 })];
    const [group] = await both("logs", [itemOf(died, 0, "errors"), itemOf(answered, 0, "errors")]);
    expect(group?.records.map(({ body, severityNumber }) => [body?.stringValue, severityNumber])).toEqual([
      ["GET /products/:id failed: exceededCpu", 17],
      ["GET /products/:id answered 503", 17],
    ]);
    expect(group?.records.map(({ attributes }) => attributesOf(attributes)["error.type"])).toEqual([
      "exceededCpu",
      "503",
    ]);
  });
});

describe("spans", () => {
  it("an invocation is a server span with its duration, in the trace of its request", async () => {
    const [trace, span, parent] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "b7ad6b7169203331"];
    const from = invocation({ trace_id: trace, span_id: span, parent_span_id: parent });
    const [group] = await both("traces", [itemOf(from, 0)]);
    const [record] = group?.records ?? [];
    expect(record).toMatchObject({
      ...{ traceId: trace, spanId: span, parentSpanId: parent, name: "GET /products/:id", kind: 2 },
      ...{ startTimeUnixNano: "1795262400000000000", endTimeUnixNano: "1795262400012500000" },
    });
    expect(record?.status).toBeUndefined();
    expect(attributesOf(record?.attributes ?? [])).toMatchObject({ "url.scheme": "https", "url.path": "/products/7" });
  });

  it("without a trace context the ids are made of the invocation: the same at every try, and for its logs", async () => {
    const from = invocation({}, [{ message: "m" }, { kind: "span", name: "db.query", duration: 2 }]);
    const first = await both("traces", [itemOf(from, 0), itemOf(from, 2)]);
    expect(await both("traces", [itemOf(from, 0), itemOf(from, 2)])).toEqual(first);
    const [root, child] = first[0]?.records ?? [];
    const log = (await both("logs", [itemOf(from, 1)]))[0]?.records[0];
    expect(root).toMatchObject({ traceId: from.id, spanId: from.id.slice(16) });
    expect(root?.parentSpanId).toBeUndefined();
    expect(child).toMatchObject({ traceId: from.id, parentSpanId: root?.spanId, name: "db.query", kind: 1 });
    expect(log).toMatchObject({ traceId: root?.traceId, spanId: root?.spanId });
  });

  it("a failure is an error with its exception as an event; a client's mistake is not", async () => {
    const failed = invocation({ status: 500, outcome: "exception" }, [
      { kind: "exception", name: "TypeError", message: "x is not a function", stack: "    at a (index.js:1:2)" },
    ]);
    const [group] = await both("traces", [itemOf(failed, 0), itemOf(invocation({ status: 404 }), 0)]);
    const [bad, fine] = group?.records ?? [];
    expect(bad?.status).toEqual({ code: 2, message: "x is not a function" });
    expect(attributesOf(bad?.attributes ?? [])["error.type"]).toBe("TypeError");
    expect(bad?.events?.map(({ name, attributes }) => [name, attributesOf(attributes)["exception.type"]])).toEqual([
      ["exception", "TypeError"],
    ]);
    expect(fine?.status).toBeUndefined();
  });

  it("a queue's invocation is a consumer; a cron's name is what it says", async () => {
    const queue = invocation({ event_type: "queue", message: "queue orders", method: undefined, status: undefined });
    const [group] = await both("traces", [itemOf(queue, 0)]);
    expect(group?.records[0]).toMatchObject({ kind: 5, name: "queue orders" });
  });
});

it("a batch of thousands of records is one valid body", async () => {
  const from = invocation(
    {},
    Array.from({ length: 1_999 }, (_, i) => ({ message: `line ${i} ${"é".repeat(i % 200)}` })),
  );
  const groups = await both("logs", itemsOf(from).slice(1));
  expect(groups[0]?.records).toHaveLength(1_999);
});
