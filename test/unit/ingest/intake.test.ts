import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SamplingRule, WorkerSettings } from "../../../workers/api/contract.ts";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { ITEMS_PER_UNIT, type LimitBinding } from "../../../workers/ingest/rate-limit.ts";
import { isKept } from "../../../workers/ingest/sampling.ts";
import { DEFAULT_SETTINGS } from "../../../workers/ingest/settings.ts";
import { bench, fetchItem, NOW_MS } from "./support.ts";

const policyOf = (settings: WorkerSettings) =>
  compilePolicy({ ...DEFAULT_SETTINGS, workers: new Map([["shop", settings]]) });

async function run(b: ReturnType<typeof bench>, items: unknown[], binding?: LimitBinding) {
  const intake = b.intake({ binding });
  for (const item of items) {
    const problem = intake.take(item);
    if (problem !== undefined) intake.takeRaw(item, problem);
    // Answers of the binding come in between, as in real life.
    if (binding !== undefined) await Promise.resolve();
  }
  const settled = intake.settled();
  await b.clock.advance(60_000);
  return settled;
}

const many = (n: number, overrides: Record<string, unknown> = {}) =>
  Array.from({ length: n }, () => fetchItem(overrides));
const response = (status: number, url = "https://shop.test/") => ({
  event: { request: { url, method: "GET" }, response: { status } },
});

describe("sampling", () => {
  const never: SamplingRule = { rate: 1e-9 };

  test("errors, slow invocations and canary versions are kept before any rule is asked, and weigh one", async () => {
    const b = bench(policyOf({ sampling: [never], slowMs: 500, canaryVersions: ["v-new", "tag-new"] }));
    const kept = [
      fetchItem({ outcome: "exceededCpu" }),
      fetchItem(response(500)),
      fetchItem({ exceptions: [{ timestamp: NOW_MS, name: "E", message: "in waitUntil" }] }),
      fetchItem({ logs: [{ timestamp: NOW_MS, level: "error", message: ["x"] }] }),
      fetchItem({ logs: [{ timestamp: NOW_MS, level: "log", message: ['{"level":"fatal"}'] }] }),
      fetchItem({
        logs: [{ timestamp: NOW_MS, level: "log", message: ["E"], errorInfo: [{ name: "E", message: "x" }] }],
      }),
      fetchItem({ wallTime: 501 }),
      fetchItem({ scriptVersion: { id: "v-new" } }),
      fetchItem({ scriptVersion: { id: "v-x", tag: "tag-new" } }),
    ];
    const tally = await run(b, [...kept, ...many(50), fetchItem({ wallTime: 500 })]);
    expect(tally).toMatchObject({ kept: kept.length, dropped: 51 });
    for (const event of b.recorder.events()) expect(event.sample_weight).toBe(1);
  });

  test("what takes longer than a second is slow, unless the settings say otherwise", async () => {
    const b = bench(policyOf({ sampling: [never] }));
    expect(await run(b, [fetchItem({ wallTime: 1_001 }), fetchItem({ wallTime: 1_000 })])).toMatchObject({ kept: 1 });
  });

  test.each<[string, SamplingRule, Record<string, unknown>]>([
    ["outcome", { outcome: "canceled", rate: 1e-9 }, { outcome: "canceled" }],
    ["status class", { statusClass: "4xx", rate: 1e-9 }, response(404)],
    ["route", { route: "/products/:id", rate: 1e-9 }, response(200, "https://shop.test/products/12")],
    ["route prefix", { route: "/assets/*", rate: 1e-9 }, response(200, "https://shop.test/assets/a.css")],
    ["version", { version: "v-1", rate: 1e-9 }, { scriptVersion: { id: "v-1" } }],
    ["event type", { eventType: "queue", rate: 1e-9 }, { event: { queue: "orders", batchSize: 3 } }],
  ])("a rule by %s takes what it names and nothing else", async (_, rule, overrides) => {
    const b = bench(policyOf({ sampling: [rule] }));
    expect(await run(b, [...many(20, overrides), ...many(30)])).toMatchObject({ kept: 30, dropped: 20 });
  });

  test("the first rule that matches decides", async () => {
    const b = bench(policyOf({ sampling: [{ statusClass: "4xx", rate: 1 }, never] }));
    expect(await run(b, [...many(10, response(404)), ...many(10)])).toMatchObject({ kept: 10, dropped: 10 });
  });

  test("weights make up for what was left out", () => {
    for (const rate of [0.5, 0.1, 0.01]) {
      let kept = 0;
      const n = 200_000;
      for (let i = 0; i < n; i++)
        if (
          isKept(
            Math.floor((i / n) * 2 ** 32)
              .toString(16)
              .padStart(8, "0"),
            rate,
          )
        )
          kept++;
      expect(kept / rate / n).toBeCloseTo(1, 2);
    }
  });

  test("the same id is always decided the same way, and a higher rate keeps all that a lower one does", () => {
    const id = fc.stringMatching(/^[0-9a-f]{32}$/);
    fc.assert(
      fc.property(
        id,
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (one, a, b) => {
          const [low, high] = a < b ? [a, b] : [b, a];
          if (isKept(one, low)) expect(isKept(one, high)).toBe(true);
        },
      ),
    );
  });
});

describe("rate limit", () => {
  test("a Worker's own: what is over it is dropped and counted, errors have twice as much to themselves", async () => {
    const b = bench(policyOf({ ratePerMinute: 100 }));
    const tally = await run(b, [...many(300), ...many(150, { outcome: "exception" })]);
    expect(tally).toMatchObject({ kept: 250, dropped: 200, overloaded: 0 });
    expect(b.recorder.ledger()).toMatchObject({ received: 450, kept: 250, rate_limited: 200 });
    expect(b.recorder.requests()).toBe(450);
    expect(b.recorder.events().filter((e) => e.outcome === "exception" && e.kind === "invocation").length).toBe(150);
  });

  test("swallowed errors, slow invocations and canaries share the errors' allowance", async () => {
    const b = bench(policyOf({ ratePerMinute: 100, canaryVersions: ["v-new"] }));
    const important = [
      ...many(50, { logs: [{ timestamp: NOW_MS, level: "error", message: ["swallowed"] }] }),
      ...many(50, { wallTime: 1_001 }),
      ...many(50, { scriptVersion: { id: "v-new" } }),
    ];
    expect(await run(b, [...many(200), ...important])).toMatchObject({ kept: 250, dropped: 100 });
  });

  test("it refills with time, up to one minute's worth", async () => {
    const b = bench(policyOf({ ratePerMinute: 60 }));
    expect(await run(b, many(100))).toMatchObject({ kept: 60 });
    await b.clock.advance(10 * 60_000);
    expect(await run(b, many(100))).toMatchObject({ kept: 60 });
  });

  test("does not touch other Workers", async () => {
    const b = bench(policyOf({ ratePerMinute: 1 }));
    expect(await run(b, many(50, { scriptName: "other" }))).toMatchObject({ kept: 50 });
  });

  test("the platform's: one call of the binding buys many items, and a refusal drops all but errors", async () => {
    const keys: string[] = [];
    let units = 3;
    const binding: LimitBinding = {
      limit: async ({ key }) => {
        keys.push(key);
        return { success: key.endsWith("errors") || units-- > 0 };
      },
    };
    const b = bench();
    const tally = await run(b, [...many(1_000), ...many(50, { outcome: "exception" })], binding);
    // Those on their way when the answer came are let through, too.
    expect(tally.kept).toBeGreaterThanOrEqual(3 * ITEMS_PER_UNIT + 50);
    expect(tally.kept).toBeLessThan(4 * ITEMS_PER_UNIT + 50);
    expect(keys.length).toBeLessThan(12);
    expect(b.recorder.ledger()).toMatchObject({ received: 1_050, kept: tally.kept, rate_limited: tally.dropped });
    const errors = b.recorder.events().filter((e) => e.kind === "invocation" && e.outcome === "exception");
    expect(errors.length).toBe(50);
  });

  test("a limiter that is out of order costs no telemetry", async () => {
    const binding: LimitBinding = { limit: () => Promise.reject(new Error("no limiter")) };
    expect(await run(bench(), many(2_000), binding)).toMatchObject({ kept: 2_000 });
  });
});

test("whatever comes in, received = kept + sampled_out + rate_limited + overloaded", async () => {
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({
      outcome: fc.constantFrom("ok", "exception", "canceled"),
      wallTime: fc.nat(1_000),
      scriptName: fc.constant("shop"),
    }),
    fc.constant(fetchItem()),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { maxLength: 60 }),
      fc.constantFrom(1, 10, 1_000),
      fc.constantFrom(0.1, 1),
      async (items, ratePerMinute, rate) => {
        const b = bench(
          compilePolicy({
            platform: { ...DEFAULT_SETTINGS.platform, worker: { ratePerMinute, sampling: [{ rate }] } },
            workers: new Map(),
          }),
        );
        const tally = await run(b, items);
        const ledger = b.recorder.ledger();
        expect(ledger.received).toBe(items.length);
        expect(ledger.kept + ledger.sampled_out + ledger.rate_limited + ledger.overloaded).toBe(items.length);
        expect(tally.kept).toBe(ledger.kept);
        expect(b.recorder.events().length).toBe(ledger.events);
        expect(b.recorder.requests()).toBe(items.length - ledger.unreadable);
      },
    ),
    { numRuns: 100 },
  );
});
