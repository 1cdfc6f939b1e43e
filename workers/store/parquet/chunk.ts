/**
 * A column chunk in the making: what `strings.ts` and
 * `numbers.ts` have in common. Where a guess at the best encoding would
 * often be wrong, they encode in several ways and keep the shortest: it costs a
 * tenth of the time and saves a tenth of the bytes.
 */
import { ByteSink } from "./bytes.ts";
import {
  type EncodingName,
  type PageValues,
  type Present,
  type Sizes,
  writeDataPages,
  writeDictionaryPage,
} from "./page.ts";
import { bitWidthOf, encodeHybrid } from "./rle.ts";

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

export function newChunk(out: ByteSink, present: Present): Chunk {
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

/** Fills a chunk with a dictionary page and pages of indexes into it. */
export function writeDictionary(
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

/** A chunk that lies in a buffer of its own. */
export interface Apart {
  sink: ByteSink;
  chunk: Chunk;
}

/** Three ways to encode a chunk are tried at most; the buffers are used again and again. */
const apart = [new ByteSink(64 * 1024), new ByteSink(64 * 1024), new ByteSink(64 * 1024)];

export function encodeApart(way: 0 | 1 | 2, encode: (sink: ByteSink) => Chunk): Apart {
  const sink = apart[way] as ByteSink;
  sink.clear();
  return { sink, chunk: encode(sink) };
}

/** The shortest way goes into the file; among equals the first. */
export function keepShortest(out: ByteSink, ways: readonly Apart[]): Chunk {
  const { sink, chunk } = ways.reduce((best, way) => (way.sink.length < best.sink.length ? way : best));
  const base = out.length;
  out.append(sink.view());
  chunk.offset += base;
  chunk.dataOffset += base;
  if (chunk.dictionaryOffset !== undefined) chunk.dictionaryOffset += base;
  return chunk;
}

/** One column at a time: its arrays are used for the next one too. */
let rowsOfScratch = { index: new Int32Array(0), levels: new Uint8Array(0), values: new Float64Array(0) };
export function rowScratch(rows: number): typeof rowsOfScratch {
  if (rowsOfScratch.index.length < rows) {
    rowsOfScratch = { index: new Int32Array(rows), levels: new Uint8Array(rows), values: new Float64Array(rows) };
  }
  return rowsOfScratch;
}
