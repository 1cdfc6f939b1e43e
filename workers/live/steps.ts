/**
 * What comparing costs, and who pays. A filter may hold a hundred clauses and
 * regular expressions of thousands of states, a hub two thousand filters, and
 * all of them share one thread with the viewers. So comparisons are estimated
 * beforehand and paid from one bucket; what it does not hold is not compared,
 * and told as `unchecked`. Cheap filters are asked first (`stream.ts`), so an
 * expensive one starves itself.
 */
import type { Column, ColumnBatch, StringColumn } from "../event/batch.ts";
import { hasRegex, type Node } from "../query/filter/compile.ts";
import { candidates, evaluate } from "../query/filter/evaluate.ts";
import type { Matcher } from "../query/filter/match.ts";
import { STEPS_BURST, STEPS_PER_S } from "./limits.ts";

/** Of a number or a time as text. */
const NUMBER_CHARS = 24;
/** Substring search goes through this many characters in a step's time; a row of a dictionary's column takes as long as a quarter of one. */
const SEARCH_CHARS = 20;
const ROWS_PER_STEP = 4;

export class StepBudget {
  private left = STEPS_BURST;
  private at: number;

  constructor(now: number) {
    this.at = now;
  }

  refill(now: number): void {
    this.left = Math.min(this.left + (Math.max(now - this.at, 0) * STEPS_PER_S) / 1_000, STEPS_BURST);
    this.at = now;
  }

  /** False: there is not so much left, and nothing was taken. */
  take(steps: number): boolean {
    if (steps > this.left) return false;
    this.left -= steps;
    return true;
  }
}

export interface Compared {
  /** One byte per row; 1: matches. */
  mask: Uint8Array;
  /** Rows that may match or not. */
  unchecked: number;
}

export function compare(node: Node, batch: ColumnBatch, budget: StepBudget): Compared {
  if (budget.take(stepsOf(node, batch))) return { mask: evaluate(node, batch), unchecked: 0 };
  const mask = new Uint8Array(batch.rows);
  const quick = node.kind === "and" ? node.items.filter((item) => !hasRegex(item)) : [];
  const cheap: Node = { kind: "and", items: quick };
  if (quick.length === 0 || !budget.take(stepsOf(cheap, batch))) return { mask, unchecked: batch.rows };
  // What the cheap clauses exclude need not be compared with the others.
  let unchecked = 0;
  for (const byte of evaluate(cheap, batch)) unchecked += byte;
  return { mask, unchecked };
}

/** Of the whole filter at worst. */
function stepsOf(node: Node, batch: ColumnBatch): number {
  switch (node.kind) {
    case "all":
    case "failed":
      return batch.rows / ROWS_PER_STEP;
    case "not":
      return stepsOf(node.item, batch);
    case "and":
    case "or":
      return node.items.reduce((sum, item) => sum + stepsOf(item, batch), 0);
    case "leaf":
      return stepsOfLeaf(node.matcher, batch.columns.get(node.column), batch.rows);
  }
}

function stepsOfLeaf(matcher: Matcher, column: Column | undefined, rows: number): number {
  if (column === undefined) return 1;
  const { steps } = matcher;
  if (column.type !== "string") return rows * (steps === undefined ? 1 : NUMBER_CHARS * steps);
  const search = charsOf(column) / SEARCH_CHARS + rows / ROWS_PER_STEP;
  return search + (steps === undefined ? 0 : steps * candidateChars(matcher, column));
}

/** Only texts that hold what every match must hold are matched step by step. */
function candidateChars(matcher: Matcher, column: StringColumn): number {
  if (matcher.literal === undefined) return charsOf(column);
  const found = candidates(matcher, column);
  let chars = 0;
  for (let at = found.indexOf(1); at >= 0; at = found.indexOf(1, at + 1)) chars += (column.dict[at] as string).length;
  return chars;
}

const known = new WeakMap<StringColumn, number>();

function charsOf(column: StringColumn): number {
  let chars = known.get(column);
  if (chars === undefined) {
    chars = 0;
    for (const text of column.dict) chars += text.length;
    known.set(column, chars);
  }
  return chars;
}

/** Of all regular expressions, for one character. */
export function regexSteps(node: Node): number {
  if (node.kind === "leaf") return node.matcher.steps ?? 0;
  if (node.kind === "not") return regexSteps(node.item);
  return "items" in node ? node.items.reduce((sum, item) => sum + regexSteps(item), 0) : 0;
}

/** What is asked earlier is cheaper: clauses, and states of regular expressions. */
export function staticCost(node: Node): number {
  if (node.kind === "not") return staticCost(node.item);
  if ("items" in node) return node.items.reduce((sum, item) => sum + staticCost(item), 0);
  return 1 + (node.kind === "leaf" ? (node.matcher.steps ?? 0) : 0);
}
