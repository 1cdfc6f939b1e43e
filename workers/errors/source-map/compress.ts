/**
 * Blocks are raw deflate (RFC 1951) behind their length before compression.
 * Not zstd: at this size it is no smaller, and workerd's zstd cannot make more
 * than 40,960 bytes (docs/decisions/0002-zstd-in-workerd.md). Level 6: level 9
 * takes four times as long for one part in a thousand.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { SeekableMapError } from "./bytes.ts";
import { MAX_BLOCK_BYTES } from "./limits.ts";

const PREFIX_BYTES = 4;
/** Deflate cannot shrink more than this: a blob that claims more is hostile, and is not given the memory. */
const MAX_RATIO = 1040;

export function compressBlock(raw: Uint8Array): Uint8Array {
  const packed = deflateRawSync(raw, { level: 6 });
  const block = new Uint8Array(PREFIX_BYTES + packed.length);
  new DataView(block.buffer).setUint32(0, raw.length, true);
  block.set(packed, PREFIX_BYTES);
  return block;
}

export function decompressBlock(block: Uint8Array, maxBytes = MAX_BLOCK_BYTES): Uint8Array {
  if (block.length < PREFIX_BYTES) throw new SeekableMapError("a block is too short");
  const size = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(0, true);
  if (size > maxBytes || size > block.length * MAX_RATIO) {
    throw new SeekableMapError(`a block of ${block.length} bytes claims to be ${size} bytes`);
  }
  const raw = inflate(block.subarray(PREFIX_BYTES), size);
  if (raw.length !== size) throw new SeekableMapError(`a block has ${raw.length} bytes, expected ${size}`);
  return raw;
}

/** workerd's output buffer begins with this and doubles. */
const BUFFER_BYTES = 40_960;

/** workerd fails when a limit lies below its next doubling, and, with room, where the output ends exactly with its buffer: one of the two always works. */
function inflate(packed: Uint8Array, size: number): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: size + BUFFER_BYTES });
  } catch {
    try {
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
    } catch {
      throw new SeekableMapError("a block cannot be decompressed");
    }
  }
}

/** Deflate of nothing. */
const EMPTY = Uint8Array.of(3, 0);
let isReady = false;

/** The first call of an isolate takes half a millisecond longer: made while the first read is under way. */
export function prepareToDecompress(): void {
  if (isReady) return;
  isReady = true;
  inflate(EMPTY, 0);
}
