/** Tailrace about itself, in the whole system: its counters, a receiver that hangs until /healthz says so, a notice that arrives signed. */
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DestinationAnswer, NewDestination, StatusAnswer } from "../../workers/api/contract/integrations.ts";
import { COUNTERS, type CounterName } from "../../workers/self/names.ts";
import { until } from "../support/client.ts";
import { parseExposition } from "../support/exposition.ts";
import { HostileReceiver } from "../support/hostile-receiver.ts";
import { LiveViewer } from "../support/live-viewer.ts";
import { probeItems } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** A minute without progress, a try that runs into its time-out, and what was written down before. */
const STALL_DEADLINE_MS = 130_000;
const DEADLINE_MS = 60_000;

let tailrace: TestStack;
let receiver: HostileReceiver;

beforeAll(async () => {
  receiver = await HostileReceiver.start();
  tailrace = await startTestStack({ platform: { bindings: { TAILRACE_ALLOW_LOOPBACK: "true" } } });
});
afterAll(async () => {
  await tailrace.stop();
  await receiver.stop();
});

async function connect(given: NewDestination): Promise<string> {
  const json = { "content-type": "application/json" };
  const answer = await tailrace.client.call<DestinationAnswer>(
    "POST",
    "/api/v1/destinations",
    JSON.stringify(given),
    json,
  );
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.destination.id;
}

async function scrape(token?: string): Promise<string> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${tailrace.stack.url}/metrics`, { headers });
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
}
const sumOf = (text: string, name: string) =>
  parseExposition(text)
    .samples.filter((sample) => sample.name === name)
    .reduce((sum, { value }) => sum + value, 0);

test("/metrics counts what came, names nobody to strangers, and is what Prometheus reads", async () => {
  await tailrace.client.ingest(probeItems("watch-metrics", { id: "a", size: 30 }));
  await tailrace.client.seal();
  await tailrace.client.query("script:watch-metrics");
  const text = await until(
    () => scrape(),
    (said) => sumOf(said, "tailrace_ingest_events_total") >= 30 && sumOf(said, "tailrace_seal_events_total") >= 30,
    DEADLINE_MS,
  );
  expect(parseExposition(text).problems).toEqual([]);
  expect(text).not.toContain("watch-metrics");
  const named = await scrape(tailrace.stack.adminToken);
  expect(parseExposition(named).problems).toEqual([]);
  expect(named).toContain('tailrace_ingest_events_total{worker="watch-metrics"}');
  const { error, status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: named,
    encoding: "utf8",
  });
  if (error === undefined) expect([status, stdout, stderr]).toEqual([0, "", ""]);
  expect((await fetch(`${tailrace.stack.url}/metrics`, { headers: { authorization: "Bearer trl_no" } })).status).toBe(
    401,
  );
});

test("a new issue reaches a webhook, signed, under one id", async () => {
  const key = Buffer.alloc(32, 7);
  const secret = `whsec_${key.toString("base64")}`;
  receiver.behave({ kind: "answer", status: 503 }, { kind: "answer", status: 204, body: "" });
  await connect({
    ...{ integration: "webhook", name: "Watch's webhook", values: { url: `${receiver.url}/hook`, secret } },
    rules: { workers: ["watch-notices"] },
  });
  const now = Date.now();
  await tailrace.client.ingest([
    {
      ...{ scriptName: "watch-notices", scriptVersion: { id: "v-1", tag: "v1.6.0", message: "new checkout" } },
      ...{ eventTimestamp: now, outcome: "exception", logs: [], diagnosticsChannelEvents: [] },
      exceptions: [{ name: "TypeError", message: "no price", stack: "    at total (cart.js:1:2)", timestamp: now }],
      event: { request: { url: "https://shop.example.com/", method: "GET", headers: {} }, response: { status: 500 } },
    },
  ]);
  await until(
    async () => receiver.received.length,
    (count) => count >= 2,
    DEADLINE_MS,
  );
  const [first, second] = receiver.received;
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  const content = `${second?.headers["webhook-id"]}.${second?.headers["webhook-timestamp"]}.${second?.body}`;
  expect(second?.headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(content).digest("base64")}`);
  expect(JSON.parse(second?.body.toString() ?? "")).toMatchObject({
    type: "issue.new",
    data: { worker: "watch-notices", version: { tag: "v1.6.0" }, issue: { type: "TypeError", count: 1 } },
  });
});

/** Of what goes wrong: nothing does here. Their stages have tests that count them. */
const OF_FAILURES: CounterName[] = ["tailrace_ingest_refused_batches_total", "tailrace_seal_failures_total"];

test("everything that is counted arrives: each counter moves with what it is of", async () => {
  // What the tests before this one caused: ingest, seals, queries, a notice and its delivery. What is missing is somebody who watches.
  const viewer = await LiveViewer.open(tailrace.stack.url, { token: tailrace.stack.adminToken, script: "watch-live" });
  await viewer.greeted;
  const expected = (Object.keys(COUNTERS) as CounterName[]).filter((name) => !OF_FAILURES.includes(name));
  const still = (text: string) => expected.filter((name) => sumOf(text, name) === 0);
  const text = await until(
    async () => {
      await tailrace.client.ingest(probeItems("watch-live", { id: "a", size: 3 }));
      return scrape(tailrace.stack.adminToken);
    },
    (said) => still(said).length === 0,
    DEADLINE_MS,
  ).catch(() => scrape(tailrace.stack.adminToken));
  expect(still(text)).toEqual([]);
  viewer.destroy();
});

test("a receiver that hangs makes /healthz say so, by progress and without names, until it answers again", async () => {
  receiver.behave({ kind: "hang" });
  await connect({
    ...{ integration: "otlp", name: "Watch's collector", values: { endpoint: receiver.url } },
    rules: { feeds: ["traces"], workers: ["watch-hang"] },
  });
  expect((await tailrace.client.health()).status).toBe(200);
  await tailrace.client.ingest(probeItems("watch-hang", { id: "a", size: 5 }));
  const sick = await until(
    () => tailrace.client.health(),
    ({ status }) => status === 503,
    STALL_DEADLINE_MS,
  );
  expect(sick.body.checks.filter((check) => !check.ok).map((check) => check.name)).toEqual(["consumers"]);
  expect(JSON.stringify(sick.body)).toContain("1 of delivery");
  expect(JSON.stringify(sick.body)).not.toMatch(/Watch|watch-hang/);

  const { body } = await tailrace.client.call<StatusAnswer>("GET", "/api/v1/status");
  const stalled = body.consumers.filter(({ condition }) => condition === "stalled");
  expect(stalled.map(({ name }) => name)).toEqual(["delivery to Watch's collector"]);
  expect(body.counters.find(({ name }) => name === "tailrace_ingest_events_total")?.value).toBeGreaterThan(0);

  receiver.behave({ kind: "answer" });
  await until(
    () => tailrace.client.health(),
    ({ status }) => status === 200,
    DEADLINE_MS,
  );
});
