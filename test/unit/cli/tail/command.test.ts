/** `tailrace tail` with a platform, a clock and a stdout of the test's own. */
import { beforeEach, describe, expect, it } from "vitest";
import { ApiClient } from "../../../../cli/api/client.ts";
import { tail } from "../../../../cli/commands/tail.ts";
import { CliFailure } from "../../../../cli/failure.ts";
import { Output, type Stream } from "../../../../cli/output.ts";
import type { TailRequest } from "../../../../cli/tail/arguments.ts";
import { LIVE_ACK_MS } from "../../../../workers/api/contract.ts";
import { events, FakeClock, FakePlatform, ready } from "./fake-stream.ts";

class FakeStdout implements Stream {
  text = "";
  isFull = false;
  readonly #listeners: Record<string, (error: Error) => void> = {};
  constructor(
    readonly isTTY = false,
    readonly columns = 100,
  ) {}
  write(text: string): boolean {
    this.text += text;
    return !this.isFull;
  }
  on(event: string, listener: (error: Error) => void): void {
    this.#listeners[event] = listener;
  }
  emit(event: "drain" | "error", code = ""): void {
    this.#listeners[event]?.(Object.assign(new Error(code), { code }));
  }
}

let clock: FakeClock;
let platform: FakePlatform;
let out: FakeStdout;
let said: string;
let interrupt: () => void;
beforeEach(() => {
  clock = new FakeClock();
  platform = new FakePlatform();
  out = new FakeStdout();
  said = "";
});

function start(request: Partial<TailRequest> = {}): Promise<number> {
  const server = { url: "http://t.example", token: "x" };
  const err = { write: (text: string) => (said += text) };
  return tail(
    { command: "tail", server, worker: null, q: "", full: false, ids: false, ...request },
    {
      api: new ApiClient({ ...server, userAgent: "test" }),
      output: new Output({ out, err }),
      streams: { out, err },
      connect: platform.connect,
      timers: clock,
      random: () => 1,
      onInterrupt(run) {
        interrupt = run;
        return () => {
          interrupt = () => {};
        };
      },
    },
  );
}
function connect(): void {
  platform.last.open();
  platform.last.hears(ready(1));
}

describe("what goes where", () => {
  it("lines for people on a terminal, in colour; NDJSON elsewhere; or as it is asked for", async () => {
    const show = async (isTTY: boolean, request: Partial<TailRequest>) => {
      out = new FakeStdout(isTTY);
      const ended = start({ limit: 1, ...request });
      connect();
      platform.last.hears(events(2, { a: "1.1" }, ["hello"]));
      expect(await ended).toBe(0);
      return out.text;
    };
    expect(await show(true, {})).toContain("\u001b[2mlog  \u001b[0m  hello");
    expect(await show(true, { colour: false })).toMatch(/ shop - log {4}hello\n$/);
    expect(await show(false, {})).toMatch(/^\{.*"message":"hello".*\}\n$/);
    expect(await show(true, { json: true })).toMatch(/^\{.*\}\n$/);
    expect(await show(false, { json: false })).toMatch(/ log {4}hello\n$/);
  });

  it("within an invocation, lines go by time with its own first; NDJSON stays as it came", async () => {
    const show = async (request: Partial<TailRequest>) => {
      out = new FakeStdout(false);
      const ended = start({ limit: 3, ...request });
      connect();
      const message = events(2, { a: "1.1" }, ["later", "GET /", "sooner"]);
      if (message.type !== "events") throw new Error("BUG: no events");
      Object.assign(message.events[0] ?? {}, { time: "2026-11-21T04:33:20.207Z" });
      Object.assign(message.events[1] ?? {}, { kind: "invocation" });
      platform.last.hears(message);
      expect(await ended).toBe(0);
      return out.text;
    };
    expect(await show({ json: false })).toMatch(/GET \/[\s\S]*sooner[\s\S]*later/);
    expect(await show({ json: true })).toMatch(/later[\s\S]*GET \/[\s\S]*sooner/);
  });

  it("a line about the stream does not come between a log and what it belongs to", () => {
    void start({ json: false });
    connect();
    platform.last.hears(events(2, { a: "1.1" }, ["one", "two"]));
    platform.last.breaks();
    clock.pass(500);
    connect();
    platform.last.hears(events(3, { a: "2.2" }, ["three"]));
    expect(out.text.split("\n").map((line) => line.slice(13))).toEqual([
      "shop - log    one",
      "  log    two",
      "shop - log    three",
      "",
    ]);
    interrupt();
  });
});

describe("an end", () => {
  it("by the limit is exact, also in mid-message", async () => {
    const ended = start({ limit: 3 });
    connect();
    platform.last.hears(events(2, { a: "1.1" }, ["1", "2"]));
    platform.last.hears(events(3, { a: "2.2" }, ["3", "4"]));
    platform.last.hears(events(4, { a: "3.3" }, ["5"]));
    expect(await ended).toBe(0);
    expect(out.text.split("\n")).toHaveLength(4);
    expect(said).toMatch(/-- 3 events shown, 0 not shown, 0 gone while away\n$/);
    expect(clock.waiting).toBe(0);
    expect(platform.last.done).toEqual(["close"]);
  });

  it("by the time is one, whether events came or not; but not where nothing was ever reached", async () => {
    const seen = start({ forMs: 30_000 });
    connect();
    clock.pass(30_000);
    expect(await seen).toBe(0);
    const unseen = start({ forMs: 30_000 });
    platform.last.ends({ tag: "unreachable", why: "ENOTFOUND" });
    clock.pass(30_000);
    await expect(unseen).rejects.toThrow("http://t.example could not be reached for 30 s: ENOTFOUND");
  });

  it("by Ctrl-C says what was seen and what was not", async () => {
    const ended = start();
    connect();
    platform.last.hears(events(2, { a: "1.1" }, ["1"]));
    const notShown = { events: 4, errors: 0, kinds: { log: 4 } };
    platform.last.hears({ ...events(3, { a: "2.2" }, []), notShown, matched: 4, because: "slow" } as never);
    interrupt();
    expect(await ended).toBe(0);
    expect(said).toMatch(
      /not shown: 4 events \(4 log\), no errors: more than was read here\n-- 1 event shown, 4 not shown, 0 gone/,
    );
  });

  it("of a pipe is quiet, of a disk is not", async () => {
    const piped = start();
    connect();
    said = "";
    out.emit("error", "EPIPE");
    expect(await piped).toBe(0);
    expect(said).toBe("");
    out = new FakeStdout();
    const onDisk = start();
    connect();
    out.emit("error", "ENOSPC");
    await expect(onDisk).rejects.toThrow("the events cannot be written: ENOSPC");
  });

  it("for good is a failure", async () => {
    const ended = start();
    connect();
    platform.last.breaks(4001);
    await expect(ended).rejects.toThrow(CliFailure);
    expect(said).toMatch(/-- 0 events shown/);
  });
});

it("a stdout that is full stops the reading, and nothing is told as read until it has room", () => {
  void start();
  connect();
  clock.pass(LIVE_ACK_MS);
  const told = platform.last.requests("ack").length;
  out.isFull = true;
  platform.last.hears(events(2, { a: "1.1" }, ["1"]));
  expect(platform.last.done).toEqual(["pause"]);
  clock.pass(60_000);
  expect(platform.last.requests("ack")).toHaveLength(told);
  out.isFull = false;
  out.emit("drain");
  expect(platform.last.done).toEqual(["pause", "resume"]);
  expect(platform.last.requests("ack")).toHaveLength(told + 1);
  interrupt();
});

it("what became of the stream is told: lost, connected again, and how much is gone", () => {
  void start();
  connect();
  platform.last.breaks(1012);
  clock.pass(500);
  connect();
  platform.last.hears({ type: "resumed", now: 9, gone: 1_234 });
  platform.last.breaks(1012);
  clock.pass(1_000);
  connect();
  platform.last.hears({ type: "resumed", now: 10, gone: 0 });
  interrupt();
  expect(said).toBe(`-- connected: all events of all Workers, up to 500 a second
-- connection lost (Tailrace is being restarted); trying again in 0.5 s
-- connected again
-- 1,234 events from before, whether they match or not, are gone from the live stream; Explore has them
-- connection lost (Tailrace is being restarted); trying again in 1 s
-- connected again
-- nothing was missed
-- 0 events shown, 0 not shown, 1,234 gone while away
`);
});
