/**
 * Plans a query. Pure: from the parsed query, its time range and what the
 * catalog knows, to what is read. `run.ts` hands in, `scan.ts` carries out.
 */
import type { CatalogSegment, SegmentPruning } from "../store/catalog.ts";
import { mayMatch, type PruneTest, type Pruning } from "../store/pruning.ts";
import { hash32 } from "../util/hash.ts";
import { compileFilter, type Node } from "./filter/compile.ts";
import type { Aggregate, Field, GroupKey, Leaf, Pipe, Query, SortKey } from "./language/ast.ts";
import { autoBinUs } from "./language/time.ts";

/** µs, half-open `[from, to)`. */
export interface TimeRange {
  from: number;
  to: number;
}

export interface Plan {
  filter: Node;
  range: TimeRange;
  /** Workers that can have a match; all when undefined. */
  scripts?: string[];
  stats?: { aggregates: Aggregate[]; by: GroupKey[] };
  /** Without stats: the order, the columns and the number of events. */
  sort?: SortKey[];
  fields?: Field[];
  limit?: number;
  /** Pipes that work on the answer's rows. */
  after: Pipe[];
}

export function planQuery(query: Query, range: TimeRange): Plan {
  const at = query.pipes.findIndex((p) => p.kind === "stats");
  const before = at < 0 ? query.pipes : query.pipes.slice(0, at);
  const filters = [query.filter, ...before.flatMap((p) => (p.kind === "where" ? [p.filter] : []))];
  const filter = compileFilter(filters.length === 1 ? query.filter : { kind: "and", items: filters });
  const narrowed = narrow(filter, range);
  const plan: Plan = { filter, range: narrowed, scripts: scriptsOf(filter), after: [] };
  const stats = query.pipes[at];
  if (stats?.kind === "stats") {
    const by = stats.by.map((key) => widthOf(key, range));
    return { ...plan, stats: { aggregates: stats.aggregates, by }, after: query.pipes.slice(at + 1) };
  }
  for (const pipe of query.pipes) {
    if (pipe.kind === "sort") plan.sort = pipe.keys;
    else if (pipe.kind === "fields") plan.fields = pipe.fields;
    else if (pipe.kind === "limit") plan.limit = Math.min(pipe.count, plan.limit ?? pipe.count);
  }
  return plan;
}

/** The width of `bin()` comes from the range that was asked for, not from what a filter leaves of it. */
function widthOf(key: GroupKey, range: TimeRange): GroupKey {
  return key.kind === "bin" && key.width === undefined ? { ...key, width: autoBinUs(range.from, range.to) } : key;
}

/** Filters of which all must hold. */
function conjuncts(node: Node): readonly Node[] {
  return node.kind === "and" ? node.items : [node];
}

/** `time:>-5m` says no more and no less than `from`. */
function narrow(filter: Node, range: TimeRange): TimeRange {
  let { from, to } = range;
  for (const node of conjuncts(filter)) {
    if (node.kind !== "leaf" || node.column !== "time") continue;
    const { min, max } = boundsOf(node.leaf);
    if (min !== undefined) from = Math.max(from, min);
    if (max !== undefined) to = Math.min(to, max + 1);
  }
  return { from, to };
}

/** As if both ends were included: what is read may be a little more, never less. */
function boundsOf(leaf: Leaf): { min?: number | undefined; max?: number | undefined } {
  if (leaf.kind === "range") return { min: leaf.min.number, max: leaf.max.number };
  if (leaf.kind !== "compare") return {};
  const { number } = leaf.value;
  return leaf.op === ">" || leaf.op === ">=" ? { min: number } : { max: number };
}

/** `script:a`, `script:(a OR b)`: the catalog is asked for these Workers only. */
function scriptsOf(filter: Node): string[] | undefined {
  for (const node of conjuncts(filter)) {
    const named = namedScripts(node);
    if (named !== undefined) return named;
  }
  return undefined;
}

function namedScripts(node: Node): string[] | undefined {
  if (node.kind === "leaf" && node.column === "faas.name" && node.leaf.kind === "equals") return [node.leaf.value.text];
  if (node.kind === "and") return scriptsOf(node);
  if (node.kind !== "or") return undefined;
  const all = node.items.map(namedScripts);
  return all.every((names) => names !== undefined) ? [...new Set(all.flat())] : undefined;
}

/** False only if no event of the segment can match. */
export function segmentMayMatch(node: Node, pruning: Pruning): boolean {
  switch (node.kind) {
    case "and":
      return node.items.every((item) => segmentMayMatch(item, pruning));
    case "or":
      return node.items.some((item) => segmentMayMatch(item, pruning));
    case "leaf": {
      const test = pruneTest(node);
      return mayMatch(pruning, test);
    }
    default:
      return true;
  }
}

/** Whether the catalog's pruning can rule out any segment at all: else it need not be read. */
export function canPrune(node: Node): boolean {
  if (node.kind === "and") return node.items.some(canPrune);
  if (node.kind === "or") return node.items.every(canPrune);
  return node.kind === "leaf" && node.column !== "time" && node.column !== "faas.name" && node.column !== "message";
}

function pruneTest({ column, leaf }: Extract<Node, { kind: "leaf" }>): PruneTest {
  switch (leaf.kind) {
    case "equals":
      return { op: "=", column, value: leaf.value.text };
    case "prefix":
      return { op: "prefix", column, value: leaf.text };
    case "in":
      return { op: "in", column, values: leaf.values };
    case "range":
      if (leaf.min.quoted || leaf.max.quoted) return { op: "exists", column };
      return { op: "range", column, min: leaf.min.number, max: leaf.max.number };
    case "compare":
      // In quotes, booleans compare as text.
      if (leaf.value.quoted) return { op: "exists", column };
      return leaf.op[0] === ">"
        ? { op: "range", column, min: leaf.value.number }
        : { op: "range", column, max: leaf.value.number };
    default:
      return { op: "exists", column };
  }
}

/** The segments to read, in the order in which the sink wants them, and how many were ruled out. */
export function chooseSegments(
  segments: readonly CatalogSegment[],
  known: ReadonlyMap<string, SegmentPruning>,
  plan: Plan,
  order: "newest" | "oldest" | "any",
): { read: CatalogSegment[]; pruned: number } {
  const read = segments.filter((s) => {
    const pruning = known.get(s.key)?.pruning;
    return pruning === undefined || segmentMayMatch(plan.filter, pruning);
  });
  const pruned = segments.length - read.length;
  if (order === "oldest") read.sort((a, b) => a.minTime - b.minTime);
  else read.sort((a, b) => b.maxTime - a.maxTime);
  return { read, pruned };
}

/**
 * A part of what there is to read with about so many rows, chosen and put in
 * order by a hash of its names: whoever stops early has seen a fair part of it.
 */
export function samplePart<L extends { shard: string; id: number; batch: { rows: number } }>(
  live: readonly L[],
  segments: readonly CatalogSegment[],
  rows: number,
): { live: L[]; segments: CatalogSegment[]; fraction: number } {
  const units = [
    ...live.map((unit) => ({ live: unit, rows: unit.batch.rows, hash: hash32(`${unit.shard}#${unit.id}`) })),
    ...segments.map((unit) => ({ segment: unit, rows: unit.rows, hash: hash32(unit.key) })),
  ].sort((a, b) => a.hash - b.hash);
  const all = units.reduce((sum, unit) => sum + unit.rows, 0);
  let taken = 0;
  const end = units.findIndex((unit) => {
    if (taken >= rows) return true;
    taken += unit.rows;
    return false;
  });
  const part = end < 0 ? units : units.slice(0, end);
  return {
    live: part.flatMap((unit) => ("live" in unit ? [unit.live] : [])),
    segments: part.flatMap((unit) => ("segment" in unit ? [unit.segment] : [])),
    fraction: all === 0 ? 1 : taken / all,
  };
}
