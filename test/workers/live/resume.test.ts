/** Who comes again gets what it missed, once and in order, or hears exactly how much is gone. */
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { LIVE_CLOSE, LIVE_MAX_RATE } from "../../../workers/api/contract/live.ts";
import { RESUMES_BURST, RING_ENTRIES } from "../../../workers/live/limits.ts";
import { appendOf, ingester, invocation, until } from "../buffer/support.ts";
import { connect, type Hub, hubOf, Shard, type TestViewer, watch } from "./support.ts";

const numbers = (viewer: TestViewer) => viewer.events.map(({ duration }) => duration);
const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, k) => from + k);

/** It was here until now; returns what it comes again with. */
async function leaves(viewer: TestViewer) {
  const { cursor } = viewer;
  const since = viewer.messages.at(-1)?.now ?? 0;
  viewer.socket.close(1000, "lift");
  await viewer.closed;
  return { cursor, since };
}

async function comesAgain(hub: Hub, script: string, missed: { cursor: Record<string, string>; since: number }, q = "") {
  const viewer = await connect(hub, { script, q, rate: LIVE_MAX_RATE });
  viewer.say({ type: "resume", ...missed });
  await viewer.hears("resumed");
  return viewer;
}

const gone = (viewer: TestViewer) => viewer.of("resumed").at(-1)?.gone;

describe("from the ring", () => {
  it("comes what was missed by the filter, in order and once, and then what is pushed", async () => {
    const hub = hubOf("r-ring");
    const shard = new Shard("r-ring");
    let n = 0;
    const next = (count: number) => shard.push([shard.some(count, () => ({ duration: n++ }))]);
    const first = await watch(hub, { script: "r-ring" });
    await hub.push(next(5));
    await until(async () => first.events.length === 5);
    const missed = await leaves(first);
    await hub.push(next(5));
    await hub.push(next(5));
    const again = await comesAgain(hub, "r-ring", missed);
    await hub.push(next(5));
    await until(async () => again.events.length === 15);
    expect(numbers(again)).toEqual(upTo(20, 5));
    expect(gone(again)).toBe(0);
    const filtered = await comesAgain(hub, "r-ring", missed, "duration:>=13");
    expect(numbers(filtered)).toEqual(upTo(20, 13));
  });

  it("of a viewer that had heard of nothing yet, comes what is newer than its last message", async () => {
    const hub = hubOf("r-since");
    const shard = new Shard("r-since");
    const first = await watch(hub, { script: "r-since" });
    const since = first.messages.at(-1)?.now ?? 0;
    first.socket.close(1000);
    await first.closed;
    await hub.push(shard.push([shard.some(3)]));
    // In the same millisecond it would count as heard.
    const again = await comesAgain(hub, "r-since", { cursor: {}, since: since - 1 });
    expect([again.events.length, gone(again)]).toEqual([3, 0]);
  });

  it("comes as fast as it is read, however much it is", async () => {
    const hub = hubOf("r-much");
    const shard = new Shard("r-much");
    const first = await watch(hub, { script: "r-much" });
    await hub.push(shard.push([shard.some(1, () => ({ duration: 0 }))]));
    await until(async () => first.events.length === 1);
    const missed = await leaves(first);
    let n = 1;
    for (let k = 0; k < 20; k++) {
      await hub.push(shard.push([shard.some(20, () => ({ duration: n++, message: "x".repeat(5_000) }))]));
    }
    const again = await connect(hub, { script: "r-much", rate: LIVE_MAX_RATE });
    again.acks = false;
    again.say({ type: "resume", ...missed });
    await until(async () => again.chars > 400_000);
    expect(again.of("resumed")).toHaveLength(0);
    await hub.push(shard.push([shard.some(1, () => ({ duration: n++ }))]));
    again.acks = true;
    again.ack();
    await again.hears("resumed");
    await until(async () => again.events.length === 401);
    expect(numbers(again)).toEqual(upTo(402, 1));
    expect(again.notShown).toBe(0);
  });

  it("is not there any more beyond its bounds: what is gone is counted", async () => {
    const hub = hubOf("r-bound");
    const shard = new Shard("r-bound");
    const first = await watch(hub, { script: "r-bound", q: "status:500" });
    await hub.push(shard.push([shard.some(1, () => ({ status: 500 }))]));
    await until(async () => first.events.length === 1);
    const missed = await leaves(first);
    const entries = upTo(RING_ENTRIES + 100).map(() => shard.some(2));
    for (let at = 0; at < entries.length; at += 500) await hub.push(shard.push(entries.slice(at, at + 500)));
    const again = await comesAgain(hub, "r-bound", missed, "status:200");
    expect([again.matched, gone(again)]).toEqual([RING_ENTRIES * 2, 200]);
  });
});

describe("a shard's own log", () => {
  it("has what a hub lost with its memory; nothing comes twice", async () => {
    const script = "r-log";
    const hub = hubOf(script);
    let n = 0;
    const append = (count: number) =>
      ingester(script).append(
        appendOf(
          script,
          Array.from({ length: count }, () => invocation(script, Date.now() * 1_000, { duration: n++ })),
        ),
      );
    const [first, other] = [await watch(hub, { script }), await watch(hub, { script })];
    await append(3);
    await until(async () => first.events.length === 3);
    const missed = await leaves(first);
    await append(4);
    await until(async () => other.events.length === 7);
    await evictDurableObject(hub, { webSockets: "close" });
    await append(2);
    const again = await comesAgain(hub, script, missed);
    await append(1);
    await until(async () => again.events.length === 7);
    expect(numbers(again)).toEqual(upTo(10, 3));
    expect(gone(again)).toBe(0);
  });

  it("has no more what was sealed: exactly so much is gone", async () => {
    const script = "r-sealed";
    const hub = hubOf(script);
    const append = (count: number) =>
      ingester(script).append(
        appendOf(
          script,
          Array.from({ length: count }, () => invocation(script, Date.now() * 1_000)),
        ),
      );
    const [first, other] = [await watch(hub, { script }), await watch(hub, { script })];
    await append(3);
    await until(async () => first.events.length === 3);
    const missed = await leaves(first);
    await append(4);
    await until(async () => other.events.length === 7);
    await evictDurableObject(hub, { webSockets: "close" });
    expect(await ingester(script).seal()).toEqual({ ok: true });
    await append(2);
    const again = await comesAgain(hub, script, missed);
    await until(async () => again.events.length === 2);
    expect(gone(again)).toBe(4);
  });

  it("has no more what was sealed: what the ring still has of it is not gone", async () => {
    const script = "r-both";
    const hub = hubOf(script);
    const append = (count: number) =>
      ingester(script).append(
        appendOf(
          script,
          Array.from({ length: count }, () => invocation(script, Date.now() * 1_000)),
        ),
      );
    const [first, other] = [await watch(hub, { script }), await watch(hub, { script })];
    await append(3);
    await until(async () => first.events.length === 3);
    const missed = await leaves(first);
    await append(4);
    await until(async () => other.events.length === 7);
    // The ring begins anew here.
    await evictDurableObject(hub, { webSockets: "close" });
    const third = await watch(hub, { script });
    await append(5);
    await until(async () => third.events.length === 5);
    expect(await ingester(script).seal()).toEqual({ ok: true });
    const again = await comesAgain(hub, script, missed);
    expect([again.events.length, gone(again)]).toEqual([5, 4]);
  });

  it("is asked for no shard but the hub's own", async () => {
    const hub = hubOf("r-own");
    await ingester("r-other").append(appendOf("r-other", [invocation("r-other", Date.now() * 1_000)]));
    const viewer = await comesAgain(hub, "r-own", { cursor: { "r-other": "0.0" }, since: 0 });
    expect([viewer.events.length, gone(viewer)]).toEqual([0, 0]);
  });
});

describe("a push that is tried again", () => {
  it("is shown once, with what is new in it", async () => {
    const hub = hubOf("r-retry");
    const shard = new Shard("r-retry");
    const viewer = await watch(hub, { script: "r-retry" });
    const [one, two, three] = [0, 1, 2].map((n) => shard.some(2, () => ({ duration: n }))) as [never, never, never];
    await hub.push(shard.push([one, two]));
    await hub.push(shard.push([one, two]));
    await hub.push(shard.push([two, three]));
    await until(async () => viewer.matched === 6);
    expect(numbers(viewer)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(viewer.unchecked).toBe(0);
  });

  it("that brings less than was logged says how much was left out", async () => {
    const hub = hubOf("r-gap");
    const shard = new Shard("r-gap");
    const viewer = await watch(hub, { script: "r-gap" });
    await hub.push(shard.push([shard.some(2)]));
    shard.some(7);
    await hub.push(shard.push([shard.some(1)], 7));
    await until(async () => viewer.matched === 3);
    expect(viewer.unchecked).toBe(7);
  });
});

describe("a hub nobody watches any more", () => {
  it("keeps its leases for a moment, and then ends them", async () => {
    const hub = hubOf("r-linger");
    const shard = new Shard("r-linger");
    const viewer = await watch(hub, { script: "r-linger" });
    const held = await hub.push(shard.push([shard.some(1)]));
    await leaves(viewer);
    const lingering = await hub.push(shard.push([shard.some(1)]));
    expect(lingering.until).toBeLessThan(held.until);
    expect(lingering.until).toBeGreaterThan(Date.now());
  });
});

describe("who asks for what was missed", () => {
  it("again and again is sent away: once a connection is what it takes", async () => {
    const hub = hubOf("r-greedy");
    const viewer = await connect(hub, { script: "r-greedy" });
    for (let k = 0; k <= RESUMES_BURST; k++) viewer.say({ type: "resume", cursor: {}, since: 1 });
    expect(await viewer.closed).toBe(LIVE_CLOSE.badMessage);
  });

  it("with a position that is made up is held to its rate like all others", async () => {
    const hub = hubOf("r-forged");
    const [one, other] = [new Shard("r-forged"), new Shard("r-forged-other")];
    await hub.push(other.push([other.some(1)]));
    await hub.push(one.push([one.some(1)]));
    const viewer = await connect(hub, { rate: 10 });
    viewer.say({
      type: "resume",
      cursor: { [other.shard]: "999999999999999.999999999999999" },
      since: Date.now() + 60_000,
    });
    await viewer.hears("resumed");
    for (let k = 0; k < 10; k++) await hub.push(one.push([one.some(20)]));
    await until(async () => viewer.matched === 200);
    expect(viewer.events.length).toBeLessThan(60);
    expect(viewer.events.length + viewer.notShown).toBe(200);
  });
});
