/**
 * Hands some fields of every event of a time range to a visitor, live and sealed
 * as one, each event once: for answers that no query can give (what the rules of a
 * destination would have sent). Of more events than are asked for, a part is
 * looked at that has nothing to do with what is in it. `api/` calls it.
 */
import { type Column, type ColumnBatch, cell } from "../event/batch.ts";
import { compileFilter } from "./filter/compile.ts";
import { fieldOf } from "./language/ast.ts";
import type { TimeRange } from "./plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult } from "./run.ts";
import type { Sink } from "./sink.ts";
import type { Cell, Table } from "./table.ts";

export interface Visit {
  /** µs, half-open. */
  range: TimeRange;
  /** Names of core fields. */
  fields: readonly string[];
  /** Of more than so many, a part is looked at. */
  maxEvents: number;
  /** Only events of these invocations: all of them, where they can be found without looking at everything. */
  invocations?: ReadonlySet<string>;
}

export interface Visited {
  /** The part of the events that was looked at, 0..1. */
  fraction: number;
  /** What could not be read, in words. */
  missing: readonly string[];
}

/** @param visitor is handed the values of `fields`, absent ones null, in an array that is used again for the next event */
export async function visitEvents(
  env: QueryEnv,
  { range, fields, maxEvents, invocations }: Visit,
  visitor: (values: readonly Cell[]) => void,
  options: QueryOptions,
): Promise<QueryResult<Visited>> {
  return asResult(async () => {
    let fraction = 1;
    const chose = (part: number) => {
      fraction = part;
    };
    const bound = invocations === undefined ? { sample: { events: maxEvents, chose } } : { maxEvents };
    const field = fieldOf("invocation_id", 0);
    const filter = compileFilter(
      invocations === undefined ? { kind: "all" } : { kind: "in", field, values: invocations },
    );
    const plan = { filter, range, after: [] };
    const sink = new VisitSink(fields, visitor);
    const stats = await execute(env, plan, sink, { ...options, ...bound });
    return { fraction, missing: stats.completeness.missing ?? [] };
  });
}

class VisitSink implements Sink {
  readonly order = "any";
  readonly first = [];
  readonly columns: string[];
  private readonly visitor: (values: readonly Cell[]) => void;

  constructor(fields: readonly string[], visitor: (values: readonly Cell[]) => void) {
    this.columns = fields.map((name) => fieldOf(name, 0).physical);
    this.visitor = visitor;
  }

  wants(): boolean {
    return true;
  }

  narrow(_: ColumnBatch, rows: Int32Array): Int32Array {
    return rows;
  }

  take({ columns }: ColumnBatch, rows: Int32Array): void {
    const found: (Column | undefined)[] = this.columns.map((name) => columns.get(name));
    const values: Cell[] = found.map(() => null);
    for (const row of rows) {
      for (let i = 0; i < found.length; i++) values[i] = cell(found[i], row) ?? null;
      this.visitor(values);
    }
  }

  async finish(): Promise<string[]> {
    return [];
  }

  table(): Table {
    return { columns: [], rows: [] };
  }
}
