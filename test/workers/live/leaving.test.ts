/** Who is sent away and does not go takes a place and a share of memory until it has gone. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { LiveHub } from "../../../workers/live/hub.ts";
import { Leaving } from "../../../workers/live/leaving.ts";
import { MAX_WINDOW_CHARS, UNREAD_CHARS } from "../../../workers/live/limits.ts";
import type { Stream } from "../../../workers/live/stream.ts";
import { until } from "../buffer/support.ts";
import { type Hub, hubOf, knock } from "./support.ts";

const COUNT = 100;

const windowOf = (hub: Hub) =>
  runInDurableObject(hub, (instance: LiveHub) => (instance as unknown as { stream: Stream }).stream.window);

describe("a viewer that was sent away", () => {
  it("counts until it has read that it was: then its share is free again", async () => {
    const hub = hubOf("leaving");
    const who = { credential: "token stubborn" };
    // Nobody accepts these, so nothing that is sent to them is read.
    const sockets = await Promise.all(Array.from({ length: COUNT }, async () => (await knock(hub, { who })).webSocket));
    expect(await hub.dismiss(who)).toBe(COUNT);
    expect(await windowOf(hub)).toBe(Math.floor(UNREAD_CHARS / COUNT));
    for (const socket of sockets) socket?.accept();
    await until(async () => (await windowOf(hub)) === MAX_WINDOW_CHARS);
  });
});

describe("what those who leave may not have read", () => {
  it("is counted by credential and in all, until they have gone", () => {
    const leaving = new Leaving();
    const { 0: one, 1: other } = new WebSocketPair();
    leaving.add(one, "token a", 5);
    leaving.add(other, "token b");
    expect([leaving.unproven("token a"), leaving.unproven("token b"), leaving.unproven()]).toEqual([5, 0, 5]);
    leaving.keep([other]);
    expect([leaving.has(one), leaving.has(other), leaving.size, leaving.unproven()]).toEqual([false, true, 1, 0]);
  });
});
