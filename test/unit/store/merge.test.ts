import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { OVERFLOW_COLUMN } from "../../../workers/event/columns.ts";
import { mergeBatches, mergeByTime, selectRows, sortByTime } from "../../../workers/store/merge.ts";
import { MAX_ATTRIBUTE_COLUMNS } from "../../../workers/store/overflow.ts";
import { arbitraryEvent } from "../../support/events.ts";
import { batchOf, cells, stringColumn } from "../../support/segments.ts";

const base = { kind: "log" as const, script: "s", invocation_id: "i", seq: 0, sample_weight: 1 };

/** What a value is in a column that has become one of strings. */
const widened = (column: ColumnBatch["columns"], name: string, value: unknown) =>
  column.get(name)?.type === "string" && value !== undefined ? String(value) : value;

describe("mergeBatches", () => {
  test("keeps every cell of every batch, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.array(arbitraryEvent, { minLength: 1, maxLength: 12 }), { maxLength: 6 }), (lists) => {
        const batches = lists.map(batchOf);
        const merged = mergeBatches(batches);
        expect(merged.rows).toBe(lists.flat().length);
        const names = new Set(batches.flatMap((batch) => [...batch.columns.keys()]));
        for (const name of names) {
          const parts = batches.flatMap((batch) => cells(batch.columns.get(name), batch.rows));
          const expected = parts.map((value) => widened(merged.columns, name, value));
          expect(cells(merged.columns.get(name), merged.rows), name).toEqual(expected);
        }
      }),
    );
  });

  test.each([
    [1, "a", "string"],
    [1, true, "string"],
    [true, "x", "string"],
    [1, 2.5, "number"],
    [true, false, "boolean"],
  ])("%j and %j make a column of type %s", (one, two, type) => {
    const batches = [one, two].map((x, time) => batchOf([{ ...base, time, attributes: { x } }]));
    const column = mergeBatches(batches).columns.get("x");
    expect(column?.type).toBe(type);
    const expected = type === "string" ? [String(one), String(two)] : [one, two];
    expect(cells(column, 2)).toEqual(expected);
  });

  test("unites dictionaries: an entry occurs once", () => {
    const batches = [0, 1, 2].map((time) => batchOf([{ ...base, time, message: "same" }]));
    const column = mergeBatches(batches).columns.get("message");
    expect(column).toMatchObject({ type: "string", dict: ["same"] });
  });

  test("keeps every cell of near-unique texts, also those that occur again late", () => {
    const id = (n: number) => (n % 7 === 0 ? undefined : n > 2_900 ? "late" : `id-${n}`);
    const batches = Array.from({ length: 30 }, (_, b) => ({
      rows: 100,
      columns: new Map([["id", stringColumn(100, (row) => id(b * 100 + row))]]),
    }));
    const merged = mergeBatches(batches);
    expect(cells(merged.columns.get("id"), merged.rows)).toEqual(Array.from({ length: 3_000 }, (_, n) => id(n)));
  });

  test("leaves out columns that are not picked", () => {
    const batch = batchOf([{ ...base, time: 1, message: "m" }]);
    const merged = mergeBatches([batch, batch], (name) => name === "message");
    expect([...merged.columns.keys()]).toEqual(["message"]);
  });

  test("folds rare attributes when all would be too many arrays", () => {
    const batches = Array.from({ length: 5 }, (_, time) => {
      const own = Array.from({ length: 150 }, (_, i) => [`own.${time}.${i}`, i]);
      return batchOf([{ ...base, time, attributes: { ...Object.fromEntries(own), common: time } }]);
    });
    const merged = mergeBatches(batches);
    expect(merged.columns.size).toBeLessThan(MAX_ATTRIBUTE_COLUMNS + 12);
    expect(cells(merged.columns.get("common"), 5)).toEqual([0, 1, 2, 3, 4]);
    const last = cells(merged.columns.get(OVERFLOW_COLUMN), 5)[4];
    expect(JSON.parse(String(last))).toMatchObject({ "own.4.149": 149 });
  });
});

test("mergeByTime is mergeBatches and then sortByTime", () => {
  const lists = fc.array(fc.array(arbitraryEvent, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lists, (events) => {
      const batches = events.map(batchOf);
      const expected = sortByTime(mergeBatches(batches));
      const merged = mergeByTime(batches);
      expect([...merged.columns.keys()]).toEqual([...expected.columns.keys()]);
      for (const [name, column] of expected.columns) {
        expect(cells(merged.columns.get(name), merged.rows), name).toEqual(cells(column, expected.rows));
      }
    }),
  );
});

describe("sortByTime", () => {
  test("orders by time, then seq, then as it was", () => {
    const event = fc.record({ time: fc.integer({ min: 0, max: 5 }), seq: fc.nat(2), n: fc.nat() });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), fc.constantFrom(1, 2 ** 40, 0.5), (rows, scale) => {
        const events = rows.map(({ time, seq, n }) => ({ ...base, time: time * scale, seq, attributes: { n } }));
        const sorted = sortByTime(batchOf(events));
        const expected = [...events].sort((a, b) => a.time - b.time || a.seq - b.seq);
        expect(cells(sorted.columns.get("time"), rows.length)).toEqual(expected.map((e) => e.time));
        expect(cells(sorted.columns.get("n"), rows.length)).toEqual(expected.map((e) => e.attributes.n));
      }),
    );
  });

  test("keeps rows that have no time, first", () => {
    const time = { type: "time" as const, data: Float64Array.of(5, Number.NaN, 3) };
    const n = { type: "number" as const, data: Float64Array.of(0, 1, 2) };
    const sorted = sortByTime({
      rows: 3,
      columns: new Map<string, Column>([
        ["time", time],
        ["n", n],
      ]),
    });
    expect(cells(sorted.columns.get("n"), 3)).toEqual([1, 2, 0]);
  });

  test("gives back the same batch when it is in order", () => {
    const batch = batchOf([1, 2, 2, 3].map((time, seq) => ({ ...base, time, seq })));
    expect(sortByTime(batch)).toBe(batch);
  });
});

test("selectRows takes the given rows in the given order", () => {
  const batch = batchOf([1, 2, 3].map((time) => ({ ...base, time, message: `m${time}` })));
  const some = selectRows(batch, [2, 0]);
  expect(cells(some.columns.get("message"), some.rows)).toEqual(["m3", "m1"]);
});
