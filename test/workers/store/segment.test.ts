/** The same segments inside workerd, whose zstd is another one than Node's. */
import { expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { sortByTime } from "../../../workers/store/merge.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { ROW_GROUP_ROWS, writeSegment } from "../../../workers/store/segment-writer.ts";
import { cells, hexOf, numberColumn, seeded, sourceOf, stringColumn } from "../../support/segments.ts";

const random = seeded(13);
const hex = (digits: number) => hexOf(random, digits);

function batch(rows: number): ColumnBatch {
  const strings = (make: (row: number) => string | undefined) => stringColumn(rows, make);
  const numbers = (type: "number" | "time", make: (row: number) => number) => numberColumn(rows, type, make);
  const ids = Array.from({ length: Math.ceil(rows / 6) }, () => hex(36));
  return {
    rows,
    columns: new Map<string, Column>([
      ["time", numbers("time", (row) => 1_790_000_000_000_000 + row * 1_000)],
      ["fresh", strings(() => hex(32))],
      [
        "far",
        {
          type: "string",
          dict: ids,
          index: Int32Array.from({ length: rows }, () => Math.floor(random() * ids.length)),
        },
      ],
      ["words", strings((row) => `line ${row} of ${rows}: payment declined for order ${row % 97}`)],
      ["same", strings((row) => (row % 3 === 0 ? undefined : "GET /"))],
      ["huge", strings((row) => (row % 30_000 === 0 ? hex(150_000) : undefined))],
      ["noise", numbers("number", () => random())],
      ["rounded", numbers("number", () => Math.round(random() * 100_000) / 100)],
      ["few", numbers("number", (row) => 200 + (row % 4))],
    ]),
  };
}

// Sizes at which pages and dictionaries pass the limits of workerd's zstd.
test.each([1, 63, 1_000, 5_001, 20_000, ROW_GROUP_ROWS + 777])(
  "%i rows are read back as they were written",
  async (rows) => {
    const written = batch(rows);
    const { bytes } = writeSegment(sortByTime(written));
    const segment = await openSegment(sourceOf(bytes), bytes.length);
    expect(segment.rows).toBe(rows);
    let start = 0;
    for (const [group, { rows: size }] of segment.rowGroups.entries()) {
      const read = await segment.read(group, [...written.columns.keys()]);
      for (const [name, column] of written.columns) {
        const expected = cells(column, rows).slice(start, start + size);
        const actual = cells(read.columns.get(name), size);
        const differs = expected.findIndex((value, row) => value !== actual[row]);
        expect(differs < 0 ? "same" : `${name}[${start + differs}]`).toBe("same");
      }
      start += size;
    }
  },
);
