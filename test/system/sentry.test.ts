/** What Tailrace sends to Sentry, as Sentry's own local receiver reads it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRequest } from "../../workers/delivery/egress/request.ts";
import sentry from "../../workers/integrations/catalog/sentry.ts";
import { event, fakeIo, invocationOf, itemOf, REQUEST } from "../support/sentry.ts";
import { Spotlight } from "../support/spotlight.ts";

let spotlight: Spotlight;
beforeAll(async () => {
  spotlight = await Spotlight.start();
});
afterAll(() => spotlight?.stop());

function realIo() {
  const { dsn } = spotlight;
  return { dsn, io: fakeIo([], { request: createRequest({ allowLoopback: true, secrets: [dsn] }), now: Date.now }) };
}

describe("Spotlight", () => {
  it("takes the test message", async () => {
    const { dsn, io } = realIo();
    expect(await sentry.test({ dsn, environment: "staging" }, io)).toMatchObject({ ok: true });
    const payload = await spotlight.payload("event", ({ tags }) => tags?.["tailrace.test"] === "true");
    expect(payload).toMatchObject({
      environment: "staging",
      logentry: { formatted: "Tailrace can send to this project." },
    });
  });

  it("reads an error with its source, a packed one too, logs and a transaction", async () => {
    const { dsn, io } = realIo();
    const head = event("invocation", 0, { duration: 81.5, attributes: REQUEST });
    const log = event("log", 1, { level: "info", message: "charging 12.50 € für Zoë 🛒" });
    const thrown = event("exception", 2, {
      name: "TypeError",
      message: "amount is undefined",
      stack: "    at pay (index.js:1:20)",
    });
    const long = event("exception", 3, {
      name: "RangeError",
      message: "ü".repeat(8_000),
      attributes: { dump: "ä".repeat(20_000) },
    });
    const invocation = invocationOf(head, log, thrown, long);
    const items = [
      itemOf("errors", thrown, invocation, { team: "pay" }),
      itemOf("errors", long, invocation),
      itemOf("logs", log, invocation),
      itemOf("traces", head, invocation),
    ];
    const { outcomes, requests } = await sentry.send({ dsn }, items, io);
    expect({ outcomes, requests }).toEqual({ outcomes: items.map(() => "delivered"), requests: 4 });

    const error = await spotlight.payload("event", ({ exception }) => exception?.values[0].type === "TypeError");
    expect(error).toMatchObject({
      event_id: items[0]?.id,
      exception: { values: [{ value: "amount is undefined", mechanism: { handled: false } }] },
      breadcrumbs: { values: [{ message: "charging 12.50 € für Zoë 🛒" }] },
      tags: { team: "pay", worker: "shop" },
    });
    expect(error.exception.values[0].stacktrace.frames.at(-1)).toMatchObject({
      ...{ filename: "src/pay.ts", lineno: 12, in_app: true },
      ...{ pre_context: ["before pay"], context_line: "  at pay", post_context: ["after pay"] },
    });
    const packed = await spotlight.payload("event", ({ exception }) => exception?.values[0].type === "RangeError");
    expect(packed.exception.values[0].value).toBe("ü".repeat(8_000));
    const { items: logs } = await spotlight.payload("log");
    expect(logs).toMatchObject([
      { body: log.message, level: "info", attributes: { worker: { value: "shop", type: "string" } } },
    ]);
    const transaction = await spotlight.payload("transaction");
    expect(transaction).toMatchObject({ transaction: "POST /cart/:id/pay", contexts: { trace: error.contexts.trace } });
  });

  it("that is not running is told apart from one that refuses", async () => {
    const { io } = realIo();
    const dsn = "http://key@127.0.0.1:9/1";
    const { outcomes } = await sentry.send({ dsn }, [itemOf("errors", event("exception", 2))], io);
    expect(outcomes).toMatchObject([{ again: { kind: "unreachable", status: 0 } }]);
  });
});
