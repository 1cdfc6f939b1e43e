/**
 * Reads the few protobuf messages that a receiver answers with. They come from
 * outside: anything that is not one is undefined, never an exception.
 */
const MAX_VARINT_BYTES = 10;

export interface Field {
  number: number;
  /** Varints and fixed numbers: exact below 2^53. */
  value: number;
  /** Of a length-delimited field; empty for numbers. */
  bytes: Uint8Array;
}

export function readFields(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    if (tag === undefined || tag < 8) return undefined;
    const field = readValue(bytes, cursor, Math.floor(tag / 8), tag % 8);
    if (field === undefined) return undefined;
    fields.push(field);
  }
  return fields;
}

function readValue(bytes: Uint8Array, cursor: { at: number }, number: number, type: number): Field | undefined {
  if (type === 0) {
    const value = readVarint(bytes, cursor);
    return value === undefined ? undefined : { number, value, bytes: bytes.subarray(0, 0) };
  }
  const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? readVarint(bytes, cursor) : undefined;
  if (length === undefined || length > bytes.length - cursor.at) return undefined;
  cursor.at += length;
  return { number, value: 0, bytes: bytes.subarray(cursor.at - length, cursor.at) };
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): number | undefined {
  let value = 0;
  let unit = 1;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return undefined;
    value += (byte & 127) * unit;
    if (byte < 128) return value;
    unit *= 128;
  }
  return undefined;
}

/** Undefined for what is no UTF-8. */
export function readText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
