/** The live stream over as many connections as it takes: nothing lost, nothing twice, and no try too many. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { CliFailure } from "../../../../cli/failure.ts";
import { LiveSession } from "../../../../cli/tail/session.ts";
import { LIVE_ACK_CHARS, LIVE_ACK_MS, LIVE_PING, LIVE_PING_MS, LIVE_PONG } from "../../../../workers/api/contract.ts";
import { events, FakeClock, FakePlatform, ready } from "./fake-stream.ts";

let clock: FakeClock;
let platform: FakePlatform;
let log: string[];
let failure: CliFailure | undefined;

function start(sinceMs?: number, q = ""): LiveSession {
  clock = new FakeClock();
  platform = new FakePlatform();
  log = [];
  failure = undefined;
  const session = new LiveSession({
    connect: platform.connect,
    timers: clock,
    random: () => 1,
    q,
    sinceMs,
    listener: {
      connected: (_ready, isAgain) => log.push(isAgain ? "again" : "connected"),
      events: ({ events }) => log.push(...events.map(({ message }) => String(message))),
      resumed: (gone) => log.push(`resumed, ${gone} gone`),
      lost: (why, waitMs) => log.push(`lost: ${why}, ${waitMs}`),
      problem: (message) => log.push(`problem: ${message}`),
      failed: (why) => {
        failure = why;
      },
    },
  });
  session.start();
  return session;
}

/** A connection that is up, at a position. */
function connected(now = 5_000, at = { "shop#0": "7.70" }): void {
  platform.last.open();
  platform.last.hears(ready(now));
  platform.last.hears(events(now, at, []));
}

describe("a lost connection", () => {
  beforeEach(() => {
    start();
    connected();
  });

  it("is made again, and goes on after what was heard last", () => {
    platform.last.hears(events(5_100, { "shop#0": "8.71" }, ["a"]));
    platform.last.hears(events(5_200, { "shop#1": "3.9" }, ["b"]));
    platform.last.breaks(1012, "redeploy");
    expect(log.at(-1)).toBe("lost: Tailrace is being restarted: redeploy, 500");
    clock.pass(499);
    expect(platform.sockets).toHaveLength(1);
    clock.pass(1);
    expect(platform.sockets).toHaveLength(2);
    platform.last.open();
    // Before anything is heard: the hub holds new events back for it.
    const cursor = { "shop#0": "8.71", "shop#1": "3.9" };
    expect(platform.last.requests("resume")).toEqual([{ type: "resume", cursor, since: 5_200 }]);
    platform.last.hears(ready(6_000));
    platform.last.hears(events(6_000, { "shop#0": "9.72" }, ["c"]));
    platform.last.hears({ type: "resumed", now: 6_000, gone: 4 });
    expect(log.slice(-3)).toEqual(["again", "c", "resumed, 4 gone"]);
  });

  it("does not show again what was heard before", () => {
    platform.last.hears(events(5_100, { "shop#0": "12.90" }, ["a"]));
    platform.last.hears(events(5_200, { "shop#0": "9.80" }, ["old"]));
    platform.last.hears(events(5_300, { "shop#0": "12.90" }, ["again"]));
    platform.last.hears(events(5_400, { "shop#0": "12.90", "shop#1": "1.1" }, ["partly new"]));
    platform.last.hears(events(5_500, { "shop#0": "100.900" }, ["b"]));
    expect(log).toEqual(["connected", "a", "partly new", "b"]);
  });

  it("that breaks again in mid-replay asks for the rest, not from where the stream stands", () => {
    platform.last.breaks();
    clock.pass(500);
    platform.last.open();
    platform.last.hears(ready(60_000));
    platform.last.hears(events(60_000, { "shop#0": "90.900", "new#0": "4.4" }, []));
    platform.last.hears(events(60_000, { "shop#0": "30.300" }, ["replayed"]));
    platform.last.breaks();
    clock.pass(1_000);
    platform.last.open();
    expect(platform.last.requests("resume")).toEqual([
      { type: "resume", cursor: { "shop#0": "30.300" }, since: 5_000 },
    ]);
    platform.last.hears(ready(61_000));
    platform.last.hears(events(61_000, { "shop#0": "91.910", "new#0": "5.5" }, []));
    platform.last.hears(events(61_000, { "shop#0": "90.900" }, ["more"]));
    platform.last.hears({ type: "resumed", now: 61_500, gone: 0 });
    platform.last.breaks();
    clock.pass(2_000);
    platform.last.open();
    expect(platform.last.requests("resume")).toEqual([
      { type: "resume", cursor: { "shop#0": "91.910", "new#0": "5.5" }, since: 61_500 },
    ]);
  });

  it("is waited for longer and longer, up to 20 s, and briefly again after a good one", () => {
    const waits: number[] = [];
    const lose = () => {
      platform.last.ends({ tag: "unreachable", why: "ECONNREFUSED" });
      const wait = Number(/, (\d+)$/.exec(log.at(-1) as string)?.[1]);
      waits.push(wait);
      clock.pass(wait);
    };
    for (let i = 0; i < 8; i++) lose();
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    connected(90_000);
    clock.pass(10_000);
    lose();
    expect(waits.at(-1)).toBe(500);
    // One that is taken and dropped at once is none.
    connected(91_000);
    lose();
    expect(waits.at(-1)).toBe(1_000);
  });

  it("waits as long as an overloaded platform asks for", () => {
    platform.last.ends({ tag: "refused", retry: true, retryAfterMs: 7_000, failure: { message: "429" } as CliFailure });
    expect(log.at(-1)).toBe("lost: 429, 7500");
  });
});

it("asks for the past at the first connection, from the time it was asked for", () => {
  start(30_000);
  platform.last.ends({ tag: "unreachable", why: "ECONNREFUSED" });
  clock.pass(500);
  platform.last.open();
  expect(platform.last.requests("resume")).toEqual([{ type: "resume", cursor: {}, since: 970_000 }]);
});

describe("gives up", () => {
  it("when the token is revoked", () => {
    start();
    connected();
    platform.last.breaks(4001);
    expect(failure?.message).toMatch(/revoked or has expired/);
    expect(failure?.exitCode).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  it("when the platform does not understand it", () => {
    start();
    connected();
    platform.last.breaks(4002, "too long");
    expect(failure?.message).toMatch(/of one version\? .*too long/);
  });

  it("when it is refused for good", () => {
    start();
    platform.last.ends({ tag: "refused", retry: false, failure: { message: "401" } as CliFailure });
    expect(failure?.message).toBe("401");
    expect(platform.sockets).toHaveLength(1);
  });

  it("when the filter is not understood, and shows where", () => {
    start(undefined, "status:>=500 AND )");
    platform.last.open();
    const message = "expected a filter at column 18, found )";
    platform.last.hears({ type: "problem", now: 1, code: "bad_query", message, details: { position: 17 } });
    expect(failure?.message).toBe(
      `the filter is not understood: ${message}\n  status:>=500 AND )\n  ${" ".repeat(17)}^`,
    );
    expect(failure?.exitCode).toBe(2);
    expect(platform.last.done).toEqual(["close"]);
  });

  it("but not when an issue of the filter cannot be looked up at present", () => {
    start(undefined, "issue:12");
    platform.last.open();
    platform.last.hears({ type: "problem", now: 1, code: "unavailable", message: "The catalog did not answer" });
    expect(failure).toBeUndefined();
    clock.pass(500);
    expect(platform.sockets).toHaveLength(2);
  });
});

describe("how much was read", () => {
  it("is told after so many characters, or after a second", () => {
    start();
    platform.last.open();
    let chars = platform.last.hears(ready(1)).length;
    expect(platform.last.requests("ack")).toEqual([]);
    clock.pass(LIVE_ACK_MS);
    expect(platform.last.requests("ack")).toEqual([{ type: "ack", chars }]);
    chars += platform.last.hears(events(2, { a: "1.1" }, ["ä€😀".repeat(LIVE_ACK_CHARS / 4)])).length;
    expect(platform.last.requests("ack").at(-1)).toEqual({ type: "ack", chars });
    platform.last.hears(LIVE_PONG);
    clock.pass(LIVE_ACK_MS);
    expect(platform.last.requests("ack")).toHaveLength(2);
  });

  it("is not told while it cannot be written, and at once when it can", () => {
    const session = start();
    connected();
    session.hold();
    expect(platform.last.done).toEqual(["pause"]);
    platform.last.hears(events(2, { a: "1.1" }, ["x".repeat(LIVE_ACK_CHARS)]));
    clock.pass(10 * LIVE_ACK_MS);
    expect(platform.last.requests("ack")).toEqual([]);
    session.release();
    expect(platform.last.done).toEqual(["pause", "resume"]);
    expect(platform.last.requests("ack")).toHaveLength(1);
  });

  it("begins anew with each connection, and a new one waits as well", () => {
    const session = start();
    connected();
    clock.pass(LIVE_ACK_MS);
    session.hold();
    platform.last.breaks();
    clock.pass(500);
    expect(platform.last.done).toEqual(["pause"]);
    platform.last.open();
    const { length } = platform.last.hears(ready(2));
    session.release();
    expect(platform.last.requests("ack")).toEqual([{ type: "ack", chars: length }]);
  });
});

describe("a connection that is open on one side only", () => {
  it("is noticed by a ping that nobody answers", () => {
    start();
    connected();
    clock.pass(LIVE_PING_MS);
    expect(platform.last.said.filter((text) => text === LIVE_PING)).toHaveLength(1);
    platform.last.hears(LIVE_PONG);
    clock.pass(LIVE_PING_MS);
    expect(platform.sockets).toHaveLength(1);
    clock.pass(10_000);
    expect(platform.last.done).toEqual(["destroy"]);
    expect(log.at(-1)).toMatch(/^lost: nothing comes through/);
    clock.pass(500);
    expect(platform.sockets).toHaveLength(2);
  });

  it("is noticed when not even the first word comes", () => {
    start();
    platform.last.open();
    clock.pass(15_000);
    expect(log.at(-1)).toMatch(/^lost: nothing comes through/);
  });

  it("is not suspected while nothing is read here", () => {
    const session = start();
    connected();
    session.hold();
    clock.pass(10 * LIVE_PING_MS);
    expect(platform.sockets).toHaveLength(1);
    expect(platform.last.said.filter((text) => text === LIVE_PING)).toHaveLength(10);
    session.release();
    clock.pass(LIVE_PING_MS + 10_000);
    expect(platform.last.done.at(-1)).toBe("destroy");
  });
});

it("leaves nothing behind when it ends, whenever that is", () => {
  for (const reach of [() => {}, () => platform.last.open(), connected, () => platform.last.breaks()]) {
    const session = start();
    reach();
    session.end();
    expect(clock.waiting).toBe(0);
    platform.last.hears(events(9, { a: "1.1" }, ["late"]));
    clock.pass(100_000);
    expect(log).not.toContain("late");
    expect(platform.sockets).toHaveLength(1);
  }
});

it("whatever the platform says, it does not fail", () => {
  const word = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom('{"type":"nothing"}', '{"type":"events","at":{},"events":[],"matched":0}', "null", LIVE_PONG),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      start();
      platform.last.open();
      for (const text of words) platform.last.hears(text);
      expect(failure).toBeUndefined();
    }),
  );
});
