/**
 * How many invocations have an event that matches a filter, each once and by
 * its weight: what query gates of rollouts compare (`rollouts/evidence/`).
 * Exact within its bounds, and it says so when it is not: an answer with
 * something missing is a failure here, because it decides.
 */
import { type ColumnBatch, cell } from "../event/batch.ts";
import { hash53 } from "../util/hash.ts";
import { badQuery, QueryFailure, tooMuch } from "./errors.ts";
import { checkIssueFilters, resolveIssues } from "./issues.ts";
import { fieldOf, type Query } from "./language/ast.ts";
import { parseQuery } from "./language/parse.ts";
import { planQuery } from "./plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult } from "./run.ts";
import type { Sink } from "./sink.ts";
import type { Table } from "./table.ts";

const INVOCATION = fieldOf("invocation_id", 0);
const VERSION = fieldOf("version_id", 0);
const SCRIPT = fieldOf("script", 0);
const WEIGHT = fieldOf("sample_weight", 0);
const TIME = fieldOf("time", 0);

/** Invocations of one answer: some 20 MB of numbers. */
const MAX_INVOCATIONS = 500_000;

export interface MatchQuestion {
  /** Query language, without pipes. */
  filter: string;
  script: string;
  versions: readonly string[];
  /** ms since the epoch, half-open. */
  from: number;
  to: number;
  /** Where an event counts, by its version and time (ms). */
  placeOf: (version: string, at: number) => string;
}

/** What is wrong with a filter for a gate; "" when nothing is. */
export function checkFilter(filter: string, nowMs: number): string {
  try {
    const query = readFilter(filter, nowMs);
    checkIssueFilters(query);
    // Compiles regular expressions.
    planQuery(query, { from: 0, to: 1 });
    return "";
  } catch (error) {
    if (error instanceof QueryFailure) return error.message;
    throw error;
  }
}

function readFilter(filter: string, nowMs: number): Query {
  const parsed = parseQuery(filter, nowMs);
  if (!parsed.ok) throw new QueryFailure(badQuery(parsed.problem));
  if (parsed.query.pipes.length > 0) {
    throw new QueryFailure({ code: "bad_request", message: "A gate takes a filter only, without pipes." });
  }
  if (parsed.query.filter.kind === "all") {
    throw new QueryFailure({ code: "bad_request", message: "A gate needs a filter: every event would match." });
  }
  return parsed.query;
}

export interface Matches {
  /** Weighted invocations by place. One with several matches counts where the first was found. */
  places: ReadonlyMap<string, number>;
  /** Of one invocation that was found, in the mean: above 1 where sampling kept some of many. */
  weight: number;
}

export async function countMatches(
  env: QueryEnv,
  question: MatchQuestion,
  options: QueryOptions,
): Promise<QueryResult<Matches>> {
  return asResult(async () => {
    const range = { from: question.from * 1_000, to: question.to * 1_000 };
    const query = await resolveIssues(env.DB, readFilter(question.filter, options.now), range);
    const ours: Query["filter"] = {
      kind: "and",
      items: [
        query.filter,
        { kind: "equals", field: SCRIPT, value: { text: question.script, quoted: true } },
        { kind: "in", field: VERSION, values: new Set(question.versions) },
      ],
    };
    const sink = new MatchSink(question.placeOf);
    const stats = await execute(env, planQuery({ filter: ours, pipes: [] }, range), sink, options);
    const missing = stats.completeness.missing ?? [];
    if (missing.length > 0) throw new QueryFailure({ code: "unavailable", message: missing.join("; ") });
    return { places: sink.places, weight: sink.weight };
  });
}

class MatchSink implements Sink {
  readonly order = "any";
  readonly first = [];
  readonly columns = [INVOCATION, VERSION, WEIGHT, TIME].map((field) => field.physical);
  readonly places = new Map<string, number>();
  private readonly seen = new Set<number>();

  constructor(private readonly placeOf: MatchQuestion["placeOf"]) {}

  get weight(): number {
    const total = [...this.places.values()].reduce((sum, n) => sum + n, 0);
    return this.seen.size === 0 ? 1 : total / this.seen.size;
  }

  wants(): boolean {
    return true;
  }

  narrow(_: ColumnBatch, rows: Int32Array): Int32Array {
    return rows;
  }

  take({ columns }: ColumnBatch, rows: Int32Array): void {
    const [ids, versions, weights, times] = this.columns.map((name) => columns.get(name));
    for (const row of rows) {
      const id = hash53(String(cell(ids, row)));
      if (this.seen.has(id)) continue;
      this.seen.add(id);
      if (this.seen.size > MAX_INVOCATIONS) throw tooMuch(`matches more than ${MAX_INVOCATIONS} invocations`);
      const place = this.placeOf(String(cell(versions, row) ?? ""), Number(cell(times, row)) / 1_000);
      this.places.set(place, (this.places.get(place) ?? 0) + Number(cell(weights, row) ?? 1));
    }
  }

  async finish(): Promise<string[]> {
    return [];
  }

  table(): Table {
    return { columns: [], rows: [] };
  }
}
