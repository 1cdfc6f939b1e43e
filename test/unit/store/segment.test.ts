import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { OVERFLOW_COLUMN } from "../../../workers/event/columns.ts";
import { mergeBatches, sortByTime } from "../../../workers/store/merge.ts";
import { MAX_ATTRIBUTE_COLUMNS } from "../../../workers/store/overflow.ts";
import { openSegment, SegmentError } from "../../../workers/store/segment-reader.ts";
import { MAX_LISTED_ATTRIBUTES, ROW_GROUP_ROWS, writeSegment } from "../../../workers/store/segment-writer.ts";
import { arbitraryEvent } from "../../support/events.ts";
import { batchOf, cells, seeded, sourceOf } from "../../support/segments.ts";

/** The whole segment as one batch. */
async function readAll(bytes: Uint8Array): Promise<ColumnBatch> {
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  const names = segment.columns.map(({ name }) => name);
  const groups = await Promise.all(segment.rowGroups.map((_, group) => segment.read(group, names)));
  return mergeBatches(groups);
}

function expectSameCells(actual: ColumnBatch, expected: ColumnBatch): void {
  expect(actual.rows).toBe(expected.rows);
  for (const [name, column] of expected.columns) {
    expect(cells(actual.columns.get(name), actual.rows), name).toEqual(cells(column, expected.rows));
  }
  const names = [...expected.columns].filter(([, column]) => cells(column, expected.rows).some((v) => v !== undefined));
  expect([...actual.columns.keys()].sort()).toEqual(expect.arrayContaining(names.map(([name]) => name)));
}

/** Text that is not well-formed UTF-16 has no UTF-8: it is stored with U+FFFD. */
function wellFormed(batch: ColumnBatch): ColumnBatch {
  const columns = new Map<string, Column>();
  for (const [name, column] of batch.columns) {
    columns.set(
      name,
      column.type === "string" ? { ...column, dict: column.dict.map((text) => text.toWellFormed()) } : column,
    );
  }
  return { rows: batch.rows, columns };
}

describe("what was written is read back", () => {
  test("for events of any shape", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryEvent, { minLength: 1, maxLength: 60 }), async (events) => {
        const batch = sortByTime(batchOf(events));
        const written = writeSegment(batch);
        expectSameCells(await readAll(written.bytes), wellFormed(batch));
        expect(written.rows).toBe(events.length);
        expect(written.minTime).toBe(Math.min(...events.map((e) => e.time)));
        expect(written.maxTime).toBe(Math.max(...events.map((e) => e.time)));
      }),
      { numRuns: 150 },
    );
  });

  test("for every encoding, over several row groups and many pages", async () => {
    const rows = ROW_GROUP_ROWS + 12_345;
    const random = seeded(7);
    const hex = () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    const strings = (make: (row: number) => string | undefined): Column => {
      const dict: string[] = [];
      const at = new Map<string, number>();
      const index = Int32Array.from({ length: rows }, (_, row) => {
        const value = make(row);
        if (value === undefined) return -1;
        const known = at.get(value);
        if (known !== undefined) return known;
        at.set(value, dict.length);
        return dict.push(value) - 1;
      });
      return { type: "string", dict, index };
    };
    const numbers = (make: (row: number) => number, type: "number" | "time" | "boolean" = "number"): Column => ({
      type,
      data: Float64Array.from({ length: rows }, (_, row) => make(row)),
    });
    const batch: ColumnBatch = {
      rows,
      columns: new Map<string, Column>([
        ["time", numbers((row) => 1_790_000_000_000_000 + row * 977 + Math.floor(random() * 900), "time")],
        ["faas.name", strings(() => "shop")],
        ["faas.invocation_id", strings((row) => (row % 3 === 0 ? hex() + hex() + hex() + hex() : undefined))],
        ["message", strings((row) => `request ${row} took ${hex()} ms${row % 1000 === 0 ? " — naïve ☃ 🎈" : ""}`)],
        ["exception.stacktrace", strings((row) => (row % 9_000 === 0 ? `${hex()} `.repeat(9_000) : undefined))],
        ["user", strings(() => `u${Math.floor(random() * 20_000)}`)],
        ["empty", strings((row) => (row % 2 === 0 ? "" : undefined))],
        ["seq", numbers((row) => row % 7)],
        ["http.response.status_code", numbers((row) => (row % 5 === 0 ? Number.NaN : 200 + (row % 300)))],
        ["duration_ms", numbers(() => random() * 1000)],
        ["big", numbers((row) => (row % 2 === 0 ? -row * 1e9 : row ** 3 + 0.5))],
        [
          "edge",
          numbers((row) => [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324][row % 5] as number),
        ],
        ["other.time", numbers((row) => (row % 2 === 0 ? -9e15 : 9e15), "time")],
        ["flag", numbers((row) => (row % 3 === 0 ? Number.NaN : row % 2), "boolean")],
        ["never", numbers(() => Number.NaN)],
        ["never.text", strings(() => undefined)],
      ]),
    };
    const { bytes } = writeSegment(batch);
    const read = await readAll(bytes);
    for (const [name, column] of batch.columns) {
      const actual = cells(read.columns.get(name), rows);
      const expected = cells(column, rows);
      const differs = actual.findIndex((value, row) => !Object.is(value, expected[row]));
      expect(differs < 0 ? "same" : `${name}[${differs}] = ${actual[differs]} instead of ${expected[differs]}`).toBe(
        "same",
      );
    }
  });

  test("for no rows and for one", async () => {
    const one = batchOf([{ time: 5, kind: "log", script: "s", invocation_id: "i", seq: 0, sample_weight: 1 }]);
    expectSameCells(await readAll(writeSegment(one).bytes), one);
    const none = writeSegment({ rows: 0, columns: new Map() });
    const segment = await openSegment(sourceOf(none.bytes), none.bytes.length);
    expect(segment.rows).toBe(0);
    expect(segment.rowGroups).toEqual([]);
  });
});

test("a row group ends early where texts are long, so that a reader can hold it", async () => {
  const rows = 3_000;
  const random = seeded(17);
  const dict = Array.from({ length: rows }, () => `${random()} `.repeat(600));
  const text: Column = { type: "string", dict, index: Int32Array.from({ length: rows }, (_, row) => row) };
  const time: Column = { type: "time", data: Float64Array.from({ length: rows }, (_, row) => row) };
  const batch: ColumnBatch = {
    rows,
    columns: new Map<string, Column>([
      ["time", time],
      ["message", text],
    ]),
  };
  const { bytes } = writeSegment(batch);
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  expect(segment.rowGroups.length).toBeGreaterThan(2);
  expect(segment.rowGroups.reduce((sum, group) => sum + group.rows, 0)).toBe(rows);
  expectSameCells(await readAll(bytes), batch);
});

describe("attributes beyond the limit", () => {
  const rows = 50;
  const wide = (): ColumnBatch => {
    const columns = new Map<string, Column>();
    columns.set("time", { type: "time", data: Float64Array.from({ length: rows }, (_, row) => row) });
    for (let i = 0; i < MAX_ATTRIBUTE_COLUMNS + 40; i++) {
      // The later its number, the rarer the attribute.
      const every = 1 + Math.floor(i / 30);
      const data = Float64Array.from({ length: rows }, (_, row) => (row % every === 0 ? i + row : Number.NaN));
      columns.set(`a${i}`, { type: "number", data });
    }
    return { rows, columns };
  };

  test("lie in one JSON column, the rarest first, and read like any other", async () => {
    const { bytes, attributes } = writeSegment(wide());
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    expectSameCells(await readAll(bytes), wide());
    expect(attributes).toHaveLength(MAX_ATTRIBUTE_COLUMNS + 40);
    const stored = await segment.readStored(0);
    expect(stored.columns.size).toBe(1 + MAX_ATTRIBUTE_COLUMNS + 1);
    expect(stored.columns.has("a0")).toBe(true);
    expect(stored.columns.has(`a${MAX_ATTRIBUTE_COLUMNS + 39}`)).toBe(false);
    expect(stored.columns.has(OVERFLOW_COLUMN)).toBe(true);
  });

  test("are listed for the catalog up to a bound, for a row of D1 has 2 MB", async () => {
    const wide = (at: number) => Object.fromEntries(Array.from({ length: 250 }, (_, k) => [`user-${at}-${k}`, 1]));
    const events = Array.from({ length: 8 }, (_, at) => ({ time: at, kind: "log", script: "s", attributes: wide(at) }));
    const { bytes, attributes } = writeSegment(batchOf(events as never));
    expect(attributes).toHaveLength(MAX_LISTED_ATTRIBUTES);
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    expect((await segment.read(0, ["user-7-249"])).columns.has("user-7-249")).toBe(true);
  });

  test("survive a compaction, also where one segment has a column of what another one hides", async () => {
    const { bytes } = writeSegment(wide());
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    const hidden = `a${MAX_ATTRIBUTE_COLUMNS + 39}`;
    const narrow = batchOf([
      { time: 99, kind: "log", script: "s", invocation_id: "i", seq: 0, sample_weight: 1, attributes: { [hidden]: 7 } },
    ]);
    const compacted = writeSegment(mergeBatches([await segment.readStored(0), narrow]));
    const again = await openSegment(sourceOf(compacted.bytes), compacted.bytes.length);
    const { columns } = await again.read(0, [hidden, "a0"]);
    expect(cells(columns.get("a0"), rows + 1)).toEqual([...cells(wide().columns.get("a0"), rows), undefined]);
    expect(cells(columns.get(hidden), rows + 1)).toEqual([...cells(wide().columns.get(hidden), rows), 7]);
  });

  test("that differ only in case, or are no identifier, or hide a folder of the path, are hidden but read", async () => {
    const event = { time: 1, kind: "log" as const, script: "s", invocation_id: "i", seq: 0, sample_weight: 1 };
    const attributes = {
      "user.id": "a",
      "User.ID": "b",
      "\u0000": "c",
      script: 3,
      hour: true,
      Date: "d",
      'Ünï cödé"': 1,
    };
    const batch = batchOf([
      { ...event, attributes },
      { ...event, time: 2, attributes: { "User.ID": "e" } },
    ]);
    const { bytes } = writeSegment(batch);
    expectSameCells(await readAll(bytes), batch);
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    const stored = [...(await segment.readStored(0)).columns.keys()].filter((name) => name in attributes);
    expect(stored.sort()).toEqual(["User.ID", 'Ünï cödé"']);
  });
});

describe("reading", () => {
  const rows = 40_000;
  const random = seeded(3);
  const batch: ColumnBatch = {
    rows,
    columns: new Map<string, Column>([
      ["time", { type: "time", data: Float64Array.from({ length: rows }, (_, row) => row * 1000) }],
      ["duration_ms", { type: "number", data: Float64Array.from({ length: rows }, () => random()) }],
      ["cloudflare.cpu_time_ms", { type: "number", data: Float64Array.from({ length: rows }, () => random()) }],
      ["zzz", { type: "number", data: Float64Array.from({ length: rows }, () => random()) }],
    ]),
  };
  const { bytes } = writeSegment(batch);

  test("a small segment takes one read in all", async () => {
    const small = writeSegment(
      batchOf([{ time: 1, kind: "log", script: "s", invocation_id: "i", seq: 0, sample_weight: 1 }]),
    );
    const source = sourceOf(small.bytes);
    const segment = await openSegment(source, small.bytes.length);
    await segment.read(0, ["time", "kind", "faas.name"]);
    expect(source.reads).toEqual([[0, small.bytes.length]]);
  });

  test("takes only the columns asked for, neighbours in one range", async () => {
    const source = sourceOf(bytes);
    const segment = await openSegment(source, bytes.length);
    await segment.read(0, ["duration_ms"]);
    const [, ...one] = source.reads;
    expect(one).toHaveLength(1);
    expect(one[0]?.[1]).toBeLessThan(bytes.length / 2.5);
    await segment.read(0, ["cloudflare.cpu_time_ms", "duration_ms", "nothing"]);
    expect(source.reads).toHaveLength(3);
    source.reads.length = 0;
    await segment.read(0, ["time", "zzz"]);
    expect(source.reads).toHaveLength(2);
  });

  test("says the time range of each row group", async () => {
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    expect(segment.rowGroups.map(({ rows, minTime, maxTime }) => [rows, minTime, maxTime])).toEqual([
      [rows, 0, (rows - 1) * 1000],
    ]);
  });
});

describe("a damaged segment", () => {
  const random = seeded(11);
  const events = Array.from({ length: 300 }, (_, seq) => ({
    time: 1_790_000_000_000_000 + seq,
    kind: "log" as const,
    script: "shop",
    invocation_id: Math.floor(random() * 2 ** 32).toString(16),
    seq,
    sample_weight: 1,
    message: `message ${Math.floor(random() * 1000)}`,
    duration: random(),
    attributes: { ok: random() < 0.5, "user.id": `u${Math.floor(random() * 50)}` },
  }));
  const { bytes } = writeSegment(batchOf(events));

  /** Reads everything; a tagged error is an answer, anything else fails the test. */
  async function readOrTagged(damaged: Uint8Array): Promise<void> {
    try {
      await readAll(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(SegmentError);
      expect((error as SegmentError).tag).toBe("segment_unreadable");
    }
  }

  test("with any bits flipped gives a tagged error or some answer, never a crash", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        async (flips) => {
          const damaged = bytes.slice();
          for (const [at, mask] of flips) damaged[at] = (damaged[at] as number) ^ mask;
          await readOrTagged(damaged);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  test("of which every prefix and arbitrary bytes were tried gives a tagged error", async () => {
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(readAll(bytes.slice(0, length))).rejects.toBeInstanceOf(SegmentError);
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (garbage) => {
        const footer = new Uint8Array([...garbage, garbage.length & 0xff, garbage.length >>> 8, 0, 0, 80, 65, 82, 49]);
        await readOrTagged(footer);
      }),
    );
  });

  test("whose object is shorter than the catalog says gives a tagged error", async () => {
    const source = { read: async () => new Uint8Array(3) };
    await expect(openSegment(source, 10_000)).rejects.toBeInstanceOf(SegmentError);
  });
});
