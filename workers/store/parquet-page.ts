/**
 * Data pages (version 2) and dictionary pages: header, definition levels,
 * values. Below `parquet-encode.ts`, above the encodings.
 *
 * A data page holds at most PAGE_BYTES of values, so that it is one zstd frame
 * (parquet-zstd.ts); levels are not compressed in this version of the page, and
 * values that do not compress are stored as they are.
 */
import { ByteSink } from "./parquet-bytes.ts";
import { encodeHybrid } from "./parquet-rle.ts";
import { compress, compressAlways, FRAME_INPUT_BYTES } from "./parquet-zstd.ts";

/** Uncompressed values of one data page. */
export const PAGE_BYTES = FRAME_INPUT_BYTES;

/** Numbers of the specification (parquet.thrift). */
export const PAGE_TYPE = { data: 0, dictionary: 2, dataV2: 3 } as const;
export const ENCODING = {
  PLAIN: 0,
  PLAIN_DICTIONARY: 2,
  RLE: 3,
  DELTA_BINARY_PACKED: 5,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  RLE_DICTIONARY: 8,
  BYTE_STREAM_SPLIT: 9,
} as const;
export type EncodingName = keyof typeof ENCODING;

/** Bytes that went into the file, and what they would be without compression. */
export interface Sizes {
  compressed: number;
  uncompressed: number;
}

/** Reused by every page: encoding is synchronous. */
const values = new ByteSink(PAGE_BYTES * 2);
const levels = new ByteSink(1024);

export function writeDictionaryPage(out: ByteSink, count: number, page: Uint8Array, sizes: Sizes): void {
  const start = out.length;
  const body = compressAlways(page);
  struct(out, [
    [1, PAGE_TYPE.dictionary],
    [2, page.length],
    [3, body.length],
  ]);
  field(out, 4, THRIFT_STRUCT);
  struct(out, [
    [1, count],
    [2, ENCODING.PLAIN],
  ]);
  out.byte(0);
  out.byte(0);
  const header = out.length - start;
  out.append(body);
  sizes.compressed += header + body.length;
  sizes.uncompressed += header + page.length;
}

export interface DataPage {
  encoding: EncodingName;
  rows: number;
  /** Per row 1 if there is a value; undefined when all rows have one. */
  present: Uint8Array | undefined;
  /** Rows that have a value. */
  count: number;
  write: (out: ByteSink) => void;
}

export function writeDataPage(out: ByteSink, page: DataPage, sizes: Sizes): void {
  const start = out.length;
  levels.length = 0;
  encodeHybrid(levels, page.present ?? ones(page.rows), page.rows, 1);
  values.length = 0;
  page.write(values);
  const plain = values.view();
  const packed = plain.length === 0 ? undefined : compress(plain);
  const body = packed ?? plain;
  struct(out, [
    [1, PAGE_TYPE.dataV2],
    [2, levels.length + plain.length],
    [3, levels.length + body.length],
  ]);
  field(out, 5, THRIFT_STRUCT);
  struct(out, [
    [1, page.rows],
    [2, page.rows - page.count],
    [3, page.rows],
    [4, ENCODING[page.encoding]],
    [5, levels.length],
    [6, 0],
  ]);
  field(out, 1, packed === undefined ? THRIFT_FALSE : THRIFT_TRUE);
  out.byte(0);
  out.byte(0);
  const header = out.length - start;
  out.append(levels.view());
  out.append(body);
  sizes.compressed += header + levels.length + body.length;
  sizes.uncompressed += header + levels.length + plain.length;
}

let allOnes = new Uint8Array(0);
function ones(rows: number): Uint8Array {
  if (allOnes.length < rows) allOnes = new Uint8Array(rows).fill(1);
  return allOnes;
}

/** Thrift's compact protocol, as much of it as page headers need. */
const THRIFT_TRUE = 1;
const THRIFT_FALSE = 2;
const THRIFT_I32 = 5;
const THRIFT_STRUCT = 12;

function field(out: ByteSink, delta: number, type: number): void {
  out.byte((delta << 4) | type);
}

/** The 32-bit fields of a struct, without its end. */
function struct(out: ByteSink, fields: [id: number, value: number][]): void {
  let last = 0;
  for (const [id, value] of fields) {
    field(out, id - last, THRIFT_I32);
    out.zigzag(value);
    last = id;
  }
}
