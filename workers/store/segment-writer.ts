/**
 * Writes a batch as one Parquet file, the form in which events stay (FORMAT.md).
 * Callers: sealing and compaction in `store/`, which pass rows sorted by time
 * and put the bytes into R2 and the pruning into the catalog.
 */
import { zstdCompressSync } from "node:zlib";
import type { SchemaElement } from "hyparquet";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { type Column, type ColumnBatch, cell } from "../event/batch.ts";
import { CORE_BY_PHYSICAL, type ColumnType } from "../event/columns.ts";
import { buildPruning, type Pruning } from "./pruning.ts";

export interface WrittenSegment {
  bytes: Uint8Array;
  rows: number;
  /** Microseconds since the epoch; 0 when there are no rows. */
  minTime: number;
  maxTime: number;
  pruning: Pruning;
  /** Attribute columns, also those that share the overflow column. */
  attributes: { name: string; type: ColumnType }[];
}

/** Rows per row group: the unit that a reader decodes at once. */
const ROW_GROUP_ROWS = 65_536;
/** Uncompressed. workerd's zstd goes wrong somewhere above 1 MiB. */
const PAGE_BYTES = 128 * 1024;

export function writeSegment(batch: ColumnBatch): WrittenSegment {
  const columnData: ColumnSource[] = [];
  const schema: SchemaElement[] = [{ name: "event", num_children: batch.columns.size }];
  for (const [name, column] of batch.columns) {
    schema.push(schemaElement(name, column.type));
    columnData.push({ name, data: cells(column, batch.rows) });
  }
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      columnData,
      schema,
      codec: "ZSTD",
      compressors: { ZSTD: (page) => new Uint8Array(zstdCompressSync(page)) },
      rowGroupSize: ROW_GROUP_ROWS,
      pageSize: PAGE_BYTES,
    }),
  );
  const pruning = buildPruning(batch);
  const [minTime, maxTime] = pruning.columns.time?.r ?? [0, 0];
  const attributes: WrittenSegment["attributes"] = [];
  for (const [name, column] of batch.columns) {
    if (!CORE_BY_PHYSICAL.has(name)) attributes.push({ name, type: column.type });
  }
  return { bytes, rows: batch.rows, minTime, maxTime, pruning, attributes };
}

function cells(column: Column, rows: number): unknown[] {
  const data = new Array<unknown>(rows);
  for (let row = 0; row < rows; row++) {
    const value = cell(column, row);
    data[row] = value === undefined ? null : column.type === "time" ? BigInt(value) : value;
  }
  return data;
}

function schemaElement(name: string, type: ColumnType): SchemaElement {
  const repetition_type = "OPTIONAL";
  switch (type) {
    case "string":
      return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "number":
      return { name, repetition_type, type: "DOUBLE" };
    case "boolean":
      return { name, repetition_type, type: "BOOLEAN" };
    case "time":
      return {
        name,
        repetition_type,
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      };
  }
}
