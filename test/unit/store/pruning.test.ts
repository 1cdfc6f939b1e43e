import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { OVERFLOW_COLUMN } from "../../../workers/event/columns.ts";
import { bloomMayContain, buildBloom } from "../../../workers/store/bloom.ts";
import { mergeBatches } from "../../../workers/store/merge.ts";
import { buildPruning, mayMatch, type PruneTest, type Pruning } from "../../../workers/store/pruning.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { writeSegment } from "../../../workers/store/segment-writer.ts";
import { arbitraryEvent } from "../../support/events.ts";
import { batchOf, cells, hexOf, seeded, sourceOf, stringColumn } from "../../support/segments.ts";

const stored = (pruning: Pruning): Pruning => JSON.parse(JSON.stringify(pruning)) as Pruning;

/** Tests that the cell's own row passes, whatever the value. */
function testsOf(column: string, value: string | number | boolean): PruneTest[] {
  const tests: PruneTest[] = [
    { op: "exists", column },
    { op: "=", column, value },
    // A query knows what was typed, not the column's type.
    { op: "=", column, value: String(value) },
    { op: "in", column, values: new Set(["none of them", String(value)]) },
  ];
  if (typeof value === "number") {
    tests.push({ op: "range", column, min: value, max: value }, { op: "range", column, max: value });
  }
  if (typeof value === "string") tests.push({ op: "prefix", column, value: value.slice(0, 3) });
  return tests;
}

function expectNothingLost(pruning: Pruning, batch: ColumnBatch): void {
  for (const [name, column] of batch.columns) {
    // Some rows are enough where there are thousands.
    const step = Math.ceil(batch.rows / 100);
    const some = cells(column, batch.rows).filter((value, row) => value !== undefined && row % step === 0);
    const lost = some.flatMap((value) => testsOf(name, value as string)).filter((prune) => !mayMatch(pruning, prune));
    expect(lost).toEqual([]);
  }
}

describe("a segment that has a match is never left out", () => {
  test("whatever the events", () => {
    fc.assert(
      fc.property(fc.array(arbitraryEvent, { minLength: 1, maxLength: 80 }), (events) => {
        const batch = batchOf(events);
        expectNothingLost(stored(buildPruning(batch)), batch);
      }),
    );
  });

  test("with thousands of ids and hundreds of attributes, within the bytes it may take", () => {
    const rows = 3_000;
    const random = seeded(1);
    const columns = new Map<string, Column>();
    const unique = (name: string) => {
      const dict = Array.from({ length: rows }, () => Math.floor(random() * 2 ** 52).toString(16));
      columns.set(name, { type: "string", dict, index: Int32Array.from({ length: rows }, (_, row) => row) });
    };
    unique("faas.invocation_id");
    for (let i = 0; i < 300; i++) unique(`attribute.with.a.long.name.${i}`);
    const batch = { rows, columns };
    const pruning = stored(buildPruning(batch));
    expectNothingLost(pruning, batch);
    expect(JSON.stringify(pruning).length).toBeLessThanOrEqual(8_192);
    expect(pruning.more).toBe(true);
  });

  test("after a compaction that carried attributes along in the overflow column", async () => {
    const event = { kind: "log" as const, script: "s", invocation_id: "i", seq: 0, sample_weight: 1 };
    const wide = (value: number) =>
      batchOf([
        {
          ...event,
          time: 1,
          attributes: Object.fromEntries(Array.from({ length: 230 }, (_, i) => [`a${i}`, `${i} ${value}`])),
        },
      ]);
    const first = writeSegment(wide(1));
    const segment = await openSegment(sourceOf(first.bytes), first.bytes.length);
    const carried = await segment.readStored(0);
    expect(carried.columns.has(OVERFLOW_COLUMN)).toBe(true);
    const { pruning } = writeSegment(mergeBatches([carried, wide(2)]));
    expectNothingLost(stored(pruning), wide(1));
    expectNothingLost(stored(pruning), wide(2));
  });
});

describe("a segment that surely has none is left out", () => {
  const random = seeded(2);
  const ids = Array.from({ length: 1_000 }, () => Math.floor(random() * 2 ** 52).toString(16));
  const batch = batchOf(
    ids.map((id, i) => ({
      time: 1_000 + i,
      kind: "log",
      script: "shop",
      invocation_id: id,
      seq: 0,
      sample_weight: 1,
      status: 200 + (i % 3),
      attributes: { "user.plan": i % 2 === 0 ? "free" : "pro", paid: true },
    })),
  );
  const pruning = stored(buildPruning(batch));
  const not = (prune: PruneTest) => expect(mayMatch(pruning, prune), JSON.stringify(prune)).toBe(false);

  test("by lists of values, ranges and missing columns", () => {
    not({ op: "=", column: "faas.name", value: "checkout" });
    not({ op: "=", column: "user.plan", value: "Free" });
    not({ op: "prefix", column: "user.plan", value: "team" });
    not({ op: "range", column: "http.response.status_code", min: 500 });
    not({ op: "=", column: "http.response.status_code", value: "404" });
    not({ op: "range", column: "time", max: 999 });
    not({ op: "=", column: "paid", value: false });
    not({ op: "exists", column: "user.id" });
  });

  test("by the first and last of ids that begin with their time", () => {
    const id = (ms: number) => ms.toString(16).padStart(12, "0").padEnd(32, "5");
    const events = Array.from({ length: 100 }, (_, i) => ({
      time: 1_000 * (5_000_000 + i),
      kind: "log" as const,
      script: "shop",
      invocation_id: id(5_000_000 + i),
      seq: 0,
      sample_weight: 1,
    }));
    const known = stored(buildPruning(batchOf(events)));
    expectNothingLost(known, batchOf(events));
    for (const ms of [4_999_999, 5_000_100, 9_000_000]) {
      expect(mayMatch(known, { op: "=", column: "faas.invocation_id", value: id(ms) })).toBe(false);
      expect(mayMatch(known, { op: "prefix", column: "faas.invocation_id", value: id(ms).slice(0, 14) })).toBe(false);
    }
    expect(mayMatch(known, { op: "prefix", column: "faas.invocation_id", value: "0000" })).toBe(true);
  });

  test("by the few fingerprints among thousands of events with ids", () => {
    const random = seeded(3);
    const rows = 20_000;
    const ids = (name: string): [string, Column] => [name, stringColumn(rows, () => hexOf(random, 32))];
    const columns = new Map([
      ids("faas.invocation_id"),
      ids("trace_id"),
      ids("cloudflare.ray_id"),
      ids("client.address"),
    ]);
    const carried = Array.from({ length: 60 }, () => `v1-${hexOf(random, 24)}`);
    columns.set(
      "tailrace.fingerprint",
      stringColumn(rows, (row) => (row % 100 === 0 ? carried[(row / 100) % 60] : undefined)),
    );
    const pruning = stored(buildPruning({ rows, columns }));
    const mayHold = (values: string[]) =>
      mayMatch(pruning, { op: "in", column: "tailrace.fingerprint", values: new Set(values) });
    for (const fingerprint of carried) expect(mayHold(["v1-other", fingerprint])).toBe(true);
    const others = Array.from({ length: 200 }, () => mayHold([`v1-${hexOf(random, 24)}`]));
    expect(others.filter(Boolean).length).toBeLessThan(10);
    expect(mayHold([])).toBe(false);
    const without = stored(buildPruning({ rows, columns: new Map([ids("trace_id")]) }));
    expect(mayMatch(without, { op: "in", column: "tailrace.fingerprint", values: new Set(carried) })).toBe(false);
  });

  test("by the Bloom filter of its ids, but for one in fifty", () => {
    const others = Array.from({ length: 1_000 }, (_, i) => `none-${i}`);
    const kept = others.filter((value) => mayMatch(pruning, { op: "=", column: "faas.invocation_id", value }));
    expect(kept.length).toBeLessThan(20);
  });
});

describe("a Bloom filter", () => {
  test("holds every key that was put in", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 300 }), fc.nat(4_096), (keys, maxBytes) => {
        const bloom = buildBloom(keys, maxBytes);
        if (bloom !== undefined) expect(keys.every((key) => bloomMayContain(bloom, key))).toBe(true);
      }),
    );
  });

  test("is not made when it would be of no use", () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => String(i));
    expect(buildBloom(keys, 1_024)).toBeUndefined();
    expect(buildBloom(keys, 0)).toBeUndefined();
    expect(buildBloom([], -5)).toBeUndefined();
  });

  test("that was damaged excludes nothing", () => {
    expect(bloomMayContain({ k: 3, bits: "not base64 …" }, "x")).toBe(true);
    expect(bloomMayContain({ k: 3, bits: "" }, "x")).toBe(true);
  });
});
