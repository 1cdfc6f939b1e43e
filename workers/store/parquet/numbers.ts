/**
 * Numbers, times and booleans of one row group → a column chunk, called by the
 * segment writer: a dictionary if few differ, else differences (integers,
 * times), or as they are, or split into byte planes, or a dictionary in order,
 * whichever is the shortest; booleans are bits.
 */
import type { NumberColumn } from "../../event/batch.ts";
import { ByteSink } from "./bytes.ts";
import { type Chunk, encodeApart, keepShortest, newChunk, rowScratch, type Span, writeDictionary } from "./chunk.ts";
import { encodeDelta } from "./delta.ts";
import { type EncodingName, type PageValues, type Present, writeDataPages } from "./page.ts";

export type NumberType = "BOOLEAN" | "INT32" | "INT64" | "DOUBLE";

/** Beyond so many different numbers a dictionary does not pay. */
const MAX_DIFFERENT_NUMBERS = 16_384;
/** So short a dictionary is always the best. */
const FEW_NUMBERS = 2_048;
/** Beyond that a difference of differences is no exact double. */
const MAX_DELTA_RANGE = 2 ** 52;

interface Values {
  /** Of each row that has one. Reused by the next column. */
  data: Float64Array;
  present: Present;
  stats: { min?: number; max?: number };
}

export function encodeNumbers(out: ByteSink, column: NumberColumn, span: Span, type: NumberType): Chunk {
  const values = compact(column, span, type);
  const { data, present, stats } = values;
  const paged = (sink: ByteSink, encoding: EncodingName, write: PageValues["write"]): Chunk => {
    const chunk: Chunk = { ...newChunk(sink, present), ...stats, encodings: ["RLE", encoding] };
    const bytesBetween = (from: number, to: number) => (to - from) * BYTES[type];
    writeDataPages(sink, present, { encoding, bytesBetween, write }, chunk);
    return chunk;
  };
  if (type === "BOOLEAN") return paged(out, "PLAIN", (sink, from, to) => packBits(sink, data, from, to));
  const different = numberDictionary(data, present.count);
  if (different !== undefined && different.entries.length <= FEW_NUMBERS)
    return dictionary(out, different, values, type);
  const asTheyAre = (target: ByteSink) =>
    paged(target, "PLAIN", (sink, from, to) => plainNumbers(sink, data, from, to, type));
  if (type !== "DOUBLE") {
    if ((stats.max ?? 0) - (stats.min ?? 0) >= MAX_DELTA_RANGE) return asTheyAre(out);
    return paged(out, "DELTA_BINARY_PACKED", (sink, from, to) => encodeDelta(sink, data.subarray(from, to), to - from));
  }
  const split = (target: ByteSink) =>
    paged(target, "BYTE_STREAM_SPLIT", (sink, from, to) => splitBytes(sink, data, from, to));
  const ways = [encodeApart(0, asTheyAre), encodeApart(1, split)];
  if (different !== undefined) ways.push(encodeApart(2, (sink) => dictionary(sink, inOrder(different), values, type)));
  return keepShortest(out, ways);
}

/** Bytes of a value, plain. */
const BYTES: Record<NumberType, number> = { BOOLEAN: 1 / 8, INT32: 4, INT64: 8, DOUBLE: 8 };

function compact(column: NumberColumn, span: Span, type: NumberType): Values {
  const rows = span.to - span.from;
  const { levels, values: data } = rowScratch(rows);
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    let value = column.data[span.from + row] as number;
    if (type === "INT64") value = Number.isFinite(value) ? Math.round(value) : Number.NaN;
    levels[row] = Number.isNaN(value) ? 0 : 1;
    if (Number.isNaN(value)) continue;
    data[count++] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const present: Present = { levels: count === rows ? undefined : levels, rows, count };
  return { data, present, stats: count > 0 ? { min, max } : {} };
}

const scratch = new ByteSink(64 * 1024);

function dictionary(out: ByteSink, { entries, index }: NumberDictionary, values: Values, type: NumberType): Chunk {
  const chunk: Chunk = { ...newChunk(out, values.present), ...values.stats };
  scratch.clear();
  plainNumbers(scratch, entries, 0, entries.length, type);
  writeDictionary(out, chunk, entries.length, scratch.view(), index, values.present);
  return chunk;
}

interface NumberDictionary {
  entries: Float64Array;
  index: Int32Array;
}

/** Ascending numbers share their first bytes. */
function inOrder({ entries, index }: NumberDictionary): NumberDictionary {
  const order = Array.from(entries.keys()).sort((a, b) => (entries[a] as number) - (entries[b] as number));
  const rank = new Int32Array(entries.length);
  for (let e = 0; e < order.length; e++) rank[order[e] as number] = e;
  return {
    entries: Float64Array.from(order, (e) => entries[e] as number),
    index: index.map((e) => rank[e] as number),
  };
}

/** Different values in the order of their first appearance; undefined when there are too many to pay. */
function numberDictionary(values: Float64Array, count: number): NumberDictionary | undefined {
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
