/** What Tailrace sends to Sentry, as Sentry's own local receiver reads it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DestinationAnswer, TestAnswer } from "../../workers/api/contract/integrations.ts";
import { createRequest } from "../../workers/delivery/egress/request.ts";
import sentry from "../../workers/integrations/catalog/sentry.ts";
import { type Bundle, thrownBy, withEsbuild } from "../support/bundled-app.ts";
import { awaitOneIssue, errorItem, uploadMap, versionId } from "../support/issues.ts";
import { event, fakeIo, invocationOf, itemOf, REQUEST } from "../support/sentry.ts";
import { Spotlight } from "../support/spotlight.ts";
import { ADMIN_TOKEN, startTestStack, type TestStack } from "../support/stack.ts";

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

describe("a whole Tailrace", () => {
  let tailrace: TestStack;
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await withEsbuild();
    tailrace = await startTestStack();
  });
  afterAll(() => tailrace?.stop());

  async function post<T>(path: string, body: unknown): Promise<T> {
    const answer = await tailrace.client.call<T>("POST", path, JSON.stringify(body), {
      "content-type": "application/json",
    });
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  }

  /** As a browser does: from then on Tailrace knows where its pages are. */
  async function openDashboard(): Promise<void> {
    const { url } = tailrace.client;
    const login = await fetch(`${url}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: url },
      body: JSON.stringify({ token: ADMIN_TOKEN }),
    });
    const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const session = await fetch(`${url}/api/v1/session`, { headers: { cookie } });
    expect(session.status).toBe(200);
  }

  it("delivers an error in the team's own source, with a link back, and the log before it", async () => {
    const { client } = tailrace;
    const script = "sentry-shop";
    const { dsn } = spotlight;
    await openDashboard();
    await uploadMap(client, script, versionId(1), bundle.map);
    const values = { dsn, environment: "staging" };
    const tested = await post<TestAnswer>("/api/v1/destinations/test", { integration: "sentry", values });
    expect(tested).toMatchObject({ ok: true });
    const rules = { feeds: ["errors", "logs"], tags: { team: "pay" } };
    const made = await post<DestinationAnswer>("/api/v1/destinations", {
      integration: "sentry",
      name: "Spotlight",
      values,
      rules,
    });
    expect(JSON.stringify(made)).not.toContain("spotlight0key");

    const { name, message, stack = "" } = await thrownBy(bundle, "deep");
    const first = errorItem({ script, version: versionId(1), name, message, stack });
    await client.ingest([first]);
    const issue = await awaitOneIssue(client, script, 1);
    const time = Date.now();
    const logs = [{ timestamp: time - 1, level: "info", message: ["charging the card"] }];
    await client.ingest([errorItem({ script, version: versionId(1), name, message, stack, time, logs })]);

    const error = await spotlight.payload("event", (e) => e.tags.worker === script && e.breadcrumbs !== undefined);
    expect(error).toMatchObject({
      release: versionId(1),
      environment: "staging",
      tags: { team: "pay", worker: script, outcome: "exception", colo: "LHR" },
      breadcrumbs: { values: [{ message: "charging the card" }] },
      contexts: { tailrace: { issue: `${client.url}/issues/${issue.id}` } },
    });
    const top = error.exception.values.at(-1).stacktrace.frames.at(-1);
    expect(top).toMatchObject({
      function: "priceOf",
      filename: expect.stringMatching(/src\/cart\/line\.ts$/),
      in_app: true,
    });
    expect(top.context_line).toContain("// deep 0: priceOf");
    expect(top.pre_context.length + top.post_context.length).toBeGreaterThan(0);
    const { items } = await spotlight.payload("log", (log) => log.items[0].body === "charging the card");
    expect(items[0]).toMatchObject({ trace_id: error.contexts.trace.trace_id });
    await expect(
      spotlight.payload("event", (e) => e.tags.worker === script && e.breadcrumbs === undefined),
    ).resolves.toBeDefined();
  });
});
