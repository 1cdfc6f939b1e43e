/**
 * The footer of a segment: schema, where each column chunk lies, statistics.
 * Written through hyparquet-writer; read by our own bounded Thrift reader,
 * because a query opens many segments and a damaged footer must not ask for
 * gigabytes. Between `segment-writer.ts` / `segment-reader.ts` and the file.
 */
import type { FileMetaData, SchemaElement } from "hyparquet";
import { ByteWriter } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import type { ColumnType } from "../../event/columns.ts";
import type { ByteSink } from "./bytes.ts";
import type { Chunk } from "./chunk.ts";
import type { NumberType } from "./numbers.ts";
import { readStruct, type ThriftStruct } from "./thrift.ts";

export type PhysicalType = NumberType | "BYTE_ARRAY";

export interface WrittenColumn {
  name: string;
  type: ColumnType;
  physical: PhysicalType;
}

/** Prefixes are enough to prune by, and keep the footer small. */
const STATISTICS_TEXT_BYTES = 16;

export function writeFooter(
  out: ByteSink,
  columns: readonly WrittenColumn[],
  rowGroups: readonly { rows: number; chunks: readonly Chunk[] }[],
  keyValues: Readonly<Record<string, string>>,
): void {
  const metadata: FileMetaData = {
    version: 2,
    created_by: "tailrace version 1 (build 1)",
    schema: [{ name: "event", num_children: columns.length }, ...columns.map(schemaElement)],
    num_rows: BigInt(rowGroups.reduce((sum, group) => sum + group.rows, 0)),
    row_groups: rowGroups.map((group) => ({
      columns: group.chunks.map((chunk, i) => columnChunk(chunk, columns[i] as WrittenColumn)),
      total_byte_size: BigInt(group.chunks.reduce((sum, chunk) => sum + chunk.uncompressed, 0)),
      total_compressed_size: BigInt(group.chunks.reduce((sum, chunk) => sum + chunk.compressed, 0)),
      num_rows: BigInt(group.rows),
    })),
    key_value_metadata: Object.entries(keyValues).map(([key, value]) => ({ key, value })),
    metadata_length: 0,
  };
  const writer = new ByteWriter(64 * 1024);
  writeMetadata(writer, metadata, STATISTICS_TEXT_BYTES);
  out.append(writer.getBytes());
}

function schemaElement({ name, type, physical }: WrittenColumn): SchemaElement {
  const element: SchemaElement = { name, repetition_type: "OPTIONAL", type: physical };
  if (type === "string") return { ...element, converted_type: "UTF8", logical_type: { type: "STRING" } };
  if (type !== "time") return element;
  const logical_type = { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" } as const;
  return { ...element, converted_type: "TIMESTAMP_MICROS", logical_type };
}

function columnChunk(chunk: Chunk, { name, physical }: WrittenColumn) {
  const statistics = { null_count: BigInt(chunk.nulls), min_value: chunk.min, max_value: chunk.max };
  if (chunk.min === 0) statistics.min_value = -0;
  if (chunk.max === 0) statistics.max_value = 0;
  if (physical === "BOOLEAN" && chunk.min !== undefined) {
    Object.assign(statistics, { min_value: chunk.min === 1, max_value: chunk.max === 1 });
  }
  return {
    file_offset: BigInt(chunk.offset),
    meta_data: {
      type: physical,
      encodings: chunk.encodings,
      path_in_schema: [name],
      codec: "ZSTD" as const,
      num_values: BigInt(chunk.rows),
      total_uncompressed_size: BigInt(chunk.uncompressed),
      total_compressed_size: BigInt(chunk.compressed),
      data_page_offset: BigInt(chunk.dataOffset),
      dictionary_page_offset: chunk.dictionaryOffset === undefined ? undefined : BigInt(chunk.dictionaryOffset),
      statistics,
    },
  };
}

/** A flat column that can be read. */
export interface FooterColumn {
  name: string;
  type: ColumnType;
  /** Parquet's number of the physical type. */
  physical: number;
  optional: boolean;
  /** Factor that makes microseconds of a time. */
  scale: number;
  /** False: only hyparquet knows how to read it. */
  plain: boolean;
}

export interface FooterChunk {
  offset: number;
  length: number;
  codec: number;
}

export interface FooterGroup {
  rows: number;
  minTime: number;
  maxTime: number;
  /** As many as there are columns, in their order. */
  chunks: FooterChunk[];
}

export interface Footer {
  rows: number;
  columns: FooterColumn[];
  groups: FooterGroup[];
  keyValues: Map<string, string>;
}

export const PHYSICAL = { BOOLEAN: 0, INT32: 1, INT64: 2, INT96: 3, FLOAT: 4, DOUBLE: 5, BYTE_ARRAY: 6 } as const;

/** Ours have 65,536; other writers', up to a million. A damaged number must not ask for more than a Worker has. */
const MAX_GROUP_ROWS = 4_000_000;

/** `bytes` are the metadata alone, without length and magic. Throws on anything that is not a sound footer. */
export function readFooter(bytes: Uint8Array, fileSize: number): Footer {
  const meta = readStruct(bytes, { at: 0 });
  const { columns, leaves } = readSchema(structs(meta[2]));
  const groups = structs(meta[4]).map((group): FooterGroup => {
    const all = structs(group[1]);
    const chunks = leaves.map((leaf) => readChunk(all[leaf], fileSize));
    const time = columns.findIndex((column) => column.name === "time" && column.type === "time");
    const [minTime, maxTime] = time < 0 ? EVER : timeRange(all[leaves[time] as number], columns[time] as FooterColumn);
    const rows = count(group[3]);
    if (rows > MAX_GROUP_ROWS) throw new RangeError(`row group of ${rows} rows`);
    return { rows, minTime, maxTime, chunks };
  });
  const keyValues = new Map(
    structs(meta[5]).map((pair) => [text(pair[1]), pair[2] === undefined ? "" : text(pair[2])]),
  );
  return { rows: count(meta[3]), columns, groups, keyValues };
}

/** Leaves of nested columns are counted, but not offered. */
function readSchema(elements: ThriftStruct[]): { columns: FooterColumn[]; leaves: number[] } {
  const columns: FooterColumn[] = [];
  const leaves: number[] = [];
  let leaf = 0;
  let at = 1;
  const skip = () => {
    const children = elements[at++]?.[5];
    if (typeof children !== "number" || children === 0) leaf++;
    else for (let i = 0; i < children && at < elements.length; i++) skip();
  };
  while (at < elements.length) {
    const element = elements[at] as ThriftStruct;
    const nested = typeof element[5] === "number" && element[5] > 0;
    if (!nested && element[3] !== REPEATED) {
      columns.push(readColumn(element));
      leaves.push(leaf);
    }
    skip();
  }
  return { columns, leaves };
}

const REPEATED = 2;
const CONVERTED_TIMESTAMP_MILLIS = 9;
const CONVERTED_TIMESTAMP_MICROS = 10;
/** UTF8, ENUM, JSON: bytes that are text. Absent is taken for text too. */
const CONVERTED_TEXT = new Set<unknown>([undefined, 0, 4, 19]);
/** Signed integers of every width are numbers as they are. */
const CONVERTED_NUMBER = new Set<unknown>([undefined, 15, 16, 17, 18]);

function readColumn(element: ThriftStruct): FooterColumn {
  const physical = count(element[1]);
  const converted = element[6];
  const unit = timestampUnit(element[10]);
  const base = { name: text(element[4]), physical, optional: element[3] === 1, scale: 1 };
  if (physical === PHYSICAL.INT64 && (unit !== undefined || converted === CONVERTED_TIMESTAMP_MICROS)) {
    return { ...base, type: "time", scale: unit ?? 1, plain: true };
  }
  if (physical === PHYSICAL.INT64 && converted === CONVERTED_TIMESTAMP_MILLIS) {
    return { ...base, type: "time", scale: 1_000, plain: true };
  }
  if (physical === PHYSICAL.BOOLEAN) return { ...base, type: "boolean", plain: true };
  if (physical === PHYSICAL.BYTE_ARRAY) return { ...base, type: "string", plain: CONVERTED_TEXT.has(converted) };
  const isNumber = physical === PHYSICAL.INT32 || physical === PHYSICAL.INT64 || physical === PHYSICAL.DOUBLE;
  if (isNumber && CONVERTED_NUMBER.has(converted)) return { ...base, type: "number", plain: true };
  return { ...base, type: physical === PHYSICAL.FLOAT ? "number" : "string", plain: false };
}

/** Microseconds per unit of a TIMESTAMP logical type. */
function timestampUnit(logical: unknown): number | undefined {
  const timestamp = Array.isArray(logical) ? (logical as ThriftStruct)[8] : undefined;
  const unit = Array.isArray(timestamp) ? (timestamp as ThriftStruct)[2] : undefined;
  if (!Array.isArray(unit)) return undefined;
  return unit[1] !== undefined ? 1_000 : unit[2] !== undefined ? 1 : 1 / 1_000;
}

function readChunk(chunk: ThriftStruct | undefined, fileSize: number): FooterChunk {
  const meta = chunk?.[3];
  if (!Array.isArray(meta)) throw new RangeError("column chunk without metadata");
  const fields = meta as ThriftStruct;
  const data = count(fields[9]);
  const dictionary = fields[11] === undefined ? data : count(fields[11]);
  // Some writers record offset 0 for "no dictionary".
  const offset = dictionary === 0 ? data : Math.min(data, dictionary);
  const length = count(fields[7]);
  if (offset + length > fileSize) throw new RangeError("column chunk past the end of the file");
  return { offset, length, codec: count(fields[4]) };
}

const EVER: [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

function timeRange(chunk: ThriftStruct | undefined, column: FooterColumn): [number, number] {
  const meta = chunk?.[3];
  const statistics = Array.isArray(meta) ? (meta as ThriftStruct)[12] : undefined;
  if (!Array.isArray(statistics)) return EVER;
  const [min, max] = [(statistics as ThriftStruct)[6], (statistics as ThriftStruct)[5]];
  if (!(min instanceof Uint8Array && max instanceof Uint8Array && min.length === 8 && max.length === 8)) return EVER;
  return [int64(min) * column.scale, int64(max) * column.scale];
}

function int64(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
}

function structs(value: unknown): ThriftStruct[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((item) => !Array.isArray(item))) throw new RangeError("damaged footer");
  return value as ThriftStruct[];
}

function count(value: unknown): number {
  if (typeof value !== "number" || !(value >= 0) || !Number.isSafeInteger(value))
    throw new RangeError("damaged footer");
  return value;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

function text(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw new RangeError("damaged footer");
  return decoder.decode(value);
}
