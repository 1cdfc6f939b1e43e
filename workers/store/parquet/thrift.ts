/**
 * Reads Thrift's compact protocol, in which Parquet writes footers and page
 * headers. Bounded: no list is longer than the bytes that are left, no nesting
 * deeper than Parquet's own. Throws a RangeError on anything else.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** Fields by their id. */
export type ThriftStruct = ThriftValue[];
export type ThriftValue = boolean | number | Uint8Array | ThriftValue[] | undefined;

export interface Cursor {
  at: number;
}

const MAX_DEPTH = 12;
/** Parquet's highest field id is 17. */
const MAX_FIELD = 64;

export function readStruct(bytes: Uint8Array, cursor: Cursor, depth = 0): ThriftStruct {
  if (depth > MAX_DEPTH) throw new RangeError("thrift nested too deeply");
  const fields: ThriftStruct = [];
  let id = 0;
  for (;;) {
    const head = readByte(bytes, cursor);
    const type = head & 0x0f;
    if (type === 0) return fields;
    const delta = head >>> 4;
    id = delta === 0 ? readZigzag(bytes, cursor) : id + delta;
    if (!(id > 0 && id <= MAX_FIELD)) throw new RangeError(`thrift field ${id}`);
    fields[id] = readValue(bytes, cursor, type, depth);
  }
}

function readValue(bytes: Uint8Array, cursor: Cursor, type: number, depth: number): ThriftValue {
  switch (type) {
    case 1:
      return true;
    case 2:
      return false;
    case 3:
      return (readByte(bytes, cursor) << 24) >> 24;
    case 4:
    case 5:
    case 6:
      return readZigzag(bytes, cursor);
    case 7:
      return readDouble(bytes, cursor);
    case 8: {
      const length = readVarint(bytes, cursor);
      return take(bytes, cursor, length);
    }
    case 9:
    case 10:
      return readList(bytes, cursor, depth);
    case 12:
      return readStruct(bytes, cursor, depth + 1);
    default:
      throw new RangeError(`thrift type ${type}`);
  }
}

function readList(bytes: Uint8Array, cursor: Cursor, depth: number): ThriftValue[] {
  const head = readByte(bytes, cursor);
  const type = head & 0x0f;
  const size = head >>> 4 === 15 ? readVarint(bytes, cursor) : head >>> 4;
  if (size > bytes.length - cursor.at) throw new RangeError("thrift list longer than its bytes");
  const list: ThriftValue[] = [];
  for (let i = 0; i < size; i++) {
    // Booleans in a list are a byte each.
    list.push(type <= 2 ? readByte(bytes, cursor) === 1 : readValue(bytes, cursor, type, depth + 1));
  }
  return list;
}

function readByte(bytes: Uint8Array, cursor: Cursor): number {
  const byte = bytes[cursor.at++];
  if (byte === undefined) throw new RangeError("thrift ends too early");
  return byte;
}

function take(bytes: Uint8Array, cursor: Cursor, length: number): Uint8Array {
  if (length > bytes.length - cursor.at) throw new RangeError("thrift ends too early");
  const part = bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return part;
}

function readDouble(bytes: Uint8Array, cursor: Cursor): number {
  const part = take(bytes, cursor, 8);
  return new DataView(part.buffer, part.byteOffset, 8).getFloat64(0, true);
}

function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  let result = 0;
  for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
    const byte = readByte(bytes, cursor);
    result += (byte & 0x7f) * scale;
    if (byte < 0x80) return result;
  }
  throw new RangeError("thrift varint too long");
}

/** Exact up to 2^52: beyond lie no sizes or offsets of ours. */
function readZigzag(bytes: Uint8Array, cursor: Cursor): number {
  const raw = readVarint(bytes, cursor);
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}
