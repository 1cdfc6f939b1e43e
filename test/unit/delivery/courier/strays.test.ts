/** A lane that is also read beyond its window: whatever the order of reads, answers and evictions, each item is sent once. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Lane } from "../../../../workers/delivery/courier/lane.ts";
import type { Loaded, Slot, Waits } from "../../../../workers/delivery/courier/slot.ts";
import type { EventItem } from "../../../../workers/integrations/contract.ts";

const NOTHING = { sampled: 0, taken: null, ceiling: 0, lost: 0, rows: 1 };
const NEVER = Number.MAX_SAFE_INTEGER;

function itemAt(n: number): EventItem {
  const id = n.toString(16).padStart(32, "0");
  const event = { time: n, kind: "log" as const, script: "shop", invocation_id: id, seq: 0, sample_weight: 1 };
  const feed = n % 5 === 3 ? "errors" : "logs";
  return { id, tags: {}, feed, event, invocation: { script: "shop", id, events: [event] } };
}

function page(from: number, count: number, end: number): { loaded: Loaded; next: { through: number; offset: number } } {
  const last = Math.min(end, from + count);
  const steps = Array.from({ length: last - from }, (_, i) => ({
    items: [{ item: itemAt(from + i), at: 0, bytes: 10 }],
    ...{ holds: 10, position: () => ({ through: from + i + 1, offset: 0 }), passed: NOTHING },
  }));
  return {
    loaded: { steps, more: last < end, waiting: end - last, oldest: null },
    next: { through: last, offset: 0 },
  };
}

type Step =
  | { do: "load" | "stray" | "send" | "answer" | "fail"; n: number }
  | { do: "evict" }
  | { do: "limit" | "free" };
const counted = fc.constantFrom("load" as const, "stray" as const, "send" as const, "answer" as const, "fail" as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: counted, n: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("limit" as const, "free" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
);

it("sends each item once, and is empty at the end", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const end = 60;
      let lane = new Lane({
        ...{ kind: "log", shard: "shop", script: "shop", ahead: new Set() },
        position: { through: 0, offset: 0 },
      });
      let waits: Waits = {};
      let flying: Slot[] = [];
      const taken: string[] = [];
      const load = (n: number) => {
        const { loaded, next } = page(lane.next.through, n, end);
        lane.load(loaded, next, 1);
      };
      const send = (n: number) => {
        for (const slot of [...lane.ready(1, false, waits)].slice(0, n)) {
          lane.take(slot);
          flying.push(slot);
        }
      };
      const answer = (n: number) => {
        for (const slot of flying.splice(0, n)) {
          taken.push(slot.item.id);
          lane.done(slot);
        }
        lane.advance();
      };
      for (const one of steps) {
        if (one.do === "load") load(one.n);
        else if (one.do === "stray") {
          const { loaded, next } = page(lane.beyondFrom.through, one.n, end);
          lane.stray(loaded, next, waits, 1);
        } else if (one.do === "send") send(one.n);
        else if (one.do === "answer") answer(one.n);
        else if (one.do === "fail") for (const slot of flying.splice(0, one.n)) lane.putBack(slot);
        else if (one.do === "limit") waits = { logs: NEVER };
        else if (one.do === "free") waits = {};
        else {
          // What was under way is not answered for: it is sent again.
          flying = [];
          lane = new Lane(lane.state(), lane.strays.mark);
        }
      }
      waits = {};
      while (lane.next.through < end) load(10);
      send(end);
      answer(end);
      expect(taken.toSorted()).toEqual(Array.from({ length: end }, (_, n) => itemAt(n).id));
      expect(lane).toMatchObject({ waitingItems: 0, waitingBytes: 0, flying: 0, bytes: 0, items: 0 });
      expect([lane.position.through, lane.state().ahead.size]).toEqual([end, 0]);
    }),
    { numRuns: 500 },
  );
});
