/**
 * Dictionary pages and data pages. Below `chunk.ts`, above the
 * encodings. A data page is one zstd frame: it grows as long as its data
 * compresses so well that the frame stays within what workerd can make.
 *
 * Both versions of the data page are in use. Version 2 keeps the levels out of
 * the compressed part, where they would spoil the statistics of ids and numbers
 * (3 % of a segment). Version 1 compresses them, which pays where they are most
 * of the page: an attribute with one value that only some events have.
 */
import { ByteSink } from "./bytes.ts";
import { encodeHybrid, encodeRun } from "./rle.ts";
import { compress, compressFrame, nextInputBytes, SAFE_INPUT_BYTES } from "./zstd.ts";

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

export function writeDictionaryPage(out: ByteSink, count: number, page: Uint8Array, sizes: Sizes): void {
  const fields: Field[] = [
    [1, count],
    [2, ENCODING.PLAIN],
  ];
  writePage(out, PAGE_TYPE.dictionary, 7, fields, page.length, compress(page), sizes);
}

/** The rows of a chunk: 1 if there is a value; `levels` is undefined when all rows have one. */
export interface Present {
  levels: Uint8Array | undefined;
  rows: number;
  count: number;
}

export interface PageValues {
  encoding: EncodingName;
  /** Rough size of the encoded values from one to another, so that pages come out as aimed. */
  bytesBetween(from: number, to: number): number;
  /** Encodes values (nulls are not counted). */
  write(sink: ByteSink, from: number, to: number): void;
}

/** Reused by every page: encoding is synchronous. */
const body = new ByteSink(SAFE_INPUT_BYTES * 2);
const levels = new ByteSink(1024);
/** Values so many times as long as the levels go into a page of version 2. */
const VALUES_PER_LEVELS = 2;
/** Saving less than this is not worth the time to decompress. */
const WORTHWHILE = 0.95;

/** Cuts the rows into pages. */
export function writeDataPages(out: ByteSink, present: Present, values: PageValues, sizes: Sizes): void {
  let target = SAFE_INPUT_BYTES;
  for (let row = 0, value = 0; row < present.rows; ) {
    const end = pageEnd(present, values, row, value, target);
    const rows = end.row - row;
    const count = end.value - value;
    encodeLevels(present.levels?.subarray(row, end.row), rows);
    body.length = 0;
    values.write(body, value, end.value);
    const separate = body.length >= levels.length * VALUES_PER_LEVELS;
    const plain = separate ? body.view() : joined();
    const frame = compressFrame(plain);
    if (frame === undefined && rows > 1) {
      target = Math.max(1, Math.floor(Math.min(target, plain.length) / 2));
      continue;
    }
    // A single row that is longer than a frame has to be several.
    const packed = frame ?? compress(plain);
    if (separate) writeVersion2(out, values.encoding, rows, count, plain, packed, sizes);
    else writeVersion1(out, values.encoding, rows, plain.length, packed, sizes);
    target = nextInputBytes(plain.length, packed.length);
    row = end.row;
    value = end.value;
  }
}

/** What `levels` holds. Attributes of one kind of event are null in the same rows, column after column. */
let lastLevels = new Uint8Array(0);

function encodeLevels(present: Uint8Array | undefined, rows: number): void {
  if (present !== undefined && Buffer.compare(present, lastLevels) === 0) return;
  lastLevels = new Uint8Array(0);
  levels.length = 0;
  if (present === undefined) encodeRun(levels, 1, rows, 1);
  else {
    encodeHybrid(levels, present, rows, 1);
    lastLevels = present.slice();
  }
}

/** Length of the levels, levels, values. */
function joined(): Uint8Array {
  const all = new ByteSink(LEVELS_PREFIX + levels.length + body.length);
  all.uint32(levels.length);
  all.append(levels.view());
  all.append(body.view());
  return all.view();
}

function writeVersion1(
  out: ByteSink,
  encoding: EncodingName,
  rows: number,
  plainLength: number,
  packed: Uint8Array,
  sizes: Sizes,
): void {
  const detail: Field[] = [
    [1, rows],
    [2, ENCODING[encoding]],
    [3, ENCODING.RLE],
    [4, ENCODING.RLE],
  ];
  writePage(out, PAGE_TYPE.data, 5, detail, plainLength, packed, sizes);
}

function writeVersion2(
  out: ByteSink,
  encoding: EncodingName,
  rows: number,
  count: number,
  plain: Uint8Array,
  packed: Uint8Array,
  sizes: Sizes,
): void {
  const isCompressed = packed.length <= plain.length * WORTHWHILE;
  const detail: Field[] = [
    [1, rows],
    [2, rows - count],
    [3, rows],
    [4, ENCODING[encoding]],
    [5, levels.length],
    [6, 0],
    [7, isCompressed],
  ];
  const stored = new Uint8Array(levels.length + (isCompressed ? packed : plain).length);
  stored.set(levels.view());
  stored.set(isCompressed ? packed : plain, levels.length);
  writePage(out, PAGE_TYPE.dataV2, 8, detail, levels.length + plain.length, stored, sizes);
}

/** Rows are taken in steps: finer cuts would not make better pages. */
const ROW_STEP = 64;

function pageEnd(present: Present, values: PageValues, row: number, value: number, target: number) {
  const rest = LEVELS_PREFIX + values.bytesBetween(value, present.count) + (present.rows - row) / 8;
  if (rest <= target) return { row: present.rows, value: present.count };
  let end = row;
  let endValue = value;
  let size = LEVELS_PREFIX;
  while (end < present.rows) {
    const step = Math.min(end + ROW_STEP, present.rows);
    let stepValue = endValue;
    if (present.levels === undefined) stepValue += step - end;
    else for (let i = end; i < step; i++) stepValue += present.levels[i] as number;
    size += values.bytesBetween(endValue, stepValue) + (step - end) / 8;
    if (size > target && end > row) break;
    end = step;
    endValue = stepValue;
  }
  if (size <= target || end - row > ROW_STEP) return { row: end, value: endValue };
  return shortEnd(present, values, row, value, target);
}

/** Long texts: row by row. */
function shortEnd(present: Present, values: PageValues, row: number, value: number, target: number) {
  let end = row;
  let endValue = value;
  let size = LEVELS_PREFIX;
  while (end < present.rows) {
    const filled = present.levels === undefined ? 1 : (present.levels[end] as number);
    size += values.bytesBetween(endValue, endValue + filled) + 1;
    if (size > target && end > row) break;
    end++;
    endValue += filled;
  }
  return { row: end, value: endValue };
}

/** Length of the levels. */
const LEVELS_PREFIX = 4;

type Field = [id: number, value: number | boolean];
const THRIFT_TRUE = 1;
const THRIFT_FALSE = 2;
const THRIFT_I32 = 5;
const THRIFT_STRUCT = 12;

/** Header (Thrift, compact protocol) and body. */
function writePage(
  out: ByteSink,
  type: number,
  detailField: number,
  detail: Field[],
  plainLength: number,
  packed: Uint8Array,
  sizes: Sizes,
): void {
  const start = out.length;
  fields(out, [
    [1, type],
    [2, plainLength],
    [3, packed.length],
  ]);
  out.byte(((detailField - 3) << 4) | THRIFT_STRUCT);
  fields(out, detail);
  out.byte(0);
  out.byte(0);
  const header = out.length - start;
  out.append(packed);
  sizes.compressed += header + packed.length;
  sizes.uncompressed += header + plainLength;
}

function fields(out: ByteSink, list: Field[]): void {
  let last = 0;
  for (const [id, value] of list) {
    const type = typeof value === "number" ? THRIFT_I32 : value ? THRIFT_TRUE : THRIFT_FALSE;
    out.byte(((id - last) << 4) | type);
    if (typeof value === "number") out.zigzag(value);
    last = id;
  }
}
