/**
 * A growing byte buffer, the target of every encoder here. Not a stream: a
 * segment is bounded by its callers and goes to R2 in one piece.
 */
const encoder = new TextEncoder();

/** Up to this length a loop over char codes beats a call into the runtime. */
const SHORT_STRING = 48;

/** Buffers that are used again keep at most this, of a Worker's 128 MB. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

export class ByteSink {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Empty again. A buffer that one large column blew up is given back. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = new Uint8Array(1024);
  }

  /** Makes room for `more` bytes; returns the position to write at. */
  reserve(more: number): number {
    const needed = this.length + more;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    return this.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Little-endian. */
  uint32(value: number): void {
    const at = this.reserve(4);
    this.length = at + 4;
    this.patchUint32(at, value);
  }

  /** Overwrites what is there. */
  patchUint32(at: number, value: number): void {
    this.bytes[at] = value;
    this.bytes[at + 1] = value >>> 8;
    this.bytes[at + 2] = value >>> 16;
    this.bytes[at + 3] = value >>> 24;
  }

  /** Unsigned LEB128 of a non-negative 32-bit value. */
  varint(value: number): void {
    this.reserve(5);
    while (value > 0x7f) {
      this.bytes[this.length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.bytes[this.length++] = value;
  }

  /** Zigzag LEB128 of any safe integer. */
  zigzag(value: number): void {
    if (value >= -0x40000000 && value < 0x40000000) {
      this.varint(((value << 1) ^ (value >> 31)) >>> 0);
      return;
    }
    let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  append(source: Uint8Array): void {
    const at = this.reserve(source.length);
    this.bytes.set(source, at);
    this.length = at + source.length;
  }

  /** Appends UTF-8 and returns how many bytes it took. */
  utf8(text: string): number {
    const start = this.reserve(text.length * 3);
    if (text.length <= SHORT_STRING) {
      const bytes = this.bytes;
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[start + i] = code;
      }
      if (i === text.length) {
        this.length = start + i;
        return i;
      }
    }
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start));
    this.length = start + written;
    return written;
  }

  /** What was written, not copied: valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
