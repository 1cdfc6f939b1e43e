/** The Live page's socket: what it says and when, how it comes back, and what it takes for heard. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiFailure } from "../../../../dashboard/src/api/client.ts";
import { type Connection, LiveStream } from "../../../../dashboard/src/state/live-stream.ts";
import { LIVE_ACK_CHARS, LIVE_ACK_MS, LIVE_CLOSE, LIVE_PING_MS } from "../../../../workers/api/contract.ts";
import { event, events, FakeWorld, ready, stopTime } from "./world.ts";

let world: FakeWorld;
let stream: LiveStream;
let states: Connection[];
let heard: string[];
let resumed: { gone: number; since: number }[];
let problems: { code: string }[];

function start(q = "", script = ""): void {
  states = [];
  heard = [];
  resumed = [];
  problems = [];
  stream = new LiveStream(
    { script, q },
    {
      connection: (now) => states.push(now),
      ready: () => undefined,
      events: (message) => heard.push(...message.events.map((e) => String(e.message))),
      resumed: (gone, since) => resumed.push({ gone, since }),
      problem: (failure) => problems.push(failure),
    },
    world,
  );
}

function connected(q = "", script = ""): void {
  start(q, script);
  world.socket.open();
  world.socket.says(ready(q));
}

const last = () => states.at(-1);
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** Longer than any wait between two tries. */
const LONG_MS = 61_000;

beforeEach(() => {
  stopTime();
  world = new FakeWorld();
});
afterEach(() => {
  stream.close();
  vi.useRealTimers();
});

test("it is connecting until the server is ready, then live", () => {
  start("status:500", "shop a&b");
  expect(world.socket.url).toBe("/api/v1/live?script=shop+a%26b&q=status%3A500");
  expect(states).toEqual([{ state: "connecting" }]);
  world.socket.open();
  world.socket.says(ready("status:500"));
  expect(last()).toEqual({ state: "live" });
});

test("after a break it says when it tries again, does, and asks for what it missed", async () => {
  connected();
  world.socket.says(events(7, [event(1)]));
  world.socket.ends();
  expect(last()).toMatchObject({ state: "waiting", reason: "the connection broke" });
  const until = (last() as { until: number }).until;
  await wait(until - Date.now() - 1);
  expect(world.sockets).toHaveLength(1);
  await wait(1);
  expect(world.sockets).toHaveLength(2);
  world.socket.open();
  expect(world.socket.said[0]).toEqual({ type: "resume", cursor: { shop: "7.70" }, since: 1007 });
});

test("a first connection asks for nothing that was before it", () => {
  connected();
  expect(world.socket.said.filter((r) => r.type === "resume")).toEqual([]);
});

test("what it heard before is not shown twice, and what it missed is", async () => {
  connected();
  world.socket.says(events(7, [event(1)]));
  world.socket.ends();
  await wait(LONG_MS);
  world.socket.open();
  world.socket.says(ready("", 2000));
  // Where the stream is by now comes first, the replay after it.
  world.socket.says(events(9, [], { matched: 0 }));
  world.socket.says(events(7, [event(1)]));
  world.socket.says(events(8, [event(2)]));
  world.socket.says(events(9, [event(3)]));
  world.socket.says({ type: "resumed", now: 2001, gone: 12 });
  world.socket.says(events(9, [event(3)]));
  world.socket.says(events(10, [event(4)]));
  expect(heard).toEqual(["event 1", "event 2", "event 3", "event 4"]);
  expect(resumed).toEqual([{ gone: 12, since: 1007 }]);
});

test("broken off in the middle of the replay, it goes on where the replay had come to", async () => {
  connected();
  world.socket.says(events(7, [event(1)]));
  world.socket.ends();
  await wait(LONG_MS);
  world.socket.open();
  world.socket.says(ready("", 5000));
  world.socket.says(events(20, [], { matched: 0 }));
  world.socket.says(events(8, [event(2)]));
  world.socket.ends();
  await wait(LONG_MS);
  world.socket.open();
  expect(world.socket.said[0]).toEqual({ type: "resume", cursor: { shop: "8.80" }, since: 1007 });
});

test("tries that fail come ever more seldom, and a good connection forgets them", async () => {
  start();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    world.socket.ends();
    waits.push((last() as { until: number }).until - Date.now());
    await wait(waits.at(-1) as number);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  world.socket.open();
  world.socket.says(ready());
  for (let i = 0; i < 3; i++) {
    await wait(LIVE_PING_MS);
    world.socket.says("pong");
  }
  world.socket.ends();
  expect((last() as { until: number }).until - Date.now()).toBe(500);
});

test("who does not want to wait tries at once", async () => {
  start();
  world.socket.ends();
  stream.retry();
  expect(world.sockets).toHaveLength(2);
  await wait(LONG_MS / 6);
  expect(world.sockets).toHaveLength(2);
});

test("a socket that neither opens nor fails is given up", async () => {
  start();
  await wait(15_000);
  expect(world.sockets[0]?.closed).toBe(true);
  expect(last()).toMatchObject({ state: "waiting", reason: "it does not answer" });
});

test("it pings; a connection that no longer answers is left and made anew", async () => {
  connected();
  await wait(LIVE_PING_MS);
  expect(world.socket.sent.at(-1)).toBe("ping");
  world.socket.says("pong");
  await wait(LIVE_PING_MS);
  expect(last()).toEqual({ state: "live" });
  await wait(LIVE_PING_MS);
  expect(last()).toMatchObject({ state: "waiting", reason: "nothing came for a while" });
  expect(world.sockets[0]?.closed).toBe(true);
});

test("it says how many characters it has read: at once when they are many, else a moment later, and only once", async () => {
  connected();
  await wait(LIVE_ACK_MS);
  const first = world.socket.said.length;
  const readyChars = JSON.stringify(ready()).length;
  expect(world.socket.said.at(-1)).toEqual({ type: "ack", chars: readyChars });
  // The moment has passed since the last one: at once.
  const one = world.socket.says(events(1, [event(1)]));
  expect(world.socket.said.at(-1)).toEqual({ type: "ack", chars: readyChars + one });
  const two = world.socket.says(events(2, [event(2)]));
  expect(world.socket.said).toHaveLength(first + 1);
  await wait(LIVE_ACK_MS);
  expect(world.socket.said.at(-1)).toEqual({ type: "ack", chars: readyChars + one + two });
  const big = world.socket.says(events(3, [event(3, { message: "x".repeat(LIVE_ACK_CHARS) })]));
  expect(world.socket.said.at(-1)).toEqual({ type: "ack", chars: readyChars + one + two + big });
  const said = world.socket.said.length;
  world.socket.says("pong");
  await wait(5 * LIVE_ACK_MS);
  expect(world.socket.said).toHaveLength(said);
});

test("in a hidden tab, where timers come late, it says what it has read with every message", () => {
  world.isHidden = true;
  connected();
  for (let i = 1; i <= 3; i++) world.socket.says(events(i, [event(i)]));
  expect(world.socket.said.filter((r) => r.type === "ack")).toHaveLength(4);
});

test("another filter goes over the open socket", () => {
  connected();
  stream.filter("level:error");
  expect(world.sockets).toHaveLength(1);
  expect(world.socket.said.at(-1)).toEqual({ type: "filter", q: "level:error" });
});

test("a filter that changed while the connection was made is said as soon as it stands", () => {
  start("old");
  stream.filter("new");
  expect(world.sockets).toHaveLength(1);
  world.socket.open();
  expect(world.socket.said).toEqual([{ type: "filter", q: "new" }]);
});

test("after a break it begins with the last filter that was taken, not with one that was refused", async () => {
  connected("good");
  stream.filter("bad |");
  world.socket.says({ type: "problem", now: 1, code: "bad_query", message: "no pipes" });
  expect(problems).toMatchObject([{ code: "bad_query" }]);
  world.socket.ends();
  await wait(LONG_MS);
  expect(world.socket.url).toBe("/api/v1/live?q=good");
  world.socket.open();
  expect(world.socket.said.map((r) => r.type)).toEqual(["resume"]);
});

test("a refusal that does not pass by itself ends it, and says why; another filter tries again", async () => {
  world.refusal = new ApiFailure(403, "forbidden", "This token may not look.");
  start();
  world.socket.ends();
  await wait(LONG_MS);
  expect(world.sockets).toHaveLength(1);
  expect(last()).toEqual({ state: "ended", reason: "This token may not look." });
  world.refusal = undefined;
  stream.filter("level:error");
  expect(world.sockets).toHaveLength(2);
});

test.each([429, 500, 503, 0])("a refusal with %i is one that passes", async (status) => {
  world.refusal = new ApiFailure(status, "busy", "Later.");
  start();
  world.socket.ends();
  await wait(LONG_MS);
  expect(world.sockets.length).toBeGreaterThan(1);
});

test("when what let it in has ended, it asks whether that is so before it comes again", async () => {
  connected();
  let asked = 0;
  world.ask = async () => {
    asked++;
    return new ApiFailure(401, "unauthorized", "Log in.");
  };
  world.socket.ends(LIVE_CLOSE.credentialEnded);
  await wait(LONG_MS);
  expect(asked).toBe(1);
  expect(last()).toMatchObject({ state: "ended" });
});

test("a cursor that the server does not take is not handed in again", async () => {
  connected();
  world.socket.says(events(7, [event(1)]));
  world.socket.ends(LIVE_CLOSE.badMessage);
  await wait(LONG_MS);
  world.socket.open();
  expect(world.socket.said).toEqual([]);
});

test("left, it has no connection; come back, it goes on", async () => {
  connected();
  world.socket.says(events(7, [event(1)]));
  stream.leave();
  expect(world.sockets[0]?.closed).toBe(true);
  await wait(LONG_MS);
  expect(world.sockets).toHaveLength(1);
  stream.retry();
  world.socket.open();
  expect(world.socket.said[0]).toMatchObject({ type: "resume", cursor: { shop: "7.70" } });
});

test("closed, it stays closed", async () => {
  connected();
  stream.close();
  stream.retry();
  world.sockets[0]?.ends();
  await wait(LONG_MS);
  expect(world.sockets).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
