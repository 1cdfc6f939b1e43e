import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Flush } from "../../../workers/self/contract.ts";
import { linesOf } from "../../../workers/self/lines.ts";
import { Tally } from "../../../workers/self/tally.ts";
import { Totals } from "../../../workers/self/totals.ts";

const NAME = "tailrace_ingest_events_total";
/** Its Worker is no line of its own. */
const LINE = JSON.stringify([NAME]);
const MINUTE = 60_000;
const flush = (isolate: string, number: number, worker: string, amount: number): Flush => ({
  isolate,
  number,
  increments: [{ name: NAME, labels: [worker], amount }],
});
const sum = (totals: Totals) => totals.seriesOf(NAME).reduce((all, { amount }) => all + amount, 0);

describe("an isolate's tally", () => {
  test("hands out the same flush until it is confirmed, and what came meanwhile with the next", () => {
    const tally = new Tally();
    tally.add(NAME, ["shop"], 1);
    const first = tally.take();
    tally.add(NAME, ["shop"], 2);
    expect(tally.take()).toBe(first);
    tally.confirm(first);
    expect(tally.take()).toMatchObject({ number: first.number + 1, increments: [{ amount: 2 }] });
  });

  test("is bounded: names beyond are added up as others, none is lost", () => {
    const tally = new Tally();
    for (let n = 0; n < 5_000; n++) tally.add(NAME, [`w${n}`.padEnd(300, "x")], 1);
    const { increments } = tally.take();
    expect(increments.length).toBeLessThanOrEqual(2_001);
    expect(increments.reduce((all, { amount }) => all + amount, 0)).toBe(5_000);
    for (const { labels } of increments) expect(labels[0]?.length).toBeLessThanOrEqual(128);
  });
});

describe("the totals", () => {
  test("hold each flush once, in whatever order they are sent again", () => {
    const sent = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 100 })), { maxLength: 40 });
    fc.assert(
      fc.property(sent, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (list, again) => {
        const totals = new Totals(0);
        const numbers = new Map<string, number>();
        let expected = 0;
        list.forEach(([isolate, amount], n) => {
          const number = (numbers.get(isolate) ?? 0) + 1;
          numbers.set(isolate, number);
          expected += amount;
          for (let i = 0; i < (again[n] ? 3 : 1); i++) totals.add(flush(isolate, number, "shop", amount), 0);
        });
        expect(sum(totals)).toBe(expected);
      }),
    );
  });

  test("keep a thousand names, and the sum of all", () => {
    const totals = new Totals(0);
    for (let n = 1; n <= 3_000; n++) totals.add(flush("a", n, `w${n}`, 1), 0);
    expect(totals.seriesOf(NAME).length).toBeLessThanOrEqual(1_001);
    expect(sum(totals)).toBe(3_000);
  });

  test("take nothing that is no count", () => {
    const totals = new Totals(0);
    for (const amount of [Number.NaN, -1, 0, Number.POSITIVE_INFINITY])
      expect(totals.load({ name: NAME, labels: ["a"], amount })).toBe(false);
    expect(totals.load({ name: "constructor", labels: [], amount: 1 })).toBe(false);
    expect(totals.load({ name: NAME, labels: [], amount: 1 })).toBe(false);
  });

  test("know a rate of whole minutes, and none before there is one", () => {
    const totals = new Totals(10 * MINUTE);
    expect(totals.perMinute(10 * MINUTE + 59_000)).toEqual({});
    totals.add(flush("a", 1, "shop", 30), 10 * MINUTE + 30_000);
    totals.add(flush("a", 2, "shop", 90), 11 * MINUTE + 30_000);
    totals.add(flush("a", 3, "shop", 1_000), 12 * MINUTE + 1_000);
    expect(totals.perMinute(11 * MINUTE + 59_000)).toEqual({ [LINE]: 30 });
    expect(totals.perMinute(12 * MINUTE + 30_000)).toEqual({ [LINE]: 60 });
    // An hour later the line is quiet, and says so.
    expect(totals.perMinute(72 * MINUTE)).toEqual({ [LINE]: 0 });
  });

  test("are a line for each value of a label that names nobody, with its own rate", () => {
    const totals = new Totals(10 * MINUTE);
    const name = "tailrace_ingest_items_total";
    const of = (worker: string, reason: string, amount: number) => ({ name, labels: [worker, reason], amount });
    const increments = [of("shop", "received", 60), of("api", "received", 30), of("shop", "kept", 9)];
    totals.add({ isolate: "a", number: 1, increments }, 10 * MINUTE);
    const series = totals.seriesOf(name);
    const lines = linesOf({ series, perMinute: totals.perMinute(11 * MINUTE) });
    expect(lines.filter((line) => line.name === name)).toMatchObject([
      { labels: { reason: "received" }, value: 90, perMinute: 90 },
      { labels: { reason: "kept" }, value: 9, perMinute: 9 },
    ]);
    expect(lines.find((line) => line.name === NAME)).toMatchObject({ value: 0, perMinute: null });
    expect(JSON.stringify(lines)).not.toMatch(/shop|api/);
  });
});
