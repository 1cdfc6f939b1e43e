/**
 * A batch: events turned on their side. The Collector builds one per group
 * commit and encodes it once; the Ingester keeps the text as it is in its
 * write-ahead log; sealing and live queries decode it.
 *
 * The encoding is JSON of columns with string dictionaries. The runtime's JSON
 * parser is native code, so this decodes several times faster than row-wise
 * JSON and needs no second parser for live data; and a human can read the log.
 */
import { attributeColumn, CORE_BY_PHYSICAL, CORE_COLUMNS, type ColumnType } from "./columns.ts";
import type { AttributeValue, TailraceEvent } from "./event.ts";

/** Dictionary-coded strings: `dict[index[row]]`, index −1 is null. */
export interface StringColumn {
  type: "string";
  dict: string[];
  index: Int32Array;
}

/** Numbers, times (µs since epoch) and booleans (0 or 1); NaN is null. */
export interface NumberColumn {
  type: "number" | "boolean" | "time";
  data: Float64Array;
}

export type Column = StringColumn | NumberColumn;

/** Columns by their physical name. Every column has `rows` entries. */
export interface ColumnBatch {
  rows: number;
  columns: Map<string, Column>;
}

const BATCH_VERSION = 1;

/** On the wire: `r` lists the rows that have a value, when most have none. */
interface WireString {
  t: "s";
  d: string[];
  i: number[];
  r?: number[];
}
interface WireNumber {
  t: "n" | "b" | "t";
  /** Times are relative to this. */
  o?: number;
  x: (number | null)[];
  r?: number[];
}
interface WireBatch {
  v: number;
  n: number;
  c: Record<string, WireString | WireNumber>;
}

/** Sparse by construction: only rows that have a value are recorded. */
interface ColumnBuilder {
  type: ColumnType;
  rows: number[];
  /** Dictionary positions for strings, else the values. */
  values: number[];
  dict: Map<string, number>;
}

function newBuilder(type: ColumnType): ColumnBuilder {
  return { type, rows: [], values: [], dict: new Map() };
}

function intern(dict: Map<string, number>, value: string): number {
  let at = dict.get(value);
  if (at === undefined) {
    at = dict.size;
    dict.set(value, at);
  }
  return at;
}

/** Attribute values of two types in one column: all become strings. */
function widen(b: ColumnBuilder): void {
  const asText = b.type === "boolean" ? (v: number) => (v ? "true" : "false") : String;
  b.values = b.values.map((v) => intern(b.dict, asText(v)));
  b.type = "string";
}

export class BatchBuilder {
  rows = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** Rough size of the encoded batch in bytes; bounds group commits. */
  bytes = 0;
  private readonly core = CORE_COLUMNS.map((c) => newBuilder(c.type));
  private readonly attributes = new Map<string, ColumnBuilder>();

  push(event: TailraceEvent): void {
    const row = this.rows++;
    if (event.time < this.minTime) this.minTime = event.time;
    if (event.time > this.maxTime) this.maxTime = event.time;
    for (let i = 0; i < CORE_COLUMNS.length; i++) {
      const value = event[(CORE_COLUMNS[i] as (typeof CORE_COLUMNS)[number]).name];
      if (value === undefined || value === null) continue;
      this.append(this.core[i] as ColumnBuilder, row, value);
    }
    const attributes = event.attributes;
    if (attributes === undefined) return;
    for (const key in attributes) {
      const value = attributes[key] as AttributeValue;
      if (value === undefined || value === null) continue;
      let builder = this.attributes.get(key);
      if (builder === undefined) {
        builder = newBuilder(typeof value as ColumnType);
        this.attributes.set(key, builder);
        this.bytes += key.length + 16;
      }
      this.append(builder, row, value);
    }
  }

  private append(b: ColumnBuilder, row: number, value: AttributeValue): void {
    const type = typeof value;
    if (b.type === "string") {
      if (type !== "string") value = String(value);
    } else if (type === "string" || (type === "boolean") !== (b.type === "boolean")) {
      widen(b);
      value = String(value);
    }
    b.rows.push(row);
    if (b.type === "string") {
      const before = b.dict.size;
      b.values.push(intern(b.dict, value as string));
      this.bytes += b.dict.size > before ? (value as string).length + 6 : 3;
    } else {
      b.values.push(Number(value));
      this.bytes += 8;
    }
  }

  encode(): string {
    // No prototype: an attribute may be called `__proto__`.
    const wire: WireBatch = { v: BATCH_VERSION, n: this.rows, c: Object.create(null) };
    for (let i = 0; i < CORE_COLUMNS.length; i++) {
      const b = this.core[i] as ColumnBuilder;
      if (b.rows.length > 0) wire.c[(CORE_COLUMNS[i] as (typeof CORE_COLUMNS)[number]).physical] = toWire(b, this.rows);
    }
    for (const [key, b] of this.attributes) wire.c[attributeColumn(key)] = toWire(b, this.rows);
    return JSON.stringify(wire);
  }
}

function toWire(b: ColumnBuilder, rows: number): WireString | WireNumber {
  const dense = b.rows.length === rows;
  if (b.type === "string") {
    const d = [...b.dict.keys()];
    return dense ? { t: "s", d, i: b.values } : { t: "s", d, i: b.values, r: b.rows };
  }
  const t = b.type === "number" ? "n" : b.type === "boolean" ? "b" : "t";
  const wire: WireNumber = { t, x: b.values };
  if (t === "t") {
    const origin = b.values[0] as number;
    wire.o = origin;
    wire.x = b.values.map((v) => v - origin);
  }
  if (!dense) wire.r = b.rows;
  return wire;
}

const TYPE_OF = { n: "number", b: "boolean", t: "time" } as const;

/** Throws on text that `encode` did not write. */
export function decodeBatch(text: string): ColumnBatch {
  const wire = JSON.parse(text) as WireBatch;
  if (wire.v !== BATCH_VERSION) throw new Error(`BUG: batch version ${wire.v}, expected ${BATCH_VERSION}`);
  const columns = new Map<string, Column>();
  for (const name of Object.keys(wire.c)) {
    columns.set(name, fromWire(wire.c[name] as WireString | WireNumber, wire.n));
  }
  return { rows: wire.n, columns };
}

function fromWire(w: WireString | WireNumber, rows: number): Column {
  if (w.t === "s") {
    const index = new Int32Array(rows);
    if (w.r === undefined) index.set(w.i);
    else {
      index.fill(-1);
      for (let k = 0; k < w.r.length; k++) index[w.r[k] as number] = w.i[k] as number;
    }
    return { type: "string", dict: w.d, index };
  }
  const data = new Float64Array(rows);
  const origin = w.o ?? 0;
  if (w.r !== undefined) data.fill(Number.NaN);
  for (let k = 0; k < w.x.length; k++) {
    const v = w.x[k];
    data[w.r === undefined ? k : (w.r[k] as number)] = v === null || v === undefined ? Number.NaN : v + origin;
  }
  return { type: TYPE_OF[w.t], data };
}

/** The value of one cell: undefined for null; times are µs; booleans are booleans. */
export function cell(column: Column | undefined, row: number): AttributeValue | undefined {
  if (column === undefined) return undefined;
  if (column.type === "string") {
    const at = column.index[row] as number;
    return at < 0 ? undefined : column.dict[at];
  }
  const v = column.data[row] as number;
  if (Number.isNaN(v)) return undefined;
  return column.type === "boolean" ? v === 1 : v;
}

/** One row as an event again; the inverse of `BatchBuilder.push`. */
export function eventAt(batch: ColumnBatch, row: number): TailraceEvent {
  const event: Record<string, unknown> = {};
  const attributes: Record<string, AttributeValue> = Object.create(null);
  let any = false;
  for (const [physical, column] of batch.columns) {
    const value = cell(column, row);
    if (value === undefined) continue;
    const core = CORE_BY_PHYSICAL.get(physical);
    if (core) event[core.name] = value;
    else {
      attributes[physical] = value;
      any = true;
    }
  }
  if (any) event.attributes = attributes;
  return event as unknown as TailraceEvent;
}
