/** Segments that somebody rewrote: other writers, codecs, encodings and types read like our own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { writeSegment } from "../../../workers/store/segment-writer.ts";
import { type Bucket, openBucket } from "../../support/duckdb.ts";
import { cells, numberColumn, seeded, sourceOf, stringColumn } from "../../support/segments.ts";

const rows = 5_000;
const random = seeded(23);
const strings = (make: (row: number) => string | undefined) => stringColumn(rows, make);
const numbers = (type: "number" | "boolean" | "time", make: (row: number) => number) => numberColumn(rows, type, make);
const batch: ColumnBatch = {
  rows,
  columns: new Map<string, Column>([
    ["time", numbers("time", (row) => 1_790_000_000_000_000 + row * 1_237)],
    ["kind", strings((row) => (row % 4 === 0 ? "invocation" : "log"))],
    ["message", strings((row) => (row % 9 === 0 ? undefined : `line ${row} ☃ ${Math.floor(random() * 1e9)}`))],
    ["seq", numbers("number", (row) => row % 11)],
    ["duration_ms", numbers("number", (row) => (row % 3 === 0 ? Number.NaN : random() * 1e3))],
    ["flag", numbers("boolean", (row) => (row % 5 === 0 ? Number.NaN : row % 2))],
  ]),
};

async function expectSame(bytes: Uint8Array): Promise<void> {
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  expect(segment.rows).toBe(rows);
  let start = 0;
  for (const [group, { rows: size, minTime }] of segment.rowGroups.entries()) {
    const read = await segment.read(group, [...batch.columns.keys()]);
    for (const [name, column] of batch.columns) {
      expect(read.columns.get(name)?.type, name).toBe(column.type);
      const expected = cells(column, rows).slice(start, start + size);
      expect(cells(read.columns.get(name), size), name).toEqual(expected);
    }
    expect(minTime).toBe(cells(batch.columns.get("time"), rows)[start]);
    start += size;
  }
}

describe("DuckDB's copy", () => {
  let bucket: Bucket;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tailrace-foreign-"));
    bucket = await openBucket();
    await bucket.put("events/script=s/date=2026-11-20/hour=01/a-1-1.parquet", writeSegment(batch).bytes);
  });
  afterAll(() => {
    bucket.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    "COMPRESSION zstd",
    "COMPRESSION zstd, ROW_GROUP_SIZE 2048",
    "COMPRESSION uncompressed",
    "COMPRESSION snappy",
    "COMPRESSION zstd, PARQUET_VERSION v2",
    "COMPRESSION snappy, PARQUET_VERSION v2",
  ])("with %s", async (options) => {
    const path = join(folder, "copy.parquet");
    const columns = [...batch.columns.keys()].map((name) => `"${name}"`).join(", ");
    await bucket.sql(`COPY (SELECT ${columns} FROM ${bucket.events}) TO '${path}' (FORMAT parquet, ${options})`);
    await expectSame(new Uint8Array(readFileSync(path)));
  });
});

test("hyparquet-writer's file, and types that are not ours", async () => {
  const type = { string: "STRING", number: "DOUBLE", boolean: "BOOLEAN", time: "TIMESTAMP" } as const;
  const columnData = [...batch.columns].map(([name, column]) => ({
    name,
    type: type[column.type],
    nullable: true,
    data: cells(column, rows).map((value) => {
      if (value === undefined) return null;
      // This writer's times have milliseconds.
      return column.type === "time" ? new Date(Math.floor((value as number) / 1_000)) : value;
    }),
  }));
  const more = [
    { name: "json", type: "JSON" as const, data: Array.from({ length: rows }, (_, row) => ({ row })) },
    { name: "float", type: "FLOAT" as const, data: Array.from({ length: rows }, (_, row) => row / 4) },
    { name: "long", type: "INT64" as const, data: Array.from({ length: rows }, (_, row) => BigInt(row) << 40n) },
  ];
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [...columnData, ...more] }));
  const segment = await openSegment(sourceOf(bytes), bytes.length);
  const first = segment.rowGroups[0]?.rows ?? 0;
  const { columns } = await segment.read(0, [...batch.columns.keys(), "json", "float", "long"]);
  for (const name of ["kind", "message", "duration_ms", "flag"]) {
    expect(cells(columns.get(name), first), name).toEqual(cells(batch.columns.get(name), first));
  }
  expect(cells(columns.get("time"), 2)).toEqual([1_790_000_000_000_000, 1_790_000_000_001_000]);
  expect(cells(columns.get("json"), 2)).toEqual(['{"row":0}', '{"row":1}']);
  expect(cells(columns.get("float"), 3)).toEqual([0, 0.25, 0.5]);
  expect(cells(columns.get("long"), 3)).toEqual([0, 2 ** 40, 2 ** 41]);
});
