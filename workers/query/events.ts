/**
 * The end of a scan that answers with events: keeps the first n in the asked
 * order, newest first unless told otherwise. Of a batch it takes what orders
 * events, and reads the other columns only of those that are left in the end.
 *
 * The order is total (time, invocation, seq), so the last event of an answer is
 * a cursor from which the next page goes on: nothing twice, nothing left out,
 * however many events share a millisecond.
 */
import { type Column, type ColumnBatch, cell } from "../event/batch.ts";
import { CORE_COLUMNS, type ColumnType, OVERFLOW_COLUMN } from "../event/columns.ts";
import { parseObject } from "../store/overflow.ts";
import { type Field, fieldOf, type SortKey } from "./language/ast.ts";
import { type MoreColumns, reading, type Sink } from "./sink.ts";
import { type Cell, compareCells, type Table } from "./table.ts";

const TIME = "time";
const INVOCATION = fieldOf("invocation_id", 0).physical;
const SEQ = "seq";
/** Columns decoded at once: a row group of hundreds of attributes does not fit in memory whole. */
const COLUMNS_AT_ONCE = 16;
/** Until an event is kept: a batch may have a hundred thousand candidates. */
const NO_CELLS: Map<string, Cell> = new Map();

/** Position in the order of events. */
export interface Cursor {
  /** µs */
  time: number;
  invocation: string;
  seq: number;
}

export const encodeCursor = (c: Cursor): string => `${c.time}.${c.seq}.${c.invocation}`;

export function decodeCursor(text: string): Cursor | undefined {
  const match = /^(-?\d{1,17})\.(\d{1,9})\.(.*)$/s.exec(text);
  return match ? { time: Number(match[1]), seq: Number(match[2]), invocation: match[3] as string } : undefined;
}

interface Source {
  row: number;
  more: MoreColumns;
}

interface Kept extends Cursor {
  /** Values of the sort keys. */
  keys: Cell[];
  /** By physical name; filled in the end. */
  cells: Map<string, Cell>;
  source?: Source;
}

export interface EventOptions {
  limit: number;
  sort?: readonly SortKey[];
  /** Absent: every column, the attributes as one JSON column. */
  fields?: readonly Field[];
  /** Only events after this one in the order. */
  after?: Cursor;
}

export class EventSink implements Sink {
  readonly order: "newest" | "oldest" | "any";
  readonly first: string[];
  readonly columns: string[];
  private kept: Kept[] = [];
  private readonly options: EventOptions;
  private readonly keys: readonly SortKey[];
  private readonly ascending: boolean;
  /** Type of each column seen; two types make text. */
  private readonly types = new Map<string, ColumnType>();

  constructor(options: EventOptions) {
    this.options = options;
    const sort = options.sort ?? [];
    const byTime = sort.length === 1 && sort[0]?.field.physical === TIME;
    this.ascending = byTime && sort[0]?.descending === false;
    this.keys = byTime ? [] : sort;
    this.order = this.keys.length > 0 ? "any" : this.ascending ? "oldest" : "newest";
    this.first = [this.keys[0]?.field.physical ?? TIME];
    this.columns = [...new Set([TIME, INVOCATION, SEQ, ...this.keys.map((k) => k.field.physical)])];
  }

  wants(minTime: number, maxTime: number): boolean {
    const last = this.full();
    if (last === undefined || this.keys.length > 0) return true;
    return this.ascending ? minTime <= last.time : maxTime >= last.time;
  }

  /** The last event that is kept, once there are enough. */
  private full(): Kept | undefined {
    return this.kept.length >= this.options.limit ? this.kept[this.options.limit - 1] : undefined;
  }

  narrow(batch: ColumnBatch, rows: Int32Array): Int32Array {
    const [name] = this.first;
    const column = batch.columns.get(name as string);
    if (column === undefined || column.type === "string") return rows;
    const [key] = this.keys;
    const ascending = key === undefined ? this.ascending : !key.descending;
    const last = this.full();
    const worst = key === undefined ? last?.time : last?.keys[0];
    const after = key === undefined ? this.options.after?.time : undefined;
    // Text and numbers in one field: only the whole comparison knows their order.
    const span = { ascending, after, worst: typeof worst === "number" ? worst : undefined };
    return withinBound(column.data, rows, this.options.limit, span);
  }

  take(batch: ColumnBatch, rows: Int32Array, more: MoreColumns): void {
    const found = this.candidates(batch, rows);
    if (found.length === 0) return;
    for (const { row, kept } of found) {
      kept.source = { row, more };
      kept.cells = new Map();
    }
    const all = [...this.kept, ...found.map((f) => f.kept)].sort((a, b) => this.compare(a, b));
    this.kept = all.slice(0, this.options.limit);
  }

  /** The rows that are among the first n as far as is known, in order. */
  private candidates(batch: ColumnBatch, rows: Int32Array): { row: number; kept: Kept }[] {
    const { limit, after } = this.options;
    const time = batch.columns.get(TIME);
    const last = this.full();
    const found: { row: number; kept: Kept }[] = [];
    const keyColumns = this.keys.map((k) => batch.columns.get(k.field.physical));
    for (const row of rows) {
      const kept = {
        time: Number(cell(time, row) ?? 0),
        invocation: String(cell(batch.columns.get(INVOCATION), row) ?? ""),
        seq: Number(cell(batch.columns.get(SEQ), row) ?? 0),
        keys: keyColumns.map((column) => cell(column, row) ?? null),
        cells: NO_CELLS,
      };
      if (after !== undefined && this.compareCursors(kept, after) <= 0) continue;
      if (last === undefined || this.compare(kept, last) < 0) found.push({ row, kept });
    }
    return found.sort((a, b) => this.compare(a.kept, b.kept)).slice(0, limit);
  }

  private compare(a: Kept, b: Kept): number {
    for (let k = 0; k < this.keys.length; k++) {
      const order = compareCells(a.keys[k] as Cell, b.keys[k] as Cell, (this.keys[k] as SortKey).descending);
      if (order !== 0) return order;
    }
    return this.compareCursors(a, b);
  }

  private compareCursors(a: Cursor, b: Cursor): number {
    let order = a.time - b.time;
    if (order === 0) order = a.invocation < b.invocation ? -1 : a.invocation > b.invocation ? 1 : a.seq - b.seq;
    return this.ascending ? order : -order;
  }

  /** Reads the other columns of the events that are left in the end, one batch after the other. */
  async finish(): Promise<string[]> {
    const bySource = new Map<MoreColumns, Kept[]>();
    for (const kept of this.kept) {
      const { more } = kept.source as Source;
      const members = bySource.get(more);
      if (members === undefined) bySource.set(more, [kept]);
      else members.push(kept);
    }
    const missing: string[] = [];
    for (const [more, members] of bySource) {
      const unread = await reading(() => this.fill(more, members));
      if (unread === undefined) continue;
      missing.push(unread);
      this.kept = this.kept.filter((kept) => kept.source?.more !== more);
    }
    return missing;
  }

  private async fill(more: MoreColumns, members: readonly Kept[]): Promise<void> {
    const found = members.map((kept) => ({ row: (kept.source as Source).row, kept }));
    const rows = Int32Array.from(found, (f) => f.row).sort();
    const names = [...new Set(this.options.fields?.map((f) => f.physical) ?? more.names)];
    for (let i = 0; i < names.length; i += COLUMNS_AT_ONCE) {
      const slice = names.slice(i, i + COLUMNS_AT_ONCE);
      const batch = await more.read(slice, rows);
      for (const name of slice) this.copyColumn(name, batch.columns.get(name), found);
    }
  }

  private copyColumn(name: string, column: Column | undefined, found: readonly { row: number; kept: Kept }[]): void {
    if (column === undefined) return;
    if (name === OVERFLOW_COLUMN) {
      this.copyOverflow(column, found);
      return;
    }
    let any = false;
    for (const { row, kept } of found) {
      const value = cell(column, row);
      if (value === undefined) continue;
      any = true;
      kept.cells.set(name, value);
    }
    if (any) this.noteType(name, column.type);
  }

  private noteType(name: string, type: ColumnType): void {
    const known = this.types.get(name);
    this.types.set(name, known === undefined || known === type ? type : "string");
  }

  /** Rare attributes share a column of JSON objects. */
  private copyOverflow(column: Column, found: readonly { row: number; kept: Kept }[]): void {
    for (const { row, kept } of found) {
      const text = cell(column, row);
      if (typeof text !== "string") continue;
      for (const [name, value] of Object.entries(parseObject(text))) {
        kept.cells.set(name, value);
        this.noteType(name, typeof value as ColumnType);
      }
    }
  }

  /** Where the next page begins; undefined when this one is the last, or not in order of time. */
  next(): string | undefined {
    const last = this.full();
    return last === undefined || this.keys.length > 0 ? undefined : encodeCursor(last);
  }

  table(): Table {
    const { fields } = this.options;
    if (fields !== undefined) return this.pickedTable(fields);
    const core = CORE_COLUMNS.filter((c) => this.types.has(c.physical));
    const corePhysical = new Set(core.map((c) => c.physical));
    const columns: Table["columns"] = core.map((c) =>
      c.unit === undefined ? { name: c.name, type: c.type } : { name: c.name, type: c.type, unit: c.unit },
    );
    const rows = this.kept.map((kept) => core.map((c) => kept.cells.get(c.physical) ?? null));
    if ([...this.types.keys()].some((name) => !corePhysical.has(name))) {
      columns.push({ name: "attributes", type: "json" });
      this.kept.forEach((kept, i) => {
        const attributes = [...kept.cells].filter(([name]) => !corePhysical.has(name));
        rows[i]?.push(attributes.length > 0 ? jsonOf(attributes) : null);
      });
    }
    return { columns, rows };
  }

  private pickedTable(fields: readonly Field[]): Table {
    const types = fields.map((f) => this.types.get(f.physical) ?? f.core?.type ?? "string");
    const columns = fields.map((f, i) => {
      const type = types[i] as ColumnType;
      return f.core?.unit === undefined ? { name: f.name, type } : { name: f.name, type, unit: f.core.unit };
    });
    const rows = this.kept.map((kept) =>
      fields.map((f, i) => {
        const value = kept.cells.get(f.physical) ?? null;
        return types[i] === "string" && value !== null ? String(value) : value;
      }),
    );
    return { columns, rows };
  }

  /** For an invocation's page: the events as they are. */
  events(): ReadonlyMap<string, Cell>[] {
    return this.kept.map((kept) => kept.cells);
  }
}

/** No prototype: an attribute may be called `__proto__`. */
function jsonOf(attributes: [string, Cell][]): string {
  const object: Record<string, Cell> = Object.create(null);
  for (const [name, value] of attributes.sort((a, b) => (a[0] < b[0] ? -1 : 1))) object[name] = value;
  return JSON.stringify(object);
}

interface Span {
  ascending: boolean;
  /** Values before this one come on an earlier page. */
  after: number | undefined;
  /** The last value that is kept already, when there are enough. */
  worst: number | undefined;
}

/**
 * The rows whose value can be among the first n: spares ordering a whole batch,
 * and reading its ids, to keep a hundred rows. Ties with the n-th stay, and
 * nulls, which come last, if there are fewer than n values.
 */
export function withinBound(data: Float64Array, rows: Int32Array, limit: number, span: Span): Int32Array {
  const sign = span.ascending ? 1 : -1;
  const after = span.after === undefined ? Number.NEGATIVE_INFINITY : sign * span.after;
  const values = Float64Array.from(rows, (row) => sign * (data[row] as number));
  // Ties with the cursor may lie on the page before: they count as none.
  const known = values.filter((v) => v > after).sort();
  let bound = known.length >= limit ? (known[limit - 1] as number) : Number.POSITIVE_INFINITY;
  if (span.worst !== undefined) bound = Math.min(bound, sign * span.worst);
  const nulls = bound === Number.POSITIVE_INFINITY && span.after === undefined;
  return rows.filter((_, i) => {
    const v = values[i] as number;
    return Number.isNaN(v) ? nulls : v >= after && v <= bound;
  });
}
