/** Log entries → cells. Pure: what order entries come in, and how they are spread over looks, changes nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RollupBuilder } from "../../../workers/event/rollup.ts";
import { Sketch } from "../../../workers/event/sketch.ts";
import type { Cell } from "../../../workers/rollouts/contract.ts";
import { fold } from "../../../workers/rollouts/evidence/fold.ts";
import { AHEAD_MS, BEFORE_MS, HOURS_KEPT_MS, MINUTES_KEPT_MS } from "../../../workers/rollouts/evidence/limits.ts";
import { pointsOf } from "../../../workers/rollouts/evidence/points.ts";
import { sightOf, silence } from "../../../workers/rollouts/evidence/sight.ts";
import {
  add,
  type Counted,
  type Entry,
  NOTHING_LEFT_OUT,
  type Subject,
} from "../../../workers/rollouts/evidence/sum.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Start of an hour. */
const SINCE = Date.UTC(2026, 10, 20, 10);
const SUBJECT: Subject = { id: "r", script: "shop", old: "old", new: "new", since: SINCE, changes: [] };

const EMPTY: Counted = {
  cells: new Map(),
  ticks: new Map(),
  deaths: new Map(),
  objects: new Set(),
  leftOut: NOTHING_LEFT_OUT,
  newest: { old: null, new: null },
};

interface Item {
  version: string;
  at: number;
  outcome?: string;
  status?: number;
  type?: string;
  entrypoint?: string;
  object?: boolean;
  duration?: number;
  colo?: string;
}

function entryOf(items: readonly Item[], arrivedAt = Math.max(...items.map(({ at }) => at))): Entry {
  const rollups = new RollupBuilder();
  for (const {
    version,
    at,
    outcome = "ok",
    status,
    type = "fetch",
    entrypoint = "",
    object,
    duration,
    colo,
  } of items) {
    const fields = { script: "shop", version_id: version, outcome, event_type: type, entrypoint, sample_weight: 1 };
    const more = {
      ...(status === undefined ? {} : { status }),
      ...(object === true ? { durable_object_id: "x" } : {}),
      ...(colo === undefined ? {} : { colo }),
    };
    rollups.count({ ...fields, ...more }, at * 1000, duration, undefined);
  }
  return { at: arrivedAt, rollups: JSON.stringify(rollups.build()) };
}

const addAll = (entries: readonly Entry[], now: number, subject = SUBJECT, before = EMPTY) =>
  add(before, entries, subject, now).counted;
const list = ({ cells }: Counted): Cell[] => [...cells.values()];
const total = (counted: Counted, of: (cell: Cell) => number) => list(counted).reduce((sum, cell) => sum + of(cell), 0);

const item: fc.Arbitrary<Item> = fc.record({
  version: fc.constantFrom("old", "new", "other", ""),
  at: fc.integer({ min: SINCE - 2 * BEFORE_MS, max: SINCE + 20 * MINUTE_MS }),
  outcome: fc.constantFrom("ok", "exception", "canceled", "exceededMemory", "exceededCpu", "constructor"),
  status: fc.constantFrom(200, 404, 500),
  type: fc.constantFrom("fetch", "queue", "scheduled", "alarm", "rpc"),
  entrypoint: fc.constantFrom("", "Room", "__proto__"),
  duration: fc.integer({ min: 0, max: 5_000 }),
  colo: fc.constantFrom("AMS", "LHR"),
});

describe("cells", () => {
  it("hold each invocation exactly once, as compared, left or collateral, or are left out by a reason", () => {
    fc.assert(
      fc.property(fc.array(fc.array(item, { minLength: 1, maxLength: 20 }), { maxLength: 20 }), (batches) => {
        const now = SINCE + 10 * MINUTE_MS;
        const counted = addAll(
          batches.map((items) => entryOf(items)),
          now,
        );
        const { otherVersion, noVersion, tooEarly, tooLate } = counted.leftOut;
        const inCells = total(counted, (c) => c.n + c.left + c.collateral);
        expect(inCells + otherVersion + noVersion + tooEarly + tooLate).toBeCloseTo(batches.flat().length, 6);
        for (const cell of list(counted)) {
          expect(cell.failed).toBeLessThanOrEqual(cell.n + 1e-9);
          expect(cell.failed).toBeGreaterThanOrEqual(0);
          expect(cell.minute * 1000).toBeLessThanOrEqual(now + AHEAD_MS);
        }
      }),
    );
  });

  it("are the same however entries are spread over looks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(item, { minLength: 1, maxLength: 10 }), { maxLength: 15 }),
        fc.nat(15),
        (batches, cut) => {
          const now = SINCE + 10 * MINUTE_MS;
          const entries = batches.map((items) => entryOf(items));
          const once = addAll(entries, now);
          const twice = addAll(entries.slice(cut), now, SUBJECT, addAll(entries.slice(0, cut), now));
          expect(new Map(twice.cells)).toEqual(new Map(once.cells));
          expect(twice.leftOut).toEqual(once.leftOut);
          expect(new Map(twice.ticks)).toEqual(new Map(once.ticks));
        },
      ),
    );
  });

  it("tell a Durable Object by what the item said, and remember its class", () => {
    const first = addAll(
      [entryOf([{ version: "new", at: SINCE, type: "rpc", entrypoint: "Room", object: true }])],
      SINCE,
    );
    // Read from elsewhere, where only the name is known.
    const second = addAll(
      [entryOf([{ version: "new", at: SINCE, type: "fetch", entrypoint: "Room" }])],
      SINCE,
      SUBJECT,
      first,
    );
    expect(list(second).map((c) => [c.class, c.n])).toEqual([["durable_object", 2]]);
  });

  it("count nothing of what cannot be read, and say so", () => {
    const counted = addAll(
      [{ at: SINCE, rollups: "{" }, { at: SINCE, rollups: "7" }, entryOf([{ version: "new", at: SINCE }])],
      SINCE,
    );
    expect(total(counted, (c) => c.n)).toBe(1);
    expect(sightOf(counted, []).notes).toEqual(["2 batches of telemetry could not be read."]);
  });
});

describe("deaths of isolates", () => {
  const death = (at: number, duration: number, colo = "AMS"): Item => ({
    ...{ version: "new", at, duration, colo },
    outcome: "exceededMemory",
  });
  const counts = (counted: Counted) => [
    total(counted, (c) => c.failed),
    total(counted, (c) => c.n),
    total(counted, (c) => c.collateral),
  ];

  it("count once, though 300 requests in flight began at different times", () => {
    const end = SINCE + 30_000;
    const victims = Array.from({ length: 300 }, (_, i) => death(end - i * 40, i * 40));
    const entries = Array.from({ length: 10 }, (_, i) => entryOf(victims.filter((_, v) => v % 10 === i)));
    expect(counts(addAll(entries, end))).toEqual([1, 1, 299]);
  });

  it("one by one at 50 a second are a disaster still: all that is compared has failed, and it is enough to see", () => {
    const items = Array.from({ length: 500 }, (_, i) => death(SINCE + i * 20, 5));
    const counted = addAll(
      items.map((one) => entryOf([one])),
      SINCE + 10_000,
    );
    const [failed, n, collateral] = counts(counted) as [number, number, number];
    expect(failed).toBe(n);
    expect(n).toBeGreaterThanOrEqual(80);
    expect(n + collateral).toBe(500);
  });

  it("apart in time or place are counted apart, beside requests that went well", () => {
    const items = [death(SINCE, 5), death(SINCE + 1_000, 5), death(SINCE, 5, "LHR"), { version: "new", at: SINCE }];
    expect(counts(addAll([entryOf(items)], SINCE))).toEqual([3, 4, 0]);
  });

  it("without a duration are taken together by the second", () => {
    const { duration: _, ...blurred } = death(SINCE + 100, 0);
    const items = Array.from({ length: 50 }, (_, i) => ({ ...blurred, at: SINCE + i * 9 }));
    expect(counts(addAll([entryOf(items)], SINCE))).toEqual([1, 1, 49]);
  });

  it("are bounded, and what is beyond counts as failures of their own", () => {
    const items = Array.from({ length: 5_000 }, (_, i) => death(SINCE + i * 10, 0));
    const { rollups } = entryOf(items);
    expect(rollups.length).toBeLessThan(20_000);
  });
});

describe("days", () => {
  it("become hours: nothing is lost, splits stay apart, and what is too old goes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ minute: fc.nat(300), version: fc.constantFrom("old", "new"), bad: fc.boolean() }), {
          maxLength: 60,
        }),
        fc.array(fc.integer({ min: 0, max: 300 * MINUTE_MS }), { maxLength: 4 }),
        (items, at) => {
          const changes = at.map((ms) => SINCE + ms).sort((a, b) => a - b);
          const subject = { ...SUBJECT, changes };
          const entries = items.map(({ minute, version, bad }) =>
            entryOf([{ version, at: SINCE + minute * MINUTE_MS + 1, status: bad ? 500 : 200, duration: minute }]),
          );
          const end = SINCE + 301 * MINUTE_MS;
          const before = addAll(entries, end, subject);
          const later = end + DAY_MS + 3_600_000;
          const { counted } = fold(before, changes, later);
          for (const of of [(c: Cell) => c.n, (c: Cell) => c.failed, (c: Cell) => Sketch.decode(c.duration).weight]) {
            expect(total(counted, of)).toBe(total(before, of));
          }
          expect(list(counted).every((c) => c.minute % 3600 === 0)).toBe(true);
          expect(fold(counted, changes, later).changed.size).toBe(0);
          // A late entry finds its hour, as if it had come in time.
          const late = addAll(entries, later, subject);
          expect(new Map(late.cells)).toEqual(new Map(counted.cells));
          expect(fold(counted, changes, end + HOURS_KEPT_MS + DAY_MS).counted.cells.size).toBe(0);
        },
      ),
    );
  });

  it("leave younger minutes as they are, and those that are still bet on", () => {
    const at = [0, 61 * MINUTE_MS];
    const before = addAll(
      at.map((ms) => entryOf([{ version: "old", at: SINCE + ms }])),
      SINCE + DAY_MS,
    );
    const minutes = (counted: Counted) => list(counted).map(({ minute }) => minute * 1000 - SINCE);
    const now = SINCE + MINUTES_KEPT_MS + 3_600_000;
    expect(minutes(fold(before, [], now).counted)).toEqual(at);
    expect(minutes(fold(before, [], now + 3_600_000).counted).sort()).toEqual([0, 60 * MINUTE_MS]);
    const settled = { until: SINCE / 1000 + 3600, queriesUntil: 0, rates: {}, times: {} };
    expect(minutes(fold({ ...before, settled }, [], now + 3_600_000).counted)).toEqual(at);
  });
});

describe("silence", () => {
  const busy = addAll(
    Array.from({ length: 60 }, (_, i) =>
      entryOf([
        { version: "old", at: SINCE + i * 1_000 },
        { version: "new", at: SINCE + i * 1_000 },
      ]),
    ),
    SINCE + MINUTE_MS,
  );

  it("of both versions is no proof of anything, until it lasts", () => {
    const last = SINCE + 59_000;
    expect(silence(busy, last + 15_000)).toBe("");
    expect(silence(busy, last + 45_000)).toContain(
      "Nothing has arrived from either version for 45 s, where some 78 invocations",
    );
    expect(silence(busy, last + 40 * MINUTE_MS)).toBe("");
  });

  it("between bursts says nothing", () => {
    const burst = (at: number) =>
      Array.from({ length: 100 }, (_, i) => entryOf([{ version: "old", at: at + i * 100 }]));
    const first = addAll(burst(SINCE), SINCE + 10_000);
    expect(silence(first, SINCE + 2 * MINUTE_MS)).toBe("");
    const second = addAll(burst(SINCE + 5 * MINUTE_MS), SINCE + 5 * MINUTE_MS + 10_000, SUBJECT, first);
    expect(silence(second, SINCE + 10 * MINUTE_MS)).toBe("");
    expect(silence(second, SINCE + 25 * MINUTE_MS)).not.toBe("");
  });

  it("is what a Worker with little traffic does all the time", () => {
    const rare = addAll(
      [0, 5, 10].map((m) => entryOf([{ version: "old", at: SINCE + m * MINUTE_MS }])),
      SINCE + 11 * MINUTE_MS,
    );
    expect(silence(rare, SINCE + 15 * MINUTE_MS)).toBe("");
    expect(silence(EMPTY, SINCE)).toBe("");
  });
});

it("points add up both ways", () => {
  const counted = addAll(
    Array.from({ length: 120 }, (_, i) =>
      entryOf([{ version: i % 2 === 0 ? "old" : "new", at: SINCE + i * 1_000, status: i % 10 === 0 ? 500 : 200 }]),
    ),
    SINCE + 2 * MINUTE_MS,
  );
  for (const bucket of [10_000, 30_000, 60_000, 300_000]) {
    const points = pointsOf(counted, bucket);
    expect(points).toHaveLength(Math.ceil(120_000 / bucket));
    expect(points.reduce((sum, p) => sum + p.old.requests + p.new.requests, 0)).toBe(120);
    expect(points.reduce((sum, p) => sum + p.old.errors + p.new.errors, 0)).toBe(12);
  }
});
