/**
 * One column of one row group → one column chunk. The segment writer calls this
 * per column; the encoding is chosen from the data:
 *   strings   dictionary, straight from the batch's own dictionary, unless the
 *             plain text is smaller (near-unique text): then lengths and bytes
 *   numbers   dictionary if few differ, else split into byte planes (doubles)
 *             or differences (integers, times)
 *   booleans  bits
 */
import type { NumberColumn, StringColumn } from "../event/batch.ts";
import { ByteSink } from "./parquet-bytes.ts";
import { encodeDelta } from "./parquet-delta.ts";
import { type EncodingName, PAGE_BYTES, type Sizes, writeDataPage, writeDictionaryPage } from "./parquet-page.ts";
import { bitWidthOf, encodeHybrid } from "./parquet-rle.ts";

export type NumberType = "BOOLEAN" | "INT32" | "INT64" | "DOUBLE";

/** What the footer says of a chunk. */
export interface Chunk extends Sizes {
  /** File offset of the first page. */
  offset: number;
  dictionaryOffset?: number;
  dataOffset: number;
  encodings: EncodingName[];
  rows: number;
  nulls: number;
  min?: string | number;
  max?: string | number;
}

/** Rows `from` to `to` of the batch are this row group. */
export interface Span {
  from: number;
  to: number;
}

/** A dictionary of more than this is not worth holding in memory while reading. */
const MAX_DICTIONARY_BYTES = 4 * 1024 * 1024;
/** Finding the smallest and largest of more strings than this costs more than the pruning that it allows. */
const MAX_STRINGS_FOR_STATISTICS = 1_024;
/** Beyond so many different numbers a dictionary does not pay. */
const MAX_DIFFERENT_NUMBERS = 8_192;

/** The rows of a span that have a value. */
interface Present {
  levels: Uint8Array | undefined;
  count: number;
}

export function encodeStrings(out: ByteSink, column: StringColumn, span: Span): Chunk {
  const rows = span.to - span.from;
  const { dict } = column;
  const remap = remapFor(dict.length);
  const used: string[] = [];
  const index = new Int32Array(rows);
  const levels = new Uint8Array(rows);
  let count = 0;
  let entryChars = 0;
  let rowChars = 0;
  for (let row = 0; row < rows; row++) {
    const at = column.index[span.from + row] as number;
    if (at < 0) continue;
    levels[row] = 1;
    const text = dict[at] as string;
    rowChars += text.length;
    let position = (remap[at] as number) - 1;
    if (position < 0) {
      position = used.length;
      remap[at] = position + 1;
      used.push(text);
      entryChars += text.length;
    }
    index[count++] = position;
  }
  for (let row = span.from; row < span.to; row++) {
    const at = column.index[row] as number;
    if (at >= 0) remap[at] = 0;
  }
  const present: Present = { levels: count === rows ? undefined : levels, count };
  const width = bitWidthOf(Math.max(0, used.length - 1));
  const asDictionary = entryChars + 4 * used.length + (count * width) / 8;
  if (used.length > 0 && asDictionary <= rowChars + count && entryChars + 4 * used.length <= MAX_DICTIONARY_BYTES) {
    return stringDictionary(out, used, index, width, present, rows);
  }
  return plainText(out, used, index, present, rows);
}

/** Entry → position + 1 in the chunk's dictionary; all zero between calls. */
let remapScratch = new Int32Array(0);
function remapFor(entries: number): Int32Array {
  if (remapScratch.length < entries) remapScratch = new Int32Array(entries * 2);
  return remapScratch;
}

const scratch = new ByteSink(64 * 1024);

function stringDictionary(
  out: ByteSink,
  used: readonly string[],
  index: Int32Array,
  width: number,
  present: Present,
  rows: number,
): Chunk {
  scratch.length = 0;
  let ascii = true;
  for (const text of used) {
    const lengthAt = scratch.length;
    scratch.uint32(0);
    const length = scratch.utf8(text);
    if (length !== text.length) ascii = false;
    putUint32(scratch.bytes, lengthAt, length);
  }
  const chunk = newChunk(out, present, rows);
  if (ascii && used.length > 0 && used.length <= MAX_STRINGS_FOR_STATISTICS) addStringRange(chunk, used);
  dictionaryChunk(out, chunk, used.length, scratch.view(), index, width, present, rows);
  return chunk;
}

function dictionaryChunk(
  out: ByteSink,
  chunk: Chunk,
  entries: number,
  page: Uint8Array,
  index: Int32Array,
  width: number,
  present: Present,
  rows: number,
): void {
  chunk.dictionaryOffset = out.length;
  chunk.encodings = ["PLAIN", "RLE", "RLE_DICTIONARY"];
  writeDictionaryPage(out, entries, page, chunk);
  const perPage = Math.floor((PAGE_BYTES * 8) / Math.max(1, width) / 8) * 8 - 8;
  writePages(out, chunk, "RLE_DICTIONARY", present, rows, perPage, (sink, from, to) => {
    sink.byte(width);
    encodeHybrid(sink, index.subarray(from, to), to - from, width);
  });
}

/** Byte order is what Parquet compares by; for ASCII it is the order of JavaScript's strings. */
function addStringRange(chunk: Chunk, used: readonly string[]): void {
  let min = used[0] as string;
  let max = min;
  for (const text of used) {
    if (text < min) min = text;
    else if (text > max) max = text;
  }
  chunk.min = min;
  chunk.max = max;
}

/** Lengths, then all bytes in a row: better compressed, and searchable as one text. */
function plainText(out: ByteSink, used: readonly string[], index: Int32Array, present: Present, rows: number): Chunk {
  const chunk = newChunk(out, present, rows);
  chunk.encodings = ["RLE", "DELTA_LENGTH_BYTE_ARRAY"];
  const lengths = new Int32Array(present.count);
  let value = 0;
  for (let row = 0; row < rows; ) {
    scratch.length = 0;
    const firstRow = row;
    const firstValue = value;
    for (; row < rows && scratch.length < PAGE_BYTES - 8 * (value - firstValue); row++) {
      if (present.levels !== undefined && present.levels[row] === 0) continue;
      const text = used[index[value] as number] as string;
      // One long text must not push a well-filled page over the size of a frame.
      if (value > firstValue && scratch.length + text.length > PAGE_BYTES) break;
      lengths[value++] = scratch.utf8(text);
    }
    const count = value - firstValue;
    const page = {
      encoding: "DELTA_LENGTH_BYTE_ARRAY" as const,
      rows: row - firstRow,
      present: present.levels?.subarray(firstRow, row),
      count,
      write: (sink: ByteSink) => {
        encodeDelta(sink, lengths.subarray(firstValue, value), count);
        sink.append(scratch.view());
      },
    };
    writeDataPage(out, page, chunk);
  }
  return chunk;
}

export function encodeNumbers(out: ByteSink, column: NumberColumn, span: Span, type: NumberType): Chunk {
  const rows = span.to - span.from;
  const levels = new Uint8Array(rows);
  const values = new Float64Array(rows);
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const wholeAndFinite = type === "INT64";
  for (let row = 0; row < rows; row++) {
    let value = column.data[span.from + row] as number;
    if (wholeAndFinite) value = Number.isFinite(value) ? Math.round(value) : Number.NaN;
    if (Number.isNaN(value)) continue;
    levels[row] = 1;
    values[count++] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const present: Present = { levels: count === rows ? undefined : levels, count };
  const chunk = newChunk(out, present, rows);
  if (count > 0) {
    chunk.min = min;
    chunk.max = max;
  }
  if (type === "BOOLEAN") {
    chunk.encodings = ["RLE", "PLAIN"];
    writePages(out, chunk, "PLAIN", present, rows, PAGE_BYTES * 8, (sink, from, to) =>
      packBits(sink, values, from, to),
    );
    return chunk;
  }
  const small = numberDictionary(values, count);
  if (small !== undefined) {
    scratch.length = 0;
    plainNumbers(scratch, small.entries, 0, small.entries.length, type);
    const width = bitWidthOf(Math.max(0, small.entries.length - 1));
    dictionaryChunk(out, chunk, small.entries.length, scratch.view(), small.index, width, present, rows);
  } else if (type === "DOUBLE") {
    chunk.encodings = ["RLE", "BYTE_STREAM_SPLIT"];
    writePages(out, chunk, "BYTE_STREAM_SPLIT", present, rows, PAGE_BYTES / 8, (sink, from, to) =>
      splitBytes(sink, values, from, to),
    );
  } else if (max - min < 2 ** 52) {
    chunk.encodings = ["RLE", "DELTA_BINARY_PACKED"];
    // A difference needs at most eight bytes, mostly two.
    writePages(out, chunk, "DELTA_BINARY_PACKED", present, rows, PAGE_BYTES / 8, (sink, from, to) =>
      encodeDelta(sink, values.subarray(from, to), to - from),
    );
  } else {
    chunk.encodings = ["RLE", "PLAIN"];
    writePages(out, chunk, "PLAIN", present, rows, PAGE_BYTES / 8, (sink, from, to) =>
      plainNumbers(sink, values, from, to, type),
    );
  }
  return chunk;
}

function newChunk(out: ByteSink, present: Present, rows: number): Chunk {
  const offset = out.length;
  return {
    offset,
    dataOffset: offset,
    encodings: [],
    rows,
    nulls: rows - present.count,
    compressed: 0,
    uncompressed: 0,
  };
}

/** Cuts the rows into pages; `write` gets the range of values (nulls not counted) of each. */
function writePages(
  out: ByteSink,
  chunk: Chunk,
  encoding: EncodingName,
  present: Present,
  rows: number,
  rowsPerPage: number,
  write: (sink: ByteSink, from: number, to: number) => void,
): void {
  chunk.dataOffset = out.length;
  let value = 0;
  for (let start = 0; start < rows; start += rowsPerPage) {
    const end = Math.min(rows, start + rowsPerPage);
    const levels = present.levels?.subarray(start, end);
    let count = end - start;
    if (levels !== undefined) {
      count = 0;
      for (let i = 0; i < levels.length; i++) count += levels[i] as number;
    }
    const from = value;
    value += count;
    const to = value;
    writeDataPage(
      out,
      { encoding, rows: end - start, present: levels, count, write: (sink) => write(sink, from, to) },
      chunk,
    );
  }
}

/** Different values in the order of their first appearance; undefined when there are too many to pay. */
function numberDictionary(
  values: Float64Array,
  count: number,
): { entries: Float64Array; index: Int32Array } | undefined {
  const most = Math.min(MAX_DIFFERENT_NUMBERS, Math.floor(count / 3));
  if (most === 0) return undefined;
  const bits = new Int32Array(values.buffer, values.byteOffset, count * 2);
  const slots = 2 ** Math.ceil(Math.log2(most * 2 + 2));
  const table = new Int32Array(slots);
  const entries = new Float64Array(most);
  const entryBits = new Int32Array(entries.buffer);
  const index = new Int32Array(count);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const low = bits[2 * i] as number;
    const high = bits[2 * i + 1] as number;
    let slot = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & (slots - 1);
    let entry = (table[slot] as number) - 1;
    while (entry >= 0 && (entryBits[2 * entry] !== low || entryBits[2 * entry + 1] !== high)) {
      slot = (slot + 1) & (slots - 1);
      entry = (table[slot] as number) - 1;
    }
    if (entry < 0) {
      if (size === most) return undefined;
      entry = size++;
      table[slot] = size;
      entries[entry] = values[i] as number;
    }
    index[i] = entry;
  }
  return { entries: entries.subarray(0, size), index };
}

function plainNumbers(sink: ByteSink, values: Float64Array, from: number, to: number, type: NumberType): void {
  const width = type === "INT32" ? 4 : 8;
  const at = sink.reserve((to - from) * width);
  const view = new DataView(sink.bytes.buffer, at, (to - from) * width);
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (type === "INT32") view.setInt32((i - from) * 4, value, true);
    else if (type === "INT64") view.setBigInt64((i - from) * 8, BigInt(value), true);
    else view.setFloat64((i - from) * 8, value, true);
  }
  sink.length = at + (to - from) * width;
}

/** All first bytes, then all second bytes …: exponents lie together and compress. */
function splitBytes(sink: ByteSink, values: Float64Array, from: number, to: number): void {
  const count = to - from;
  const at = sink.reserve(count * 8);
  const bytes = sink.bytes;
  const source = new Uint8Array(values.buffer, values.byteOffset + from * 8, count * 8);
  for (let plane = 0; plane < 8; plane++) {
    const start = at + plane * count;
    for (let i = 0, p = plane; i < count; i++, p += 8) bytes[start + i] = source[p] as number;
  }
  sink.length = at + count * 8;
}

function packBits(sink: ByteSink, values: Float64Array, from: number, to: number): void {
  for (let start = from; start < to; start += 8) {
    let byte = 0;
    for (let i = start; i < Math.min(to, start + 8); i++) if (values[i] === 1) byte |= 1 << (i - start);
    sink.byte(byte);
  }
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
