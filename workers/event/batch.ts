/**
 * A batch: events turned on their side, in memory. `batch-builder.ts` fills one
 * in the Collector, `batch-wire.ts` makes it of the text that travels and lies
 * in the write-ahead log, segments are read into it: from the Collector on,
 * everything that works on events works on this.
 */
import { CORE_BY_PHYSICAL, OVERFLOW_COLUMN } from "./columns.ts";
import type { AttributeValue, TailraceEvent } from "./event.ts";

/** Dictionary-coded strings: `dict[index[row]]`, index −1 is null. An entry of `dict` may occur twice. */
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
