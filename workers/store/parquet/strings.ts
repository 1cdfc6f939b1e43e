/**
 * Strings of one row group → a column chunk, called by the segment writer.
 * Straight from the batch's own dictionary, so that no text is hashed again: as
 * a dictionary, or as lengths and bytes where that is smaller (ids, near-unique
 * messages).
 */
import type { StringColumn } from "../../event/batch.ts";
import { ByteSink } from "./bytes.ts";
import { type Chunk, encodeApart, keepShortest, newChunk, rowScratch, type Span, writeDictionary } from "./chunk.ts";
import { encodeDelta } from "./delta.ts";
import { type PageValues, type Present, writeDataPages } from "./page.ts";
import { bitWidthOf } from "./rle.ts";
import { compress, SAFE_INPUT_BYTES } from "./zstd.ts";

/** Finding the smallest and largest of more strings than this costs more than the pruning that it allows. */
const MAX_STRINGS_FOR_STATISTICS = 1_024;
/** So short a dictionary is always the best. */
const FEW_STRINGS = 1_024;
/** So is one that each of its entries is used so often. */
const USES_PER_ENTRY = 8;
/** A dictionary that seems so much longer than the text is not tried: putting it in order saves a third at best. */
const HOPELESS = 1.2;
/** Before each entry of a dictionary. */
const LENGTH_BYTES = 4;

export function encodeStrings(out: ByteSink, column: StringColumn, span: Span): Chunk {
  const used = compact(column, span);
  const { entries, index, present, entryChars, rowChars } = used;
  const indexBytes = (present.count * bitWidthOf(entries.length)) / 8;
  const asDictionary = entryChars + LENGTH_BYTES * entries.length + indexBytes;
  if (entries.length === 0 || asDictionary > rowChars + present.count) return plainText(out, entries, index, present);
  if (entries.length <= FEW_STRINGS || entries.length < present.count / USES_PER_ENTRY) {
    return stringDictionary(out, entries, index, present);
  }
  const text = encodeApart(0, (sink) => plainText(sink, entries, index, present));
  const guess = guessDictionary(entries, entryChars) + indexBytes;
  if (guess > text.sink.length * HOPELESS) return keepShortest(out, [text]);
  return keepShortest(out, [encodeApart(1, (sink) => sortedDictionary(sink, entries, index, present)), text]);
}

interface Used {
  /** Entries that the span uses, in the order of their first use. */
  entries: string[];
  /** Of each row that has a value. Reused by the next column. */
  index: Int32Array;
  present: Present;
  entryChars: number;
  rowChars: number;
}

/** The part of a column's dictionary that the span needs. */
function compact(column: StringColumn, span: Span): Used {
  const rows = span.to - span.from;
  const { dict } = column;
  const remap = remapFor(dict.length);
  const entries: string[] = [];
  const { index, levels } = rowScratch(rows);
  let count = 0;
  let entryChars = 0;
  let rowChars = 0;
  try {
    for (let row = 0; row < rows; row++) {
      const at = column.index[span.from + row] as number;
      levels[row] = at < 0 ? 0 : 1;
      if (at < 0) continue;
      const text = dict[at] as string;
      rowChars += text.length;
      let position = (remap[at] as number) - 1;
      if (position < 0) {
        position = entries.length;
        remap[at] = position + 1;
        entries.push(text);
        entryChars += text.length;
      }
      index[count++] = position;
    }
  } finally {
    // Also after an error: the next column must find it empty.
    for (let row = span.from; row < span.to; row++) {
      const at = column.index[row] as number;
      if (at >= 0) remap[at] = 0;
    }
  }
  const present: Present = { levels: count === rows ? undefined : levels, rows, count };
  return { entries, index, present, entryChars, rowChars };
}

/** Entry → position + 1 in the chunk's dictionary; all zero between calls. */
let remapScratch = new Int32Array(0);
function remapFor(entries: number): Int32Array {
  if (remapScratch.length < entries) remapScratch = new Int32Array(entries * 2);
  return remapScratch;
}

/** Compressed size of a dictionary page, from its beginning. */
function guessDictionary(used: readonly string[], chars: number): number {
  scratch.clear();
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

const scratch = new ByteSink(64 * 1024);

function stringDictionary(out: ByteSink, used: readonly string[], index: Int32Array, present: Present): Chunk {
  scratch.clear();
  let ascii = true;
  for (const text of used) {
    const lengthAt = scratch.length;
    scratch.uint32(0);
    const length = scratch.utf8(text);
    if (length !== text.length) ascii = false;
    scratch.patchUint32(lengthAt, length);
  }
  const chunk = newChunk(out, present);
  if (ascii && used.length <= MAX_STRINGS_FOR_STATISTICS) addStringRange(chunk, used);
  writeDictionary(out, chunk, used.length, scratch.view(), index, present);
  return chunk;
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
  scratch.clear();
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
