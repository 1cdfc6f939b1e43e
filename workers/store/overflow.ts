/**
 * Rare attributes share one JSON column (OVERFLOW_COLUMN), so that a segment
 * has a bounded number of columns however many keys users invent. The writer
 * and the merger fold attributes in, the reader takes them out again, and a
 * query does not see the difference.
 */
import { type Column, type ColumnBatch, cell, type StringColumn } from "../event/batch.ts";
import { type ColumnType, isAttribute, OVERFLOW_COLUMN } from "../event/columns.ts";
import type { AttributeValue } from "../event/event.ts";

/** Attribute columns of a segment: enough for what people filter on, and the footer stays below 64 KB. */
export const MAX_ATTRIBUTE_COLUMNS = 200;

/** Folders of the path appear as columns of these names in DuckDB and Spark, and would hide an attribute. */
const PARTITION_COLUMNS = ["script", "date", "hour"];

/**
 * The attributes that get a column of their own, the most frequent first in
 * line. Names that differ only in case go to one column at most, because SQL
 * engines do not tell them apart; so do names that are no SQL identifier at all.
 */
export function chooseColumns(batches: readonly ColumnBatch[]): Set<string> {
  const counts = new Map<string, number>();
  for (const batch of batches) {
    for (const name of batch.columns.keys()) {
      if (isAttribute(name)) counts.set(name, 0);
    }
  }
  const lower = new Set([...counts.keys()].map((name) => name.toLowerCase()));
  if (counts.size > MAX_ATTRIBUTE_COLUMNS || lower.size < counts.size) countValues(batches, counts);
  const byFrequency = [...counts].sort((a, b) => b[1] - a[1]);
  const chosen = new Set<string>();
  const taken = new Set(PARTITION_COLUMNS);
  for (const [name] of byFrequency) {
    if (chosen.size === MAX_ATTRIBUTE_COLUMNS) break;
    const folded = name.toLowerCase();
    if (taken.has(folded) || !isIdentifier(name)) continue;
    taken.add(folded);
    chosen.add(name);
  }
  return chosen;
}

function isIdentifier(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  return name !== "" && name.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(name);
}

function countValues(batches: readonly ColumnBatch[], counts: Map<string, number>): void {
  for (const batch of batches) {
    for (const [name, column] of batch.columns) {
      const before = counts.get(name);
      if (before === undefined) continue;
      let count = 0;
      if (column.type === "string") for (const at of column.index) count += at < 0 ? 0 : 1;
      else for (const value of column.data) count += Number.isNaN(value) ? 0 : 1;
      counts.set(name, before + count);
    }
  }
}

/** Moves attributes that are not in `keep` into the overflow column, beside what it holds already. */
export function foldAttributes(batch: ColumnBatch, keep: ReadonlySet<string>): ColumnBatch {
  const columns = new Map<string, Column>();
  const rare: [string, Column][] = [];
  for (const [name, column] of batch.columns) {
    if (!isAttribute(name) || keep.has(name)) columns.set(name, column);
    else rare.push([name, column]);
  }
  if (rare.length === 0) return batch;
  const inner = new Array<string>(batch.rows).fill("");
  for (const [name, column] of rare) {
    const key = `${JSON.stringify(name)}:`;
    for (let row = 0; row < batch.rows; row++) {
      const value = cell(column, row);
      if (value === undefined) continue;
      inner[row] += inner[row] === "" ? key + jsonText(value) : `,${key}${jsonText(value)}`;
    }
  }
  columns.set(OVERFLOW_COLUMN, withObjects(columns.get(OVERFLOW_COLUMN), inner));
  return { rows: batch.rows, columns };
}

/** JSON has no infinity, but a number too large reads as one. */
function jsonText(value: AttributeValue): string {
  if (value === Number.POSITIVE_INFINITY) return "1e999";
  if (value === Number.NEGATIVE_INFINITY) return "-1e999";
  return Object.is(value, -0) ? "-0" : JSON.stringify(value);
}

function withObjects(known: Column | undefined, inner: readonly string[]): StringColumn {
  const positions = new Map<string, number>();
  const dict: string[] = [];
  const index = new Int32Array(inner.length);
  for (let row = 0; row < index.length; row++) {
    const before = cell(known, row);
    const added = inner[row] as string;
    let text: string;
    if (typeof before === "string" && before.length > 2) {
      text = added === "" ? before : `${before.slice(0, -1)},${added}}`;
    } else if (added === "") {
      index[row] = -1;
      continue;
    } else text = `{${added}}`;
    let position = positions.get(text);
    if (position === undefined) {
      position = dict.push(text) - 1;
      positions.set(text, position);
    }
    index[row] = position;
  }
  return { type: "string", dict, index };
}

/** The attributes that lie in an overflow column, with their types. */
export function overflowAttributes(column: StringColumn): { name: string; type: ColumnType }[] {
  const types = new Map<string, ColumnType>();
  for (const text of column.dict) {
    for (const [name, value] of Object.entries(parseObject(text))) {
      const type = typeof value as ColumnType;
      const known = types.get(name);
      types.set(name, known === undefined || known === type ? type : "string");
    }
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

/** Text that is not a JSON object of scalars counts as empty: the file may be damaged or foreign. */
export function parseObject(text: string): Record<string, AttributeValue> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return {};
  const scalars: Record<string, AttributeValue> = Object.create(null);
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") scalars[key] = value;
  }
  return scalars;
}

/** The named attributes as columns; those that occur nowhere are left out. */
export function unfoldAttributes(column: StringColumn, names: readonly string[]): Map<string, Column> {
  const objects = column.dict.map(parseObject);
  const columns = new Map<string, Column>();
  for (const name of names) {
    const values = objects.map((object) => object[name]);
    const types = new Set<string>();
    for (const value of values) if (value !== undefined) types.add(typeof value);
    if (types.size > 0) columns.set(name, columnOf(column.index, values, types));
  }
  return columns;
}

function columnOf(
  index: Int32Array,
  values: readonly (AttributeValue | undefined)[],
  types: ReadonlySet<string>,
): Column {
  const [only] = types;
  if (types.size === 1 && only !== "string") {
    const numbers = values.map((value) => (value === undefined ? Number.NaN : Number(value)));
    const data = Float64Array.from(index, (at) => (at < 0 ? Number.NaN : (numbers[at] as number)));
    return { type: only === "boolean" ? "boolean" : "number", data };
  }
  const positions = new Map<string, number>();
  const dict: string[] = [];
  const remap = values.map((value) => {
    if (value === undefined) return -1;
    const text = String(value);
    let position = positions.get(text);
    if (position === undefined) {
      position = dict.push(text) - 1;
      positions.set(text, position);
    }
    return position;
  });
  return { type: "string", dict, index: index.map((at) => (at < 0 ? -1 : (remap[at] as number))) };
}
