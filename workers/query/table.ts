/**
 * The rows of an answer, and the pipes that work on them: `where`, `sort`,
 * `limit`, `fields` after `stats`. Small (at most MAX_GROUPS rows), so plain
 * arrays; `where` borrows the evaluator of events.
 */

import type { QueryColumn } from "../api/contract.ts";
import type { Column, ColumnBatch } from "../event/batch.ts";
import type { ColumnType } from "../event/columns.ts";
import { QueryFailure } from "./errors.ts";
import { compileFilter, type Node } from "./filter/compile.ts";
import { evaluate } from "./filter/evaluate.ts";
import { matchSlowly, type Pause } from "./filter/slow-match.ts";
import type { Filter, Pipe } from "./language/ast.ts";

export type Cell = string | number | boolean | null;

/** Times are µs until the answer is written. */
export interface Table {
  columns: (QueryColumn & { type: ColumnType | "json" })[];
  rows: Cell[][];
}

/** How columns are spelled may differ: `count()` is `count`, spaces do not matter, `bin(1m)` is its column. */
export function columnIndex(table: Table, name: string): number {
  const exact = table.columns.findIndex((c) => c.name === name);
  if (exact >= 0) return exact;
  const bare = name.replace(/\s+/g, "").replace(/\(\)$/, "");
  return table.columns.findIndex(
    (c) => c.name.replace(/\s+/g, "") === bare || (c.name === "time" && /^bin(\(|$)/.test(bare)),
  );
}

function mustFind(table: Table, name: string, at: number): number {
  const index = columnIndex(table, name);
  if (index >= 0) return index;
  const expected = `one of the columns ${table.columns.map((c) => c.name).join(", ")}`;
  throw new QueryFailure({
    code: "bad_query",
    message: `expected ${expected} at column ${at + 1}, found '${name}'`,
    details: { position: at, found: name, expected },
  });
}

export async function applyPipe(table: Table, pipe: Pipe, pause: Pause): Promise<Table> {
  switch (pipe.kind) {
    case "where":
      return where(table, pipe.filter, pipe.at, pause);
    case "sort": {
      const keys = pipe.keys.map((k) => ({ at: mustFind(table, k.name, k.field.at), descending: k.descending }));
      return { columns: table.columns, rows: sortRows(table.rows, keys) };
    }
    case "limit":
      return { columns: table.columns, rows: table.rows.slice(0, pipe.count) };
    case "fields": {
      const picked = pipe.fields.map((f) => mustFind(table, f.name, f.at));
      return {
        columns: picked.map((i) => table.columns[i] as Table["columns"][number]),
        rows: table.rows.map((row) => picked.map((i) => row[i] as Cell)),
      };
    }
    case "stats":
      throw new Error("BUG: stats over an answer");
  }
}

export function sortRows(rows: readonly Cell[][], keys: readonly { at: number; descending: boolean }[]): Cell[][] {
  return [...rows].sort((a, b) => {
    for (const { at, descending } of keys) {
      const order = compareCells(a[at] as Cell, b[at] as Cell, descending);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** Null comes last in either direction. Numbers before text. */
export function compareCells(a: Cell, b: Cell, descending: boolean): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  const order =
    typeof a === "string" && typeof b === "string"
      ? a < b
        ? -1
        : 1
      : typeof a === "string"
        ? 1
        : typeof b === "string"
          ? -1
          : Number(a) - Number(b);
  return descending ? -order : order;
}

async function where(table: Table, filter: Filter, at: number, pause: Pause): Promise<Table> {
  const node = rename(compileFilter(filter), table, at);
  const batch = toBatch(table);
  await matchSlowly(node, batch, pause);
  const mask = evaluate(node, batch);
  return { columns: table.columns, rows: table.rows.filter((_, row) => mask[row] === 1) };
}

/** A filter on events names fields; here the same words name columns of the answer. */
function rename(node: Node, table: Table, at: number): Node {
  switch (node.kind) {
    case "leaf": {
      const { name } = node.leaf.field;
      return { ...node, column: String(mustFind(table, name, node.leaf.field.at)) };
    }
    case "not":
      return { kind: "not", item: rename(node.item, table, at) };
    case "and":
    case "or":
      return { kind: node.kind, items: node.items.map((item) => rename(item, table, at)) };
    case "failed": {
      mustFind(table, "failed", at);
      return node;
    }
    case "all":
      return node;
  }
}

function toBatch(table: Table): ColumnBatch {
  const columns = new Map<string, Column>();
  table.columns.forEach(({ type }, i) => {
    const cells = table.rows.map((row) => row[i] as Cell);
    if (type === "string" || type === "json") {
      const dict = cells.map((c) => (c === null ? "" : String(c)));
      columns.set(String(i), {
        type: "string",
        dict,
        index: Int32Array.from(cells, (c, row) => (c === null ? -1 : row)),
      });
    } else {
      columns.set(String(i), { type, data: Float64Array.from(cells, (c) => (c === null ? Number.NaN : Number(c))) });
    }
  });
  return { rows: table.rows.length, columns };
}
