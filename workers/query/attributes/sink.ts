/**
 * The end of a scan for invocations: notes which rows of which batches belong to
 * invocations that are wanted, and reads their attributes in the end, when it is
 * known which are left. Of the issue's invocations every event counts. Of the
 * others, attributes of events that are errors themselves do not: what is logged
 * only when something fails (`error.code`) is no circumstance, and compared with
 * other failures it would always stand out.
 */
import { type Column, type ColumnBatch, cell } from "../../event/batch.ts";
import { OVERFLOW_COLUMN } from "../../event/columns.ts";
import type { AttributeValue } from "../../event/event.ts";
import { parseObject } from "../../store/overflow.ts";
import { hash32 } from "../../util/hash.ts";
import { fieldOf } from "../language/ast.ts";
import { type MoreColumns, reading, type Sink } from "../sink.ts";
import type { Table } from "../table.ts";
import { DIMENSIONS } from "./dimensions.ts";
import type { HashSample } from "./hash-sample.ts";
import { rangeOf } from "./ranges.ts";
import type { InvocationTable, Row } from "./table.ts";

const INVOCATION = fieldOf("invocation_id", 0).physical;
const FINGERPRINT = fieldOf("fingerprint", 0).physical;
const WEIGHT = fieldOf("sample_weight", 0).physical;
/** Columns decoded at once. */
const COLUMNS_AT_ONCE = 16;

/** Which invocations a sink takes. */
export type Wanted =
  | { group: "issue"; ids: ReadonlySet<string> }
  | { group: "rest"; sample: HashSample; fingerprints: ReadonlySet<string>; issueIds: ReadonlySet<string> };

export interface SinkOptions {
  wanted: Wanted;
  table: InvocationTable;
  /** Columns that are compared. */
  isCompared: (column: string) => boolean;
  /** Further attributes that a column's values say something about. */
  derive: (column: string, value: string) => readonly (readonly [name: string, value: string])[];
  /** True when there is no more time. */
  isLate: () => boolean;
}

interface Part {
  rows: Int32Array;
  of: Row[];
  /** Rows of events that carry a fingerprint. */
  errors: Uint8Array;
  more: MoreColumns;
}

export class InvocationSink implements Sink {
  readonly order = "any";
  readonly first = [INVOCATION];
  readonly columns = [INVOCATION, FINGERPRINT, WEIGHT];
  /** Parts of the data that were looked at, and that there was no time for. */
  looked = 0;
  skipped = 0;
  private readonly parts: Part[] = [];
  private readonly options: SinkOptions;

  constructor(options: SinkOptions) {
    this.options = options;
  }

  wants(): boolean {
    const late = this.options.isLate();
    if (late) this.skipped++;
    else this.looked++;
    return !late;
  }

  narrow(batch: ColumnBatch, rows: Int32Array): Int32Array {
    const column = batch.columns.get(INVOCATION);
    if (column?.type !== "string") return rows.subarray(0, 0);
    const { dict, index } = column;
    // 0: not looked up, 1: wanted, 2: not.
    const known = new Uint8Array(dict.length);
    return rows.filter((row) => {
      const at = index[row] as number;
      if (at < 0) return false;
      if (known[at] === 0) known[at] = this.isWanted(dict[at] as string) ? 1 : 2;
      return known[at] === 1;
    });
  }

  private isWanted(id: string): boolean {
    const { wanted } = this.options;
    if (wanted.group === "issue") return wanted.ids.has(id);
    return !wanted.issueIds.has(id) && wanted.sample.wants(hash32(id));
  }

  take(batch: ColumnBatch, rows: Int32Array, more: MoreColumns): void {
    const { wanted, table } = this.options;
    const ids = batch.columns.get(INVOCATION);
    const fingerprints = batch.columns.get(FINGERPRINT);
    const weights = batch.columns.get(WEIGHT);
    const errors = new Uint8Array(rows.length);
    const of = [...rows].map((at, i) => {
      const row = this.rowOf(String(cell(ids, at)), Number(cell(weights, at) ?? 1));
      const fingerprint = cell(fingerprints, at);
      if (fingerprint !== undefined) errors[i] = 1;
      // One of the issue's after all, of those that were not sampled.
      if (wanted.group === "rest" && wanted.fingerprints.has(String(fingerprint))) row.spoilt = "foreign";
      return row;
    });
    this.parts.push({ rows, of, errors, more });
    if (wanted.group === "rest" && wanted.sample.shrink(table.rows, wanted.issueIds.size)) this.forget(wanted.sample);
  }

  /** Rows that are out of the sample take up no memory: a batch has tens of thousands before the threshold falls. */
  private forget(sample: HashSample): void {
    for (const part of this.parts) {
      const left = [...part.of.keys()].filter((i) => sample.wants((part.of[i] as Row).hash));
      if (left.length === part.of.length) continue;
      part.rows = Int32Array.from(left, (i) => part.rows[i] as number);
      part.errors = Uint8Array.from(left, (i) => part.errors[i] as number);
      part.of = left.map((i) => part.of[i] as Row);
    }
  }

  private rowOf(id: string, weight: number): Row {
    const { table, wanted } = this.options;
    let row = table.rows.get(id);
    if (row === undefined) {
      row = { id, hash: hash32(id), ofIssue: wanted.group === "issue", weight, pairs: [] };
      table.rows.set(id, row);
    }
    return row;
  }

  async finish(): Promise<string[]> {
    const { wanted, table } = this.options;
    if (wanted.group === "rest") wanted.sample.settle(table.rows);
    const missing: string[] = [];
    for (const part of this.parts) {
      const left = this.options.isLate() ? "there was no time for it" : await reading(() => this.read(part));
      if (left === undefined) continue;
      missing.push(left);
      for (const row of part.of) row.spoilt ??= "unread";
    }
    this.parts.length = 0;
    return [...new Set(missing)];
  }

  private async read({ rows, of, errors, more }: Part): Promise<void> {
    const { table, wanted, isCompared } = this.options;
    const kept = [...rows.keys()].filter(
      (i) => table.rows.has((of[i] as Row).id) && (of[i] as Row).spoilt === undefined,
    );
    if (kept.length === 0) return;
    const only = Int32Array.from(kept, (i) => rows[i] as number);
    const names = more.names.filter((name) => name === OVERFLOW_COLUMN || isCompared(name));
    for (let from = 0; from < names.length; from += COLUMNS_AT_ONCE) {
      const slice = names.slice(from, from + COLUMNS_AT_ONCE);
      const batch = await more.read(slice, only);
      for (const name of slice) {
        const column = batch.columns.get(name);
        if (column === undefined) continue;
        // A dimension of the whole invocation stands on its errors too.
        const ofInvocation = DIMENSIONS.has(name);
        for (const i of kept) {
          if (wanted.group === "rest" && errors[i] === 1 && !ofInvocation) continue;
          this.note(of[i] as Row, name, column, rows[i] as number);
        }
      }
    }
  }

  private note(row: Row, name: string, column: Column, at: number): void {
    const value = cell(column, at);
    if (value === undefined) return;
    if (name === OVERFLOW_COLUMN) {
      for (const [rare, its] of Object.entries(parseObject(String(value))))
        if (this.options.isCompared(rare)) this.add(row, rare, its);
      return;
    }
    this.add(row, name, value);
  }

  private add(row: Row, name: string, value: AttributeValue): void {
    const text = String(value);
    if (text === "") return;
    const { table, derive } = this.options;
    table.add(row, name, text);
    const range = typeof value === "number" ? rangeOf(name, value) : undefined;
    if (range !== undefined) table.add(row, ...range);
    for (const [derived, its] of derive(name, text)) table.add(row, derived, its);
  }

  table(): Table {
    return { columns: [], rows: [] };
  }
}
