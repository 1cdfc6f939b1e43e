/**
 * Protocol Buffers' wire format, as much of it as OTLP's requests need
 * (protobuf.dev/programming-guides/encoding). `encode.ts` writes with it.
 *
 * A message inside a message has its length before it. One byte is kept free for
 * it; a message of 128 bytes or more is moved up when it is closed. Most are
 * attributes of less, and moving some hundred bytes is cheaper than measuring
 * everything twice.
 */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

const START_BYTES = 64 << 10;
/** A varint of a length, and of a tag. */
const MAX_PREFIX_BYTES = 10;
/** Shorter texts are copied here, longer ones by the runtime: a call of it costs as much as some 50 characters. */
const LOOP_CHARS = 48;
const TWO_32 = 2 ** 32;

const encoder = new TextEncoder();

export class ProtobufWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private at = 0;

  constructor(expected = START_BYTES) {
    this.bytes = new Uint8Array(Math.max(expected, START_BYTES));
    this.view = new DataView(this.bytes.buffer);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  /** Opens a message; hand what it returns to `close`. */
  open(field: number): number {
    this.reserve(MAX_PREFIX_BYTES);
    this.smallVarint(field * 8 + BYTES);
    return ++this.at;
  }

  close(start: number): void {
    const length = this.at - start;
    if (length < 128) {
      this.bytes[start - 1] = length;
      return;
    }
    const more = varintBytes(length) - 1;
    this.reserve(more);
    this.bytes.copyWithin(start + more, start, this.at);
    this.at = start - 1;
    this.smallVarint(length);
    this.at += length;
  }

  /** What was written before with this very writer's format: cached names. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  string(field: number, text: string): void {
    const { length } = text;
    this.reserve(length * 3 + MAX_PREFIX_BYTES);
    this.smallVarint(field * 8 + BYTES);
    const start = ++this.at;
    if (length > LOOP_CHARS || !this.ascii(text)) {
      this.at = start + encoder.encodeInto(text, this.bytes.subarray(start)).written;
    }
    this.close(start);
  }

  /** Of hex digits, two for a byte. */
  hex(field: number, digits: string): void {
    const length = digits.length >> 1;
    this.reserve(length + MAX_PREFIX_BYTES);
    this.smallVarint(field * 8 + BYTES);
    this.smallVarint(length);
    for (let i = 0; i < length; i++) {
      this.bytes[this.at++] = (nibble(digits.charCodeAt(2 * i)) << 4) | nibble(digits.charCodeAt(2 * i + 1));
    }
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0);
  }

  /** Up to 2^31. */
  uint(field: number, value: number): void {
    this.reserve(MAX_PREFIX_BYTES * 2);
    this.smallVarint(field * 8 + VARINT);
    this.smallVarint(value);
  }

  /** int64, of a safe integer: negative ones as two's complement in ten bytes. */
  int(field: number, value: number): void {
    this.reserve(MAX_PREFIX_BYTES * 2);
    this.smallVarint(field * 8 + VARINT);
    if (value >= 0 && value < TWO_32 / 2) {
      this.smallVarint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.bytes[this.at++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.reserve(MAX_PREFIX_BYTES + 8);
    this.smallVarint(field * 8 + FIXED64);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** fixed64 nanoseconds of a whole number of µs: more than a double can hold, so in two halves. */
  nanos(field: number, micros: number): void {
    this.reserve(MAX_PREFIX_BYTES + 8);
    this.smallVarint(field * 8 + FIXED64);
    const high = Math.floor(micros / TWO_32);
    const low = (micros - high * TWO_32) * 1_000;
    const carry = Math.floor(low / TWO_32);
    this.view.setUint32(this.at, low - carry * TWO_32, true);
    this.view.setUint32(this.at + 4, high * 1_000 + carry, true);
    this.at += 8;
  }

  /** @returns false, and nothing is written, where there is more than ASCII */
  private ascii(text: string): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[at + i] = code;
    }
    this.at = at + text.length;
    return true;
  }

  private smallVarint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.bytes[this.at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  private reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

/** Of a lower-case hex digit: ids are checked before (ids.ts). */
const nibble = (code: number): number => (code > 57 ? code - 87 : code - 48);
