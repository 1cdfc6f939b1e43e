/**
 * The functions of `stats`, each over all groups at once: `stats.ts` hands in
 * the rows of a batch with their groups and weights, and takes a value per
 * group in the end. An event of weight n counts n times in all of them but
 * `min`, `max` and `count_distinct`.
 */
import type { Column, ColumnBatch } from "../../event/batch.ts";
import type { ColumnType } from "../../event/columns.ts";
import { columnsOf, compileFilter, type Node } from "../filter/compile.ts";
import { evaluate } from "../filter/evaluate.ts";
import { numberText } from "../filter/match.ts";
import type { Aggregate, Field } from "../language/ast.ts";
import { MAX_EXACT_DISTINCT } from "../limits.ts";
import { DistinctStore } from "./distinct.ts";
import { numbersOf } from "./numbers.ts";
import { type ValueBudget, ValueStore } from "./quantile.ts";

export interface Rows {
  batch: ColumnBatch;
  rows: Int32Array;
  /** Group of each row. */
  groups: Int32Array;
  /** Weight of each row of the batch; undefined when all are 1. */
  weights: Float64Array | undefined;
}

export interface Aggregator {
  columns: string[];
  /** What it counts, if not everything. */
  filter?: Node;
  /** Groups may have been added since the last call. */
  add(rows: Rows, groupCount: number): void;
  value(group: number): number | null;
  /** Estimated. */
  bytes(): number;
}

/** State that aggregates of one query share: p50 and p99 of a field keep its values once. */
export class Shared {
  readonly budget: ValueBudget;
  readonly values = new Map<string, ValueStore>();

  constructor(maxValues: number) {
    this.budget = { left: maxValues };
  }
}

export function aggregatorOf(aggregate: Aggregate, shared: Shared): Aggregator {
  switch (aggregate.fn) {
    case "count":
      return aggregate.filter === undefined ? new Count() : new CountIf(aggregate.filter);
    case "sum":
    case "avg":
      return new Sum(aggregate.field.physical, aggregate.fn === "avg");
    case "min":
    case "max":
      return new Extreme(aggregate.field.physical, aggregate.fn === "max");
    case "count_distinct":
      return new Distinct(aggregate.field.physical);
    case "quantile":
      return new Quantile(aggregate.field, aggregate.q, shared);
  }
}

/** One double per group. */
class Cells {
  data = new Float64Array(16);
  private readonly initial: number;

  constructor(initial = 0) {
    this.initial = initial;
    this.data.fill(initial);
  }

  reserve(count: number): Float64Array {
    const before = this.data.length;
    if (count > before) {
      const grown = new Float64Array(Math.max(count, before * 2));
      grown.set(this.data);
      if (this.initial !== 0) grown.fill(this.initial, before);
      this.data = grown;
    }
    return this.data;
  }
}

class Count implements Aggregator {
  readonly columns: string[] = [];
  private readonly cells = new Cells();

  add({ rows, groups, weights }: Rows, groupCount: number): void {
    const cells = this.cells.reserve(groupCount);
    for (let i = 0; i < rows.length; i++) {
      const g = groups[i] as number;
      cells[g] = (cells[g] as number) + (weights === undefined ? 1 : (weights[rows[i] as number] as number));
    }
  }

  value(group: number): number {
    return this.cells.data[group] ?? 0;
  }

  bytes(): number {
    return this.cells.data.byteLength;
  }
}

class CountIf implements Aggregator {
  readonly columns: string[];
  private readonly cells = new Cells();
  readonly filter: Node;

  constructor(filter: Parameters<typeof compileFilter>[0]) {
    this.filter = compileFilter(filter);
    this.columns = [...columnsOf(this.filter)];
  }

  add({ batch, rows, groups, weights }: Rows, groupCount: number): void {
    const cells = this.cells.reserve(groupCount);
    const mask = evaluate(this.filter, batch);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      if (mask[row] !== 1) continue;
      const g = groups[i] as number;
      cells[g] = (cells[g] as number) + (weights === undefined ? 1 : (weights[row] as number));
    }
  }

  value(group: number): number {
    return this.cells.data[group] ?? 0;
  }

  bytes(): number {
    return this.cells.data.byteLength;
  }
}

class Sum implements Aggregator {
  readonly columns: string[];
  private readonly sums = new Cells();
  private readonly weights = new Cells();
  private readonly average: boolean;

  constructor(column: string, average: boolean) {
    this.columns = [column];
    this.average = average;
  }

  add({ batch, rows, groups, weights }: Rows, groupCount: number): void {
    const sums = this.sums.reserve(groupCount);
    const seen = this.weights.reserve(groupCount);
    const column = batch.columns.get(this.columns[0] as string);
    if (column === undefined) return;
    const data = numbersOf(column);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const value = data[row] as number;
      if (Number.isNaN(value)) continue;
      const g = groups[i] as number;
      const weight = weights === undefined ? 1 : (weights[row] as number);
      sums[g] = (sums[g] as number) + value * weight;
      seen[g] = (seen[g] as number) + weight;
    }
  }

  value(group: number): number | null {
    const seen = this.weights.data[group] ?? 0;
    if (seen === 0) return null;
    const sum = this.sums.data[group] as number;
    return this.average ? sum / seen : sum;
  }

  bytes(): number {
    return this.sums.data.byteLength * 2;
  }
}

class Extreme implements Aggregator {
  readonly columns: string[];
  private readonly cells = new Cells(Number.NaN);
  private readonly largest: boolean;

  constructor(column: string, largest: boolean) {
    this.columns = [column];
    this.largest = largest;
  }

  add({ batch, rows, groups }: Rows, groupCount: number): void {
    const cells = this.cells.reserve(groupCount);
    const column = batch.columns.get(this.columns[0] as string);
    if (column === undefined) return;
    const data = numbersOf(column);
    for (let i = 0; i < rows.length; i++) {
      const value = data[rows[i] as number] as number;
      const g = groups[i] as number;
      const best = cells[g] as number;
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(best) || (this.largest ? value > best : value < best)) cells[g] = value;
    }
  }

  value(group: number): number | null {
    const value = this.cells.data[group] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }

  bytes(): number {
    return this.cells.data.byteLength;
  }
}

class Distinct implements Aggregator {
  readonly columns: string[];
  private readonly store = new DistinctStore(MAX_EXACT_DISTINCT);

  constructor(column: string) {
    this.columns = [column];
  }

  add({ batch, rows, groups }: Rows): void {
    const column = batch.columns.get(this.columns[0] as string);
    if (column === undefined) return;
    const textAt = textReader(column);
    let last: string | undefined;
    let lastGroup = -1;
    for (let i = 0; i < rows.length; i++) {
      const text = textAt(rows[i] as number);
      const g = groups[i] as number;
      if (text === undefined || (text === last && g === lastGroup)) continue;
      last = text;
      lastGroup = g;
      this.store.add(text, g);
    }
  }

  value(group: number): number {
    return this.store.count(group);
  }

  bytes(): number {
    return this.store.bytes;
  }
}

/** Values as text, so that 5 and "5" of two segments are one value. */
function textReader(column: Column): (row: number) => string | undefined {
  if (column.type === "string") {
    const { index, dict } = column;
    return (row) => dict[index[row] as number];
  }
  const { data } = column;
  const type: ColumnType = column.type === "time" ? "number" : column.type;
  return (row) => (Number.isNaN(data[row]) ? undefined : numberText(data[row] as number, type));
}

class Quantile implements Aggregator {
  readonly columns: string[];
  private readonly q: number;
  private readonly store: ValueStore;
  /** The first aggregate of a field fills the store for the others. */
  private readonly fills: boolean;

  constructor({ physical: column, core }: Field, q: number, shared: Shared) {
    this.columns = [column];
    this.q = q;
    const known = shared.values.get(column);
    this.fills = known === undefined;
    this.store = known ?? new ValueStore(shared.budget, core?.type === "time");
    shared.values.set(column, this.store);
  }

  add({ batch, rows, groups, weights }: Rows): void {
    const column = this.fills ? batch.columns.get(this.columns[0] as string) : undefined;
    if (column === undefined) return;
    const data = numbersOf(column);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      this.store.add(data[row] as number, weights === undefined ? 1 : (weights[row] as number), groups[i] as number);
    }
  }

  value(group: number): number | null {
    return this.store.quantile(group, this.q);
  }

  bytes(): number {
    return this.fills ? this.store.bytes : 0;
  }
}
