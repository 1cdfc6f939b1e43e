/**
 * One column of one row group → one column chunk. The segment writer calls this
 * per column; the encoding is chosen from the data:
 *   strings   dictionary, straight from the batch's own dictionary, or lengths
 *             and bytes where that is smaller (ids, near-unique messages)
 *   numbers   dictionary if few differ, else differences (integers, times), or
 *             as they are or split into byte planes, whichever is smaller
 *   booleans  bits
 * Where a guess would be wrong often, both are tried: it costs a tenth of the
 * time and saves a tenth of the bytes.
 */
import type { NumberColumn, StringColumn } from "../event/batch.ts";
import { ByteSink } from "./parquet-bytes.ts";
import { encodeDelta } from "./parquet-delta.ts";
import {
  type EncodingName,
  type PageValues,
  type Present,
  type Sizes,
  writeDataPages,
  writeDictionaryPage,
} from "./parquet-page.ts";
import { bitWidthOf, encodeHybrid } from "./parquet-rle.ts";
import { compress, SAFE_INPUT_BYTES } from "./parquet-zstd.ts";

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

export function encodeStrings(out: ByteSink, column: StringColumn, span: Span): Chunk {
  const rows = span.to - span.from;
  const { dict } = column;
  const remap = remapFor(dict.length);
  const used: string[] = [];
  const { index, levels } = rowScratch(rows);
  let count = 0;
  let entryChars = 0;
  let rowChars = 0;
  for (let row = 0; row < rows; row++) {
    const at = column.index[span.from + row] as number;
    levels[row] = at < 0 ? 0 : 1;
    if (at < 0) continue;
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
  const present: Present = { levels: count === rows ? undefined : levels, rows, count };
  const asDictionary = entryChars + LENGTH_BYTES * used.length + (count * bitWidthOf(used.length)) / 8;
  if (used.length === 0 || asDictionary > MAX_DICTIONARY_BYTES || asDictionary > rowChars + count) {
    return plainText(out, used, index, present);
  }
  if (used.length <= FEW_STRINGS || used.length < count / 8) return stringDictionary(out, used, index, present);
  const text = encodeApart(0, (sink) => plainText(sink, used, index, present));
  const guess = guessDictionary(used, entryChars) + (count * bitWidthOf(used.length)) / 8;
  if (guess > text.sink.length * HOPELESS) return moveTo(out, text);
  const dictionary = encodeApart(1, (sink) => sortedDictionary(sink, used, index, present));
  return moveTo(out, dictionary.sink.length <= text.sink.length ? dictionary : text);
}

/** A dictionary that seems so much longer than the text is not tried: putting it in order saves a third at best. */
const HOPELESS = 1.2;

/** Compressed size of a dictionary page, from its beginning. */
function guessDictionary(used: readonly string[], chars: number): number {
  scratch.length = 0;
  let seen = 0;
  for (let e = 0; e < used.length && scratch.length < SAFE_INPUT_BYTES / 2; e++) {
    scratch.uint32((used[e] as string).length);
    scratch.utf8(used[e] as string);
    seen += LENGTH_BYTES + (used[e] as string).length;
  }
  const packed = compress(scratch.view()).length;
  return (packed * (chars + LENGTH_BYTES * used.length)) / Math.max(1, seen);
}

/** In order, neighbours share their beginnings: a third smaller for URLs. */
function sortedDictionary(out: ByteSink, used: readonly string[], index: Int32Array, present: Present): Chunk {
  // Without a comparator the engine sorts strings by itself, which is what takes the time.
  const sorted = [...used].sort();
  const places = new Map(sorted.map((text, place) => [text, place]));
  const rank = Int32Array.from(used, (text) => places.get(text) as number);
  const ranked = new Int32Array(present.count);
  for (let i = 0; i < ranked.length; i++) ranked[i] = rank[index[i] as number] as number;
  return stringDictionary(out, sorted, ranked, present);
}

/** Before each entry of a dictionary. */
const LENGTH_BYTES = 4;
/** So short a dictionary is always the best. */
const FEW_STRINGS = 1_024;

/** One column at a time: its arrays are used for the next one too. */
let rowsOfScratch = { index: new Int32Array(0), levels: new Uint8Array(0), values: new Float64Array(0) };
function rowScratch(rows: number): typeof rowsOfScratch {
  if (rowsOfScratch.index.length < rows) {
    rowsOfScratch = { index: new Int32Array(rows), levels: new Uint8Array(rows), values: new Float64Array(rows) };
  }
  return rowsOfScratch;
}

/** Entry → position + 1 in the chunk's dictionary; all zero between calls. */
let remapScratch = new Int32Array(0);
function remapFor(entries: number): Int32Array {
  if (remapScratch.length < entries) remapScratch = new Int32Array(entries * 2);
  return remapScratch;
}

interface Apart {
  sink: ByteSink;
  chunk: Chunk;
}

/** Two ways to encode a chunk are tried at most; the buffers are used again and again. */
const apart = [new ByteSink(64 * 1024), new ByteSink(64 * 1024)];

function encodeApart(way: 0 | 1, encode: (sink: ByteSink) => Chunk): Apart {
  const sink = apart[way] as ByteSink;
  sink.length = 0;
  return { sink, chunk: encode(sink) };
}

function moveTo(out: ByteSink, { sink, chunk }: Apart): Chunk {
  const base = out.length;
  out.append(sink.view());
  chunk.offset += base;
  chunk.dataOffset += base;
  if (chunk.dictionaryOffset !== undefined) chunk.dictionaryOffset += base;
  return chunk;
}

const scratch = new ByteSink(64 * 1024);

function stringDictionary(out: ByteSink, used: readonly string[], index: Int32Array, present: Present): Chunk {
  scratch.length = 0;
  let ascii = true;
  for (const text of used) {
    const lengthAt = scratch.length;
    scratch.uint32(0);
    const length = scratch.utf8(text);
    if (length !== text.length) ascii = false;
    putUint32(scratch.bytes, lengthAt, length);
  }
  const chunk = newChunk(out, present);
  if (ascii && used.length <= MAX_STRINGS_FOR_STATISTICS) addStringRange(chunk, used);
  dictionaryChunk(out, chunk, used.length, scratch.view(), index, present);
  return chunk;
}

function dictionaryChunk(
  out: ByteSink,
  chunk: Chunk,
  entries: number,
  page: Uint8Array,
  index: Int32Array,
  present: Present,
): void {
  chunk.dictionaryOffset = out.length;
  chunk.encodings = ["PLAIN", "RLE", "RLE_DICTIONARY"];
  writeDictionaryPage(out, entries, page, chunk);
  const width = bitWidthOf(Math.max(0, entries - 1));
  chunk.dataOffset = out.length;
  const values: PageValues = {
    encoding: "RLE_DICTIONARY",
    bytesBetween: (from, to) => ((to - from) * width) / 8 + 1,
    write: (sink, from, to) => {
      sink.byte(width);
      encodeHybrid(sink, index.subarray(from, to), to - from, width);
    },
  };
  writeDataPages(out, present, values, chunk);
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
function plainText(out: ByteSink, used: readonly string[], index: Int32Array, present: Present): Chunk {
  const { bytes, offsets } = allText(used, index, present.count);
  const chunk = newChunk(out, present);
  chunk.encodings = ["RLE", "DELTA_LENGTH_BYTE_ARRAY"];
  const lengths = new Int32Array(present.count);
  for (let i = 0; i < lengths.length; i++) lengths[i] = (offsets[i + 1] as number) - (offsets[i] as number);
  const values: PageValues = {
    encoding: "DELTA_LENGTH_BYTE_ARRAY",
    bytesBetween: (from, to) => (offsets[to] as number) - (offsets[from] as number) + (to - from),
    write: (sink, from, to) => {
      encodeDelta(sink, lengths.subarray(from, to), to - from);
      sink.append(bytes.subarray(offsets[from], offsets[to]));
    },
  };
  writeDataPages(out, present, values, chunk);
  return chunk;
}

/** UTF-8 of every row's text, one after the other. */
function allText(used: readonly string[], index: Int32Array, count: number) {
  scratch.length = 0;
  const starts = new Uint32Array(used.length + 1);
  for (let e = 0; e < used.length; e++) {
    scratch.utf8(used[e] as string);
    starts[e + 1] = scratch.length;
  }
  const source = scratch.view();
  const offsets = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) {
    const e = index[i] as number;
    offsets[i + 1] = (offsets[i] as number) + (starts[e + 1] as number) - (starts[e] as number);
  }
  const bytes = new Uint8Array(offsets[count] as number);
  for (let i = 0, at = 0; i < count; i++) {
    const e = index[i] as number;
    const end = starts[e + 1] as number;
    if (end - (starts[e] as number) > SHORT_COPY) bytes.set(source.subarray(starts[e], end), at);
    else for (let from = starts[e] as number, to = at; from < end; ) bytes[to++] = source[from++] as number;
    at = offsets[i + 1] as number;
  }
  return { bytes, offsets };
}

/** Below this many bytes a loop is faster than a call. */
const SHORT_COPY = 64;

export function encodeNumbers(out: ByteSink, column: NumberColumn, span: Span, type: NumberType): Chunk {
  const rows = span.to - span.from;
  const { levels, values } = rowScratch(rows);
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const wholeAndFinite = type === "INT64";
  for (let row = 0; row < rows; row++) {
    let value = column.data[span.from + row] as number;
    if (wholeAndFinite) value = Number.isFinite(value) ? Math.round(value) : Number.NaN;
    levels[row] = Number.isNaN(value) ? 0 : 1;
    if (Number.isNaN(value)) continue;
    values[count++] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const present: Present = { levels: count === rows ? undefined : levels, rows, count };
  const stats = count > 0 ? { min, max } : {};
  const plain = (encoding: EncodingName, bytesPerValue: number, write: PageValues["write"]) => (sink: ByteSink) => {
    const chunk = { ...newChunk(sink, present), ...stats, encodings: ["RLE", encoding] as EncodingName[] };
    const bytesBetween = (from: number, to: number) => (to - from) * bytesPerValue;
    writeDataPages(sink, present, { encoding, bytesBetween, write }, chunk);
    return chunk;
  };
  if (type === "BOOLEAN") return plain("PLAIN", 1 / 8, (sink, from, to) => packBits(sink, values, from, to))(out);
  const few = numberDictionary(values, count);
  if (few !== undefined) {
    const chunk = { ...newChunk(out, present), ...stats };
    numberScratch.length = 0;
    plainNumbers(numberScratch, few.entries, 0, few.entries.length, type);
    dictionaryChunk(out, chunk, few.entries.length, numberScratch.view(), few.index, present);
    return chunk;
  }
  const width = type === "INT32" ? 4 : 8;
  const asTheyAre = plain("PLAIN", width, (sink, from, to) => plainNumbers(sink, values, from, to, type));
  if (type === "DOUBLE") {
    const split = plain("BYTE_STREAM_SPLIT", width, (sink, from, to) => splitBytes(sink, values, from, to));
    const [whole, planes] = [encodeApart(0, asTheyAre), encodeApart(1, split)];
    return moveTo(out, whole.sink.length <= planes.sink.length ? whole : planes);
  }
  // Beyond that a difference of differences is no exact double.
  if (!(max - min < 2 ** 52) && count > 0) return asTheyAre(out);
  return plain("DELTA_BINARY_PACKED", width, (sink, from, to) =>
    encodeDelta(sink, values.subarray(from, to), to - from),
  )(out);
}

const numberScratch = new ByteSink(64 * 1024);

function newChunk(out: ByteSink, present: Present): Chunk {
  return {
    offset: out.length,
    dataOffset: out.length,
    encodings: [],
    rows: present.rows,
    nulls: present.rows - present.count,
    compressed: 0,
    uncompressed: 0,
  };
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
