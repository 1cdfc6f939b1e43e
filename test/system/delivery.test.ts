/** Destinations in the whole system, with receivers that hang, fall and come back: what was acknowledged by ingest arrives, each once by its id. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { DestinationAnswer, DestinationHealth, NewDestination } from "../../workers/api/contract/integrations.ts";
import { HostileReceiver } from "../support/hostile-receiver.ts";
import { decodeRequest } from "../support/otlp-requests.ts";
import { probeItems } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const DEADLINE_MS = 60_000;
const POLL_MS = 100;
const ALLOW = { platform: { bindings: { TAILRACE_ALLOW_LOOPBACK: "true" } } };
const KEY = "Bearer a-key-that-nobody-else-may-see";

let tailrace: TestStack;
const receivers: HostileReceiver[] = [];

beforeAll(async () => {
  tailrace = await startTestStack(ALLOW);
});
afterEach(async () => {
  const { body } = await tailrace.client.call<{ destinations: { id: string; failoverTo: string | null }[] }>(
    "GET",
    "/api/v1/destinations",
  );
  const first = [...body.destinations].sort((a, b) => Number(b.failoverTo !== null) - Number(a.failoverTo !== null));
  for (const { id } of first) await tailrace.client.call("DELETE", `/api/v1/destinations/${id}`);
  for (const receiver of receivers.splice(0)) await receiver.stop();
});
afterAll(() => tailrace.stop());

async function receiver(): Promise<HostileReceiver> {
  const made = await HostileReceiver.start();
  receivers.push(made);
  return made;
}

async function connect(
  name: string,
  to: HostileReceiver,
  script: string,
  more: Partial<NewDestination> = {},
): Promise<string> {
  const given: NewDestination = {
    ...{ integration: "otlp", name, values: { endpoint: to.url, headers: `Authorization: ${KEY}` } },
    rules: { feeds: ["traces"], workers: [script] },
    ...more,
  };
  const { status, body } = await tailrace.client.call<DestinationAnswer>(
    "POST",
    "/api/v1/destinations",
    JSON.stringify(given),
    {
      "content-type": "application/json",
    },
  );
  if (status !== 201) throw new Error(`connecting answered ${status}: ${JSON.stringify(body)}`);
  return body.destination.id;
}

async function healthOf(id: string): Promise<DestinationHealth> {
  const { body } = await tailrace.client.call<DestinationAnswer>("GET", `/api/v1/destinations/${id}`);
  return body.destination.health;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await sleep(POLL_MS);
  }
}

/** Span ids in the order in which they came. */
const spans = ({ received }: HostileReceiver): string[] =>
  received.flatMap((request) =>
    decodeRequest(request).flatMap(({ records }) => records.map(({ spanId }) => spanId ?? "")),
  );

test("a receiver that hangs keeps neither the ingest nor another destination waiting", async () => {
  const script = "delivery-hang";
  const well = await receiver();
  const hanging = (await receiver()).behave({ kind: "hang" });
  const wellId = await connect("well", well, script);
  const hangingId = await connect("hanging", hanging, script);
  for (let n = 0; n < 5; n++) {
    const answer = await tailrace.client.ingest(probeItems(script, { id: `hang-${n}`, size: 20 }));
    expect(answer.accepted).toBe(20);
  }
  await until("all of it arrives", () => spans(well).length >= 100);
  expect(new Set(spans(well)).size).toBe(100);
  expect((await healthOf(wellId)).delivered).toBe(100);
  await until(
    "the time-out of the other is told",
    async () => (await healthOf(hangingId)).lastError?.kind === "timeout",
  );
  const { status } = await tailrace.client.call("DELETE", `/api/v1/destinations/${hangingId}`);
  expect(status).toBeLessThan(300);
});

test("what came while a receiver was away, while it was paused, and across a restart arrives once", async () => {
  const script = "delivery-away";
  const down = (await receiver()).behave({ kind: "answer", status: 503 });
  const { port } = down;
  const id = await connect("away", down, script);
  await tailrace.client.ingest(probeItems(script, { id: "a", size: 30 }));
  await until("it is tried", () => down.received.length > 0);
  await down.stop();
  await tailrace.client.seal();
  await tailrace.client.ingest(probeItems(script, { id: "b", size: 30 }));
  tailrace = await tailrace.restart();
  await tailrace.client.call("POST", `/api/v1/destinations/${id}/pause`);
  await tailrace.client.ingest(probeItems(script, { id: "c", size: 30 }));
  await tailrace.client.seal();
  await tailrace.client.maintenance();
  const back = await HostileReceiver.start(port);
  receivers.splice(0, receivers.length, back);
  expect((await healthOf(id)).condition).toBe("paused");
  await tailrace.client.call("POST", `/api/v1/destinations/${id}/resume`);
  await until("all of it arrives", () => new Set(spans(back)).size === 90);
  await until("it is known", async () => (await healthOf(id)).delivered === 90);
  expect(spans(back)).toHaveLength(90);
});

test("added later, the last day is sent as well", async () => {
  const script = "delivery-backfill";
  await tailrace.client.ingest(probeItems(script, { id: "before", size: 25 }));
  const to = await receiver();
  const id = await connect("late", to, script, { backfillFrom: Date.now() - 24 * 3_600_000 });
  await tailrace.client.ingest(probeItems(script, { id: "after", size: 15 }));
  await until("both arrive", () => spans(to).length >= 40);
  expect(new Set(spans(to)).size).toBe(40);
  await until("the back-fill is done", async () => {
    const { backfill } = await healthOf(id);
    return backfill !== null && backfill.done === backfill.rows;
  });
  expect(spans(to)).toHaveLength(40);
});

test("a failover carries what the first does not take, and the first gets it all in the end", async () => {
  const script = "delivery-failover";
  const first = (await receiver()).behave({ kind: "close" });
  const second = await receiver();
  const standby = await connect("second", second, script, { standby: true });
  const id = await connect("first", first, script, { failoverTo: standby });
  await tailrace.client.ingest(probeItems(script, { id: "gap", size: 20 }));
  await until("the second takes over", () => new Set(spans(second)).size === 20);
  first.forget();
  first.behave({ kind: "answer" });
  await until("the gap is filled", () => new Set(spans(first)).size === 20);
  await until("the failover ends", async () => (await healthOf(id)).failedOverSince === null);
  expect(await healthOf(id)).toMatchObject({ delivered: 20, viaFailover: 20 });
});

test("a credential is in no row, answer or message", async () => {
  const script = "delivery-secret";
  const echo = (await receiver()).behave({ kind: "echo", status: 401 });
  const id = await connect("echo", echo, script);
  await tailrace.client.ingest(probeItems(script, { id: "secret", size: 1 }));
  await until("it is refused", async () => (await healthOf(id)).condition === "attention");
  expect(echo.received[0]?.headers.authorization).toBe(KEY);
  const d1 = await tailrace.stack.mf.getD1Database("DB", "tailrace");
  const rows = await d1.prepare("SELECT * FROM destinations").all();
  const { body } = await tailrace.client.call("GET", `/api/v1/destinations/${id}`);
  expect(JSON.stringify([rows.results, body])).not.toContain("nobody-else-may-see");
});
