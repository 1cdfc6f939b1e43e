/**
 * One column chunk → one column. Reads the encodings that Tailrace writes, and
 * what DuckDB and Arrow write for flat columns with zstd or no compression; for
 * anything else it throws `Unsupported`, and the segment reader asks hyparquet.
 * Dictionaries stay dictionaries; other text stays in one piece (text-column.ts).
 */
import type { Column, NumberColumn, StringColumn } from "../../event/batch.ts";
import { decodeEntries, lazyText } from "../text-column.ts";
import { decodeDelta } from "./delta.ts";
import { type FooterColumn, PHYSICAL } from "./footer.ts";
import { ENCODING, PAGE_TYPE } from "./page.ts";
import { bitWidthOf, decodeHybrid } from "./rle.ts";
import { type Cursor, readStruct, type ThriftStruct } from "./thrift.ts";
import { decompress } from "./zstd.ts";

/** Sound Parquet, but of a kind that this decoder does not know. */
export class Unsupported extends Error {}

/** Ours are below 5 MB; a damaged header must not ask for more than a Worker has. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** An INT32, or the length before a text. */
const SMALLEST_ENTRY_BYTES = 4;
const CODEC_NONE = 0;
const CODEC_ZSTD = 6;

interface Page {
  rows: number;
  encoding: number;
  /** Row → 1 if it has a value; undefined when all have. */
  present: Uint8Array | undefined;
  /** Rows that have a value. */
  count: number;
  /** The encoded values, decompressed. */
  bytes: Uint8Array;
}

interface Pages {
  dictionary: { bytes: Uint8Array; count: number } | undefined;
  data: Page[];
}

/** `only`: ascending rows that are wanted; pages without any of them are not unpacked, and their rows come as null. */
export function decodeChunk(
  bytes: Uint8Array,
  column: FooterColumn,
  codec: number,
  rows: number,
  only?: Int32Array,
): Column {
  if (!column.plain) throw new Unsupported(`type of column ${column.name}`);
  const pages = readPages(bytes, column, codec, rows, only);
  const isText = column.physical === PHYSICAL.BYTE_ARRAY;
  if (pages.dictionary !== undefined && pages.data.every((page) => isIndexed(page))) {
    const index = new Int32Array(rows);
    const entries = pages.dictionary.count;
    readIndexes(pages.data, index, entries);
    if (isText) {
      const { bytes, starts, ends } = plainBounds(pages.dictionary.bytes, entries);
      return { type: "string", dict: decodeEntries(bytes, starts, ends), index };
    }
    const values = new Float64Array(entries);
    plainNumbers(pages.dictionary.bytes, column, entries, values, 0);
    const data = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const at = index[row] as number;
      data[row] = at < 0 ? Number.NaN : (values[at] as number);
    }
    return { type: column.type as NumberColumn["type"], data };
  }
  if (pages.data.some(isIndexed)) throw new Unsupported("a chunk with and without a dictionary");
  return isText ? decodeText(pages.data, rows) : decodeNumbers(pages.data, column, rows);
}

function isIndexed(page: Page): boolean {
  return page.encoding === ENCODING.RLE_DICTIONARY || page.encoding === ENCODING.PLAIN_DICTIONARY;
}

function readPages(
  bytes: Uint8Array,
  column: FooterColumn,
  codec: number,
  rows: number,
  only: Int32Array | undefined,
): Pages {
  if (codec !== CODEC_NONE && codec !== CODEC_ZSTD) throw new Unsupported(`codec ${codec}`);
  const unpack = (body: Uint8Array, size: number) => {
    if (size > MAX_PAGE_BYTES) throw new RangeError(`page of ${size} bytes`);
    if (codec === CODEC_ZSTD) return decompress(body, size);
    if (body.length !== size) throw new RangeError("page size does not fit");
    return body;
  };
  const pages: Pages = { dictionary: undefined, data: [] };
  const cursor: Cursor = { at: 0 };
  let read = 0;
  let next = 0;
  while (read < rows) {
    const header = readStruct(bytes, cursor);
    const size = count(header[2]);
    const packed = count(header[3]);
    if (cursor.at + packed > bytes.length) throw new RangeError("page past the end of its chunk");
    const body = bytes.subarray(cursor.at, cursor.at + packed);
    cursor.at += packed;
    if (header[1] === PAGE_TYPE.dictionary) {
      const entries = count(struct(header[7])[1]);
      if (entries * SMALLEST_ENTRY_BYTES > size) throw new RangeError("dictionary with more entries than bytes");
      pages.dictionary = { bytes: unpack(body, size), count: entries };
      continue;
    }
    let page = only && unwantedPage(header, rows - read, (only[next] ?? rows) - read);
    if (page !== undefined) {
      // Its values stay packed.
    } else if (header[1] === PAGE_TYPE.dataV2)
      page = pageV2(struct(header[8]), body, size, column, unpack, rows - read);
    else if (header[1] === PAGE_TYPE.data) page = pageV1(struct(header[5]), unpack(body, size), column, rows - read);
    else throw new Unsupported(`page type ${header[1]}`);
    pages.data.push(page);
    read += page.rows;
    while (only !== undefined && next < only.length && (only[next] as number) < read) next++;
  }
  return pages;
}

const NO_BYTES = new Uint8Array();

/** A data page that ends before the next row that is wanted, as one of nulls. */
function unwantedPage(header: ThriftStruct, most: number, wantedFrom: number): Page | undefined {
  const v2 = header[1] === PAGE_TYPE.dataV2;
  if (!v2 && header[1] !== PAGE_TYPE.data) return undefined;
  const info = struct(header[v2 ? 8 : 5]);
  const rows = rowCount(info[1], most);
  if (rows > wantedFrom) return undefined;
  return { rows, encoding: count(info[v2 ? 4 : 2]), present: new Uint8Array(rows), count: 0, bytes: NO_BYTES };
}

type Unpack = (body: Uint8Array, size: number) => Uint8Array;

function pageV2(
  header: ThriftStruct,
  body: Uint8Array,
  size: number,
  column: FooterColumn,
  unpack: Unpack,
  most: number,
): Page {
  const rows = rowCount(header[1], most);
  const nulls = count(header[2]);
  const levelBytes = count(header[5]);
  if (count(header[6]) !== 0) throw new Unsupported("repeated values");
  if (nulls > rows || levelBytes > body.length) throw new RangeError("damaged page header");
  const present = nulls === 0 ? undefined : levels(body, 0, levelBytes, rows);
  const filled = present === undefined ? rows : countOnes(present);
  if (filled !== rows - nulls || (nulls > 0 && !column.optional)) throw new RangeError("levels and null count differ");
  const rest = body.subarray(levelBytes);
  const values = header[7] === false || rest.length === 0 ? rest : unpack(rest, size - levelBytes);
  return { rows, encoding: count(header[4]), present, count: filled, bytes: values };
}

function pageV1(header: ThriftStruct, body: Uint8Array, column: FooterColumn, most: number): Page {
  const rows = rowCount(header[1], most);
  const encoding = count(header[2]);
  if (!column.optional) return { rows, encoding, present: undefined, count: rows, bytes: body };
  if (header[3] !== ENCODING.RLE) throw new Unsupported(`levels in encoding ${header[3]}`);
  const length = uint32(body, 0);
  const present = levels(body, 4, 4 + length, rows);
  const filled = countOnes(present);
  const bytes = body.subarray(4 + length);
  return { rows, encoding, present: filled === rows ? undefined : present, count: filled, bytes };
}

/** A page without rows, or with more than the row group has left, is damaged. */
function rowCount(value: unknown, most: number): number {
  const rows = count(value);
  if (rows === 0 || rows > most) throw new RangeError("damaged page header");
  return rows;
}

function levels(body: Uint8Array, from: number, to: number, rows: number): Uint8Array {
  if (to > body.length) throw new RangeError("levels past the end of the page");
  const present = new Uint8Array(rows);
  decodeHybrid(body, from, to, 1, present, rows);
  return present;
}

function countOnes(present: Uint8Array): number {
  let ones = 0;
  for (let i = 0; i < present.length; i++) {
    if ((present[i] as number) > 1) throw new RangeError("damaged levels");
    ones += present[i] as number;
  }
  return ones;
}

/** Moves values from the front of a page to the rows that have one. */
function spread(target: Float64Array | Int32Array, from: number, page: Page, missing: number): void {
  if (page.present === undefined) return;
  let value = from + page.count;
  for (let row = from + page.rows - 1; row >= from; row--) {
    target[row] = page.present[row - from] === 1 ? (target[--value] as number) : missing;
  }
}

function readIndexes(pages: readonly Page[], index: Int32Array, entries: number): void {
  let row = 0;
  for (const page of pages) {
    const width = page.bytes[0] ?? 0;
    if (page.count > 0) {
      const part = index.subarray(row, row + page.count);
      if (width > bitWidthOf(0x7fffffff)) throw new RangeError(`bit width ${width}`);
      decodeHybrid(page.bytes, 1, page.bytes.length, width, part, page.count);
      for (let i = 0; i < part.length; i++) {
        if ((part[i] as number) >>> 0 >= entries) throw new RangeError("index past the end of the dictionary");
      }
    }
    spread(index, row, page, -1);
    row += page.rows;
  }
}

/** Entries with a 4-byte length before each. */
function plainBounds(bytes: Uint8Array, entries: number) {
  const starts = new Uint32Array(entries);
  const ends = new Uint32Array(entries);
  let at = 0;
  for (let e = 0; e < entries; e++) {
    const length = uint32(bytes, at);
    at += 4;
    if (at + length > bytes.length) throw new RangeError("text past the end of the page");
    starts[e] = at;
    at += length;
    ends[e] = at;
  }
  return { bytes, starts, ends };
}

function decodeText(pages: readonly Page[], rows: number): StringColumn {
  let entries = 0;
  let size = 0;
  for (const page of pages) {
    entries += page.count;
    size += page.bytes.length;
  }
  const bytes = new Uint8Array(size);
  const starts = new Uint32Array(entries);
  const ends = new Uint32Array(entries);
  const index = new Int32Array(rows);
  let row = 0;
  let entry = 0;
  let at = 0;
  for (const page of pages) {
    const { offsets, text } = textOf(page);
    bytes.set(text, at);
    for (let e = 0; e < page.count; e++) {
      starts[entry + e] = at + (offsets.starts[e] as number);
      ends[entry + e] = at + (offsets.ends[e] as number);
      index[row + e] = entry + e;
    }
    spread(index, row, page, -1);
    at += text.length;
    entry += page.count;
    row += page.rows;
  }
  return lazyText(bytes.subarray(0, at), starts, ends, index);
}

function textOf(page: Page): { text: Uint8Array; offsets: { starts: ArrayLike<number>; ends: ArrayLike<number> } } {
  if (page.count === 0) return { text: NO_BYTES, offsets: { starts: [], ends: [] } };
  if (page.encoding === ENCODING.PLAIN) return { text: page.bytes, offsets: plainBounds(page.bytes, page.count) };
  if (page.encoding !== ENCODING.DELTA_LENGTH_BYTE_ARRAY) throw new Unsupported(`text in encoding ${page.encoding}`);
  const lengths = new Int32Array(page.count);
  const from = decodeDelta(page.bytes, 0, lengths, page.count);
  const text = page.bytes.subarray(from);
  const starts = new Uint32Array(page.count);
  const ends = new Uint32Array(page.count);
  let at = 0;
  for (let e = 0; e < page.count; e++) {
    const length = lengths[e] as number;
    starts[e] = at;
    at += length;
    if (length < 0 || at > text.length) throw new RangeError("text past the end of the page");
    ends[e] = at;
  }
  return { text, offsets: { starts, ends } };
}

function decodeNumbers(pages: readonly Page[], column: FooterColumn, rows: number): NumberColumn {
  const data = new Float64Array(rows);
  let row = 0;
  for (const page of pages) {
    numbersOf(page, column, data, row);
    spread(data, row, page, Number.NaN);
    row += page.rows;
  }
  return { type: column.type as NumberColumn["type"], data };
}

function numbersOf(page: Page, column: FooterColumn, data: Float64Array, row: number): void {
  const { bytes, count: n, encoding } = page;
  if (n === 0) return;
  if (encoding === ENCODING.PLAIN) plainNumbers(bytes, column, n, data, row);
  else if (encoding === ENCODING.DELTA_BINARY_PACKED) {
    const part = data.subarray(row, row + n);
    decodeDelta(bytes, 0, part, n);
    if (column.scale !== 1) for (let i = 0; i < n; i++) part[i] = (part[i] as number) * column.scale;
  } else if (encoding === ENCODING.BYTE_STREAM_SPLIT && column.physical === PHYSICAL.DOUBLE) {
    if (bytes.length < n * 8) throw new RangeError("page ends too early");
    const target = new Uint8Array(data.buffer, data.byteOffset + row * 8, n * 8);
    for (let plane = 0; plane < 8; plane++) {
      for (let i = 0, p = plane; i < n; i++, p += 8) target[p] = bytes[plane * n + i] as number;
    }
  } else if (encoding === ENCODING.RLE && column.physical === PHYSICAL.BOOLEAN) {
    const bits = new Uint8Array(n);
    const end = Math.min(bytes.length, 4 + uint32(bytes, 0));
    decodeHybrid(bytes, 4, end, 1, bits, n);
    for (let i = 0; i < n; i++) data[row + i] = (bits[i] as number) & 1;
  } else throw new Unsupported(`numbers in encoding ${encoding}`);
}

function plainNumbers(bytes: Uint8Array, column: FooterColumn, n: number, data: Float64Array, row: number): void {
  const { physical, scale } = column;
  const width = physical === PHYSICAL.BOOLEAN ? 1 / 8 : physical === PHYSICAL.INT32 ? 4 : 8;
  if (bytes.length < n * width) throw new RangeError("page ends too early");
  if (physical === PHYSICAL.DOUBLE) {
    // Copied as bytes: the page need not be aligned.
    new Uint8Array(data.buffer, data.byteOffset + row * 8, n * 8).set(bytes.subarray(0, n * 8));
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < n; i++) {
    if (physical === PHYSICAL.BOOLEAN) data[row + i] = ((bytes[i >>> 3] as number) >>> (i & 7)) & 1;
    else if (physical === PHYSICAL.INT32) data[row + i] = view.getInt32(i * 4, true);
    else data[row + i] = (view.getInt32(i * 8 + 4, true) * 2 ** 32 + view.getUint32(i * 8, true)) * scale;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new RangeError("page ends too early");
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function struct(value: unknown): ThriftStruct {
  if (!Array.isArray(value)) throw new RangeError("damaged page header");
  return value as ThriftStruct;
}

function count(value: unknown): number {
  if (typeof value !== "number" || !(value >= 0)) throw new RangeError("damaged page header");
  return value;
}
