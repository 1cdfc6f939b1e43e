/**
 * Columns that our own decoder does not know, read through hyparquet: files
 * that somebody rewrote with other codecs, encodings or types. Slow and
 * correct; called by `segment-reader.ts` only after `Unsupported`.
 */
import { type DecodedArray, type FileMetaData, parquetMetadataAsync, parquetRead } from "hyparquet";
import type { Column, NumberColumn } from "../../event/batch.ts";
import type { ColumnType } from "../../event/columns.ts";
import type { ByteSource } from "../segment-reader.ts";
import { decompress } from "./zstd.ts";

export interface ForeignColumn {
  name: string;
  type: ColumnType;
  rowStart: number;
  rowEnd: number;
}

export async function readForeign(source: ByteSource, size: number, column: ForeignColumn): Promise<Column> {
  const file = {
    byteLength: size,
    slice: async (start: number, end = size) => (await source.read(start, end - start)).slice().buffer as ArrayBuffer,
  };
  // Times stay exact: hyparquet's own parsers make a Date of them, which has milliseconds.
  const parsers = {
    timestampFromMilliseconds: (value: bigint) => Number(value) * 1_000,
    timestampFromMicroseconds: (value: bigint) => Number(value),
    timestampFromNanoseconds: (value: bigint) => Number(value) / 1_000,
  };
  const metadata: FileMetaData = await parquetMetadataAsync(file, { parsers });
  const values: unknown[] = new Array(column.rowEnd - column.rowStart).fill(undefined);
  await parquetRead({
    file,
    metadata,
    columns: [column.name],
    rowStart: column.rowStart,
    rowEnd: column.rowEnd,
    parsers,
    compressors: { ZSTD: decompress },
    onChunk: ({ columnData, rowStart }: { columnData: DecodedArray; rowStart: number }) => {
      for (let i = 0; i < columnData.length; i++) {
        const row = rowStart + i - column.rowStart;
        if (row >= 0 && row < values.length) values[row] = columnData[i];
      }
    },
  });
  return column.type === "string" ? toStrings(values) : toNumbers(values, column.type);
}

function toNumbers(values: readonly unknown[], type: NumberColumn["type"]): NumberColumn {
  const data = Float64Array.from(values, (value) =>
    value === null || value === undefined ? Number.NaN : Number(value),
  );
  return { type, data };
}

function toStrings(values: readonly unknown[]): Column {
  const positions = new Map<string, number>();
  const dict: string[] = [];
  const index = Int32Array.from(values, (value) => {
    if (value === null || value === undefined) return -1;
    const text = typeof value === "object" && !(value instanceof Date) ? JSON.stringify(value) : String(value);
    let position = positions.get(text);
    if (position === undefined) {
      position = dict.push(text) - 1;
      positions.set(text, position);
    }
    return position;
  });
  return { type: "string", dict, index };
}
