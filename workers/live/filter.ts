/**
 * A viewer's filter: text → what `steps.ts` compares with. The filter part of the
 * query language, nothing of pipes. `issue:12` stands for fingerprints that D1
 * knows: such a filter is not ready before it has been looked up, and is looked
 * up again when it is old (`filters.ts`).
 */
import { ISSUE_COLUMN } from "../event/columns.ts";
import { badQuery, type QueryError, QueryFailure } from "../query/errors.ts";
import { compileFilter, type Node } from "../query/filter/compile.ts";
import type { Filter, Query } from "../query/language/ast.ts";
import { parseQuery } from "../query/language/parse.ts";
import { MAX_REGEX_STEPS } from "./limits.ts";
import { regexSteps, staticCost } from "./steps.ts";

export interface LiveFilter {
  q: string;
  query: Query;
  /** Undefined until its issues have been looked up. */
  node: Node | undefined;
  hasIssues: boolean;
  /** When they were looked up, ms. */
  resolvedAt: number;
  /** Filters are asked in the order of this. */
  cost: number;
}

export type ReadFilter = { ok: true; filter: LiveFilter } | { ok: false; error: QueryError };

export function readFilter(q: string, now: number): ReadFilter {
  const parsed = parseQuery(q, now);
  if (!parsed.ok) return { ok: false, error: badQuery(parsed.problem) };
  const [pipe] = parsed.query.pipes;
  if (pipe !== undefined) {
    const expected = "a filter";
    const found = `'| ${pipe.kind}'`;
    const message = `expected nothing but ${expected}, found ${found}: the live stream shows events as they come`;
    return { ok: false, error: badQuery({ message, position: pipe.at, found, expected }) };
  }
  const hasIssues = mentionsIssues(parsed.query.filter);
  const filter: LiveFilter = { q, query: parsed.query, node: undefined, hasIssues, resolvedAt: 0, cost: 0 };
  // Compiled even where issues are still missing: mistakes are to be found now.
  const failure = compileInto(filter, parsed.query.filter);
  if (hasIssues) filter.node = undefined;
  return failure === undefined ? { ok: true, filter } : { ok: false, error: failure };
}

/** `resolved`: its issues looked up. */
export function compileInto(filter: LiveFilter, resolved: Filter): QueryError | undefined {
  try {
    const node = compileFilter(resolved);
    if (regexSteps(node) > MAX_REGEX_STEPS) {
      const message =
        "This regular expression is too big to compare every event with: make it shorter, or repeat less.";
      return { code: "too_much", message };
    }
    filter.node = node;
    filter.cost = staticCost(node);
    return undefined;
  } catch (error) {
    if (error instanceof QueryFailure) return error.error;
    throw error;
  }
}

function mentionsIssues(filter: Filter): boolean {
  switch (filter.kind) {
    case "all":
    case "failed":
      return false;
    case "not":
      return mentionsIssues(filter.item);
    case "and":
    case "or":
      return filter.items.some(mentionsIssues);
    default:
      return filter.field.physical === ISSUE_COLUMN;
  }
}
