/** Invocations that failed, and what the Collector makes of them for issues. */
import { expect } from "vitest";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { type Bench, fetchItem, NOW_MS } from "./support.ts";

export const STACK = "    at t (file:///index.js:1:100)\n    at Object.fetch (file:///index.js:1:200)";
export const VERSION = { id: "v1", tag: "blue", message: "First" };

/** An invocation that threw. */
export const thrown = (overrides: Record<string, unknown> = {}, exception: Record<string, unknown> = {}) =>
  fetchItem({
    event: {
      request: { url: "https://shop.test/cart/17", method: "POST", headers: {}, cf: { colo: "LHR", country: "GB" } },
    },
    outcome: "exception",
    scriptVersion: VERSION,
    exceptions: [{ timestamp: NOW_MS, name: "TypeError", message: "no price", stack: STACK, ...exception }],
    ...overrides,
  });
export const logged = (overrides: Record<string, unknown>, item: Record<string, unknown> = {}) =>
  fetchItem({
    scriptVersion: VERSION,
    logs: [{ timestamp: NOW_MS, level: "log", message: [], ...overrides }],
    ...item,
  });

export function start(b: Bench, ...items: unknown[]) {
  const intake = b.intake();
  for (const item of items) expect(intake.take(item)).toBeUndefined();
  return intake.settled();
}

export async function run(b: Bench, ...items: unknown[]): Promise<IssueDelta[]> {
  const settled = start(b, ...items);
  await b.clock.advance(2_000);
  await settled;
  return b.recorder.issues();
}
