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

export const BATCH_VERSION = 1;

/**
 * On the wire, `r` lists the positions that have a value, when some have none.
 * Positions are rows, or groups (see `g`) where `p` is set.
 */
export interface WireString {
  t: "s";
  d: string[];
  /** Into `d`. Absent: all the first entry when `d` has one, else each its own (0, 1, 2 …). */
  i?: number[];
  r?: number[];
  p?: 1;
}
export interface WireNumber {
  t: "n" | "b" | "t";
  /** Times are relative to this. */
  o?: number;
  /** One entry when all are equal. */
  x: (number | null)[];
  r?: number[];
  p?: 1;
}
export interface WireBatch {
  v: number;
  n: number;
  /** Rows of each invocation, in order; absent when every row is one of its own. */
  g?: number[];
  c: Record<string, WireString | WireNumber>;
}

const TYPE_OF = { n: "number", b: "boolean", t: "time" } as const;

/** Throws on text that `encode` did not write. */
export function decodeBatch(text: string): ColumnBatch {
  const wire = JSON.parse(text) as WireBatch;
  if (wire.v !== BATCH_VERSION) throw new Error(`BUG: batch version ${wire.v}, expected ${BATCH_VERSION}`);
  const columns = new Map<string, Column>();
  for (const name of Object.keys(wire.c)) {
    const w = wire.c[name] as WireString | WireNumber;
    if (w.p === undefined || wire.g === undefined) columns.set(name, fromWire(w, wire.n));
    else columns.set(name, spread(fromWire(w, wire.g.length), wire.g, wire.n));
  }
  return { rows: wire.n, columns };
}

function fromWire(w: WireString | WireNumber, positions: number): Column {
  return w.t === "s" ? stringsFromWire(w, positions) : numbersFromWire(w, positions);
}

function stringsFromWire(w: WireString, positions: number): StringColumn {
  const index = new Int32Array(positions);
  const { i, r, d } = w;
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

function numbersFromWire(w: WireNumber, positions: number): NumberColumn {
  const data = new Float64Array(positions);
  const { x, r } = w;
  const origin = w.o ?? 0;
  const count = r === undefined ? positions : r.length;
  if (r !== undefined) data.fill(Number.NaN);
  const step = x.length === 1 ? 0 : 1;
  for (let k = 0; k < count; k++) {
    const v = x[k * step];
    data[r === undefined ? k : (r[k] as number)] = v === null || v === undefined ? Number.NaN : v + origin;
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
