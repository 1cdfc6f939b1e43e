/**
 * Zstandard by node:zlib, around the edges of its implementations
 * (docs/decisions/0002-zstd-frames.md):
 * workerd's zstdCompressSync throws when the output is above 40,960 bytes, and
 * the zstdDecompressSync of both workerd and Node stops after the first frame.
 * So the input is cut into slices whose output cannot be too long, one frame
 * each, and reading goes frame by frame. Several frames in a row are valid
 * (RFC 8878, 3.1), and every Parquet reader but JavaScript's takes them as they are.
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Incompressible input grows by 19 bytes here: far enough below 40,960. */
export const FRAME_INPUT_BYTES = 40_000;

/** Saving less than this is not worth the time to decompress. */
const WORTHWHILE = 0.9;

/** Undefined when compression saves too little: store the page as it is. */
export function compress(input: Uint8Array): Uint8Array | undefined {
  if (input.length <= FRAME_INPUT_BYTES) {
    const frame = zstdCompressSync(input);
    return frame.length <= input.length * WORTHWHILE ? frame : undefined;
  }
  const first = zstdCompressSync(input.subarray(0, FRAME_INPUT_BYTES));
  return first.length > FRAME_INPUT_BYTES * WORTHWHILE ? undefined : compressAlways(input, first);
}

/** For pages that may not be stored uncompressed (dictionaries). */
export function compressAlways(input: Uint8Array, first?: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = first === undefined ? [] : [first];
  let length = first === undefined ? 0 : first.length;
  for (let at = first === undefined ? 0 : FRAME_INPUT_BYTES; at < input.length || frames.length === 0; ) {
    const frame = zstdCompressSync(input.subarray(at, at + FRAME_INPUT_BYTES));
    frames.push(frame);
    length += frame.length;
    at += FRAME_INPUT_BYTES;
  }
  if (frames.length === 1) return frames[0] as Uint8Array;
  const all = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    all.set(frame, at);
    at += frame.length;
  }
  return all;
}

/** Throws when the bytes are not frames that make exactly `size` bytes. */
export function decompress(input: Uint8Array, size: number): Uint8Array {
  const first = frameLength(input, 0);
  if (first === input.length) {
    const output = zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) });
    if (output.length !== size) throw new RangeError(`page has ${output.length} bytes, expected ${size}`);
    return output;
  }
  const output = new Uint8Array(size);
  let at = 0;
  for (let from = 0; from < input.length; ) {
    const length = frameLength(input, from);
    const part = zstdDecompressSync(input.subarray(from, from + length), { maxOutputLength: Math.max(1, size - at) });
    output.set(part, at);
    at += part.length;
    from += length;
  }
  if (at !== size) throw new RangeError(`page has ${at} bytes, expected ${size}`);
  return output;
}

const MAGIC = 0xfd2fb528;

/** Length of the frame that begins at `start`, from its block headers (RFC 8878, 3.1.1). */
function frameLength(input: Uint8Array, start: number): number {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(start, true) !== MAGIC) throw new RangeError("not a zstd frame");
  const descriptor = view.getUint8(start + 4);
  const singleSegment = (descriptor >>> 5) & 1;
  const sizeFlag = descriptor >>> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = sizeFlag === 0 ? singleSegment : 1 << sizeFlag;
  let at = start + 5 + (1 - singleSegment) + dictionaryBytes + sizeBytes;
  for (;;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 3;
    at += 3 + (type === 1 ? 1 : header >>> 3);
    if (header & 1) break;
  }
  if ((descriptor >>> 2) & 1) at += 4;
  if (at > input.length) throw new RangeError("zstd frame ends too early");
  return at - start;
}
