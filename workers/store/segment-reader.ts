/**
 * Reads segments back into batches: the footer first, then only the column
 * chunks that a query names, in as few ranges as pays. Callers: `query/` and
 * compaction. The source is R2 in production and an array in tests.
 */
import { zstdDecompressSync } from "node:zlib";
import { type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import type { Column, ColumnBatch } from "../event/batch.ts";
import type { ColumnType } from "../event/columns.ts";

/** Callers count the reads and bytes themselves. */
export interface ByteSource {
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface RowGroupInfo {
  rows: number;
  /** Microseconds since the epoch. */
  minTime: number;
  maxTime: number;
}

export interface Segment {
  rows: number;
  rowGroups: readonly RowGroupInfo[];
  /** Every column, also the attributes that share the overflow column. */
  columns: readonly { name: string; type: ColumnType }[];
  /** Columns that the segment does not have are missing from the answer. Dictionaries may hold an entry twice. */
  read(rowGroup: number, names: readonly string[]): Promise<ColumnBatch>;
}

/** The object is not a segment that can be read: truncated, damaged, or written by something else. */
export class SegmentError extends Error {
  readonly tag = "segment_unreadable";
}

export async function openSegment(source: ByteSource, size: number): Promise<Segment> {
  const bytes = (await source.read(0, size)).slice();
  const metadata = await guard(async () => parquetMetadata(bytes));
  const columns = metadata.schema.slice(1).map((e) => ({ name: e.name, type: columnType(e.type, e.converted_type) }));
  const byName = new Map(columns.map((c) => [c.name, c.type]));
  const rowGroups = metadata.row_groups.map((group) => timeRange(group));
  return {
    rows: Number(metadata.num_rows),
    rowGroups,
    columns,
    read: (rowGroup, names) =>
      guard(async () => {
        let rowStart = 0;
        for (let i = 0; i < rowGroup; i++) rowStart += (rowGroups[i] as RowGroupInfo).rows;
        const rows = (rowGroups[rowGroup] as RowGroupInfo).rows;
        const wanted = names.filter((name) => byName.has(name));
        if (wanted.length === 0) return { rows, columns: new Map() };
        const objects = await parquetReadObjects({
          file: bytes.buffer,
          metadata,
          columns: wanted,
          rowStart,
          rowEnd: rowStart + rows,
          compressors: { ZSTD: (page) => new Uint8Array(zstdDecompressSync(page)) },
        });
        return {
          rows,
          columns: new Map(wanted.map((name) => [name, toColumn(byName.get(name) as ColumnType, objects, name)])),
        };
      }),
  };
}

function timeRange(group: FileMetaData["row_groups"][number]): RowGroupInfo {
  const time = group.columns.find((c) => c.meta_data?.path_in_schema[0] === "time")?.meta_data?.statistics;
  const micros = (value: unknown) => (value instanceof Date ? value.getTime() * 1000 : 0);
  return { rows: Number(group.num_rows), minTime: micros(time?.min_value), maxTime: micros(time?.max_value) + 999 };
}

function columnType(type: string | undefined, converted: string | undefined): ColumnType {
  if (type === "BOOLEAN") return "boolean";
  if (type === "BYTE_ARRAY") return "string";
  return converted === "TIMESTAMP_MICROS" ? "time" : "number";
}

function toColumn(type: ColumnType, objects: Record<string, unknown>[], name: string): Column {
  if (type === "string") {
    const dict: string[] = [];
    const at = new Map<string, number>();
    const index = Int32Array.from(objects, (o) => {
      const value = o[name];
      if (value === null || value === undefined) return -1;
      const text = String(value);
      let position = at.get(text);
      if (position === undefined) {
        position = dict.push(text) - 1;
        at.set(text, position);
      }
      return position;
    });
    return { type, dict, index };
  }
  const data = Float64Array.from(objects, (o) => {
    const value = o[name];
    if (value === null || value === undefined) return Number.NaN;
    return value instanceof Date ? value.getTime() * 1000 : Number(value);
  });
  return { type, data };
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new SegmentError(error instanceof Error ? error.message : String(error));
  }
}
