/**
 * DELTA_BINARY_PACKED: integers as differences, packed in blocks to the bits
 * that the block needs. For times, and for the lengths of strings.
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#delta-encoding-delta_binary_packed--5
 *
 * Values are doubles that hold integers: BigInt would cost ten times as much,
 * and times in µs fit 53 bits.
 */
import type { ByteSink } from "./bytes.ts";

const BLOCK = 128;
const MINIBLOCKS = 4;
const MINIBLOCK = BLOCK / MINIBLOCKS;
const TWO_32 = 2 ** 32;

/** Reused by every block: encoding is synchronous. */
const scratch = new Float64Array(BLOCK);

export function encodeDelta(out: ByteSink, values: Float64Array | Int32Array, count: number): void {
  out.varint(BLOCK);
  out.varint(MINIBLOCKS);
  out.varint(count);
  out.zigzag(count === 0 ? 0 : (values[0] as number));
  for (let start = 1; start < count; start += BLOCK) {
    const size = Math.min(BLOCK, count - start);
    let min = Number.POSITIVE_INFINITY;
    for (let i = 0; i < size; i++) {
      const delta = (values[start + i] as number) - (values[start + i - 1] as number);
      scratch[i] = delta;
      if (delta < min) min = delta;
    }
    out.zigzag(min);
    const widthsAt = out.reserve(MINIBLOCKS);
    out.bytes.fill(0, widthsAt, widthsAt + MINIBLOCKS);
    out.length += MINIBLOCKS;
    for (let mini = 0; mini * MINIBLOCK < size; mini++) {
      const from = mini * MINIBLOCK;
      const to = Math.min(size, from + MINIBLOCK);
      let max = 0;
      for (let i = from; i < to; i++) {
        const rest = (scratch[i] as number) - min;
        scratch[i] = rest;
        if (rest > max) max = rest;
      }
      const width = max < TWO_32 ? 32 - Math.clz32(max) : 64 - Math.clz32(Math.floor(max / TWO_32));
      out.bytes[widthsAt + mini] = width;
      scratch.fill(0, to, from + MINIBLOCK);
      packMiniblock(out, from, width);
    }
  }
}

function packMiniblock(out: ByteSink, from: number, width: number): void {
  let at = out.reserve((MINIBLOCK * width) / 8);
  const bytes = out.bytes;
  if (width <= 24) {
    let buffer = 0;
    let bits = 0;
    for (let i = from; i < from + MINIBLOCK; i++) {
      buffer |= (scratch[i] as number) << bits;
      bits += width;
      while (bits >= 8) {
        bytes[at++] = buffer;
        buffer >>>= 8;
        bits -= 8;
      }
    }
  } else {
    // Doubles as the bit buffer: at most 7 + 46 bits are exact, so wider values go in two parts.
    let buffer = 0;
    let bits = 0;
    for (let i = from; i < from + MINIBLOCK; i++) {
      const value = scratch[i] as number;
      let part = value % TWO_32;
      let partWidth = Math.min(width, 32);
      for (let half = 0; half < 2; half++) {
        buffer += part * 2 ** bits;
        bits += partWidth;
        while (bits >= 8) {
          bytes[at++] = buffer % 256;
          buffer = Math.floor(buffer / 256);
          bits -= 8;
        }
        if (width <= 32) break;
        part = Math.floor(value / TWO_32);
        partWidth = width - 32;
      }
    }
  }
  out.length = at;
}

/** Reads `count` values into `target`; returns the offset after them. Throws a RangeError on damaged bytes. */
export function decodeDelta(
  bytes: Uint8Array,
  offset: number,
  target: Float64Array | Int32Array,
  count: number,
): number {
  const cursor = { at: offset };
  const block = readVarint(bytes, cursor);
  const minis = readVarint(bytes, cursor);
  const total = readVarint(bytes, cursor);
  const size = block / minis;
  if (!(block > 0 && block <= 65_536 && minis > 0 && size >= 8 && size % 8 === 0) || total !== count) {
    throw new RangeError("damaged header of a delta page");
  }
  let value = readZigzag(bytes, cursor);
  if (count > 0) target[0] = value;
  let done = 1;
  while (done < count) {
    const min = readZigzag(bytes, cursor);
    const widthsAt = cursor.at;
    cursor.at += minis;
    for (let mini = 0; mini < minis && done < count; mini++) {
      const width = bytes[widthsAt + mini];
      if (width === undefined || width > 64) throw new RangeError("damaged bit width in a delta page");
      const take = Math.min(size, count - done);
      const length = (size * width) / 8;
      if (cursor.at + Math.ceil((take * width) / 8) > bytes.length) throw new RangeError("delta page ends too early");
      value = unpackMiniblock(bytes, cursor.at, width, min, value, target, done, take);
      cursor.at += length;
      done += take;
    }
  }
  return Math.min(cursor.at, bytes.length);
}

function unpackMiniblock(
  bytes: Uint8Array,
  at: number,
  width: number,
  min: number,
  value: number,
  target: Float64Array | Int32Array,
  from: number,
  count: number,
): number {
  const to = from + count;
  if (width === 0) {
    for (let i = from; i < to; i++) {
      value += min;
      target[i] = value;
    }
  } else if (width <= 24) {
    const mask = (1 << width) - 1;
    let buffer = 0;
    let bits = 0;
    for (let i = from; i < to; i++) {
      while (bits < width) {
        buffer |= (bytes[at++] as number) << bits;
        bits += 8;
      }
      value += min + (buffer & mask);
      buffer >>>= width;
      bits -= width;
      target[i] = value;
    }
  } else {
    for (let i = from, bit = 0; i < to; i++, bit += width) {
      value += min + wideBits(bytes, at, bit, width);
      target[i] = value;
    }
  }
  return value;
}

function wideBits(bytes: Uint8Array, at: number, bit: number, width: number): number {
  let result = 0;
  let scale = 1;
  for (let left = width; left > 0; ) {
    const shift = bit & 7;
    const take = Math.min(8 - shift, left);
    result += (((bytes[at + (bit >>> 3)] as number) >>> shift) & ((1 << take) - 1)) * scale;
    scale *= 2 ** take;
    bit += take;
    left -= take;
  }
  // 64 bits are two's complement; narrower ones are never negative.
  return result;
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let result = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[cursor.at++];
    if (byte === undefined || scale > 2 ** 63) throw new RangeError("varint past the end of the page");
    result += (byte & 0x7f) * scale;
    if (byte < 0x80) return result;
  }
}

/** Exact for safe integers. */
function readZigzag(bytes: Uint8Array, cursor: { at: number }): number {
  let result = 0n;
  let small = 0;
  for (let shift = 0; shift <= 63; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError("varint past the end of the page");
    if (shift < 28) small |= (byte & 0x7f) << shift;
    else result |= BigInt(byte & 0x7f) << BigInt(shift);
    if (byte < 0x80) {
      if (shift < 28) return (small >>> 1) ^ -(small & 1);
      const all = result | BigInt(small);
      return Number((all >> 1n) ^ -(all & 1n));
    }
  }
  throw new RangeError("varint too long");
}
