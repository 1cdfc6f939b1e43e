/**
 * The end of a scan that aggregates: takes the matching rows of each batch, in
 * any order, and makes one row per group. `scan.ts` feeds it, `run.ts` takes
 * the table and applies the pipes that follow.
 */
import type { ColumnBatch } from "../event/batch.ts";
import { type Aggregator, aggregatorOf, Shared } from "./aggregate/functions.ts";
import { Grouping } from "./aggregate/group.ts";
import { numbersOf } from "./aggregate/numbers.ts";
import { tooMuch } from "./errors.ts";
import type { Node } from "./filter/compile.ts";
import { type Aggregate, fieldOf, type GroupKey } from "./language/ast.ts";
import { MAX_EXACT_VALUES, MAX_STATE_BYTES } from "./limits.ts";
import type { Sink } from "./sink.ts";
import { type Cell, sortRows, type Table } from "./table.ts";

const WEIGHT = fieldOf("sample_weight", 0).physical;

export class StatsSink implements Sink {
  readonly order = "any";
  readonly first = [];
  readonly columns: string[];
  readonly filters: readonly Node[];
  private readonly aggregates: readonly Aggregate[];
  private readonly by: readonly GroupKey[];
  private readonly aggregators: Aggregator[];
  private readonly grouping: Grouping;
  /** Groups with at least one event. */
  private occurred = new Uint8Array(16);

  constructor(aggregates: readonly Aggregate[], by: readonly GroupKey[], maxExactValues = MAX_EXACT_VALUES) {
    const shared = new Shared(maxExactValues);
    this.aggregates = aggregates;
    this.by = by;
    this.aggregators = aggregates.map((a) => aggregatorOf(a, shared));
    this.filters = this.aggregators.flatMap(({ filter }) => filter ?? []);
    this.grouping = new Grouping(by);
    const weighted = aggregates.some((a) => !["min", "max", "count_distinct"].includes(a.fn));
    this.columns = [
      ...new Set([
        ...by.map((k) => k.field.physical),
        ...this.aggregators.flatMap((a) => a.columns),
        ...(weighted ? [WEIGHT] : []),
      ]),
    ];
  }

  narrow(_: ColumnBatch, rows: Int32Array): Int32Array {
    return rows;
  }

  take(batch: ColumnBatch, rows: Int32Array): void {
    const groups = this.grouping.assign(batch, rows);
    const count = this.grouping.count;
    if (count > this.occurred.length) {
      const grown = new Uint8Array(Math.max(count, this.occurred.length * 2));
      grown.set(this.occurred);
      this.occurred = grown;
    }
    for (let i = 0; i < groups.length; i++) this.occurred[groups[i] as number] = 1;
    const weights = weightsOf(batch);
    let bytes = this.grouping.bytes;
    for (const aggregator of this.aggregators) {
      aggregator.add({ batch, rows, groups, weights }, count);
      bytes += aggregator.bytes();
    }
    if (bytes > MAX_STATE_BYTES) {
      throw tooMuch(
        `needs more than ${MAX_STATE_BYTES >> 20} MB for its groups`,
        "group by fewer fields or add a filter",
      );
    }
  }

  wants(): boolean {
    return true;
  }

  async finish(): Promise<string[]> {
    return [];
  }

  /** By time if there are buckets, else the largest first. */
  table(): Table {
    const columns: Table["columns"] = [
      ...this.by.map((key, k) => withUnit(key.name, this.grouping.type(k), key.field.core?.unit)),
      ...this.aggregates.map(aggregateColumn),
    ];
    const rows: Cell[][] = [];
    for (let group = 0; group < this.grouping.count; group++) {
      if (this.by.length > 0 && this.occurred[group] !== 1) continue;
      const keys = this.by.length > 0 ? this.grouping.values(group) : [];
      rows.push([...keys, ...this.aggregators.map((a) => a.value(group))]);
    }
    return { columns, rows: sortRows(rows, this.rowOrder()) };
  }

  private rowOrder(): { at: number; descending: boolean }[] {
    const keys = this.by.map((_, at) => ({ at, descending: false }));
    const bin = this.by.findIndex((key) => key.kind === "bin");
    return bin >= 0 ? [{ at: bin, descending: false }, ...keys] : [{ at: this.by.length, descending: true }, ...keys];
  }
}

/** All of them, or undefined when every one is 1. A column that is missing means 1. */
function weightsOf(batch: ColumnBatch): Float64Array | undefined {
  const column = batch.columns.get(WEIGHT);
  if (column === undefined) return undefined;
  const weights = numbersOf(column);
  return weights.every((w) => w === 1) ? undefined : weights.map((w) => (Number.isNaN(w) ? 1 : w));
}

function aggregateColumn(aggregate: Aggregate): Table["columns"][number] {
  if (aggregate.fn === "count" || aggregate.fn === "count_distinct") return { name: aggregate.name, type: "number" };
  const { core } = aggregate.field;
  const isTime = core?.type === "time" && aggregate.fn !== "sum";
  return withUnit(aggregate.name, isTime ? "time" : "number", core?.unit);
}

function withUnit(
  name: string,
  type: Table["columns"][number]["type"],
  unit: string | undefined,
): Table["columns"][number] {
  return unit === undefined ? { name, type } : { name, type, unit };
}
