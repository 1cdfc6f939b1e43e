import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompactionInput, MAX_OUTPUT_ROWS, planGroups } from "../../../workers/store/compaction-plan.ts";

const input = (rows: number, at = 0, attributes = 10): CompactionInput => ({
  key: `k${at}`,
  minTime: at,
  rows,
  bytes: rows * 40,
  level: 0,
  attributes,
});
const sizes = (groups: CompactionInput[][]) => groups.map((group) => group.map((i) => i.rows));

describe("planGroups", () => {
  it("makes a handful of segments of a million events", () => {
    const groups = planGroups(
      Array.from({ length: 50 }, (_, i) => input(20_000, i)),
      false,
    );
    expect(groups.length).toBeLessThanOrEqual(10);
    expect(groups.flat()).toHaveLength(50);
  });

  it("leaves big segments alone, and does not rewrite one for a late crumb", () => {
    expect(planGroups([input(MAX_OUTPUT_ROWS), input(150_000)], false)).toEqual([]);
    expect(planGroups([input(50_000), input(100)], false)).toEqual([]);
    expect(sizes(planGroups([input(50_000), input(1), input(1), input(1)], false))).toEqual([[50_000, 1, 1, 1]]);
    expect(sizes(planGroups([input(6_000), input(3_000)], false))).toEqual([[6_000, 3_000]]);
  });

  it("waits with an hour that goes on until it has many pieces", () => {
    const pieces = Array.from({ length: 8 }, (_, i) => input(1_000, i));
    expect(planGroups(pieces.slice(1), true)).toEqual([]);
    expect(planGroups(pieces, true)).toHaveLength(1);
  });

  it("never plans more than memory holds, nor a segment twice", () => {
    const any = fc.record({ rows: fc.integer({ min: 1, max: 250_000 }), attributes: fc.nat(2_000) });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 60 }), fc.boolean(), (list, open) => {
        const groups = planGroups(
          list.map(({ rows, attributes }, i) => input(rows, i, attributes)),
          open,
        );
        const keys = groups.flat().map((i) => i.key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const group of groups) {
          const rows = group.reduce((sum, i) => sum + i.rows, 0);
          expect(group.length).toBeGreaterThan(1);
          expect(rows).toBeLessThanOrEqual(MAX_OUTPUT_ROWS);
          const cells = rows * (24 + Math.max(...group.map((i) => i.attributes)));
          expect(cells * 10).toBeLessThanOrEqual(60_000_000);
        }
      }),
    );
  });
});
