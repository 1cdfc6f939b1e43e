import { describe, expect, it } from "vitest";
import sentry from "../../../../workers/integrations/catalog/sentry.ts";
import {
  envelopeOf,
  event,
  fakeIo,
  frame,
  INVOCATION_ID,
  invocationOf,
  itemOf,
  newDsn,
  payloadOf,
  REQUEST,
  traceOf,
} from "../../../support/sentry.ts";

const head = event("invocation", 0, {
  message: "POST /cart/:id/pay",
  duration: 81.5,
  cpu_time: 4,
  attributes: REQUEST,
});
const log = event("log", 1, { level: "info", message: "charging 12.50 €", attributes: { "user.id": "u-7" } });
const late = event("log", 9, { level: "warn", message: "after the error" });
const thrown = event("exception", 2, {
  level: "error",
  name: "TypeError",
  message: "amount is undefined",
  stack: "    at pay (index.js:1:20)",
  fingerprint: "f00dfeed",
});
const invocation = invocationOf(head, log, thrown, late);

async function sent(item: Parameters<typeof itemOf>, values: Record<string, string> = {}, io = fakeIo()) {
  const answer = await sentry.send({ dsn: newDsn(), ...values }, [itemOf(...item)], io);
  expect(answer.outcomes).toEqual(["delivered"]);
  return { payload: payloadOf(io.requests[0]), io };
}

describe("an error in Sentry", () => {
  it("is an unhandled exception with its frames from the outermost call in, and lines of source", async () => {
    const { payload } = await sent(["errors", thrown, invocation]);
    const [exception] = payload.exception.values;
    expect(exception).toMatchObject({
      type: "TypeError",
      value: "amount is undefined",
      mechanism: { handled: false },
    });
    expect(exception.stacktrace.frames.map((f: { function: string }) => f.function)).toEqual([
      "serve",
      "handle",
      "pay",
    ]);
    expect(exception.stacktrace.frames.at(-1)).toEqual({
      ...{ function: "pay", filename: "src/pay.ts", lineno: 12, colno: 3, in_app: true },
      ...{ pre_context: ["before pay"], context_line: "  at pay", post_context: ["after pay"] },
    });
    expect(exception.stacktrace.frames[0].in_app).toBe(false);
  });

  it("says who, where, which version, and what was asked, as it is stored", async () => {
    const { payload } = await sent(["errors", thrown, invocation, { team: "pay" }], { environment: "staging" });
    expect(payload).toMatchObject({
      event_id: itemOf("errors", thrown).id,
      timestamp: thrown.time / 1e6,
      level: "error",
      transaction: "POST /cart/:id/pay",
      release: thrown.version_id,
      environment: "staging",
      fingerprint: ["f00dfeed"],
      user: { id: "u-7", ip_address: "203.0.113.9", geo: { country_code: "DE", city: "Frankfurt" } },
      request: {
        url: "https://shop.example.com/cart/7/pay",
        query_string: "step=2&token=REDACTED",
        method: "POST",
        headers: { accept: "*/*", authorization: "REDACTED", "user-agent": "Mozilla/5.0", host: "shop.example.com" },
      },
      extra: { "cloudflare.asn": 3320 },
      sdk: { name: "tailrace", settings: { infer_ip: "never" } },
    });
    expect(payload.tags).toEqual({
      ...{ worker: "shop", version: thrown.version_id, "version.tag": "v1.4.0", colo: "FRA", outcome: "exception" },
      ...{ entrypoint: "Checkout", trigger: "fetch", "http.status_code": "500", team: "pay" },
    });
    expect(payload.contexts).toMatchObject({
      trace: { trace_id: INVOCATION_ID, op: "http.server", status: "internal_error" },
      runtime: { name: "cloudflare" },
      invocation: { id: INVOCATION_ID, duration_ms: 81.5, cpu_time_ms: 4, outcome: "exception" },
      response: { status_code: 500 },
      tailrace: {
        issue: "https://tailrace.example.com/issues/42",
        invocation: `https://tailrace.example.com/invocations/${INVOCATION_ID}`,
      },
    });
  });

  it("has what was logged before it as breadcrumbs, and nothing of later", async () => {
    // Diagnostics come behind all console calls, whenever they were.
    const diagnostic = event("log", 5, { level: "info", message: "card read", time: log.time - 1 });
    const { payload } = await sent(["errors", thrown, invocationOf(head, log, diagnostic, thrown, late)]);
    const console = { type: "default", category: "console", level: "info" };
    expect(payload.breadcrumbs.values).toEqual([
      { ...console, timestamp: diagnostic.time / 1e6, message: "card read" },
      { ...console, timestamp: log.time / 1e6, message: "charging 12.50 €", data: { "user.id": "u-7" } },
    ]);
  });

  it("carries causes and parts as a chain, the outermost last", async () => {
    const cause = traceOf("RangeError", "no such card", { frames: [frame("find", 3)] });
    const parts = traceOf("AggregateError", "all failed", {
      cause,
      errors: [traceOf("Error", "a"), traceOf("Error", "b")],
    });
    const { payload } = await sent(["errors", thrown, invocation], {}, fakeIo([], { trace: async () => parts }));
    const { values } = payload.exception;
    expect(values.map((e: { value: string }) => e.value)).toEqual(["b", "a", "no such card", "all failed"]);
    expect(values.map((e: { mechanism: unknown }) => e.mechanism)).toMatchObject([
      { type: "chained", source: "errors[1]", exception_id: 3, parent_id: 0, handled: false },
      { type: "chained", source: "errors[0]", exception_id: 2, parent_id: 0 },
      { type: "chained", source: "cause", exception_id: 1, parent_id: 0 },
      { exception_id: 0, is_exception_group: true },
    ]);
  });

  it("that was only logged is a handled one", async () => {
    const attributes = { "error.message": "card declined", order: 7 };
    const logged = event("log", 3, {
      level: "warn",
      name: "CardError",
      message: "pay: card declined",
      stack: "    at x (i.js:1:2)",
      attributes,
    });
    const { payload } = await sent(["errors", logged, invocationOf(head, logged)]);
    expect(payload.exception.values[0]).toMatchObject({
      type: "CardError",
      value: "card declined",
      mechanism: { handled: true },
    });
    expect(payload).toMatchObject({
      level: "warning",
      logger: "console",
      logentry: { formatted: "pay: card declined" },
      extra: { order: 7 },
    });
  });

  it("that says nothing but its status is a message, at its end, with all that was logged", async () => {
    const said = { status: 503, outcome: "ok", attributes: REQUEST, fingerprint: "aa", duration: 2_000 };
    const failed = event("invocation", 0, said);
    const { payload } = await sent(["errors", failed, invocationOf(failed, log)]);
    expect(payload.timestamp).toBe(failed.time / 1e6 + 2);
    expect(payload.breadcrumbs.values).toMatchObject([{ message: log.message }]);
    expect(payload).toMatchObject({ logentry: { formatted: "POST /cart/:id/pay answered 503" }, level: "error" });
    expect(payload).not.toHaveProperty("exception");
  });

  it("that killed the isolate is fatal", async () => {
    const dead = event("invocation", 0, { status: undefined, outcome: "exceededMemory" });
    const { payload } = await sent(["errors", dead, invocationOf(dead)]);
    expect(payload).toMatchObject({ logentry: { formatted: "POST /cart/:id/pay: exceededMemory" }, level: "fatal" });
  });

  it("is grouped by Sentry where that was chosen, and has the release that was chosen", async () => {
    const { payload } = await sent(["errors", thrown, invocation], { grouping: "sentry", release: "tag" });
    expect(payload).not.toHaveProperty("fingerprint");
    expect(payload.release).toBe("shop@v1.4.0");
  });

  it("comes in an envelope with its id, the trace, and the key only where it belongs", async () => {
    const dsn = newDsn();
    const io = fakeIo();
    await sentry.send({ dsn }, [itemOf("errors", thrown, invocation)], io);
    const [request] = io.requests;
    expect(request?.url).toBe(`https://o1.ingest.example.com/api/${dsn.split("/").at(-1)}/envelope/`);
    expect(request?.headers).toMatchObject({
      "content-type": "application/x-sentry-envelope",
      "x-sentry-auth": expect.stringMatching(
        /^Sentry sentry_version=7, sentry_client=tailrace\/[\d.]+, sentry_key=abcdef0123456789$/,
      ),
    });
    const { header, items } = envelopeOf(request as NonNullable<typeof request>);
    expect(header).toMatchObject({
      event_id: itemOf("errors", thrown).id,
      sent_at: "2026-11-21T12:00:00.000Z",
      trace: {
        trace_id: INVOCATION_ID,
        public_key: "abcdef0123456789",
        release: thrown.version_id,
        environment: "production",
      },
    });
    expect(items.map((item) => item.header.type)).toEqual(["event"]);
  });

  it("is sent without what could not be looked up", async () => {
    const away = () => Promise.reject(new Error("D1 is away"));
    const io = fakeIo([], { trace: away, issueOf: away });
    const { payload } = await sent(["errors", thrown, invocation], {}, io);
    expect(payload.exception.values).toMatchObject([{ type: "TypeError", value: "amount is undefined" }]);
    expect(payload.contexts.tailrace).not.toHaveProperty("issue");
  });

  it("has no links while nobody has opened Tailrace", async () => {
    const { payload } = await sent(["errors", thrown, invocation], {}, fakeIo([], { baseUrl: "" }));
    expect(payload.contexts.tailrace).toEqual({ type: "tailrace", fingerprint: "f00dfeed" });
  });
});

describe("console logs in Sentry", () => {
  it("are logs with typed attributes, a hundred together", async () => {
    const logs = Array.from({ length: 230 }, (_, i) =>
      event("log", i + 1, {
        level: i % 2 ? "warn" : "log",
        message: `line ${i}`,
        attributes: { n: i, ratio: 0.5, ok: true, text: "x" },
      }),
    );
    const io = fakeIo();
    const items = logs.map((each) => itemOf("logs", each, invocationOf(head, ...logs), { team: "pay" }));
    const { outcomes, requests } = await sentry.send({ dsn: newDsn() }, items, io);
    expect(outcomes).toEqual(items.map(() => "delivered"));
    expect(requests).toBe(3);
    const containers = io.requests.map((request) => envelopeOf(request).items[0]);
    expect(containers.map((item) => item?.header)).toMatchObject(
      [100, 100, 30].map((item_count) => ({
        type: "log",
        item_count,
        content_type: "application/vnd.sentry.items.log+json",
      })),
    );
    expect(containers[0]?.payload.items[1]).toMatchObject({
      timestamp: (logs[1]?.time ?? 0) / 1e6,
      trace_id: INVOCATION_ID,
      level: "warn",
      severity_number: 13,
      body: "line 1",
      attributes: {
        n: { value: 1, type: "integer" },
        ratio: { value: 0.5, type: "double" },
        ok: { value: true, type: "boolean" },
        text: { value: "x", type: "string" },
        worker: { value: "shop", type: "string" },
        team: { value: "pay", type: "string" },
        "sentry.environment": { value: "production", type: "string" },
        "sentry.release": { value: logs[1]?.version_id, type: "string" },
      },
    });
  });
});

describe("traces in Sentry", () => {
  it("are transactions with the invocation's spans", async () => {
    const root = event("invocation", 0, {
      status: 200,
      outcome: "ok",
      duration: 80,
      span_id: "00f067aa0ba902b7",
      sample_weight: 10,
      attributes: REQUEST,
    });
    const span = event("span", 1, {
      name: "D1 query",
      duration: 12,
      span_id: "53995c3f42cd8ad8",
      parent_span_id: "00f067aa0ba902b7",
    });
    const whole = invocationOf(root, span);
    const io = fakeIo();
    const { outcomes } = await sentry.send(
      { dsn: newDsn() },
      [itemOf("traces", root, whole), itemOf("traces", span, whole)],
      io,
    );
    expect(outcomes).toEqual(["delivered", "delivered"]);
    expect(io.requests).toHaveLength(1);
    expect(payloadOf(io.requests[0])).toMatchObject({
      type: "transaction",
      transaction: "POST /cart/:id/pay",
      transaction_info: { source: "route" },
      start_timestamp: root.time / 1e6,
      timestamp: root.time / 1e6 + 0.08,
      contexts: { trace: { span_id: "00f067aa0ba902b7", op: "http.server", status: "ok", client_sample_rate: 0.1 } },
      spans: [
        {
          description: "D1 query",
          span_id: "53995c3f42cd8ad8",
          parent_span_id: "00f067aa0ba902b7",
          trace_id: INVOCATION_ID,
        },
      ],
    });
  });
});

describe("a DSN", () => {
  it.each([
    ["https://key@o1.ingest.sentry.io/42", "https://o1.ingest.sentry.io/api/42/envelope/"],
    [
      "https://key:secret@sentry.example.com:9000/some/path/42",
      "https://sentry.example.com:9000/some/path/api/42/envelope/",
    ],
    [" http://key@127.0.0.1:8969/spotlight \n", "http://127.0.0.1:8969/api/spotlight/envelope/"],
  ])("%j leads to its project", async (dsn, endpoint) => {
    expect(sentry.check?.({ dsn })).toEqual({});
    const io = fakeIo();
    await sentry.send({ dsn }, [itemOf("errors", thrown)], io);
    expect(io.requests[0]?.url).toBe(endpoint);
  });

  it.each([
    "",
    "42",
    "https://sentry.io/42",
    "https://key@sentry.io",
    "https://key@sentry.io/",
    "ftp://key@host/1",
    "https://k y@host/1",
  ])("%j is none, and the field says so", (dsn) => {
    expect(sentry.check?.({ dsn })).toHaveProperty("dsn");
  });

  it("goes with a name of an environment that Sentry takes", () => {
    expect(sentry.check?.({ dsn: newDsn(), environment: "pro duction" })).toHaveProperty("environment");
    expect(sentry.check?.({ dsn: newDsn(), environment: "" })).toEqual({});
  });
});
