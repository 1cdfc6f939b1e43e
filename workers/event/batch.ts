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
import {
  attributeColumn,
  CORE_BY_PHYSICAL,
  CORE_COLUMNS,
  type ColumnType,
  type CoreColumn,
  OVERFLOW_COLUMN,
} from "./columns.ts";
import {
  type AttributeList,
  type AttributeValue,
  INVOCATION_FIELDS,
  type InvocationFields,
  KINDS,
  type Kind,
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
 * Attributes with a column of their own. A decoded column has a place for every
 * row, so a Worker that makes names out of ids would cost memory without end:
 * further names of a row share one JSON object in OVERFLOW_COLUMN, as in segments.
 */
export const MAX_BATCH_ATTRIBUTES = 500;

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

/** One column while it is being filled. Only positions that have a value are recorded, in ascending order. */
class Cells {
  type: ColumnType;
  /** Positions of the values; null as long as there is one for every position. */
  at: number[] | null = null;
  /** Dictionary positions for strings, else the values. */
  values: number[] = [];
  readonly strings: string[] = [];
  private readonly dict = new Map<string, number>();
  /** Most values equal the one before: comparing is cheaper than hashing. */
  private lastText = "";
  private lastIndex = -1;

  constructor(type: ColumnType) {
    this.type = type;
  }

  /** Returns about how many bytes the encoded batch has grown by. */
  add(position: number, value: AttributeValue | undefined | null): number {
    if (value === undefined || value === null) return 0;
    if (typeof value === "string") {
      if (this.type !== "string") this.widen();
      return this.addText(position, value);
    }
    if (this.type === "string") return this.addText(position, String(value));
    if ((typeof value === "boolean") !== (this.type === "boolean")) {
      this.widen();
      return this.addText(position, String(value));
    }
    this.place(position);
    this.values.push(Number(value));
    return 8;
  }

  /** The last position that has a value. */
  get last(): number {
    return this.at === null ? this.values.length - 1 : (this.at[this.at.length - 1] as number);
  }

  private addText(position: number, value: string): number {
    this.place(position);
    if (this.lastIndex >= 0 && value === this.lastText) {
      this.values.push(this.lastIndex);
      return 3;
    }
    const before = this.strings.length;
    this.lastIndex = this.intern(value);
    this.lastText = value;
    this.values.push(this.lastIndex);
    return this.strings.length > before ? value.length + 6 : 3;
  }

  private intern(value: string): number {
    let at = this.dict.get(value);
    if (at === undefined) {
      at = this.strings.length;
      this.strings.push(value);
      this.dict.set(value, at);
    }
    return at;
  }

  private place(position: number): void {
    if (this.at === null) {
      if (this.values.length === position) return;
      this.at = Array.from(this.values.keys());
    }
    this.at.push(position);
  }

  /** Values of two types in one column: all become strings. */
  private widen(): void {
    const asText = this.type === "boolean" ? (v: number) => (v ? "true" : "false") : String;
    this.values = this.values.map((v) => this.intern(asText(v)));
    this.type = "string";
  }
}

/** Attributes of the last event of a kind: mostly the next one has the same in the same order, and need not look them up. */
interface Before {
  names: string[];
  cells: Cells[];
}
const newBefore = (): Before => ({ names: [], cells: [] });

type CellsOf<Fields> = { [Name in keyof Required<Fields>]: Cells };

function cellsOf(columns: readonly CoreColumn[]): Record<string, Cells> {
  return Object.fromEntries(columns.map((c) => [c.name, new Cells(c.type)]));
}

const SHARED = CORE_COLUMNS.filter((c) => (INVOCATION_FIELDS as readonly string[]).includes(c.name));
const OWN = CORE_COLUMNS.filter((c) => !SHARED.includes(c));

export class BatchBuilder {
  rows = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  /** Rough size of the encoded batch in bytes; bounds group commits. */
  bytes = 0;
  private readonly shared = cellsOf(SHARED) as CellsOf<InvocationFields>;
  private readonly own = cellsOf(OWN) as CellsOf<Omit<OwnFields, "attributes">>;
  private readonly attributes = new Map<string, Cells>();
  private readonly overflow = new Cells("string");
  private readonly before = Object.fromEntries(KINDS.map((kind) => [kind, newBefore()])) as Record<Kind, Before>;
  /** Rows of each invocation. */
  private readonly groups: number[] = [];

  /** Attribute columns so far. */
  get width(): number {
    return this.attributes.size;
  }

  push(event: TailraceEvent): void {
    const { attributes, ...own } = event;
    this.pushInvocation(event, [attributes === undefined ? own : { ...own, attributes: listAttributes(attributes) }]);
  }

  /** All events of one invocation: what they share is stored once. */
  pushInvocation(shared: InvocationFields, events: readonly OwnFields[]): void {
    if (events.length === 0) return;
    this.pushShared(shared, this.groups.length);
    this.groups.push(events.length);
    for (let i = 0; i < events.length; i++) this.pushOwn(events[i] as OwnFields, this.rows++);
  }

  // Field by field, not in a loop over names: the runtime makes each of these a load at a fixed offset.
  private pushShared(f: InvocationFields, group: number): void {
    const c = this.shared;
    this.bytes +=
      c.script.add(group, f.script) +
      c.invocation_id.add(group, f.invocation_id) +
      c.sample_weight.add(group, f.sample_weight) +
      c.entrypoint.add(group, f.entrypoint) +
      c.version_id.add(group, f.version_id) +
      c.version_tag.add(group, f.version_tag) +
      c.version_message.add(group, f.version_message) +
      c.event_type.add(group, f.event_type) +
      c.outcome.add(group, f.outcome) +
      c.trace_id.add(group, f.trace_id) +
      c.ray_id.add(group, f.ray_id) +
      c.method.add(group, f.method) +
      c.route.add(group, f.route) +
      c.status.add(group, f.status) +
      c.colo.add(group, f.colo) +
      c.country.add(group, f.country) +
      c.durable_object_id.add(group, f.durable_object_id);
  }

  private pushOwn(e: OwnFields, row: number): void {
    if (e.time < this.minTime) this.minTime = e.time;
    if (e.time > this.maxTime) this.maxTime = e.time;
    const c = this.own;
    this.bytes +=
      c.time.add(row, e.time) +
      c.kind.add(row, e.kind) +
      c.seq.add(row, e.seq) +
      c.level.add(row, e.level) +
      c.message.add(row, e.message) +
      c.name.add(row, e.name) +
      c.span_id.add(row, e.span_id) +
      c.parent_span_id.add(row, e.parent_span_id) +
      c.duration.add(row, e.duration) +
      c.cpu_time.add(row, e.cpu_time) +
      c.fingerprint.add(row, e.fingerprint) +
      c.stack.add(row, e.stack);
    if (e.attributes !== undefined) this.pushAttributes(e.attributes, row, this.before[e.kind]);
  }

  private pushAttributes({ names, values }: AttributeList, row: number, before: Before): void {
    let rest: Record<string, AttributeValue> | undefined;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      const value = values[i];
      if (value === undefined || value === null) continue;
      let cells = before.names[i] === name ? before.cells[i] : this.attributes.get(name);
      if (cells === undefined) {
        if (this.attributes.size >= MAX_BATCH_ATTRIBUTES) {
          rest ??= Object.create(null) as Record<string, AttributeValue>;
          rest[attributeColumn(name)] ??= value;
          continue;
        }
        cells = new Cells(typeof value as ColumnType);
        this.attributes.set(name, cells);
        this.bytes += name.length + 16;
      } else if (cells.last === row) continue;
      before.names[i] = name;
      before.cells[i] = cells;
      this.bytes += cells.add(row, value);
    }
    if (rest !== undefined) this.bytes += this.overflow.add(row, JSON.stringify(rest));
  }

  encode(): string {
    // No prototype: an attribute may be called `__proto__`.
    const wire: WireBatch = { v: BATCH_VERSION, n: this.rows, c: Object.create(null) };
    const grouped = this.groups.length < this.rows;
    if (grouped) wire.g = this.groups;
    for (const { name, physical } of SHARED) {
      const cells = this.shared[name as keyof InvocationFields];
      if (cells.values.length === 0) continue;
      const column = toWire(cells, this.groups.length);
      if (grouped) column.p = 1;
      wire.c[physical] = column;
    }
    for (const { name, physical } of OWN) {
      const cells = this.own[name as Exclude<keyof OwnFields, "attributes">];
      if (cells.values.length > 0) wire.c[physical] = toWire(cells, this.rows);
    }
    for (const [key, cells] of this.attributes) wire.c[attributeColumn(key)] = toWire(cells, this.rows);
    if (this.overflow.values.length > 0) wire.c[OVERFLOW_COLUMN] = toWire(this.overflow, this.rows);
    return JSON.stringify(wire);
  }
}

function toWire(cells: Cells, positions: number): WireString | WireNumber {
  const wire = cells.type === "string" ? stringsToWire(cells) : numbersToWire(cells);
  if (cells.values.length < positions) wire.r = cells.at ?? Array.from(cells.values.keys());
  return wire;
}

function stringsToWire({ strings, values }: Cells): WireString {
  // Entries are numbered as they come: as many of them as values means 0, 1, 2 …
  const implied = strings.length === 1 || (strings.length === values.length && isIdentity(values));
  return implied ? { t: "s", d: strings } : { t: "s", d: strings, i: values };
}

/** Widening may leave the dictionary in another order than the values. */
function isIdentity(values: number[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== i) return false;
  return true;
}

function numbersToWire({ type, values }: Cells): WireNumber {
  const t = type === "number" ? "n" : type === "boolean" ? "b" : "t";
  const first = values[0] as number;
  if (t === "t") return { t, o: first, x: values.map((v) => v - first) };
  return values.every((v) => Object.is(v, first)) ? { t, x: [first] } : { t, x: values };
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
  for (const [physical, column] of batch.columns) {
    const value = cell(column, row);
    if (value === undefined) continue;
    const core = CORE_BY_PHYSICAL.get(physical);
    if (core) event[core.name] = value;
    else if (physical === OVERFLOW_COLUMN) Object.assign(attributes, JSON.parse(String(value)));
    else attributes[physical] = value;
  }
  if (Object.keys(attributes).length > 0) event.attributes = attributes;
  return event as unknown as TailraceEvent;
}
