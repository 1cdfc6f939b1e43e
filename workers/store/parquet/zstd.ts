/**
 * Zstandard by node:zlib, around the edges of its implementations
 * (docs/decisions/0002-zstd-in-workerd.md): workerd's zstdCompressSync throws
 * when the output passes 40,960 bytes, and the zstdDecompressSync of workerd
 * and of Node stops after the first of several frames.
 *
 * So a data page is made small enough to be one frame (page.ts); a
 * dictionary page, of which a chunk has but one, may be several frames in a
 * row, which is valid (RFC 8878, 3.1) and which DuckDB, Arrow and zstd itself read.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** What workerd can compress whatever it holds: incompressible input grows by 19 bytes. */
export const SAFE_INPUT_BYTES = 40_000;
/** Output that workerd can make, with some distance. */
const MAX_FRAME_BYTES = 40_900;
/** Aimed at when the size of the next piece is guessed from the last one. */
const AIM_FRAME_BYTES = 34_000;
/** A larger window finds little more, and a reader has to hold it. */
const MAX_INPUT_BYTES = 256 * 1024;

/**
 * Level 1. Higher ones find short repeats in random ids that cost more than
 * they save, and take twice the time: no column of ours gets 5 % smaller at 3.
 */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** One frame; undefined when that would be longer than workerd can make: try less. */
export function compressFrame(input: Uint8Array): Uint8Array | undefined {
  if (input.length <= SAFE_INPUT_BYTES) return zstdCompressSync(input, OPTIONS);
  let frame: Uint8Array;
  try {
    frame = zstdCompressSync(input, OPTIONS);
  } catch {
    return undefined;
  }
  // Node has no such limit: held to it as well, so that both write the same files.
  return frame.length <= MAX_FRAME_BYTES ? frame : undefined;
}

/** How much input the next frame may take, when the last one made `output` bytes of `input`. */
export function nextInputBytes(input: number, output: number): number {
  const guess = Math.floor((input * AIM_FRAME_BYTES) / Math.max(1, output));
  return Math.min(MAX_INPUT_BYTES, Math.max(SAFE_INPUT_BYTES, guess));
}

/** As many frames as it takes. */
export function compress(input: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  let length = 0;
  let size = SAFE_INPUT_BYTES;
  for (let at = 0; at < input.length || frames.length === 0; ) {
    const part = input.subarray(at, at + size);
    const frame = compressFrame(part);
    if (frame === undefined) {
      size = SAFE_INPUT_BYTES;
      continue;
    }
    frames.push(frame);
    length += frame.length;
    at += part.length;
    size = nextInputBytes(part.length, frame.length);
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
  const only = readFrame(input, 0);
  if (only.length === input.length) {
    const output = decompressFrame(input, only.content ?? size, size);
    if (output.length !== size) throw new RangeError(`page has ${output.length} bytes, expected ${size}`);
    return output;
  }
  const output = new Uint8Array(size);
  let at = 0;
  for (let from = 0; from < input.length; ) {
    const { length, content } = readFrame(input, from);
    const part = decompressFrame(input.subarray(from, from + length), content ?? size - at, size - at);
    if (part.length > size - at) throw new RangeError(`page has more than the expected ${size} bytes`);
    output.set(part, at);
    at += part.length;
    from += length;
  }
  if (at !== size) throw new RangeError(`page has ${at} bytes, expected ${size}`);
  return output;
}

/** workerd's output buffer begins with this and doubles. */
const BUFFER_BYTES = 40_960;

/**
 * One frame of `content` bytes, as its header says. workerd fails when a limit
 * lies below its next doubling, so the limit has room; and when the output ends
 * exactly where its buffer does, unless the limit is that very size.
 */
function decompressFrame(frame: Uint8Array, content: number, atMost: number): Uint8Array {
  if (content > atMost) throw new RangeError(`frame has ${content} bytes, expected at most ${atMost}`);
  try {
    return zstdDecompressSync(frame, { maxOutputLength: content + BUFFER_BYTES });
  } catch {
    return zstdDecompressSync(frame, { maxOutputLength: Math.max(1, content) });
  }
}

const MAGIC = 0xfd2fb528;

interface Frame {
  /** Compressed bytes, header and checksum included. */
  length: number;
  /** Bytes that it makes; a writer may leave this out. */
  content: number | undefined;
}

/** The frame that begins at `start`, from its headers (RFC 8878, 3.1.1). */
function readFrame(input: Uint8Array, start: number): Frame {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint32(start, true) !== MAGIC) throw new RangeError("not a zstd frame");
  const descriptor = view.getUint8(start + 4);
  const singleSegment = (descriptor >>> 5) & 1;
  const sizeFlag = descriptor >>> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = sizeFlag === 0 ? singleSegment : 1 << sizeFlag;
  const sizeAt = start + 5 + (1 - singleSegment) + dictionaryBytes;
  const content = contentSize(view, sizeAt, sizeBytes);
  let at = sizeAt + sizeBytes;
  for (;;) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 3;
    at += 3 + (type === 1 ? 1 : header >>> 3);
    if (header & 1) break;
  }
  if ((descriptor >>> 2) & 1) at += 4;
  if (at > input.length) throw new RangeError("zstd frame ends too early");
  return { length: at - start, content };
}

function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true));
    default:
      return undefined;
  }
}
