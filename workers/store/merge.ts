/**
 * Puts batches together and in order: the Ingester's log rows before they are
 * sealed, segments before they are compacted, partial answers before they are
 * shown. Pure; works on dictionaries and typed arrays, never on rows.
 */
import type { Column, ColumnBatch, NumberColumn, StringColumn } from "../event/batch.ts";
import type { ColumnType } from "../event/columns.ts";
import { chooseColumns, foldAttributes, MAX_ATTRIBUTE_COLUMNS } from "./overflow.ts";

/** Above this, rare attributes are folded while batches are merged, not only when they are written. */
const MAX_MERGED_COLUMNS = 2 * MAX_ATTRIBUTE_COLUMNS;

/**
 * All rows of all batches, in their order. A column that has two types becomes
 * a string column, as `BatchBuilder` does it. Dictionaries are united: an entry
 * occurs once, but for near-unique texts. `pick` leaves out columns that are not needed.
 */
export function mergeBatches(sources: readonly ColumnBatch[], pick?: (name: string) => boolean): ColumnBatch {
  if (sources.length === 1 && pick === undefined) return sources[0] as ColumnBatch;
  return merge(pick === undefined ? foldIfWide(sources) : sources, pick);
}

/** `sortByTime` of `mergeBatches`, without a copy in between: each row goes straight to its place. */
export function mergeByTime(sources: readonly ColumnBatch[]): ColumnBatch {
  if (sources.length === 1) return sortByTime(sources[0] as ColumnBatch);
  const batches = foldIfWide(sources);
  const order = orderByTime(merge(batches, (name) => name === "time" || name === "seq"));
  if (order === undefined) return merge(batches);
  const places = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) places[order[i] as number] = i;
  return merge(batches, undefined, places);
}

/** `places`: where each row goes; in their order if absent. */
function merge(batches: readonly ColumnBatch[], pick?: (name: string) => boolean, places?: Int32Array): ColumnBatch {
  let rows = 0;
  const types = new Map<string, ColumnType>();
  for (const batch of batches) {
    rows += batch.rows;
    for (const [name, column] of batch.columns) {
      if (pick !== undefined && !pick(name)) continue;
      const known = types.get(name);
      types.set(name, known === undefined ? column.type : commonType(known, column.type));
    }
  }
  const columns = new Map<string, Column>();
  const to = places ?? rowNumbers(0, rows);
  for (const [name, type] of types) {
    columns.set(name, type === "string" ? mergeStrings(batches, name, to) : mergeNumbers(batches, name, type, to));
  }
  return { rows, columns };
}

/**
 * A column has an entry for every row, also where it is null: thousands of rare
 * attributes over thousands of rows would not fit a Worker. So they go into the
 * overflow column before there is one array for each.
 */
function foldIfWide(batches: readonly ColumnBatch[]): readonly ColumnBatch[] {
  const names = new Set<string>();
  for (const batch of batches) for (const name of batch.columns.keys()) names.add(name);
  if (names.size <= MAX_MERGED_COLUMNS) return batches;
  const keep = chooseColumns(batches);
  return batches.map((batch) => foldAttributes(batch, keep));
}

function commonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const numeric = (t: ColumnType) => t === "number" || t === "time";
  return numeric(a) && numeric(b) ? "number" : "string";
}

function mergeNumbers(
  batches: readonly ColumnBatch[],
  name: string,
  type: NumberColumn["type"],
  places: Int32Array,
): NumberColumn {
  const data = new Float64Array(places.length).fill(Number.NaN);
  let at = 0;
  for (const batch of batches) {
    const column = batch.columns.get(name) as NumberColumn | undefined;
    if (column !== undefined) {
      const from = column.data;
      for (let row = 0; row < batch.rows; row++) data[places[at + row] as number] = from[row] as number;
    }
    at += batch.rows;
  }
  return { type, data };
}

/**
 * Of so many entries fewer than this part occurred before: ids. Looking each up
 * takes most of the time of a merge and finds nothing, so the rest is not
 * compared any more; who reads segments expects that an entry may occur twice.
 */
const ENTRIES_COMPARED = 1_024;
const NEAR_UNIQUE = 1 / 32;

function mergeStrings(batches: readonly ColumnBatch[], name: string, places: Int32Array): StringColumn {
  const positions = new Map<string, number>();
  const dict: string[] = [];
  const index = new Int32Array(places.length).fill(-1);
  let compared = 0;
  let at = 0;
  for (const batch of batches) {
    const column = batch.columns.get(name);
    if (column !== undefined) {
      const source = column.type === "string" ? column : numbersToStrings(column);
      const nearUnique = compared >= ENTRIES_COMPARED && compared - positions.size < compared * NEAR_UNIQUE;
      const entries = nearUnique ? append(dict, source.dict) : unite(dict, positions, source.dict);
      compared += nearUnique ? 0 : source.dict.length;
      const from = source.index;
      for (let row = 0; row < batch.rows; row++) {
        const old = from[row] as number;
        if (old >= 0) index[places[at + row] as number] = entries[old] as number;
      }
    }
    at += batch.rows;
  }
  return { type: "string", dict, index };
}

/** Where each of `entries` lies in `dict` then: at its end. */
function append(dict: string[], entries: readonly string[]): Int32Array {
  const places = placesFor(entries.length);
  for (let i = 0; i < entries.length; i++) places[i] = dict.push(entries[i] as string) - 1;
  return places;
}

/** Where each of `entries` lies in `dict`, which gets those that it lacks. */
function unite(dict: string[], positions: Map<string, number>, entries: readonly string[]): Int32Array {
  const places = placesFor(entries.length);
  for (let i = 0; i < entries.length; i++) {
    const value = entries[i] as string;
    let position = positions.get(value);
    if (position === undefined) {
      position = dict.push(value) - 1;
      positions.set(value, position);
    }
    places[i] = position;
  }
  return places;
}

/** One dictionary at a time: an array for each, tens of thousands in a merge, would take longer than to fill it. */
let scratch = new Int32Array(0);
function placesFor(entries: number): Int32Array {
  if (scratch.length < entries) scratch = new Int32Array(entries * 2);
  return scratch;
}

/** The text that a number or boolean gets when it shares a column with strings. */
export function numbersToStrings(column: NumberColumn): StringColumn {
  const asText = column.type === "boolean" ? (v: number) => (v ? "true" : "false") : String;
  const positions = new Map<number, number>();
  const dict: string[] = [];
  const index = new Int32Array(column.data.length);
  for (let row = 0; row < index.length; row++) {
    const value = column.data[row] as number;
    if (Number.isNaN(value)) {
      index[row] = -1;
      continue;
    }
    let position = positions.get(value);
    if (position === undefined) {
      position = dict.length;
      positions.set(value, position);
      dict.push(asText(value));
    }
    index[row] = position;
  }
  return { type: "string", dict, index };
}

/** Rows by time, then by `seq`, then as they came. The same batch if it is in order already. */
export function sortByTime(batch: ColumnBatch): ColumnBatch {
  const order = orderByTime(batch);
  return order === undefined ? batch : selectRows(batch, order);
}

/** Undefined if the rows are in order. */
function orderByTime(batch: ColumnBatch): Int32Array | undefined {
  const time = (batch.columns.get("time") as NumberColumn | undefined)?.data;
  if (time === undefined || batch.rows < 2) return undefined;
  const seq = (batch.columns.get("seq") as NumberColumn | undefined)?.data;
  // A row without a time comes first.
  const at = (row: number) => (Number.isNaN(time[row]) ? Number.NEGATIVE_INFINITY : (time[row] as number));
  const before = (a: number, b: number) => {
    if (at(a) !== at(b)) return at(a) < at(b) ? -1 : 1;
    return seq ? (seq[a] as number) - (seq[b] as number) : 0;
  };
  let sorted = true;
  for (let row = 1; row < batch.rows && sorted; row++) sorted = !(before(row - 1, row) > 0);
  return sorted ? undefined : timeOrder(time, batch.rows, before);
}

/** Doubles hold integers exactly up to here. */
const EXACT = 2 ** 53;

/**
 * Sorting doubles without a comparator is native code, several times faster:
 * so time and row number are packed into one double when they fit (an hour of
 * microseconds and two million rows do), and ties are put right afterwards.
 */
function timeOrder(time: Float64Array, rows: number, before: (a: number, b: number) => number): Int32Array {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let whole = true;
  for (let row = 0; row < rows; row++) {
    const t = time[row] as number;
    if (t < min) min = t;
    if (t > max) max = t;
    if (!Number.isInteger(t)) whole = false;
  }
  const order = new Int32Array(rows);
  if (!(whole && (max - min + 1) * rows < EXACT)) {
    for (let row = 0; row < rows; row++) order[row] = row;
    return order.sort((a, b) => before(a, b) || a - b);
  }
  const keys = new Float64Array(rows);
  for (let row = 0; row < rows; row++) keys[row] = ((time[row] as number) - min) * rows + row;
  keys.sort();
  for (let i = 0; i < rows; i++) order[i] = (keys[i] as number) % rows;
  for (let start = 0; start < rows; ) {
    let end = start + 1;
    while (end < rows && time[order[end] as number] === time[order[start] as number]) end++;
    if (end - start > 1) order.subarray(start, end).sort((a, b) => before(a, b) || a - b);
    start = end;
  }
  return order;
}

/** The given rows, in the given order. String dictionaries are shared with the source. */
export function selectRows(batch: ColumnBatch, rows: ArrayLike<number>): ColumnBatch {
  const columns = new Map<string, Column>();
  for (const [name, column] of batch.columns) {
    if (column.type === "string") {
      const index = new Int32Array(rows.length);
      for (let i = 0; i < index.length; i++) index[i] = column.index[rows[i] as number] as number;
      columns.set(name, { type: "string", dict: column.dict, index });
    } else {
      const data = new Float64Array(rows.length);
      for (let i = 0; i < data.length; i++) data[i] = column.data[rows[i] as number] as number;
      columns.set(name, { type: column.type, data });
    }
  }
  return { rows: rows.length, columns };
}

/** Rows `from` up to, and without, `to`: a view, nothing is copied. */
export function sliceRows(batch: ColumnBatch, from: number, to: number): ColumnBatch {
  const columns = new Map<string, Column>();
  for (const [name, column] of batch.columns) {
    if (column.type === "string")
      columns.set(name, { type: "string", dict: column.dict, index: column.index.subarray(from, to) });
    else columns.set(name, { type: column.type, data: column.data.subarray(from, to) });
  }
  return { rows: to - from, columns };
}

function rowNumbers(from: number, to: number): Int32Array {
  const rows = new Int32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return rows;
}
