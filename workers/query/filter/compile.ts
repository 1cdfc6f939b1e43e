/**
 * A parsed filter → what `evaluate.ts` runs and `plan.ts` prunes with: regular
 * expressions compiled, conjunctions flattened and put in order of cost, so
 * that a cheap column can spare the reading of a dear one.
 */
import { CORE_COLUMNS } from "../../event/columns.ts";
import { type Filter, fieldOf, type Leaf, MESSAGE, STACK } from "../language/ast.ts";
import { type Matcher, matcherOf } from "./match.ts";

export type Node =
  | { kind: "all" }
  | { kind: "and" | "or"; items: Node[] }
  | { kind: "not"; item: Node }
  | { kind: "failed" }
  | { kind: "leaf"; column: string; leaf: Leaf; matcher: Matcher };

export const OUTCOME = fieldOf("outcome", 0).physical;
export const STATUS = fieldOf("status", 0).physical;

const TEXT_COLUMNS = new Set([MESSAGE.physical, STACK.physical]);
const CORE = new Set(CORE_COLUMNS.map((c) => c.physical));

/** Throws QueryFailure on a regular expression that is none. */
export function compileFilter(filter: Filter): Node {
  switch (filter.kind) {
    case "all":
    case "failed":
      return filter;
    case "not":
      return { kind: "not", item: compileFilter(filter.item) };
    case "and":
    case "or": {
      const items = filter.items.map(compileFilter).flatMap((n) => (n.kind === filter.kind ? n.items : [n]));
      return { kind: filter.kind, items: items.sort((a, b) => cost(a) - cost(b) || slowness(a) - slowness(b)) };
    }
    default:
      return { kind: "leaf", column: filter.field.physical, leaf: filter, matcher: matcherOf(filter) };
  }
}

/** Columns that the filter looks at. */
export function columnsOf(node: Node, into = new Set<string>()): Set<string> {
  if (node.kind === "leaf") into.add(node.column);
  else if (node.kind === "not") columnsOf(node.item, into);
  else if (node.kind === "failed") into.add(OUTCOME).add(STATUS);
  else if (node.kind !== "all") for (const item of node.items) columnsOf(item, into);
  return into;
}

/** 0: a few dictionary entries or numbers; 1: an attribute; 2: text that is nearly unique. */
export function cost(node: Node): number {
  let most = 0;
  for (const column of columnsOf(node)) most = Math.max(most, TEXT_COLUMNS.has(column) ? 2 : CORE.has(column) ? 0 : 1);
  return most;
}

/** Of two that read the same columns, the one without a regular expression goes first. */
const slowness = (node: Node) => (hasRegex(node) ? 1 : 0);

export function hasRegex(node: Node): boolean {
  if (node.kind === "leaf") return node.matcher.steps !== undefined;
  if (node.kind === "not") return hasRegex(node.item);
  return "items" in node && node.items.some(hasRegex);
}

/**
 * The filter as stages: all must hold, and each is worth testing before the
 * columns of the next are read.
 */
export function stagesOf(node: Node): Node[] {
  if (node.kind === "all") return [];
  if (node.kind !== "and") return [node];
  const cheap = node.items.filter((item) => cost(item) < 2);
  const dear = node.items.filter((item) => cost(item) === 2);
  return [cheap, dear].filter((items) => items.length > 0).map((items) => ({ kind: "and", items }));
}
