/**
 * Writes a batch as one Parquet file, the form in which events stay (FORMAT.md).
 * Callers: sealing and compaction, which pass rows sorted by time and put the
 * bytes into R2 and the pruning into the catalog. Encodes from the batch's own
 * dictionaries (parquet/strings.ts): five times as fast as a general writer,
 * which hashes every cell again (docs/decisions/0003-own-parquet-encoder.md).
 */
import type { Column, ColumnBatch, StringColumn } from "../event/batch.ts";
import { CORE_COLUMNS, type ColumnType, ENTRY_COLUMN, isAttribute, OVERFLOW_COLUMN } from "../event/columns.ts";
import { chooseColumns, foldAttributes, overflowAttributes } from "./overflow.ts";
import { ByteSink } from "./parquet/bytes.ts";
import type { Chunk, Span } from "./parquet/chunk.ts";
import { type PhysicalType, type WrittenColumn, writeFooter } from "./parquet/footer.ts";
import { encodeNumbers } from "./parquet/numbers.ts";
import { encodeStrings } from "./parquet/strings.ts";
import { buildPruning, type Pruning } from "./pruning.ts";

export interface WrittenSegment {
  bytes: Uint8Array;
  rows: number;
  /** Microseconds since the epoch; 0 when there are no rows. */
  minTime: number;
  maxTime: number;
  pruning: Pruning;
  /** Attribute columns, also those that share the overflow column, up to MAX_LISTED_ATTRIBUTES. */
  attributes: { name: string; type: ColumnType }[];
}

/** Rows per row group: what a reader decodes at once. */
export const ROW_GROUP_ROWS = 65_536;
/** Text of one column in a row group: a reader holds it several times over, in a Worker's 128 MB. */
const ROW_GROUP_CHARS = 8 * 1024 * 1024;

/** Integers by nature; everything else that is a number is a DOUBLE, so that a column has one type in all files. */
const INTEGER_COLUMNS = new Set(["seq", "http.response.status_code", ENTRY_COLUMN]);

const MAGIC = new Uint8Array([0x50, 0x41, 0x52, 0x31]);
const FORMAT_KEY = "tailrace.format";
const FORMAT_VERSION = "1";
/** JSON: `[[name, type], …]` of the attributes in the overflow column. */
export const OVERFLOW_KEY = "tailrace.overflow";
/**
 * Names of attributes in the catalog, for completion only: who logs maps keyed
 * by ids makes a hundred thousand, and a D1 row has 2 MB at most.
 */
export const MAX_LISTED_ATTRIBUTES = 1_000;
/** Longer lists are left out; a reader then looks into the overflow column for any name. */
const MAX_OVERFLOW_LIST_CHARS = 32_768;

export function writeSegment(source: ColumnBatch): WrittenSegment {
  const batch = foldAttributes(source, chooseColumns([source]));
  const columns = orderedColumns(batch);
  const out = new ByteSink(Math.max(4_096, batch.rows * 64));
  out.append(MAGIC);
  const groups: { rows: number; chunks: Chunk[] }[] = [];
  for (const span of rowGroups(batch)) {
    const chunks = columns.map(({ name, physical }) => {
      const column = batch.columns.get(name) as Column;
      if (column.type === "string") return encodeStrings(out, column, span);
      return encodeNumbers(out, column, span, physical as Exclude<PhysicalType, "BYTE_ARRAY">);
    });
    groups.push({ rows: span.to - span.from, chunks });
  }
  const overflow = batch.columns.get(OVERFLOW_COLUMN) as StringColumn | undefined;
  const rare = overflow === undefined ? [] : overflowAttributes(overflow);
  writeFooter(out, columns, groups, keyValues(overflow !== undefined, rare));
  out.append(MAGIC);

  const pruning = buildPruning(source);
  const [minTime, maxTime] = pruning.columns.time?.r ?? [0, 0];
  const attributes = columns.filter(({ name }) => isAttribute(name));
  return {
    // A copy of its own: the buffer is twice as large, and callers hold this while they wait for the bucket.
    bytes: out.view().slice(),
    rows: batch.rows,
    minTime,
    maxTime,
    pruning,
    attributes: [
      ...attributes.map(({ name, type }) => ({ name, type })),
      ...rare.filter(({ name }) => !batch.columns.has(name)),
    ].slice(0, MAX_LISTED_ATTRIBUTES),
  };
}

function rowGroups(batch: ColumnBatch): Span[] {
  const heavy = [...batch.columns.values()].filter((column) => column.type === "string" && mayBeHeavy(column));
  const spans: Span[] = [];
  for (let from = 0; from < batch.rows; ) {
    let to = Math.min(batch.rows, from + ROW_GROUP_ROWS);
    for (const column of heavy) to = Math.min(to, lightUntil(column as StringColumn, from, to));
    spans.push({ from, to });
    from = to;
  }
  return spans;
}

function mayBeHeavy({ dict, index }: StringColumn): boolean {
  let longest = 0;
  for (const text of dict) if (text.length > longest) longest = text.length;
  return longest * Math.min(ROW_GROUP_ROWS, index.length) > ROW_GROUP_CHARS;
}

/** The first row that would be too much; at least one row is taken. */
function lightUntil({ dict, index }: StringColumn, from: number, to: number): number {
  let chars = 0;
  for (let row = from; row < to; row++) {
    const at = index[row] as number;
    chars += at < 0 ? 0 : (dict[at] as string).length;
    if (chars > ROW_GROUP_CHARS) return Math.max(row, from + 1);
  }
  return to;
}

/** Core columns in their own order, then attributes, then what they overflow into, then where they were in the log. */
function orderedColumns(batch: ColumnBatch): WrittenColumn[] {
  const attributes = [...batch.columns.keys()].filter(isAttribute);
  const names = [...CORE_COLUMNS.map((core) => core.physical), ...attributes, OVERFLOW_COLUMN, ENTRY_COLUMN];
  const written: WrittenColumn[] = [];
  for (const name of names) {
    const column = batch.columns.get(name);
    if (column !== undefined) written.push({ name, type: column.type, physical: physicalType(name, column) });
  }
  return written;
}

function physicalType(name: string, column: Column): PhysicalType {
  switch (column.type) {
    case "string":
      return "BYTE_ARRAY";
    case "boolean":
      return "BOOLEAN";
    case "time":
      return "INT64";
    case "number":
      return INTEGER_COLUMNS.has(name) && column.data.every(isInt32) ? "INT32" : "DOUBLE";
  }
}

/** Null counts as one. */
function isInt32(value: number): boolean {
  return (value | 0) === value || Number.isNaN(value);
}

function keyValues(hasOverflow: boolean, rare: WrittenSegment["attributes"]): Record<string, string> {
  const pairs: Record<string, string> = { [FORMAT_KEY]: FORMAT_VERSION };
  if (!hasOverflow) return pairs;
  const list = JSON.stringify(rare.map(({ name, type }) => [name, type]));
  if (list.length <= MAX_OVERFLOW_LIST_CHARS) pairs[OVERFLOW_KEY] = list;
  return pairs;
}
