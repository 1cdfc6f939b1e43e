/**
 * Numbers and text to bytes and back: LEB128 varints, zigzag for signed ones,
 * UTF-8. The reader trusts nothing: past the end, or past what a caller says is
 * possible, it throws SeekableMapError.
 */

/** A blob that is not, or is no longer, what the writer made. */
export class SeekableMapError extends Error {
  override name = "SeekableMapError";
}

const FIRST_BYTES = 4096;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

export class ByteWriter {
  private buffer = new Uint8Array(FIRST_BYTES);
  length = 0;

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }

  /** 0 … 2³²−1 */
  varint(value: number): void {
    this.room(5);
    while (value >= 0x80) {
      this.buffer[this.length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.buffer[this.length++] = value;
  }

  /** −2³¹ … 2³¹−1 */
  signed(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  u32(value: number): void {
    this.room(4);
    for (let shift = 0; shift < 32; shift += 8) this.buffer[this.length++] = (value >>> shift) & 0xff;
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  clear(): void {
    this.length = 0;
  }

  /** A copy. */
  take(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  /** Until the next write. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}

export class ByteReader {
  at: number;

  private readonly buffer: Uint8Array;
  private readonly end: number;

  constructor(buffer: Uint8Array, start = 0, end = buffer.length) {
    this.buffer = buffer;
    this.end = end;
    this.at = start;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) throw new SeekableMapError("a number runs past the end of its block");
      const byte = this.buffer[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new SeekableMapError("a number has more than 32 bits");
  }

  signed(): number {
    const value = this.varint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A number of things of which each takes at least `bytesEach` bytes from here on, so that no count can claim memory that the blob does not have. */
  count(atMost: number, bytesEach: number): number {
    const value = this.varint();
    if (value > atMost || value * bytesEach > this.end - this.at) {
      throw new SeekableMapError(`a block claims ${value} entries, more than it can hold`);
    }
    return value;
  }

  u32(): number {
    if (this.at + 4 > this.end) throw new SeekableMapError("a number runs past the end of its block");
    const b = this.buffer;
    const at = this.at;
    this.at += 4;
    return (
      ((b[at] as number) |
        ((b[at + 1] as number) << 8) |
        ((b[at + 2] as number) << 16) |
        ((b[at + 3] as number) << 24)) >>>
      0
    );
  }

  raw(length: number): Uint8Array {
    if (length > this.end - this.at) throw new SeekableMapError("text runs past the end of its block");
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }
}

/** Lone surrogates become U+FFFD. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
