/**
 * From columns to invocations, for who delivers them. `log.ts` and `sealed.ts`
 * put batches in; out come invocations in an order that is the same in the log
 * and in what was sealed of it: by entry of the log, then by id. Only those that
 * a page takes are made into events. Pure.
 */
import { type ColumnBatch, cell } from "../../event/batch.ts";
import { CORE_BY_PHYSICAL, ENTRY_COLUMN, OVERFLOW_COLUMN } from "../../event/columns.ts";
import { errorRows } from "../../event/error-rows.ts";
import type { AttributeValue, TailraceEvent } from "../../event/event.ts";
import type { Invocation } from "../../integrations/contract.ts";
import { parseObject } from "../../store/overflow.ts";

/** An invocation that is not made into events yet. */
export interface Found {
  /** Of the log; of a back-fill, where one has no entries, 0. */
  entry: number;
  id: string;
  /** Place among those of its entry. */
  place: number;
  /** An exception, or failed. */
  isError: boolean;
  /** Places in the batches: number of the batch × BATCH + row. */
  rows: number[];
}

/** Above the rows that any batch has. */
const BATCH = 2 ** 24;
const INVOCATION = "faas.invocation_id";

export class Invocations {
  private readonly batches: { events: EventMaker; seq: (row: number) => number }[] = [];
  private readonly byEntry = new Map<number, Map<string, Found>>();
  /** Cells that it holds, for who keeps it. */
  cells = 0;

  constructor(private readonly script: string) {}

  /** `entryOf` a row; batches of one entry may be many, and the other way round. */
  add(batch: ColumnBatch, entryOf: (row: number) => number): void {
    const first = this.batches.length * BATCH;
    const errors = errorRows(batch);
    const ids = batch.columns.get(INVOCATION);
    this.cells += batch.rows * batch.columns.size;
    this.batches.push({ events: new EventMaker(batch), seq: numbersOf(batch, "seq") });
    let last: Found | undefined;
    let lastId = "";
    let lastEntry = Number.NaN;
    for (let row = 0; row < batch.rows; row++) {
      const id = String(cell(ids, row) ?? "");
      const entry = entryOf(row);
      // Rows of one invocation mostly follow upon each other.
      if (last === undefined || id !== lastId || entry !== lastEntry) last = this.found(entry, id);
      last.rows.push(first + row);
      if (errors[row] === 1) last.isError = true;
      lastId = id;
      lastEntry = entry;
    }
  }

  private found(entry: number, id: string): Found {
    let ofEntry = this.byEntry.get(entry);
    if (ofEntry === undefined) {
      ofEntry = new Map();
      this.byEntry.set(entry, ofEntry);
    }
    let found = ofEntry.get(id);
    if (found === undefined) {
      found = { entry, id, place: 0, isError: false, rows: [] };
      ofEntry.set(id, found);
    }
    return found;
  }

  /** All of them, in order. */
  list(): Found[] {
    const entries = [...this.byEntry].sort((a, b) => a[0] - b[0]);
    return entries.flatMap(([, ofEntry]) => {
      const list = [...ofEntry.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
      list.forEach((found, place) => {
        found.place = place;
      });
      return list;
    });
  }

  make({ id, rows }: Found): Invocation {
    const batchOf = (at: number) => this.batches[Math.floor(at / BATCH)] as (typeof this.batches)[number];
    const seqOf = (at: number) => batchOf(at).seq(at % BATCH);
    let isOrdered = true;
    for (let k = 1; k < rows.length && isOrdered; k++)
      isOrdered = seqOf(rows[k - 1] as number) <= seqOf(rows[k] as number);
    const ordered = isOrdered ? rows : rows.toSorted((a, b) => seqOf(a) - seqOf(b) || a - b);
    return { script: this.script, id, events: ordered.map((at) => batchOf(at).events.make(at % BATCH)) };
  }
}

function numbersOf({ columns }: ColumnBatch, name: string): (row: number) => number {
  const column = columns.get(name);
  if (column === undefined || column.type === "string") return (row) => Number(cell(column, row) ?? 0);
  return (row) => column.data[row] as number;
}

/** The number of a row's entry in the log: `base` and what its column says; all are `without` when there is none. */
export function entriesOf({ columns }: ColumnBatch, base: number, without: number): (row: number) => number {
  const column = columns.get(ENTRY_COLUMN);
  if (column === undefined || column.type === "string") return () => without;
  return (row) => base + (column.data[row] as number);
}

interface Texts {
  name: string;
  dict: readonly string[];
  index: Int32Array;
}
interface Numbers {
  name: string;
  data: Float64Array;
  isBoolean: boolean;
}
interface Fields {
  texts: Texts[];
  numbers: Numbers[];
}

/** Makes events of rows, as `eventAt` does, several times faster: what to look at is sorted out once per batch. */
class EventMaker {
  private readonly core: Fields = { texts: [], numbers: [] };
  private readonly own: Fields = { texts: [], numbers: [] };
  private readonly overflow: Texts | undefined;
  /** By place in its dictionary. */
  private readonly parsed: (Record<string, AttributeValue> | undefined)[] = [];

  constructor({ columns }: ColumnBatch) {
    for (const [physical, column] of columns) {
      if (physical === ENTRY_COLUMN) continue;
      const core = CORE_BY_PHYSICAL.get(physical);
      const to = core === undefined ? this.own : this.core;
      const name = core?.name ?? physical;
      if (column.type !== "string") {
        to.numbers.push({ name, data: column.data, isBoolean: column.type === "boolean" });
        continue;
      }
      // One by one: what a segment is decoded to makes its dictionary when it is asked for.
      const texts = { name, dict: column.dict, index: column.index };
      if (physical === OVERFLOW_COLUMN) this.overflow = texts;
      else to.texts.push(texts);
    }
  }

  make(row: number): TailraceEvent {
    const event: Record<string, unknown> = {};
    copy(this.core, row, event);
    const attributes = this.attributes(row);
    if (attributes !== undefined) event.attributes = attributes;
    return event as unknown as TailraceEvent;
  }

  private attributes(row: number): Record<string, AttributeValue> | undefined {
    let attributes: Record<string, AttributeValue> | undefined;
    const at = this.overflow?.index[row] ?? -1;
    if (this.overflow !== undefined && at >= 0) {
      this.parsed[at] ??= parseObject(this.overflow.dict[at] as string);
      attributes = Object.assign(Object.create(null), this.parsed[at]) as Record<string, AttributeValue>;
    }
    return copy(this.own, row, attributes);
  }
}

/** Into `target`, or into a new object if there is anything. */
function copy<T extends Record<string, unknown>>({ texts, numbers }: Fields, row: number, target: T): T;
function copy(
  fields: Fields,
  row: number,
  target: Record<string, AttributeValue> | undefined,
): Record<string, AttributeValue> | undefined;
function copy({ texts, numbers }: Fields, row: number, target: Record<string, unknown> | undefined) {
  let into = target;
  for (let k = 0; k < texts.length; k++) {
    const { name, dict, index } = texts[k] as Texts;
    const at = index[row] as number;
    if (at < 0) continue;
    into ??= Object.create(null) as Record<string, unknown>;
    into[name] = dict[at];
  }
  for (let k = 0; k < numbers.length; k++) {
    const { name, data, isBoolean } = numbers[k] as Numbers;
    const value = data[row] as number;
    if (Number.isNaN(value)) continue;
    into ??= Object.create(null) as Record<string, unknown>;
    into[name] = isBoolean ? value === 1 : value;
  }
  return into;
}
