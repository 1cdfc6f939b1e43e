/** What a lane's window holds in memory: an item holds on to its whole invocation. */
import { expect, it } from "vitest";
import { Lane } from "../../../../workers/delivery/courier/lane.ts";
import { loadPage } from "../../../../workers/delivery/courier/loading.ts";
import { Ceiling } from "../../../../workers/delivery/rules/ceiling.ts";
import type { TailraceEvent } from "../../../../workers/event/event.ts";
import type { EventItem, Invocation } from "../../../../workers/integrations/contract.ts";

const LINE = "x".repeat(1_000);

function invocation(n: number, lines: number): Invocation {
  const id = n.toString(16).padStart(32, "0");
  const events = Array.from({ length: lines + 1 }, (_, seq): TailraceEvent => {
    const kind = seq < lines ? "log" : "exception";
    return { time: n, kind, script: "shop", invocation_id: id, seq, sample_weight: 1, message: LINE };
  });
  return { script: "shop", id, events };
}

/** Errors alone are sent; their invocations come along. */
const rules = {
  ...{ takesEvents: true, takesNotices: false, errorsOnly: true, perMinute: null },
  feeds: ["errors" as const],
  wants: () => true,
  notices: () => [],
  items: (it: Invocation) => ({
    items: it.events
      .filter(({ kind }) => kind === "exception")
      .map((event): EventItem => ({ id: it.id, tags: {}, feed: "errors", event, invocation: it })),
    sampled: 0,
  }),
};

function pageOf(from: number, count: number, lines: number) {
  const invocations = Array.from({ length: count }, (_, n) => invocation(from + n, lines));
  return {
    ...{ invocations, more: true, use: 0, from: "log" as const, lost: 0, waiting: 0, oldest: null, isBusy: false },
    after: (n: number) => ({ through: from + n, offset: 0 }),
  };
}

function laneWith(count: number, lines: number): Lane {
  const lane = new Lane({
    ...{ kind: "log", shard: "shop", script: "shop", ahead: new Set() },
    position: { through: 0, offset: 0 },
  });
  lane.load(
    loadPage(pageOf(0, count, lines), rules, new Ceiling(null), null),
    { through: count, offset: 0 },
    Date.now(),
  );
  return lane;
}

it("counts all events of an invocation, once", () => {
  const lane = laneWith(100, 20);
  expect(lane.waitingItems).toBe(100);
  expect(lane.bytes).toBeGreaterThan(100 * 21 * LINE.length);
  expect(lane.bytes).toBeLessThan(2 * 100 * 21 * LINE.length);
});

it("lets go of what is done, also beyond one that is not", () => {
  const lane = laneWith(50, 20);
  const all = lane.bytes;
  const slots = [...lane.ready(Date.now(), false)];
  for (const slot of slots) lane.take(slot);
  for (const slot of slots.slice(1)) lane.done(slot);
  lane.putBack(slots[0] as (typeof slots)[number]);
  expect(lane.advance()).toEqual([]);
  expect(lane.bytes).toBe(all / 50);
  // With the next page, before it is added.
  lane.load(loadPage(pageOf(50, 1, 20), rules, new Ceiling(null), null), { through: 51, offset: 0 }, Date.now());
  const held = slots.flatMap(({ item }) => (item.feed === "notices" ? [] : item.invocation.events));
  expect(held).toHaveLength(21);
  // What is remembered of them is their ids.
  expect(lane.state().ahead.size).toBe(49);
});

it("is empty when all is done", () => {
  const lane = laneWith(3, 5);
  for (const slot of [...lane.ready(Date.now(), false)]) {
    lane.take(slot);
    lane.done(slot);
  }
  expect(lane.advance()).not.toHaveLength(0);
  expect(lane).toMatchObject({ bytes: 0, waitingItems: 0, items: 0 });
});
