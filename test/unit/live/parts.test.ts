/** The small parts of the hub: what viewers say, positions, the ring, filters and what they cost. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import { scriptOfHub, tailHub } from "../../../workers/live/contract.ts";
import { readFilter } from "../../../workers/live/filter.ts";
import { RING_CHARS, RING_ENTRIES, RING_MS, STEPS_BURST } from "../../../workers/live/limits.ts";
import { Positions, positionText, readPosition } from "../../../workers/live/positions.ts";
import { rateOf, readRequest } from "../../../workers/live/requests.ts";
import { type Received, Ring } from "../../../workers/live/ring.ts";
import { compare, StepBudget } from "../../../workers/live/steps.ts";

const received = (id: number, batch = "", shard = "s"): Received => ({
  ...{ id, through: id, rows: 1, at: 0, batch, extras: "", script: "s", shard },
});

describe("hubs", () => {
  it.each([null, "shop", "tail shop", ""])("of %j are found by their names", (script) => {
    expect(scriptOfHub(tailHub(script))).toBe(script);
  });

  it("of other things are of no Worker", () => {
    expect(scriptOfHub("hub")).toBeUndefined();
  });
});

describe("a viewer's words", () => {
  it("never throw, whatever they are", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readRequest(text).ok === "boolean"));
  });

  it("are taken when they are as agreed", () => {
    for (const request of [
      { type: "filter", q: "status:500", rate: 5 },
      { type: "resume", cursor: { a: "1.2" }, since: 5 },
      { type: "ack", chars: 0 },
    ])
      expect(readRequest(JSON.stringify(request))).toEqual({ ok: true, request });
  });

  it.each([
    [undefined, 500],
    [0, 500],
    [0.5, 1],
    [12.7, 12],
    [1e9, 5_000],
    [Number.NaN, 500],
  ])("rate %s means %i", (asked, rate) => expect(rateOf(asked)).toBe(rate));
});

describe("positions", () => {
  it("are read as they were written, and nothing else is", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (id, through) => {
        expect(readPosition(positionText({ id, through }))).toEqual({ id, through });
      }),
    );
    for (const text of ["", "1", "1.", "-1.2", "1.2.3", "9".repeat(40), "1e3.2"])
      expect(readPosition(text)).toBeUndefined();
  });

  it("tell what has changed since, the latest when it is too much", () => {
    const positions = new Positions();
    positions.pass("a", { id: 1, through: 1, at: 1 });
    const { change } = positions;
    positions.pass("b", { id: 2, through: 2, at: 1 });
    positions.pass("c", { id: 3, through: 3, at: 1 });
    expect(positions.since(change)).toEqual({ b: "2.2", c: "3.3" });
    expect(positions.since(0, 1)).toEqual({ c: "3.3" });
  });

  it("that an Ingester told do not undo what was passed on", () => {
    const positions = new Positions();
    positions.begin("a", { id: 5, through: 9 });
    expect(positions.passedOn("a")).toBe(0);
    positions.pass("a", { id: 6, through: 10, at: 1 });
    positions.begin("a", { id: 8, through: 12 });
    expect([positions.passedOn("a"), positions.get("a")?.through]).toEqual([6, 10]);
  });
});

describe("the ring", () => {
  it("is bounded by count, characters and age", () => {
    const byCount = new Ring();
    for (let id = 0; id < RING_ENTRIES + 10; id++) byCount.add(received(id), 0);
    expect(byCount.from(0, Number.POSITIVE_INFINITY).entries).toHaveLength(RING_ENTRIES);
    expect(byCount.find("s", () => true)?.id).toBe(10);

    const byChars = new Ring();
    for (let id = 0; id < 4; id++) byChars.add(received(id, "x".repeat(RING_CHARS / 2)), 0);
    expect(byChars.from(0, Number.POSITIVE_INFINITY).entries).toHaveLength(2);

    const byAge = new Ring();
    byAge.add(received(1), 0);
    byAge.add(received(2), RING_MS + 1);
    expect(byAge.from(0, Number.POSITIVE_INFINITY).entries.map(({ id }) => id)).toEqual([2]);
  });

  it("is read on from where one was, also when that is gone", () => {
    const ring = new Ring();
    for (let id = 0; id < RING_ENTRIES + 5; id++) ring.add(received(id), 0);
    const { entries, next } = ring.from(2, 0);
    expect([entries[0]?.id, next]).toEqual([5, 6]);
    ring.clear();
    expect(ring.from(next, 10)).toEqual({ entries: [], next: ring.end });
  });
});

describe("a filter", () => {
  it("is the filter part of a query, and nothing more", () => {
    expect(readFilter("status:>=500 -level:info", 0)).toMatchObject({ ok: true });
    expect(readFilter("status:500 | limit 5", 0)).toMatchObject({ ok: false, error: { code: "bad_query" } });
  });

  it("costs no more than there is; what clauses exclude is not in doubt", () => {
    const builder = new BatchBuilder();
    for (let k = 0; k < 100; k++) {
      const message = `${"a".repeat(20_000)}${k}`;
      builder.push({
        time: 0,
        kind: "log",
        script: "s",
        invocation_id: "i",
        seq: k,
        sample_weight: 1,
        message,
        status: k,
      });
    }
    const batch = decodeBatch(builder.encode());
    const read = readFilter("status:<10 message:/(a?){200}[bc]/", 0);
    if (!read.ok || read.filter.node === undefined) throw new Error("not read");
    const budget = new StepBudget(0);
    const { mask, unchecked } = compare(read.filter.node, batch, budget);
    expect([mask.includes(1), unchecked]).toEqual([false, 10]);
    expect(budget.take(STEPS_BURST / 2)).toBe(true);
    budget.refill(1e6);
    expect(budget.take(STEPS_BURST + 1)).toBe(false);
  });
});
