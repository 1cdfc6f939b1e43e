/**
 * A batch: events turned on their side. The Collector builds one per group
 * commit and encodes it once; the Ingester keeps the text as it is in its
 * write-ahead log; sealing and live queries decode it.
 *
 * The encoding is JSON of columns with string dictionaries. The runtime's JSON
 * parser is native code, so this decodes several times faster than row-wise
 * JSON and needs no second parser for live data; and a human can read the log.
 * What all events of an invocation share (event.ts, INVOCATION_FIELDS) is
 * written once per invocation, not once per event.
 */
import { attributeColumn, CORE_BY_PHYSICAL, CORE_COLUMNS, type ColumnType, type CoreColumn } from "./columns.ts";
import {
  type AttributeValue,
  INVOCATION_FIELDS,
  type InvocationFields,
  listAttributes,
  type OwnFields,
  type TailraceEvent,
} from "./event.ts";

/** Dictionary-coded strings: `dict[index[row]]`, index −1 is null. Entries of `dict` are distinct. */
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

/**
 * On the wire, `r` lists the positions that have a value, when some have none.
 * Positions are rows, or groups (see `g`) where `p` is set.
 */
interface WireString {
  t: "s";
  d: string[];
  /** Into `d`. Absent: all the first entry when `d` has one, else each its own (0, 1, 2 …). */
  i?: number[];
  r?: number[];
  p?: 1;
}
interface WireNumber {
  t: "n" | "b" | "t";
  /** Times are relative to this. */
  o?: number;
  /** One entry when all are equal. */
  x: (number | null)[];
  r?: number[];
  p?: 1;
}
interface WireBatch {
  v: number;
  n: number;
  /** Rows of each invocation, in order; absent when every row is one of its own. */
  g?: number[];
  c: Record<string, WireString | WireNumber>;
}

/** Only positions that have a value are recorded. */
interface ColumnBuilder {
  type: ColumnType;
  /** Positions of the values; null as long as there is one for every position. */
  at: number[] | null;
  /** Dictionary positions for strings, else the values. */
  values: number[];
  dict: Map<string, number>;
  strings: string[];
}

function newBuilder(type: ColumnType): ColumnBuilder {
  return { type, at: null, values: [], dict: new Map(), strings: [] };
}

function intern(b: ColumnBuilder, value: string): number {
  let at = b.dict.get(value);
  if (at === undefined) {
    at = b.strings.length;
    b.strings.push(value);
    b.dict.set(value, at);
  }
  return at;
}

/** Attribute values of two types in one column: all become strings. */
function widen(b: ColumnBuilder): void {
  const asText = b.type === "boolean" ? (v: number) => (v ? "true" : "false") : String;
  b.values = b.values.map((v) => intern(b, asText(v)));
  b.type = "string";
}

/** Notes that the next value is for `position`; positions ascend. */
function place(b: ColumnBuilder, position: number): void {
  if (b.at === null) {
    if (b.values.length === position) return;
    b.at = Array.from(b.values.keys());
  }
  b.at.push(position);
}

/** Has this position, the latest there is, a value already? */
function isPlaced(b: ColumnBuilder, position: number): boolean {
  return (b.at === null ? b.values.length - 1 : (b.at[b.at.length - 1] as number)) === position;
}

type Core = { field: string; physical: string; builder: ColumnBuilder };
const isShared = new Set<string>(INVOCATION_FIELDS);
const cores = (columns: readonly CoreColumn[]): Core[] =>
  columns.map((c) => ({ field: c.name, physical: c.physical, builder: newBuilder(c.type) }));

export class BatchBuilder {
  rows = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** Rough size of the encoded batch in bytes; bounds group commits. */
  bytes = 0;
  private readonly shared = cores(CORE_COLUMNS.filter((c) => isShared.has(c.name)));
  private readonly own = cores(CORE_COLUMNS.filter((c) => !isShared.has(c.name)));
  private readonly attributes = new Map<string, ColumnBuilder>();
  /** Rows of each invocation. */
  private readonly groups: number[] = [];

  push(event: TailraceEvent): void {
    const { attributes, ...own } = event;
    this.pushInvocation(event, [attributes === undefined ? own : { ...own, attributes: listAttributes(attributes) }]);
  }

  /** All events of one invocation: what they share is stored once. */
  pushInvocation(shared: InvocationFields, events: readonly OwnFields[]): void {
    if (events.length === 0) return;
    const group = this.groups.length;
    this.groups.push(events.length);
    const fields = shared as unknown as Record<string, AttributeValue | undefined | null>;
    for (let i = 0; i < this.shared.length; i++) {
      const core = this.shared[i] as Core;
      const value = fields[core.field];
      if (value !== undefined && value !== null) this.append(core.builder, group, value);
    }
    for (let i = 0; i < events.length; i++) this.pushOwn(events[i] as OwnFields);
  }

  private pushOwn(event: OwnFields): void {
    const row = this.rows++;
    if (event.time < this.minTime) this.minTime = event.time;
    if (event.time > this.maxTime) this.maxTime = event.time;
    const fields = event as unknown as Record<string, AttributeValue | undefined | null>;
    for (let i = 0; i < this.own.length; i++) {
      const core = this.own[i] as Core;
      const value = fields[core.field];
      if (value !== undefined && value !== null) this.append(core.builder, row, value);
    }
    const attributes = event.attributes;
    if (attributes === undefined) return;
    const { names, values } = attributes;
    for (let i = 0; i < names.length; i++) {
      const value = values[i];
      if (value !== undefined && value !== null) this.pushAttribute(names[i] as string, value, row);
    }
  }

  private pushAttribute(name: string, value: AttributeValue, row: number): void {
    let builder = this.attributes.get(name);
    if (builder === undefined) {
      builder = newBuilder(typeof value as ColumnType);
      this.attributes.set(name, builder);
      this.bytes += name.length + 16;
    } else if (isPlaced(builder, row)) return;
    this.append(builder, row, value);
  }

  private append(b: ColumnBuilder, position: number, value: AttributeValue): void {
    const type = typeof value;
    if (b.type === "string") {
      if (type !== "string") value = String(value);
    } else if (type === "string" || (type === "boolean") !== (b.type === "boolean")) {
      widen(b);
      value = String(value);
    }
    place(b, position);
    if (b.type === "string") {
      const before = b.strings.length;
      b.values.push(intern(b, value as string));
      this.bytes += b.strings.length > before ? (value as string).length + 6 : 3;
    } else {
      b.values.push(Number(value));
      this.bytes += 8;
    }
  }

  encode(): string {
    // No prototype: an attribute may be called `__proto__`.
    const wire: WireBatch = { v: BATCH_VERSION, n: this.rows, c: Object.create(null) };
    const grouped = this.groups.length < this.rows;
    if (grouped) wire.g = this.groups;
    for (const { physical, builder } of this.shared) {
      if (builder.values.length === 0) continue;
      const column = toWire(builder, this.groups.length);
      if (grouped) column.p = 1;
      wire.c[physical] = column;
    }
    for (const { physical, builder } of this.own) {
      if (builder.values.length > 0) wire.c[physical] = toWire(builder, this.rows);
    }
    for (const [key, b] of this.attributes) wire.c[attributeColumn(key)] = toWire(b, this.rows);
    return JSON.stringify(wire);
  }
}

function toWire(b: ColumnBuilder, positions: number): WireString | WireNumber {
  const count = b.values.length;
  const wire = b.type === "string" ? stringsToWire(b) : numbersToWire(b);
  if (count < positions) wire.r = b.at ?? Array.from(b.values.keys());
  return wire;
}

function stringsToWire(b: ColumnBuilder): WireString {
  // Interning numbers the entries as they come: as many entries as values means 0, 1, 2 …
  const implied = b.strings.length === 1 || (b.strings.length === b.values.length && isIdentity(b.values));
  return implied ? { t: "s", d: b.strings } : { t: "s", d: b.strings, i: b.values };
}

/** Widening may leave the dictionary in another order than the values. */
function isIdentity(values: number[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== i) return false;
  return true;
}

function numbersToWire(b: ColumnBuilder): WireNumber {
  const t = b.type === "number" ? "n" : b.type === "boolean" ? "b" : "t";
  const first = b.values[0] as number;
  if (t === "t") return { t, o: first, x: b.values.map((v) => v - first) };
  return b.values.every((v) => Object.is(v, first)) ? { t, x: [first] } : { t, x: b.values };
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
