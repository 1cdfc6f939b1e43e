/**
 * A batch as text: JSON of columns with string dictionaries. The Ingester keeps
 * it as it is in its write-ahead log; sealing and live queries decode it.
 *
 * The runtime's JSON parser is native code, so this decodes several times
 * faster than row-wise JSON and needs no second parser for live data; and a
 * human can read the log. What all events of an invocation share (event.ts,
 * INVOCATION_FIELDS) is written once per invocation, not once per event.
 */
import type { Column, ColumnBatch, NumberColumn, StringColumn } from "./batch.ts";

export const BATCH_VERSION = 2;

/** Small numbers as text, one character each: written and parsed several times faster than a list of numbers. */
export type SmallNumbers = string;
/** `#`: from here to `~` there is one character that JSON escapes. */
const FIRST_CHAR = 35;
const BACKSLASH = 92;
const LAST_CHAR = 126;
/** Numbers below this have a character of their own. */
export const SMALL_NUMBERS = LAST_CHAR - FIRST_CHAR;

/** By number; the backslash is left out. */
const CHARS = Uint8Array.from({ length: SMALL_NUMBERS }, (_, n) => {
  const code = FIRST_CHAR + n;
  return code < BACKSLASH ? code : code + 1;
});

/** All of them must be below SMALL_NUMBERS. */
export function packSmall(numbers: readonly number[]): SmallNumbers {
  const bytes = Buffer.allocUnsafe(numbers.length);
  for (let k = 0; k < numbers.length; k++) bytes[k] = CHARS[numbers[k] as number] as number;
  return bytes.toString("latin1");
}

function unpackSmall(text: SmallNumbers): Int32Array {
  const numbers = new Int32Array(text.length);
  for (let k = 0; k < numbers.length; k++) {
    const code = text.charCodeAt(k);
    numbers[k] = code - (code > BACKSLASH ? FIRST_CHAR + 1 : FIRST_CHAR);
  }
  return numbers;
}

/**
 * On the wire, `r` says which positions have a value, when some have none: it is
 * a place in the batch's `r`. Positions are rows, or groups (see `g`) where `p` is set.
 */
export interface WireString {
  t: "s";
  d: string[];
  /** Into `d`. Absent: all the first entry when `d` has one, else each its own (0, 1, 2 …). */
  i?: number[] | SmallNumbers;
  r?: number;
  p?: 1;
}
export interface WireNumber {
  t: "n" | "b" | "t";
  /** One entry when all are equal. The value is `x × m ÷ s + o`: short whole numbers are faster to write and to parse. */
  x: (number | null)[] | SmallNumbers;
  o?: number;
  m?: number;
  s?: number;
  r?: number;
  p?: 1;
}
export interface WireBatch {
  v: number;
  n: number;
  /** Rows of each invocation, in order; absent when every row is one of its own. */
  g?: number[];
  /**
   * Lists of positions, ascending: the steps from each to the next, the first
   * counted from −1. Columns that come together share one.
   */
  r?: (number[] | SmallNumbers)[];
  c: Record<string, WireString | WireNumber>;
}

const TYPE_OF = { n: "number", b: "boolean", t: "time" } as const;

/** Throws on text that `encode` did not write. */
export function decodeBatch(text: string): ColumnBatch {
  const wire = JSON.parse(text) as WireBatch;
  if (wire.v !== BATCH_VERSION) throw new Error(`BUG: batch version ${wire.v}, expected ${BATCH_VERSION}`);
  const columns = new Map<string, Column>();
  const lists = (wire.r ?? []).map(positionsFromWire);
  for (const name of Object.keys(wire.c)) {
    const w = wire.c[name] as WireString | WireNumber;
    const at = w.r === undefined ? undefined : lists[w.r];
    if (w.p === undefined || wire.g === undefined) columns.set(name, fromWire(w, wire.n, at));
    else columns.set(name, spread(fromWire(w, wire.g.length, at), wire.g, wire.n));
  }
  return { rows: wire.n, columns };
}

const numbersOf = (wire: number[] | SmallNumbers) => (typeof wire === "string" ? unpackSmall(wire) : wire);

function positionsFromWire(wire: number[] | SmallNumbers): Int32Array {
  const positions = Int32Array.from(numbersOf(wire));
  for (let k = 0, at = -1; k < positions.length; k++) {
    at += positions[k] as number;
    positions[k] = at;
  }
  return positions;
}

type Positions = Int32Array | undefined;

function fromWire(w: WireString | WireNumber, positions: number, at: Positions): Column {
  return w.t === "s" ? stringsFromWire(w, positions, at) : numbersFromWire(w, positions, at);
}

function stringsFromWire(w: WireString, positions: number, r: Positions): StringColumn {
  const index = new Int32Array(positions);
  const { d } = w;
  const i = w.i === undefined ? undefined : numbersOf(w.i);
  if (r === undefined) {
    if (i !== undefined) index.set(i);
    else if (d.length > 1) for (let k = 0; k < positions; k++) index[k] = k;
    return { type: "string", dict: d, index };
  }
  index.fill(-1);
  for (let k = 0; k < r.length; k++) {
    index[r[k] as number] = i !== undefined ? (i[k] as number) : d.length > 1 ? k : 0;
  }
  return { type: "string", dict: d, index };
}

function numbersFromWire(w: WireNumber, positions: number, r: Positions): NumberColumn {
  const data = new Float64Array(positions);
  const x = typeof w.x === "string" ? unpackSmall(w.x) : w.x;
  const origin = w.o ?? 0;
  const times = w.m ?? 1;
  const parts = w.s ?? 1;
  const count = r === undefined ? positions : r.length;
  if (r !== undefined) data.fill(Number.NaN);
  const step = x.length === 1 ? 0 : 1;
  for (let k = 0; k < count; k++) {
    const v = x[k * step];
    data[r === undefined ? k : (r[k] as number)] =
      v === null || v === undefined ? Number.NaN : (v * times) / parts + origin;
  }
  return { type: TYPE_OF[w.t], data };
}

/** A column with one entry per invocation → one with an entry per row. */
function spread(column: Column, groups: number[], rows: number): Column {
  if (column.type === "string") {
    const index = new Int32Array(rows);
    fillGroups(index, column.index, groups);
    return { type: "string", dict: column.dict, index };
  }
  const data = new Float64Array(rows);
  fillGroups(data, column.data, groups);
  return { type: column.type, data };
}

function fillGroups(out: Int32Array | Float64Array, from: Int32Array | Float64Array, groups: number[]): void {
  let row = 0;
  for (let g = 0; g < groups.length; g++) {
    const value = from[g] as number;
    for (const end = row + (groups[g] as number); row < end; row++) out[row] = value;
  }
}
