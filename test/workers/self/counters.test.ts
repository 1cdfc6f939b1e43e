import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { COUNTERS_NAME } from "../../../workers/self/contract.ts";
import { countInRequest } from "../../../workers/self/count.ts";

const counters = (name: string) => env.COUNTERS.getByName(name);
const flush = (isolate: string, number: number, worker: string, amount: number) => ({
  isolate,
  number,
  increments: [{ name: "tailrace_ingest_events_total", labels: [worker], amount }],
});

test("adds up what isolates send, once however often it comes, and an eviction forgets nothing", async () => {
  const stub = counters("adds-up");
  await stub.add(flush("a", 1, "shop", 10));
  await stub.add(flush("a", 1, "shop", 10));
  await stub.add(flush("b", 1, "shop", 5));
  await evictDurableObject(stub);
  await stub.add(flush("a", 1, "shop", 10));
  await stub.add(flush("a", 2, "other", 1));
  const { series } = await stub.snapshot();
  expect(series).toEqual([
    { name: "tailrace_ingest_events_total", labels: ["shop"], amount: 15 },
    { name: "tailrace_ingest_events_total", labels: ["other"], amount: 1 },
  ]);
});

test("what was folded is not counted again after an eviction", async () => {
  const stub = counters("folds");
  for (let number = 1; number <= 450; number++) await stub.add(flush("a", number, "shop", 1));
  await evictDurableObject(stub);
  await stub.add(flush("a", 450, "shop", 1));
  const { series } = await stub.snapshot();
  expect(series.map((s) => s.amount)).toEqual([450]);
});

test("a count arrives at the Counters object without its caller waiting", async () => {
  countInRequest(env, "tailrace_live_pushes_total", { worker: "count-arrives" }, 3);
  countInRequest(env, "tailrace_live_pushes_total", { worker: "count-arrives" }, 4);
  await vi.waitFor(
    async () => {
      const { series } = await counters(COUNTERS_NAME).snapshot();
      expect(series.filter((s) => s.labels[0] === "count-arrives").map((s) => s.amount)).toEqual([7]);
    },
    { timeout: 25_000, interval: 100 },
  );
});
