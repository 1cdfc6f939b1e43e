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
/** A dictionary that seems so much longer than the text is not tried: all of it in order is a little shorter than a part. */
const HOPELESS = 1.1;
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
  /** Entries that the span uses. */
  entries: string[];
  /** Of each row that has a value. Reused by the next column. */
  index: Int32Array;
  present: Present;
  entryChars: number;
  rowChars: number;
}

/** The part of a column's dictionary that the span needs. Rows are gone through without touching a text. */
function compact(column: StringColumn, span: Span): Used {
  const rows = span.to - span.from;
  const { dict } = column;
  const uses = entryScratch(dict.length).fill(0, 0, dict.length);
  const { index, levels } = rowScratch(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const at = column.index[span.from + row] as number;
    levels[row] = at < 0 ? 0 : 1;
    if (at < 0) continue;
    index[count++] = at;
    uses[at] = (uses[at] as number) + 1;
  }
  const entries: string[] = [];
  let entryChars = 0;
  let rowChars = 0;
  for (let e = 0; e < dict.length; e++) {
    const times = uses[e] as number;
    if (times === 0) continue;
    const text = dict[e] as string;
    // From here on it is the entry's new place.
    uses[e] = entries.length;
    entries.push(text);
    entryChars += text.length;
    rowChars += text.length * times;
  }
  if (entries.length < dict.length) for (let i = 0; i < count; i++) index[i] = uses[index[i] as number] as number;
  const present: Present = { levels: count === rows ? undefined : levels, rows, count };
  return { entries, index, present, entryChars, rowChars };
}

/** A number per entry of a dictionary; used by one column at a time. */
let scratchOfEntries = new Int32Array(0);
function entryScratch(entries: number): Int32Array {
  if (scratchOfEntries.length < entries) scratchOfEntries = new Int32Array(entries * 2);
  return scratchOfEntries;
}

/** Compressed size of a dictionary page, from its beginning: put in order as the page would be. */
function guessDictionary(used: readonly string[], chars: number): number {
  let some = 0;
  let seen = 0;
  for (; some < used.length && seen < SAFE_INPUT_BYTES / 2; some++)
    seen += LENGTH_BYTES + (used[some] as string).length;
  scratch.clear();
  for (const text of used.slice(0, some).sort()) {
    scratch.uint32(text.length);
    scratch.utf8(text);
  }
  const packed = compress(scratch.view()).length;
  return (packed * (chars + LENGTH_BYTES * used.length)) / Math.max(1, seen);
}

/** In order, neighbours share their beginnings: a third smaller for URLs. */
function sortedDictionary(out: ByteSink, used: readonly string[], index: Int32Array, present: Present): Chunk {
  // Without a comparator the engine sorts strings by itself, which is what takes the time.
  const inOrder = [...used].sort();
  // Merged texts may occur twice (merge.ts).
  const sorted = inOrder.filter((text, at) => at === 0 || text !== inOrder[at - 1]);
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
  return asciiText(used, index, count) ?? anyText(used, index, count);
}

/** One call into the runtime for all rows; undefined when there are other characters than ASCII. */
function asciiText(used: readonly string[], index: Int32Array, count: number) {
  const texts = new Array<string>(count);
  const offsets = new Float64Array(count + 1);
  let chars = 0;
  for (let i = 0; i < count; i++) {
    const text = used[index[i] as number] as string;
    texts[i] = text;
    chars += text.length;
    offsets[i + 1] = chars;
  }
  const bytes = new Uint8Array(chars);
  const { read, written } = encoder.encodeInto(texts.join(""), bytes);
  return read === chars && written === chars ? { bytes, offsets } : undefined;
}

const encoder = new TextEncoder();

function anyText(used: readonly string[], index: Int32Array, count: number) {
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
