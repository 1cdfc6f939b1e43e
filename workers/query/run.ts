/**
 * Answers a query: parse → plan → live batches → catalog → scan → answer. The
 * order of the two reads makes every event count once: first the Ingesters,
 * then the catalog's segments and seal marks as of one moment; live batches up
 * to the mark of their shard are in the segments and left out.
 *
 * `api/` calls `runQuery`; `fields.ts` and `invocation.ts` call `execute`.
 */
import type { Completeness, QueryAnswer, QueryStats } from "../api/contract.ts";
import { findSegments, listShards, readPruning, type SegmentPruning } from "../store/catalog.ts";
import { completeness, readCompleteness } from "../store/counts/read.ts";
import { Budget } from "./budget.ts";
import { asking, badQuery, type QueryError, QueryFailure, tooMuch } from "./errors.ts";
import { EventSink } from "./events.ts";
import { IssueLookup, resolveIssues, withIssueColumn } from "./issues.ts";
import type { Pipe } from "./language/ast.ts";
import { MAX_ROWS } from "./language/limits.ts";
import { parseQuery } from "./language/parse.ts";
import { formatTimeUs } from "./language/time.ts";
import { DEFAULT_ROWS, MAX_SEGMENTS, PRUNING_CACHE_BYTES } from "./limits.ts";
import { readLive } from "./live.ts";
import { Lru } from "./lru.ts";
import { checkBefore, checkLimit, checkRange, type QueryParams } from "./params.ts";
import { canPrune, chooseSegments, type Plan, planQuery, samplePart, type TimeRange } from "./plan.ts";
import { runScan } from "./scan.ts";
import { SealedReader } from "./sealed.ts";
import type { Sink } from "./sink.ts";
import { StatsSink } from "./stats.ts";
import { applyPipe, type Cell, type Table } from "./table.ts";

export type QueryEnv = Pick<Env, "DB" | "BUCKET" | "INGESTER">;

export interface QueryOptions {
  /** ms since the epoch. */
  now: number;
  /** Segments done and in all, events looked at. */
  onProgress?: ((progress: { done: number; total: number; events: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export type QueryResult<T> = { ok: true; answer: T } | { ok: false; error: QueryError };

/** Every failure that can be expected comes back as a value. */
export async function runQuery(
  env: QueryEnv,
  params: QueryParams,
  options: QueryOptions,
): Promise<QueryResult<QueryAnswer>> {
  return asResult(async () => {
    const range = unwrap(checkRange(params, options.now));
    const limit = unwrap(checkLimit(params.limit));
    const after = unwrap(checkBefore(params.before));
    const parsed = parseQuery(params.q, options.now);
    if (!parsed.ok) throw new QueryFailure(badQuery(parsed.problem));
    const query = await resolveIssues(env.DB, parsed.query, range);
    const plan = withScript(planQuery(query, range), params.script);
    const rows = Math.min(limit ?? (plan.stats ? MAX_ROWS : (plan.limit ?? DEFAULT_ROWS)), plan.limit ?? MAX_ROWS);
    const sink = plan.stats
      ? new StatsSink(plan.stats.aggregates, plan.stats.by)
      : new EventSink({ limit: rows, sort: plan.sort, fields: plan.fields, after });
    const stats = await execute(env, plan, sink, options);
    const found = plan.stats || plan.fields ? sink.table() : await withIssueColumn(env.DB, sink.table());
    const table = await applyPipes(found, plan.after, new Budget(options.signal));
    const next = sink instanceof EventSink && plan.limit === undefined ? sink.next() : undefined;
    const truncated = table.rows.length > rows;
    return {
      ...answerOf(table, rows),
      stats,
      ...(next === undefined ? {} : { next }),
      ...(truncated ? { truncated } : {}),
    };
  });
}

async function applyPipes(table: Table, pipes: readonly Pipe[], budget: Budget): Promise<Table> {
  try {
    for (const pipe of pipes) table = await applyPipe(table, pipe, budget.pause);
    return table;
  } finally {
    budget.end();
  }
}

export async function asResult<T>(work: () => Promise<T>): Promise<QueryResult<T>> {
  try {
    return { ok: true, answer: await work() };
  } catch (error) {
    if (error instanceof QueryFailure) return { ok: false, error: error.error };
    throw error;
  }
}

export function unwrap<T>(checked: { ok: true; value: T } | { ok: false; error: QueryError }): T {
  if (checked.ok) return checked.value;
  throw new QueryFailure(checked.error);
}

/** `script` beside the query is one more filter. */
function withScript(plan: Plan, script: string | undefined): Plan {
  if (script === undefined || script === "") return plan;
  const scripts = plan.scripts === undefined || plan.scripts.includes(script) ? [script] : [];
  return { ...plan, scripts };
}

export interface ExecuteOptions extends QueryOptions {
  /** Enough once so many events were looked at. */
  maxEvents?: number;
  /** A part of the batches and segments that has nothing to do with what is in them, of about so many events. */
  sample?: { events: number; chose: (fraction: number) => void };
  /** µs; how complete this range is, in place of the plan's. */
  ledger?: TimeRange;
}

/** Feeds the sink with all that matches, live and sealed. */
export async function execute(env: QueryEnv, plan: Plan, sink: Sink, options: ExecuteOptions): Promise<QueryStats> {
  const budget = new Budget(options.signal);
  // Beside the scan: it must not make the answer later.
  const complete = settled(askCompleteness(env, options.ledger ?? plan.range, plan.scripts));
  const shards = await asking(listShards(env.DB, { open: true, scripts: plan.scripts }));
  const live = await readLive(env.INGESTER, shards, plan.range);
  budget.check();
  const catalog = await asking(findSegments(env.DB, { ...plan.range, scripts: plan.scripts }));
  if (!catalog.ok) throw tooMuch(`spans more than ${catalog.limit} segments`);
  const unsealed = live.batches.filter((b) => b.id > (catalog.sealedThrough.get(b.shard) ?? 0));
  const pruning = canPrune(plan.filter)
    ? await asking(
        pruningOf(
          env.DB,
          catalog.segments.map((s) => s.key),
        ),
      )
    : new Map();
  const chosen = chooseSegments(catalog.segments, pruning, plan, sink.order);
  const { pruned } = chosen;
  const { sample } = options;
  const part = sample === undefined ? undefined : samplePart(unsealed, chosen.read, sample.events);
  if (part !== undefined) sample?.chose(part.fraction);
  const { live: taken, segments: read } = part ?? { live: unsealed, segments: chosen.read };
  if (read.length > MAX_SEGMENTS && sink.order === "any" && options.maxEvents === undefined) {
    throw tooMuch(`reads more than ${MAX_SEGMENTS} segments`);
  }
  const reader = new SealedReader(env.BUCKET, budget);
  const onProgress = (done: number, total: number) => options.onProgress?.({ done, total, events: budget.events });
  const unread = await runScan({
    plan,
    sink,
    budget,
    live: taken,
    segments: read,
    reader,
    issues: new IssueLookup(env.DB),
    onProgress,
    ...(options.maxEvents === undefined ? {} : { maxEvents: options.maxEvents }),
  }).finally(() => budget.end());
  const { segments, events, bytes } = budget;
  return {
    segments,
    pruned,
    events,
    bytes,
    ms: budget.ms,
    completeness: withMissing(await complete, [...live.missing, ...unread]),
  };
}

const prunings = new Lru<SegmentPruning>(PRUNING_CACHE_BYTES);

async function pruningOf(db: D1Database, keys: readonly string[]): Promise<Map<string, SegmentPruning>> {
  const known = new Map<string, SegmentPruning>();
  const unknown: string[] = [];
  for (const key of keys) {
    const cached = prunings.get(key);
    if (cached === undefined) unknown.push(key);
    else known.set(key, cached);
  }
  for await (const page of readPruning(db, unknown)) {
    for (const row of page) {
      known.set(row.key, row);
      // Parsed, strings and objects weigh about twice their JSON.
      prunings.set(row.key, row, 2 * JSON.stringify(row.pruning).length + 256);
    }
  }
  return known;
}

function askCompleteness(
  env: QueryEnv,
  range: TimeRange,
  scripts: readonly string[] | undefined,
): Promise<Completeness> {
  const question = { from: Math.floor(range.from / 1_000), to: Math.ceil(range.to / 1_000) };
  return readCompleteness(env, { ...question, script: scripts?.length === 1 ? scripts[0] : undefined });
}

/** A promise that is awaited late must not count as unhandled when it fails early. */
function settled(work: Promise<Completeness>): Promise<Completeness> {
  return work.catch((error) => ({
    ...completeness([], 0, [`ledger: ${error instanceof Error ? error.message : String(error)}`]),
    ratio: 0,
  }));
}

function withMissing(complete: Completeness, missing: readonly string[]): Completeness {
  const all = [...new Set([...(complete.missing ?? []), ...missing])];
  return all.length === 0 ? complete : { ...complete, missing: all };
}

function answerOf(table: Table, limit: number): Pick<QueryAnswer, "columns" | "rows"> {
  const times = table.columns.flatMap((c, i) => (c.type === "time" ? [i] : []));
  const rows = table.rows.slice(0, limit).map((row) => row.map((cell) => finite(cell)));
  for (const row of rows) for (const i of times) if (typeof row[i] === "number") row[i] = formatTimeUs(row[i]);
  return { columns: table.columns, rows };
}

/** JSON has no infinity. */
function finite(cell: Cell): Cell {
  return typeof cell === "number" && !Number.isFinite(cell) ? String(cell) : cell;
}
