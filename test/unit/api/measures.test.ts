import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketsFor } from "../../../workers/api/counts.ts";
import { cutRange } from "../../../workers/api/measures/buckets.ts";
import { ledgerPoints } from "../../../workers/api/measures/ledger.ts";
import { breakDown, countBy, type SeenSource, summarizeAll } from "../../../workers/api/measures/summaries.ts";
import type { LedgerReason } from "../../../workers/event/rollup.ts";
import { Sketch } from "../../../workers/event/sketch.ts";
import type { Rollup } from "../../../workers/store/counts/merge.ts";
import { stepFor } from "../../../workers/store/counts/steps.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2026, 10, 20, 10, 0);

function sketch(...values: number[]) {
  const s = new Sketch();
  for (const value of values) s.add(value);
  return s;
}

function row(minutes: number, more: Partial<Rollup> = {}): Rollup {
  return {
    minute: T0 / 1000 + minutes * 60,
    script: "shop",
    version_id: "v1",
    version_tag: "",
    version_message: "",
    entrypoint: "",
    event_type: "fetch",
    requests: 1,
    errors: 0,
    outcomes: { ok: 1 },
    statuses: { "2xx": 1 },
    duration: sketch(10),
    cpu: new Sketch(),
    ...more,
  };
}

const nothingKnown: SeenSource = { scripts: [], worker: () => undefined, version: () => undefined };
const limits = { maxWorkers: 100, maxVersions: 100 };

describe("cutRange", () => {
  it.each([
    ["an hour", 60 * MINUTE, MINUTE],
    ["six hours", 360 * MINUTE, 5 * MINUTE],
    ["a day", 1440 * MINUTE, 15 * MINUTE],
    ["a week", 7 * 1440 * MINUTE, 120 * MINUTE],
    ["a year", 365 * 1440 * MINUTE, 4 * 1440 * MINUTE],
  ])("cuts %s into round widths", (_, length, bucketMs) => {
    expect(cutRange(T0, T0 + length).bucketMs).toBe(bucketMs);
  });

  it("covers the range with whole buckets, about 120 at most", () => {
    const times = fc.tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e12 }));
    fc.assert(
      fc.property(times, fc.constantFrom(MINUTE, 10 * MINUTE, 60 * MINUTE), ([from, length], least) => {
        const cut = cutRange(from, from + length, least);
        expect(cut.from).toBeLessThanOrEqual(from);
        expect(cut.to).toBeGreaterThanOrEqual(from + length);
        expect(cut.bucketMs % least).toBe(0);
        expect(cut.from % cut.bucketMs).toBe(0);
        expect(cut.count).toBe((cut.to - cut.from) / cut.bucketMs);
        expect(cut.count).toBeLessThanOrEqual(122);
      }),
    );
  });
});

describe("bucketsFor", () => {
  it("makes buckets of the steps that are stored for the range it asks for", () => {
    const now = Date.UTC(2026, 10, 20);
    const range = fc.tuple(
      fc.integer({ min: 0, max: 500 * 86_400_000 }),
      fc.integer({ min: 1, max: 400 * 86_400_000 }),
    );
    const short = fc.tuple(fc.integer({ min: 0, max: 86_400_000 }), fc.integer({ min: 1, max: 50 * 3_600_000 }));
    fc.assert(
      fc.property(fc.oneof(range, short), ([back, length]) => {
        const cut = bucketsFor({ from: now - back, to: now - back + length }, now);
        expect(cut.bucketMs % (stepFor(cut.from, cut.to, now) * 1000)).toBe(0);
        expect(cut.count).toBeLessThanOrEqual(122);
      }),
    );
  });
});

describe("summarizeAll", () => {
  const buckets = cutRange(T0, T0 + 10 * MINUTE);

  it("shows empty minutes as empty, not as missing", () => {
    const { total } = summarizeAll([row(2)], buckets, nothingKnown, limits);
    expect(total.series).toHaveLength(10);
    expect(total.series.map((p) => p.requests)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(total.series[0]).toEqual({
      t: T0,
      requests: 0,
      errors: 0,
      errorRate: 0,
      p50: null,
      p99: null,
      cpuP50: null,
      cpuP99: null,
    });
  });

  it("merges distributions instead of averaging quantiles", () => {
    const many = row(1, { requests: 99, duration: sketch(...Array(99).fill(10)) });
    const slow = row(1, { entrypoint: "Admin", duration: sketch(5000) });
    const { total } = summarizeAll([many, slow], buckets, nothingKnown, limits);
    expect(total.p50).toBeCloseTo(10, 0);
    expect(total.p99).toBeCloseTo(10, 0);
    const tail = summarizeAll([many, slow, { ...slow, entrypoint: "Other" }], buckets, nothingKnown, limits);
    expect(Math.abs((tail.total.p99 ?? 0) - 5000)).toBeLessThan(50);
  });

  it("keeps Workers and versions apart, and the total over all of them", () => {
    const rows = [row(0), row(1, { version_id: "v2", errors: 1 }), row(1, { script: "pay", requests: 10 })];
    const { total, workers } = summarizeAll(rows, buckets, nothingKnown, limits);
    expect(total.requests).toBe(12);
    expect(workers.map((w) => [w.script, w.requests])).toEqual([
      ["pay", 10],
      ["shop", 2],
    ]);
    expect(workers[1]?.versions.map((v) => [v.id, v.requests, v.errorRate])).toEqual([
      ["v2", 1, 1],
      ["v1", 1, 0],
    ]);
  });

  it("dates a version by what the database knew before the range", () => {
    const known: SeenSource = { ...nothingKnown, version: () => ({ firstSeen: T0 - 1e9, lastSeen: T0 - 1e8 }) };
    const version = summarizeAll([row(3)], buckets, known, limits).workers[0]?.versions[0];
    expect([version?.firstSeen, version?.lastSeen]).toEqual([T0 - 1e9, T0 + 3 * MINUTE]);
  });

  it("lists a Worker that fell silent, with empty minutes", () => {
    const known: SeenSource = { ...nothingKnown, scripts: ["cron"], worker: () => ({ firstSeen: 1, lastSeen: 2 }) };
    const { workers } = summarizeAll([row(0)], buckets, known, limits);
    expect(workers.map((w) => [w.script, w.requests, w.series.length])).toEqual([
      ["shop", 1, 10],
      ["cron", 0, 10],
    ]);
    expect(workers[1]).toMatchObject({ firstSeen: 1, lastSeen: 2, p99: null });
  });

  it("takes the tag from any row of the version that has it", () => {
    const rows = [row(0), row(1, { version_tag: "1.2.0" })];
    expect(summarizeAll(rows, buckets, nothingKnown, limits).workers[0]?.versions[0]?.tag).toBe("1.2.0");
  });

  it("lists a bounded number and counts all", () => {
    const rows = Array.from({ length: 5 }, (_, i) => row(0, { script: `w${i}`, requests: i + 1 }));
    const { total, workers } = summarizeAll(rows, buckets, nothingKnown, { maxWorkers: 2, maxVersions: 1 });
    expect(workers.map((w) => w.script)).toEqual(["w4", "w3"]);
    expect(total.requests).toBe(15);
  });

  it("leaves out what is outside the range", () => {
    expect(summarizeAll([row(-1), row(10)], buckets, nothingKnown, limits).total.requests).toBe(0);
  });

  it("adds up the same however the rows are split and ordered", () => {
    const rows = fc.array(
      fc.record({
        minutes: fc.integer({ min: 0, max: 9 }),
        script: fc.constantFrom("a", "b", "__proto__"),
        version_id: fc.constantFrom("", "1", "2"),
        duration: fc.integer({ min: 1, max: 10_000 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, (specs) => {
        const made = specs.map(({ minutes, duration, ...s }) => row(minutes, { ...s, duration: sketch(duration) }));
        const one = summarizeAll(made, buckets, nothingKnown, limits);
        const other = summarizeAll([...made].reverse(), buckets, nothingKnown, limits);
        expect(other).toEqual(one);
        expect(one.workers.reduce((n, w) => n + w.requests, 0)).toBe(specs.length);
        expect(one.total.series.reduce((n, p) => n + p.requests, 0)).toBe(specs.length);
      }),
    );
  });
});

describe("ledgerPoints", () => {
  it("has every reason in every bucket, and drops what is outside", () => {
    const buckets = cutRange(T0, T0 + 3 * MINUTE);
    const at = (minutes: number, counts: Partial<Record<LedgerReason, number>>) => ({
      minute: T0 / 1000 + minutes * 60,
      script: "shop",
      counts,
    });
    const points = ledgerPoints(
      [at(1, { received: 2 }), at(1, { received: 1, kept: 1 }), at(-1, { kept: 9 }), at(3, { kept: 9 })],
      buckets,
    );
    expect(points.map((p) => [p.t, p.received, p.kept, p.sampled_out])).toEqual([
      [T0, 0, 0, 0],
      [T0 + MINUTE, 3, 1, 0],
      [T0 + 2 * MINUTE, 0, 0, 0],
    ]);
  });
});

describe("breakdowns", () => {
  it("sorts by requests and survives hostile names", () => {
    const rows = [row(0), row(0, { event_type: "constructor", requests: 5 }), row(1)];
    expect(breakDown(rows, "event_type").map((b) => [b.value, b.requests])).toEqual([
      ["constructor", 5],
      ["fetch", 2],
    ]);
  });

  it("adds outcomes over rows", () => {
    const rows = [row(0, { outcomes: { ok: 2, exception: 0.3 } }), row(1, { outcomes: { exception: 0.6 } })];
    expect(countBy(rows, "outcomes")).toEqual([
      { value: "ok", requests: 2 },
      { value: "exception", requests: 0.9 },
    ]);
  });
});
