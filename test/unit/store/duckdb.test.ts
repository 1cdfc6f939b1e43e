import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Column, ColumnBatch } from "../../../workers/event/batch.ts";
import { OVERFLOW_COLUMN } from "../../../workers/event/columns.ts";
import { sortByTime } from "../../../workers/store/merge.ts";
import { MAX_ATTRIBUTE_COLUMNS } from "../../../workers/store/overflow.ts";
import { openSegment } from "../../../workers/store/segment-reader.ts";
import { ROW_GROUP_ROWS, writeSegment } from "../../../workers/store/segment-writer.ts";
import { type Bucket, openBucket } from "../../support/duckdb.ts";
import { arbitraryEvent } from "../../support/events.ts";
import { batchOf, cells, hexOf, numberColumn, seeded, sourceOf, stringColumn } from "../../support/segments.ts";

let bucket: Bucket;
beforeEach(async () => {
  bucket = await openBucket();
});
afterEach(() => bucket.close());

/** Opening a file and planning a query of forty columns takes DuckDB its time when other tests have the cores. */
const SLOW_MS = 30_000;

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const KEY = "events/script=shop/date=2026-11-20/hour=22/a-1-2.parquet";

/** Every cell that lies in the file as a column, as DuckDB sees it, equals ours. */
async function expectDuckDbAgrees(bucket: Bucket, written: Uint8Array): Promise<void> {
  const segment = await openSegment(sourceOf(written), written.length);
  const groups = await Promise.all(segment.rowGroups.map((_, group) => segment.readStored(group)));
  const names = [...(groups[0] as ColumnBatch).columns.keys()];
  // Numbered, because a row is an object here, and a column may be called `__proto__`.
  const exact = names.map((name, n) => {
    const isTime = groups[0]?.columns.get(name)?.type === "time";
    return `${isTime ? `epoch_us(${quoted(name)})` : quoted(name)} AS c${n}`;
  });
  const rows = await bucket.sql(`SELECT ${exact.join(", ")} FROM ${bucket.events}`);
  expect(rows).toHaveLength(segment.rows);
  for (const [n, name] of names.entries()) {
    const ours = groups.flatMap((group) => cells(group.columns.get(name), group.rows));
    const differs = rows.findIndex((row, i) => (row[`c${n}`] ?? undefined) !== ours[i]);
    const where = differs < 0 ? "same" : `${name}[${differs}]: ${rows[differs]?.[`c${n}`]} instead of ${ours[differs]}`;
    expect(where).toBe("same");
  }
}

describe("DuckDB reads what was written", () => {
  test("for events of any shape", { timeout: SLOW_MS }, async () => {
    // Its own: a run that outlives its time must not write into the next test's.
    const mine = bucket;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryEvent, { minLength: 1, maxLength: 40 }), async (events) => {
        const { bytes } = writeSegment(sortByTime(batchOf(events)));
        await mine.put(KEY, bytes);
        await expectDuckDbAgrees(mine, bytes);
      }),
      { numRuns: 40 },
    );
  });

  test("for every encoding, over several row groups and many pages, with ids and long texts that do not compress", {
    timeout: SLOW_MS,
  }, async () => {
    const rows = ROW_GROUP_ROWS + 5_000;
    const random = seeded(5);
    const hex = (digits: number) => hexOf(random, digits);
    const column = (make: (row: number) => string | undefined) => stringColumn(rows, make);
    const ids = Array.from({ length: 9_000 }, () => hex(36));
    const numbers = (type: "number" | "boolean" | "time", make: (row: number) => number) =>
      numberColumn(rows, type, make);
    const batch: ColumnBatch = {
      rows,
      columns: new Map<string, Column>([
        ["time", numbers("time", (row) => 1_790_000_000_000_000 + row * 1_234)],
        ["seq", numbers("number", (row) => row)],
        ["duration_ms", numbers("number", () => random() * 1e4)],
        ["rounded", numbers("number", () => Math.round(random() * 1e7) / 1e3)],
        ["flag", numbers("boolean", (row) => (row % 3 === 0 ? Number.NaN : row % 2))],
        ["never", numbers("number", () => Number.NaN)],
        ["fresh", column(() => hex(32))],
        ["message", column((row) => (row % 7 === 0 ? undefined : `took ${hex(2)} ms — ☃ ${row}`))],
        ["stack", column((row) => (row % 20_000 === 0 ? hex(100_000) : undefined))],
        ["nothing", column(() => undefined)],
      ]),
    };
    const far = { type: "string" as const, dict: ids, index: new Int32Array(rows) };
    for (let row = 0; row < rows; row++) far.index[row] = Math.floor(random() * ids.length);
    batch.columns.set("user.id", far);
    const { bytes } = writeSegment(batch);
    await bucket.put(KEY, bytes);
    await expectDuckDbAgrees(bucket, bytes);
  });
});

test("filters find every row: the statistics of a segment exclude nothing that is there", async () => {
  const url = (i: number) => `https://shop.example/categories/${"x".repeat(i % 40)}/${i % 23}`;
  const events = Array.from({ length: 3_000 }, (_, i) => ({
    time: 1_790_000_000_000_000 + i,
    kind: "log" as const,
    script: "shop",
    invocation_id: "i",
    seq: i,
    sample_weight: 1,
    duration: (i % 7) - 3,
    attributes: { url: url(i), word: ["ä", "zebra", "", "~", "A"][i % 5] as string, ok: i % 2 === 0, n: -(i % 3) },
  }));
  const batch = batchOf(events);
  const { bytes } = writeSegment(batch);
  await bucket.put(KEY, bytes);
  const literal = (value: unknown) => (typeof value === "string" ? `'${value}'` : String(value));
  for (const name of ["url", "word", "ok", "n", "duration_ms", "seq"]) {
    const values = cells(batch.columns.get(name), batch.rows);
    for (const value of [...new Set(values)].slice(0, 40)) {
      const [row] = await bucket.sql(
        `SELECT count(*) AS n FROM ${bucket.events} WHERE ${quoted(name)} = ${literal(value)}`,
      );
      expect(row?.n, `${name} = ${value}`).toBe(values.filter((other) => other === value).length);
    }
  }
  const [late] = await bucket.sql(
    `SELECT count(*) AS n FROM ${bucket.events} WHERE epoch_us(time) >= 1790000000002990 AND time >= make_timestamptz(1790000000002990)`,
  );
  expect(late).toEqual({ n: 10 });
});

test("a segment's columns have the types that FORMAT.md promises", async () => {
  const event = { kind: "log" as const, script: "shop", invocation_id: "i", seq: 0, sample_weight: 10, duration: 1.5 };
  const attributes = { plan: "pro", items: 3, paid: true };
  const { bytes } = writeSegment(batchOf([{ ...event, time: 1_790_000_000_123_456, status: 200, attributes }]));
  await bucket.put(KEY, bytes);
  expect(await bucket.types(`SELECT * FROM ${bucket.events}`)).toMatchObject({
    time: "TIMESTAMP WITH TIME ZONE",
    kind: "VARCHAR",
    seq: "INTEGER",
    sample_weight: "DOUBLE",
    duration_ms: "DOUBLE",
    "http.response.status_code": "INTEGER",
    plan: "VARCHAR",
    items: "DOUBLE",
    paid: "BOOLEAN",
    script: "VARCHAR",
    date: "DATE",
    hour: "BIGINT",
  });
  const [row] = await bucket.sql(
    `SELECT epoch_us(time) AS us, script, hour, date::VARCHAR AS date FROM ${bucket.events}`,
  );
  expect(row).toEqual({ us: 1_790_000_000_123_456, script: "shop", hour: 22, date: "2026-11-20" });
});

test("segments with different columns are one table, pruned by the folders of the path", async () => {
  const event = { kind: "invocation" as const, script: "x", invocation_id: "i", seq: 0, sample_weight: 4 };
  const one = writeSegment(batchOf([{ ...event, time: 1, attributes: { a: 1 } }]));
  const two = writeSegment(batchOf([{ ...event, time: 2, attributes: { b: "text", a: "one" } }]));
  await bucket.put("events/script=shop/date=2026-11-20/hour=22/s-1-1.parquet", one.bytes);
  await bucket.put("events/script=a%2Fb/date=2026-11-21/hour=03/s-1-1.parquet", two.bytes);
  const all = await bucket.sql(`SELECT script, a, b, sample_weight FROM ${bucket.events} ORDER BY time`);
  expect(all).toEqual([
    { script: "shop", a: "1.0", b: null, sample_weight: 4 },
    { script: "a/b", a: "one", b: "text", sample_weight: 4 },
  ]);
  const counted = await bucket.sql(`SELECT sum(sample_weight) AS n FROM ${bucket.events} WHERE date = '2026-11-21'`);
  expect(counted).toEqual([{ n: 4 }]);
});

test("attributes in the overflow column are read with JSON functions", async () => {
  const event = { kind: "log" as const, script: "shop", invocation_id: "i", seq: 0, sample_weight: 1 };
  const attributes: Record<string, string | number> = {};
  for (let i = 0; i < MAX_ATTRIBUTE_COLUMNS; i++) attributes[`common.${i}`] = i;
  const { bytes } = writeSegment(
    batchOf([
      { ...event, time: 1, attributes },
      { ...event, time: 2, attributes: { ...attributes, "rare.key": 'a "b"', n: 2 } },
    ]),
  );
  await bucket.put(KEY, bytes);
  const rows = await bucket.sql(
    `SELECT "${OVERFLOW_COLUMN}"->>'rare.key' AS rare, ("${OVERFLOW_COLUMN}"->>'n')::DOUBLE AS n FROM ${bucket.events} ORDER BY time`,
  );
  expect(rows).toEqual([
    { rare: null, n: null },
    { rare: 'a "b"', n: 2 },
  ]);
});
