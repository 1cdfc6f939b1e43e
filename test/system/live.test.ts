/**
 * The live tail over the wire, as hundreds of viewers see it at once: whatever is
 * stored is either sent to a viewer whose filter it matches, or the viewer is told
 * that it was not; in the order of the log; and none hears after its token has ended.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIVE_CLOSE } from "../../workers/api/contract/live.ts";
import type { EventJson } from "../../workers/api/contract.ts";
import { until } from "../support/client.ts";
import { createToken, failedItem, openViewers, times } from "../support/live-load.ts";
import { LiveViewer } from "../support/live-viewer.ts";
import { probeItem } from "../support/probes.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Two cores, shared with whatever else runs. */
const HEARD_MS = 60_000;

let tailrace: TestStack;
let token: string;
beforeAll(async () => {
  tailrace = await startTestStack();
  token = (await createToken(tailrace.client)).token;
});
afterAll(() => tailrace.stop());

const WORKERS = 5;
const BATCHES = 24;
const PER_BATCH = 100;
/** One in this many fails. */
const FAILED = 50;
const FILTERS = [
  "",
  "kind:log",
  "outcome:exception",
  "level:error OR kind:invocation",
  "probe -@probe.n:<40",
  "kind:span",
];
const RATES = [20, 500, 5_000];

test("three hundred viewers of six hubs: what matched was shown or told of, to each", async () => {
  const { client, stack } = tailrace;
  const name = (n: number) => `live-many-${n}`;
  const hubs = [...times(WORKERS, name), null];
  const wanted = times(300, (n) => ({
    token,
    script: hubs[n % hubs.length] ?? null,
    q: FILTERS[Math.floor(n / hubs.length) % FILTERS.length] as string,
    rate: RATES[Math.floor(n / (hubs.length * FILTERS.length)) % RATES.length] as number,
  }));
  const viewers = await openViewers(stack.url, wanted);
  const send = async (worker: number) => {
    for (let batch = 0; batch < BATCHES; batch++) {
      const items = times(PER_BATCH, (n) => (n % FAILED === 7 ? failedItem : probeItem)(name(worker), `b${batch}`, n));
      await client.ingest(items);
    }
  };
  await Promise.all(times(WORKERS, send));

  const expected = new Map<string, number>();
  const key = (script: string | null, q: string) => `${script ?? "*"} ${q}`;
  for (const script of hubs) {
    for (const q of FILTERS) {
      const scope = script === null ? "script:live-many-*" : `script:${script}`;
      const filter = q === "" ? "" : `(${q})`;
      expected.set(key(script, q), await client.number(`${scope} ${filter} | stats count()`, "-10m"));
    }
  }
  expect(expected.get(key(null, ""))).toBe(WORKERS * BATCHES * (PER_BATCH * 2 + PER_BATCH / FAILED));
  await Promise.all(
    viewers.map((viewer, n) => {
      const { script, q } = wanted[n] as (typeof wanted)[number];
      const all = expected.get(key(script, q)) as number;
      return viewer.until(({ matched }) => matched >= all, HEARD_MS, `all ${all} of ${key(script, q)}`);
    }),
  );
  const wrong: string[] = [];
  viewers.forEach(({ tally }, n) => {
    const { script, q, rate } = wanted[n] as (typeof wanted)[number];
    const all = expected.get(key(script, q));
    const says = JSON.stringify({ script, q, rate, all, tally });
    if (tally.wrong.length > 0 || tally.matched !== all || tally.unchecked > 0 || tally.problems > 0) wrong.push(says);
    if (tally.events + tally.notShown !== tally.matched) wrong.push(says);
  });
  expect(wrong).toEqual([]);
  // The slow rate cannot have shown all of it, or nothing was tested.
  expect(viewers.filter(({ tally }) => tally.notShown > 0).length).toBeGreaterThan(20);
  await Promise.all(viewers.map((viewer) => viewer.close()));
});

test("events come in the order of the log, those of an invocation together", async () => {
  const { client, stack } = tailrace;
  const seen: EventJson[] = [];
  const viewer = await LiveViewer.open(stack.url, {
    ...{ token, script: "live-order", rate: 5_000 },
    onMessage: (message) => {
      if (message.type === "events") seen.push(...message.events);
    },
  });
  await viewer.greeted;
  const batches = 40;
  for (let batch = 0; batch < batches; batch++) {
    await client.ingest(times(20, (n) => probeItem("live-order", "o", batch * 20 + n)));
  }
  await viewer.until(({ matched }) => matched >= batches * 40, HEARD_MS);
  expect(viewer.tally.notShown).toBe(0);
  const numbers = seen.filter((event) => event.kind === "log").map((event) => event.attributes["probe.n"]);
  expect(numbers).toEqual(times(batches * 20, (n) => n));
  const order = seen.map((event) => event.invocation_id).filter((id, n, ids) => id !== ids[n - 1]);
  expect(order.length).toBe(new Set(order).size);
  await viewer.close();
});

test("another filter on the open socket: from then on, and what came before still adds up", async () => {
  const { client, stack } = tailrace;
  const messages: string[][] = [];
  const viewer = await LiveViewer.open(stack.url, {
    ...{ token, script: "live-change", q: "kind:log" },
    onMessage: (message) => {
      if (message.type === "events" && message.events.length > 0) messages.push(message.events.map(({ kind }) => kind));
    },
  });
  await viewer.greeted;
  await client.ingest(times(10, (n) => probeItem("live-change", "a", n)));
  await viewer.until(({ events }) => events === 10, HEARD_MS);
  viewer.say({ type: "filter", q: "kind:invocation", rate: 100 });
  expect(await viewer.next("ready")).toMatchObject({ q: "kind:invocation", rate: 100 });
  viewer.say({ type: "filter", q: "status:>=>=" });
  expect((await viewer.next("problem")).message).not.toBe("");
  await client.ingest(times(10, (n) => probeItem("live-change", "b", n)));
  await viewer.until(({ events }) => events === 20, HEARD_MS);
  expect(messages.flat()).toEqual([...times(10, () => "log"), ...times(10, () => "invocation")]);
  expect(viewer.tally.wrong).toEqual([]);
  await viewer.close();
});

test("a revoked token's viewers hear no more, in every hub; those of others go on", async () => {
  const { client, stack } = tailrace;
  const short = await createToken(client);
  const hubs = ["live-ends-1", "live-ends-2", null];
  const ending = await openViewers(
    stack.url,
    times(30, (n) => ({ token: short.token, script: hubs[n % hubs.length] ?? null })),
  );
  // workerd takes its time over the end of a socket that has never said anything.
  for (const viewer of ending) viewer.say({ type: "ack", chars: 0 });
  const staying = await LiveViewer.open(stack.url, { token, script: "live-ends-1" });
  await staying.greeted;
  const { status } = await client.call("DELETE", `/api/v1/tokens/${short.id}`);
  expect(status).toBeLessThan(300);
  const codes = await Promise.all(ending.map(async (viewer) => (await viewer.closed).code));
  expect(new Set(codes)).toEqual(new Set([LIVE_CLOSE.credentialEnded]));
  await expect(LiveViewer.open(stack.url, { token: short.token, script: "live-ends-1" })).rejects.toThrow("401");
  await client.ingest([probeItem("live-ends-1", "after", 1)]);
  await staying.until(({ events }) => events === 2, HEARD_MS);
  await staying.close();
});

test("nobody watches any more: the Worker's events go nowhere, and the next viewer sees the next ones", async () => {
  const { client, stack } = tailrace;
  const options = { token, script: "live-again" };
  const first = await LiveViewer.open(stack.url, options);
  await first.greeted;
  await client.ingest([probeItem("live-again", "first", 1)]);
  await first.until(({ events }) => events === 2, HEARD_MS);
  await first.close();
  await client.ingest([probeItem("live-again", "unseen", 2)]);
  await until(
    () => client.number("script:live-again kind:log | stats count()"),
    (n) => n === 2,
    HEARD_MS,
  );
  const second = await LiveViewer.open(stack.url, options);
  await second.greeted;
  await client.ingest([probeItem("live-again", "second", 3)]);
  await second.until(({ events }) => events === 2, HEARD_MS);
  expect(second.tally).toMatchObject({ events: 2, matched: 2, gone: 0 });
  await second.close();
});
