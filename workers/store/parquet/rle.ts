/**
 * Parquet's RLE / bit-packing hybrid, for dictionary indexes and definition
 * levels: https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 * Used by `chunk.ts`, `page.ts` and `decode.ts`.
 */
import type { ByteSink } from "./bytes.ts";

/** A run this long is worth a run header; literals come in groups of eight. */
const MIN_RUN = 8;

/** Bits that hold every value up to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max);
}

export function encodeHybrid(out: ByteSink, values: Int32Array | Uint8Array, count: number, width: number): void {
  let literals = 0;
  for (let start = 0; start < count; ) {
    const value = values[start] as number;
    let end = start + 1;
    while (end < count && values[end] === value) end++;
    if (end - start < MIN_RUN) {
      start = end;
      continue;
    }
    // Literal groups are full: the run lends what is missing from the last one.
    const lend = (MIN_RUN - ((start - literals) & 7)) & 7;
    if (end - start - lend >= MIN_RUN) {
      if (start > literals) packLiterals(out, values, literals, start + lend, width);
      encodeRun(out, value, end - start - lend, width);
      literals = end;
    }
    start = end;
  }
  if (count > literals) packLiterals(out, values, literals, count, width);
}

/** `count` times the same value. */
export function encodeRun(out: ByteSink, value: number, count: number, width: number): void {
  out.varint(count << 1);
  for (let bits = 0; bits < width; bits += 8) out.byte((value >>> bits) & 0xff);
}

/** The last group is filled up with zeros. */
function packLiterals(out: ByteSink, values: Int32Array | Uint8Array, from: number, to: number, width: number): void {
  const groups = (to - from + 7) >>> 3;
  out.varint((groups << 1) | 1);
  let at = out.reserve(groups * width + 4);
  const end = at + groups * width;
  const bytes = out.bytes;
  let buffer = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    buffer |= value << bits;
    bits += width;
    if (bits < 32) {
      while (bits >= 8) {
        bytes[at++] = buffer;
        buffer >>>= 8;
        bits -= 8;
      }
    } else {
      bytes[at] = buffer;
      bytes[at + 1] = buffer >>> 8;
      bytes[at + 2] = buffer >>> 16;
      bytes[at + 3] = buffer >>> 24;
      at += 4;
      bits -= 32;
      buffer = bits === 0 ? 0 : value >>> (width - bits);
    }
  }
  while (bits > 0) {
    bytes[at++] = buffer;
    buffer >>>= 8;
    bits -= 8;
  }
  bytes.fill(0, at, end);
  out.length = end;
}

/**
 * Fills `target` with `count` values read from `bytes[offset … end)`. Throws a
 * RangeError when the bytes do not hold that many.
 */
export function decodeHybrid(
  bytes: Uint8Array,
  offset: number,
  end: number,
  width: number,
  target: Int32Array | Uint8Array,
  count: number,
): void {
  if (width > 32) throw new RangeError(`bit width ${width}`);
  let done = 0;
  let at = offset;
  while (done < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new RangeError("run header past the end of the page");
      const byte = bytes[at++] as number;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    header >>>= 0;
    if ((header & 1) === 0) {
      const valueBytes = (width + 7) >>> 3;
      if (at + valueBytes > end) throw new RangeError("run past the end of the page");
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value |= (bytes[at + i] as number) << (8 * i);
      at += valueBytes;
      const run = Math.min(header >>> 1, count - done);
      if (run === 0) throw new RangeError("empty run");
      target.fill(value, done, done + run);
      done += run;
    } else {
      const groups = header >>> 1;
      const run = Math.min(groups * 8, count - done);
      if (run === 0) throw new RangeError("empty run");
      // Writers may leave out the padding of the last group.
      if (at + Math.ceil((run * width) / 8) > end) throw new RangeError("literals past the end of the page");
      unpackLiterals(bytes, at, end, width, target, done, run);
      at += groups * width;
      done += run;
    }
  }
}

function unpackLiterals(
  bytes: Uint8Array,
  at: number,
  end: number,
  width: number,
  target: Int32Array | Uint8Array,
  from: number,
  count: number,
): void {
  const to = from + count;
  if (width === 8) {
    for (let i = from; i < to; i++) target[i] = bytes[at++] as number;
    return;
  }
  if (width === 0) {
    target.fill(0, from, to);
    return;
  }
  const mask = width === 32 ? -1 : (1 << width) - 1;
  let bit = 0;
  let i = from;
  // Four bytes hold a value of up to 25 bits wherever it begins; the last ones must not be read past the end.
  if (width <= 25) {
    const safe = Math.min(count, Math.floor(((end - at - 4) * 8) / width));
    for (const stop = from + safe; i < stop; i++, bit += width) {
      const p = at + (bit >>> 3);
      const word =
        (bytes[p] as number) |
        ((bytes[p + 1] as number) << 8) |
        ((bytes[p + 2] as number) << 16) |
        ((bytes[p + 3] as number) << 24);
      target[i] = (word >>> (bit & 7)) & mask;
    }
  }
  for (; i < to; i++, bit += width) {
    let value = 0;
    for (let b = 0; b < width; b++) {
      const p = bit + b;
      value |= (((bytes[at + (p >>> 3)] as number) >>> (p & 7)) & 1) << b;
    }
    target[i] = value;
  }
}
