/** Counting holds nothing awake: what a Durable Object hands to waitUntil ends with the call of the Counters object. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Flush } from "../../../workers/self/contract.ts";
import { BURST, PACE_MS } from "../../../workers/self/pace.ts";

type Counting = typeof import("../../../workers/self/count.ts");
type CountEnv = Parameters<Counting["count"]>[0];

const WORKER = { worker: "shop" };
const NAME = "tailrace_ingest_events_total";

let held = 0;
const flushes: Flush[] = [];
let answer: () => Promise<void> = async () => {};
const env = {
  COUNTERS: {
    getByName: () => ({
      add: (flush: Flush) => {
        flushes.push(flush);
        return answer();
      },
    }),
  },
} as unknown as CountEnv;
let counting: Counting;

/** Each flush once, however often it was sent. */
const arrived = () =>
  [...new Map(flushes.map(({ isolate, number, increments }) => [`${isolate} ${number}`, increments])).values()]
    .flat()
    .reduce((sum, { amount }) => sum + amount, 0);
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
  vi.stubGlobal("scheduler", { wait: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) });
  vi.resetModules();
  vi.doMock("cloudflare:workers", () => ({
    waitUntil: (work: Promise<unknown>) => {
      held += 1;
      void work.finally(() => {
        held -= 1;
      });
    },
  }));
  counting = await import("../../../workers/self/count.ts");
  held = 0;
  flushes.length = 0;
  answer = async () => {};
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("in an object what is counted in one breath goes at once, together, and holds nothing awake", async () => {
  for (let n = 0; n < 7; n++) counting.count(env, NAME, WORKER);
  await settled();
  expect([flushes.length, arrived(), held]).toEqual([1, 7, 0]);
});

test("an object that is busy for an hour is never held awake, and sends six times a minute", async () => {
  for (let second = 0; second < 3600; second++) {
    counting.count(env, NAME, WORKER);
    await settled();
    expect(held).toBe(0);
    vi.setSystemTime(Date.now() + 1000);
  }
  expect(flushes.length).toBeLessThanOrEqual(3_600_000 / PACE_MS + BURST);
  expect(arrived()).toBeGreaterThan(3600 - 2 * (PACE_MS / 1000));
});

test("an object with something every few minutes leaves nothing behind: append, issues, notices, seal", async () => {
  for (let time = 0; time < 5; time++) {
    for (let step = 0; step < BURST; step++) {
      counting.count(env, NAME, WORKER);
      await settled();
      vi.setSystemTime(Date.now() + 500);
    }
    expect([arrived(), held]).toEqual([(time + 1) * BURST, 0]);
    vi.setSystemTime(Date.now() + 180_000);
  }
});

test("what a burst left behind goes with the object's next alarm", async () => {
  for (let n = 0; n < 50; n++) {
    counting.count(env, NAME, WORKER);
    await settled();
  }
  expect(arrived()).toBe(BURST);
  counting.flushCounts(env);
  await settled();
  expect(arrived()).toBe(BURST);
  vi.setSystemTime(Date.now() + PACE_MS);
  counting.flushCounts(env);
  await settled();
  expect([arrived(), held]).toEqual([50, 0]);
});

test("the stateless Worker sends on by itself what it counted, when its time has come", async () => {
  for (let n = 0; n < 50; n++) counting.countInRequest(env, NAME, WORKER);
  await vi.advanceTimersByTimeAsync(PACE_MS);
  expect([flushes.length, arrived(), held]).toEqual([1, 50, 0]);
  for (let n = 0; n < 20; n++) {
    counting.countInRequest(env, NAME, WORKER);
    await vi.advanceTimersByTimeAsync(600);
  }
  await vi.advanceTimersByTimeAsync(PACE_MS);
  expect([arrived(), held]).toEqual([70, 0]);
});

test("a Counters object that hangs, or fails, costs seconds, and nothing is lost or counted twice", async () => {
  vi.spyOn(console, "warn").mockReturnValue();
  answer = () => new Promise(() => {});
  counting.count(env, NAME, WORKER);
  await settled();
  counting.count(env, NAME, WORKER);
  expect(held).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(held).toBe(0);
  answer = () => Promise.reject(new Error("it is away"));
  counting.count(env, NAME, WORKER);
  await settled();
  answer = async () => {};
  for (let n = 0; n < 2; n++) {
    vi.setSystemTime(Date.now() + PACE_MS);
    counting.flushCounts(env);
    await settled();
  }
  expect([arrived(), held]).toEqual([3, 0]);
});
