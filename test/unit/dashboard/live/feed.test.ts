/** What the Live page holds: one paint per frame, bounded whatever arrives, nothing left out in silence. */
import { effect } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveFeed } from "../../../../dashboard/src/state/live-feed.ts";
import { event, events, FakeWorld, ready, stopTime } from "./world.ts";

const MAX_ROWS = 10_000;

let world: FakeWorld;
let feed: LiveFeed;

beforeEach(() => {
  stopTime();
  world = new FakeWorld();
  feed = new LiveFeed({ script: "", q: "" }, world);
  world.socket.open();
  world.socket.says(ready());
});
afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

let position = 0;
const arrive = (...ns: number[]) =>
  world.socket.says(
    events(
      ++position,
      ns.map((n) => event(n)),
    ),
  );
const shown = () => Array.from({ length: feed.rows.length }, (_, i) => feed.rows.at(i)?.event?.message);

test("whatever arrives between two frames is drawn once", () => {
  let draws = -1;
  const stop = effect(() => {
    feed.drawn.value;
    draws++;
  });
  for (let i = 0; i < 50; i++) arrive(i);
  expect(draws).toBe(0);
  expect(world.frames).toHaveLength(1);
  world.paint();
  expect(draws).toBe(1);
  expect(world.frames).toHaveLength(0);
  expect(feed.rows.length).toBe(50);
  stop();
});

test("figures change a few times per second, and the last ones are told when nothing more comes", () => {
  const told: number[] = [];
  const stop = effect(() => {
    feed.beat.value;
    told.push(feed.rows.length);
  });
  for (let i = 1; i <= 20; i++) {
    arrive(i);
    world.paint();
    vi.advanceTimersByTime(16);
  }
  expect(told.length).toBeLessThan(6);
  vi.advanceTimersByTime(300);
  world.paint();
  expect(told.at(-1)).toBe(20);
  stop();
});

test("an hour at 500 events/s, nobody looking, keeps the newest and grows in nothing", () => {
  world.isHidden = true;
  const batch = Array.from({ length: 500 }, (_, i) => event(i, { invocation_id: "one" }));
  for (let second = 0; second < 3600; second++) {
    world.socket.sent.length = 0;
    world.socket.says(events(++position, batch));
    vi.advanceTimersByTime(1000);
    world.socket.says("pong");
  }
  expect(feed.rows.length).toBe(MAX_ROWS);
  expect(feed.rows.firstNumber).toBe(3600 * 500 - MAX_ROWS);
  expect(world.frames).toHaveLength(1);
  expect(feed.meter.series(Date.now())).toHaveLength(60);
});

test("a pause holds the list still and keeps what comes; going on shows it in order", () => {
  arrive(1);
  world.paint();
  feed.pause();
  arrive(2, 3);
  arrive(4);
  world.paint();
  expect(shown()).toEqual(["event 1"]);
  expect(feed.waiting.length).toBe(3);
  feed.resume();
  expect(shown()).toEqual(["event 1", "event 2", "event 3", "event 4"]);
  expect(feed.waiting.length).toBe(0);
});

test("a pause keeps no more than there is room for, and says in its place what did not fit", () => {
  arrive(1);
  feed.pause();
  const many = Array.from({ length: 1000 }, (_, i) => i);
  for (let i = 0; i < 12; i++) arrive(...many);
  expect(feed.waiting.length).toBe(9000);
  expect(feed.waiting.dropped).toBe(3000);
  feed.resume();
  expect(feed.rows.length).toBe(9002);
  expect(feed.rows.at(0)?.event?.message).toBe("event 1");
  expect(feed.rows.at(1)?.note).toMatchObject({ kind: "dropped", events: 3000 });
  expect(feed.waiting.length + feed.waiting.dropped).toBe(0);
});

test("what is not shown adds up, by kind and by reason", () => {
  world.socket.says(
    events(++position, [event(1)], {
      matched: 11,
      notShown: { events: 10, errors: 2, kinds: { log: 7, exception: 3 } },
      because: "rate",
    }),
  );
  world.socket.says(
    events(++position, [], {
      matched: 5,
      notShown: { events: 5, errors: 0, kinds: { log: 5 } },
      because: "slow",
      unchecked: 4,
    }),
  );
  world.socket.says(
    events(++position, [], { matched: 3, notShown: { events: 3, errors: 0, kinds: { log: 3 } }, because: "size" }),
  );
  expect(feed.missing).toMatchObject({
    events: 18,
    errors: 2,
    kinds: { log: 15, exception: 3 },
    rate: 10,
    slow: 5,
    size: 3,
    unchecked: 4,
    gone: 0,
  });
  expect(feed.meter.rate(Date.now())).toEqual({ matched: 19, shown: 1 });
  feed.clear();
  expect(feed.missing.events).toBe(0);
});

test("what is gone after a break stands between what was before it and what came after", async () => {
  arrive(1);
  world.socket.ends();
  await vi.advanceTimersByTimeAsync(61_000);
  world.socket.open();
  world.socket.says(ready("", 90_000));
  world.socket.says({ type: "resumed", now: 90_001, gone: 345 });
  arrive(2);
  expect(feed.rows.at(1)?.note).toMatchObject({ kind: "gone", events: 345, to: 90_001 });
  expect(feed.missing.gone).toBe(345);
  expect(shown()).toEqual(["event 1", undefined, "event 2"]);
});

test("another filter begins another list; a reconnect with the same one does not", async () => {
  arrive(1);
  world.socket.ends();
  await vi.advanceTimersByTimeAsync(61_000);
  world.socket.open();
  world.socket.says(ready());
  expect(feed.rows.length).toBe(1);
  feed.pause();
  feed.filter("level:error");
  expect(world.socket.said.at(-1)).toEqual({ type: "filter", q: "level:error" });
  expect(feed.rows.length).toBe(1);
  world.socket.says(ready("level:error"));
  expect(feed.rows.length).toBe(0);
  expect(feed.paused.value).toBe(false);
  expect(feed.applied.value).toBe("level:error");
});

test("a filter that is refused leaves the list as it is, says why, and is asked again on demand", () => {
  arrive(1);
  feed.filter("a | b");
  world.socket.says({ type: "problem", now: 1, code: "bad_query", message: "No pipes here", details: { position: 2 } });
  expect(feed.mistake.value).toMatchObject({ message: "No pipes here", details: { position: 2 } });
  expect(feed.applied.value).toBe("");
  expect(feed.rows.length).toBe(1);
  const before = world.socket.said.length;
  feed.filter("a | b");
  expect(world.socket.said).toHaveLength(before + 1);
  feed.filter("");
  world.socket.says(ready(""));
  expect(feed.mistake.value).toBeUndefined();
  expect(feed.rows.length).toBe(1);
});

test("who expands a row reads: the list follows no longer, and counts what is new", () => {
  arrive(1, 2);
  feed.toggle(0);
  expect(feed.follow.value).toBe(false);
  arrive(3);
  expect(feed.fresh).toBe(1);
  feed.setFollow(true);
  expect(feed.fresh).toBe(0);
});

test("no more than twenty rows are expanded at once", () => {
  for (let i = 0; i < 30; i++) arrive(i);
  for (let i = 0; i < 30; i++) feed.toggle(i);
  expect(feed.expanded.value.size).toBe(20);
  expect(feed.expanded.value.has(29)).toBe(true);
});
