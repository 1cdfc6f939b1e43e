/**
 * Group keys → small numbers: `stats.ts` hands in the rows of one batch and gets
 * the group of each. Values are interned over all batches (dictionaries differ
 * from segment to segment, and one may hold an entry twice); several keys fold
 * pairwise, so that a group is one integer however many keys there are.
 */
import type { Column, ColumnBatch, NumberColumn, StringColumn } from "../../event/batch.ts";
import type { ColumnType } from "../../event/columns.ts";
import { tooMuch } from "../errors.ts";
import { numberText } from "../filter/match.ts";
import type { GroupKey } from "../language/ast.ts";
import { MAX_GROUPS } from "../limits.ts";
import { numbersOf } from "./numbers.ts";

/** A table of this many combinations (4 B each) is cheaper than a hash look-up per row. */
const DENSE_COMBINATIONS = 1 << 20;
/** Above every id, and its square is an exact double. */
const FOLD = 2 ** 26;

export type KeyValue = string | number | boolean | null;

/** One group key: its values so far, as text. Id 0 is null. */
class Interner {
  private readonly byText = new Map<string, number>();
  private readonly byNumber = new Map<number, number>();
  readonly texts: (string | null)[] = [null];
  readonly types = new Set<ColumnType>();
  /** Estimated. */
  bytes = 0;

  text(value: string): number {
    let id = this.byText.get(value);
    if (id === undefined) {
      id = this.texts.push(value) - 1;
      if (id > MAX_GROUPS) throw tooManyGroups();
      this.byText.set(value, id);
      this.bytes += value.length + 64;
    }
    return id;
  }

  number(value: number, type: ColumnType): number {
    let id = this.byNumber.get(value);
    if (id === undefined) {
      // The same value may be text in another segment.
      id = this.text(type === "time" ? String(value) : numberText(value, type));
      this.byNumber.set(value, id);
    }
    return id;
  }
}

function tooManyGroups(): Error {
  return tooMuch(`has more than ${MAX_GROUPS} groups`, "group by fewer fields, use a wider bin() or add a filter");
}

export class Grouping {
  private readonly keys: readonly GroupKey[];
  private readonly interners: Interner[];
  /** Per key after the first: (group of the keys before × FOLD + id) → group. */
  private readonly folds: Map<number, number>[];
  /** Per key after the first: group → [group before, id]. */
  private readonly parts: { before: number[]; id: number[] }[];

  constructor(keys: readonly GroupKey[]) {
    this.keys = keys;
    this.interners = keys.map(() => new Interner());
    this.folds = keys.slice(1).map(() => new Map());
    this.parts = keys.slice(1).map(() => ({ before: [], id: [] }));
  }

  /** Groups so far. Without keys there is one, even if no event matched. */
  get count(): number {
    if (this.keys.length === 0) return 1;
    return this.parts.at(-1)?.id.length ?? (this.interners[0] as Interner).texts.length;
  }

  get bytes(): number {
    let bytes = 0;
    for (const interner of this.interners) bytes += interner.bytes;
    for (const part of this.parts) bytes += part.id.length * 56;
    return bytes;
  }

  /** The group of each of the rows. */
  assign(batch: ColumnBatch, rows: Int32Array): Int32Array {
    if (this.keys.length === 0) return new Int32Array(rows.length);
    let groups = this.ids(0, batch, rows);
    let sizeBefore = (this.interners[0] as Interner).texts.length;
    for (let k = 1; k < this.keys.length; k++) {
      const ids = this.ids(k, batch, rows);
      groups = this.fold(k - 1, groups, ids, sizeBefore, (this.interners[k] as Interner).texts.length);
      sizeBefore = (this.parts[k - 1] as { id: number[] }).id.length;
    }
    return groups;
  }

  private ids(k: number, batch: ColumnBatch, rows: Int32Array): Int32Array {
    const key = this.keys[k] as GroupKey;
    const interner = this.interners[k] as Interner;
    const column = batch.columns.get(key.field.physical);
    if (column === undefined) return new Int32Array(rows.length);
    if (key.kind === "bin") return binIds(interner, column, key.width as number, rows);
    interner.types.add(column.type);
    return column.type === "string" ? textIds(interner, column, rows) : numberIds(interner, column, rows);
  }

  private fold(at: number, before: Int32Array, ids: Int32Array, sizeBefore: number, sizeIds: number): Int32Array {
    const fold = this.folds[at] as Map<number, number>;
    const parts = this.parts[at] as { before: number[]; id: number[] };
    const combinations = sizeBefore * sizeIds;
    const dense = combinations <= DENSE_COMBINATIONS ? new Int32Array(combinations) : undefined;
    for (let i = 0; i < ids.length; i++) {
      const b = before[i] as number;
      const id = ids[i] as number;
      const slot = b * sizeIds + id;
      let group = dense === undefined ? -1 : (dense[slot] as number) - 1;
      if (group < 0) {
        const pair = b * FOLD + id;
        group = fold.get(pair) ?? -1;
        if (group < 0) {
          group = parts.id.push(id) - 1;
          parts.before.push(b);
          if (group >= MAX_GROUPS) throw tooManyGroups();
          fold.set(pair, group);
        }
        if (dense !== undefined) dense[slot] = group + 1;
      }
      ids[i] = group;
    }
    return ids;
  }

  /** The values of a group, in the order of the keys. */
  values(group: number): KeyValue[] {
    const ids: number[] = [];
    let at = group;
    for (let k = this.parts.length - 1; k >= 0; k--) {
      const part = this.parts[k] as { before: number[]; id: number[] };
      ids.unshift(part.id[at] as number);
      at = part.before[at] as number;
    }
    ids.unshift(at);
    return this.keys.map((_, k) => this.value(k, ids[k] as number));
  }

  private value(k: number, id: number): KeyValue {
    const text = (this.interners[k] as Interner).texts[id] as string | null;
    if (text === null) return null;
    const type = this.type(k);
    if (type === "boolean") return text === "true";
    return type === "string" ? text : Number(text);
  }

  /** Numbers here and text there make text. */
  type(k: number): ColumnType {
    const types = (this.interners[k] as Interner).types;
    const key = this.keys[k] as GroupKey;
    if (key.kind === "bin") return key.field.core?.type === "time" ? "time" : "number";
    if (types.size === 0) return key.field.core?.type ?? "string";
    return types.size === 1 ? ([...types][0] as ColumnType) : "string";
  }
}

function textIds(interner: Interner, column: StringColumn, rows: Int32Array): Int32Array {
  const ids = new Int32Array(rows.length);
  const { index, dict } = column;
  const known = new Int32Array(dict.length);
  for (let i = 0; i < rows.length; i++) {
    const at = index[rows[i] as number] as number;
    if (at < 0) continue;
    let id = known[at] as number;
    if (id === 0) {
      id = interner.text(dict[at] as string);
      known[at] = id;
    }
    ids[i] = id;
  }
  return ids;
}

function numberIds(interner: Interner, column: NumberColumn, rows: Int32Array): Int32Array {
  const ids = new Int32Array(rows.length);
  const { data, type } = column;
  let last = Number.NaN;
  let id = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = data[rows[i] as number] as number;
    if (value !== last) {
      if (Number.isNaN(value)) continue;
      last = value;
      id = interner.number(value, type);
    }
    ids[i] = id;
  }
  return ids;
}

function binIds(interner: Interner, column: Column, width: number, rows: Int32Array): Int32Array {
  const ids = new Int32Array(rows.length);
  const data = numbersOf(column);
  let low = Number.NaN;
  let high = Number.NaN;
  let id = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = data[rows[i] as number] as number;
    if (Number.isNaN(value)) continue;
    if (!(value >= low && value < high)) {
      low = Math.floor(value / width) * width;
      high = low + width;
      id = interner.number(low, "number");
    }
    ids[i] = id;
  }
  return ids;
}
