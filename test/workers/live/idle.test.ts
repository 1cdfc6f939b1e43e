/** A hub that nothing happens in: no timer keeps it awake. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { POSITION_MS } from "../../../workers/live/limits.ts";
import { until } from "../buffer/support.ts";
import { connect, hubOf, Shard } from "./support.ts";

/** Timers that hubs have set and that have neither run nor been cleared. */
const running = new Set<unknown>();
const { setTimeout: set, clearTimeout: clear } = globalThis;

beforeEach(() => {
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    // Other files' Ingesters live in the same isolate, and may be waiting for something.
    if (!/\/workers\/live\//.test(new Error().stack ?? "")) return set(run, ms);
    const timer = set(() => {
      running.delete(timer);
      run();
    }, ms);
    running.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: Parameters<typeof clearTimeout>[0]) => {
    running.delete(timer);
    clear(timer);
  }) as typeof clearTimeout;
});
afterEach(() => {
  globalThis.setTimeout = set;
  globalThis.clearTimeout = clear;
});

describe("a hub with viewers", () => {
  it("has no timer running a moment after something happened", async () => {
    const hub = hubOf("idle");
    const shard = new Shard("idle");
    const one = await connect(hub, { script: "idle", q: "status:500" });
    const all = await connect(hub, { script: "idle" });
    await all.hears("ready");
    // It may come again, and say so in a moment.
    expect(running.size).toBeGreaterThan(0);
    await until(async () => running.size === 0);
    await hub.push(shard.push([shard.some(3)]));
    await until(async () => all.events.length === 3);
    // The one that saw nothing of it is told where it is, once.
    expect(running.size).toBe(1);
    const { length } = one.frames;
    await until(async () => running.size === 0, POSITION_MS * 10);
    await until(async () => one.frames.length === length + 1);
    expect(one.cursor).toEqual(all.cursor);
  });
});
