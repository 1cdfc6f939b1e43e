/**
 * What the parser makes of a query and the planner, the evaluator and the
 * dashboard read. Plain data; `at` is a position in the query's text.
 */
import { type CoreColumn, resolveColumn, typedAttribute } from "../../event/columns.ts";

export interface Field {
  /** As it was typed: also the name of the output column. */
  name: string;
  /** Column in batches and segments. */
  physical: string;
  core?: CoreColumn;
  at: number;
}

export interface Value {
  text: string;
  /** In the field's unit; µs for times. Absent when the text is not a number. */
  number?: number;
  quoted: boolean;
}

export type CompareOp = ">" | ">=" | "<" | "<=";

/** Filters on one field. */
export type Leaf =
  | { kind: "exists"; field: Field }
  | { kind: "equals"; field: Field; value: Value }
  /** Substring; letters match in either case. */
  | { kind: "contains"; field: Field; text: string }
  | { kind: "prefix"; field: Field; text: string }
  | { kind: "compare"; field: Field; op: CompareOp; value: Value }
  /** Both ends included. */
  | { kind: "range"; field: Field; min: Value; max: Value }
  | { kind: "regex"; field: Field; source: string; ignoreCase: boolean; at: number }
  /** Equals one of these. Not typed by anybody: what `issue:12` becomes (../issues.ts). */
  | { kind: "in"; field: Field; values: ReadonlySet<string> };

export type Filter =
  | { kind: "all" }
  | { kind: "and" | "or"; items: Filter[] }
  | { kind: "not"; item: Filter }
  /** `failed:true`: what event/failure.ts calls a failure. */
  | { kind: "failed" }
  | Leaf;

export type Aggregate =
  | { fn: "count"; filter?: Filter; name: string }
  | { fn: "sum" | "avg" | "min" | "max" | "count_distinct"; field: Field; name: string }
  /** `q` in 0..1. */
  | { fn: "quantile"; q: number; field: Field; name: string };

export type GroupKey =
  | { kind: "field"; field: Field; name: string }
  /** Start of the bucket. `width` in the field's unit; µs for times; absent: chosen from the time range. */
  | { kind: "bin"; field: Field; width?: number; name: string };

export interface SortKey {
  name: string;
  field: Field;
  descending: boolean;
}

export type Pipe =
  | { kind: "stats"; aggregates: Aggregate[]; by: GroupKey[]; at: number }
  | { kind: "where"; filter: Filter; at: number }
  | { kind: "sort"; keys: SortKey[]; at: number }
  | { kind: "limit"; count: number; at: number }
  | { kind: "fields"; fields: Field[]; at: number };

export interface Query {
  filter: Filter;
  pipes: Pipe[];
}

/** What the user can mend, with the place to look at. */
export interface SyntaxProblem {
  message: string;
  /** 0-based. The message names the column, counted from 1. */
  position: number;
  found: string;
  expected: string;
}

export const MESSAGE = fieldOf("message", 0);
export const STACK = fieldOf("stack", 0);

export function fieldOf(name: string, at: number): Field {
  return { name, ...resolveColumn(name), at };
}

/** Not a field of the record but a question about it. `@failed` is the attribute. */
export const FAILED = "failed";

/** How an attribute's column is typed: with an `@` where its bare name means something else. */
export const attributeField = (physical: string): string =>
  physical === FAILED ? `@${FAILED}` : typedAttribute(physical);
