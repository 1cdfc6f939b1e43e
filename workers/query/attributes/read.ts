/**
 * Counts the attributes of an issue's invocations, and of all others of the same
 * Worker and time, in three scans:
 *
 *   1. the issue's events: which invocations are its own (a sample of them, where there are very many)
 *   2. all events of those invocations: their attributes
 *   3. all events of a sample of the Worker's other invocations: the attributes that the issue's have
 *
 * Samples are by hash of the invocation's id, in a part of the segments that is
 * chosen by hash too where there is much traffic, so every invocation is as
 * likely to be in as any other. Memory and time are bounded (`limits.ts`).
 * `errors/statistics/` compares, `api/` puts the two together.
 */
import type { Completeness } from "../../api/contract.ts";
import type { ColumnBatch } from "../../event/batch.ts";
import { cell } from "../../event/batch.ts";
import { hash32 } from "../../util/hash.ts";
import { compileFilter } from "../filter/compile.ts";
import { fingerprintsOf } from "../issues.ts";
import { type Filter, fieldOf } from "../language/ast.ts";
import { checkRange, type RangeParams } from "../params.ts";
import type { Plan, TimeRange } from "../plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult, unwrap } from "../run.ts";
import type { Sink } from "../sink.ts";
import type { Table } from "../table.ts";
import { comparedFor } from "./dimensions.ts";
import { HashSample } from "./hash-sample.ts";
import { COMPARE_MS, MAX_ISSUE_INVOCATIONS, MAX_REST_EVENTS, MAX_REST_INVOCATIONS } from "./limits.ts";
import { InvocationSink, type SinkOptions } from "./sink.ts";
import { type CountedAttribute, InvocationTable, type Tally } from "./table.ts";

const INVOCATION = fieldOf("invocation_id", 0);
const SCRIPT = fieldOf("script", 0);
const FINGERPRINT = fieldOf("fingerprint", 0);
const DAY_MS = 86_400_000;

export interface AttributeGroups {
  issue: Tally;
  rest: Tally;
  /** The part of each that was looked at, 0..1. */
  fractions: { issue: number; rest: number };
  attributes: CountedAttribute[];
  /** How far the invocations that have two values are the same, 0..1. */
  similarity: InvocationTable["similarity"];
  completeness: Completeness;
}

export type Derive = SinkOptions["derive"];

/** Undefined: there is no such issue. */
export async function readAttributeGroups(
  env: QueryEnv,
  issue: number,
  params: RangeParams & { derive: Derive },
  options: QueryOptions,
): Promise<QueryResult<AttributeGroups | undefined>> {
  return asResult(async () => {
    const range = unwrap(checkRange(params, options.now, DAY_MS));
    const events = await fingerprintsOf(env.DB, issue, range);
    if (events === undefined) return undefined;
    const { kind, script, fingerprints } = events;
    const reader = new Reader(env, script, range, params.derive, options);
    const own = await reader.invocationsOf(fingerprints);
    await reader.readIssue(own.ids, comparedFor(kind));
    const rest = await reader.readRest(own.ids, fingerprints);
    const counted = reader.table.count();
    const fractions = {
      issue: own.fraction * reader.table.readable(true),
      rest: rest.fraction * reader.table.readable(false),
    };
    const similarity: AttributeGroups["similarity"] = (one, other) => reader.table.similarity(one, other);
    return { ...counted, fractions, similarity, completeness: rest.completeness };
  });
}

class Reader {
  readonly table = new InvocationTable();
  private readonly env: QueryEnv;
  private readonly script: string;
  private readonly range: TimeRange;
  private readonly derive: Derive;
  private readonly options: QueryOptions;
  private readonly deadline = Date.now() + COMPARE_MS;
  private readonly missing: string[] = [];

  constructor(env: QueryEnv, script: string, range: TimeRange, derive: Derive, options: QueryOptions) {
    this.env = env;
    this.script = script;
    this.range = range;
    this.derive = derive;
    this.options = options;
  }

  private plan(filter: Filter): Plan {
    const script: Filter = { kind: "equals", field: SCRIPT, value: { text: this.script, quoted: true } };
    const all = compileFilter({ kind: "and", items: [script, filter] });
    return { filter: all, range: this.range, scripts: [this.script], after: [] };
  }

  async invocationsOf(fingerprints: ReadonlySet<string>): Promise<{ ids: Set<string>; fraction: number }> {
    const sink = new IdSink(MAX_ISSUE_INVOCATIONS);
    const filter: Filter = { kind: "in", field: FINGERPRINT, values: fingerprints };
    const { completeness } = await execute(this.env, this.plan(filter), sink, this.options);
    this.missing.push(...(completeness.missing ?? []));
    return { ids: new Set(sink.ids.keys()), fraction: sink.sample.fraction };
  }

  async readIssue(ids: ReadonlySet<string>, isCompared: (column: string) => boolean): Promise<void> {
    if (ids.size === 0) return;
    const sink = this.sink({ group: "issue", ids }, isCompared);
    const filter: Filter = { kind: "in", field: INVOCATION, values: ids };
    const { completeness } = await execute(this.env, this.plan(filter), sink, this.options);
    this.missing.push(...(completeness.missing ?? []));
  }

  async readRest(
    issueIds: ReadonlySet<string>,
    fingerprints: ReadonlySet<string>,
  ): Promise<{ fraction: number; completeness: Completeness }> {
    const sample = new HashSample(MAX_REST_INVOCATIONS);
    // What none of the issue's invocations has cannot stand out among them.
    const common = this.table.common(1);
    const sink = this.sink({ group: "rest", sample, fingerprints, issueIds }, (column) => common.has(column));
    let chosen = 1;
    const { completeness } = await execute(this.env, this.plan({ kind: "all" }), sink, {
      ...this.options,
      sample: { events: MAX_REST_EVENTS, chose: (fraction) => (chosen = fraction) },
    });
    const { looked, skipped } = sink;
    const fraction = chosen * sample.fraction * (looked === 0 ? 1 : looked / (looked + skipped));
    const missing = [...new Set([...this.missing, ...(completeness.missing ?? [])])];
    return { fraction, completeness: missing.length === 0 ? completeness : { ...completeness, missing } };
  }

  private sink(wanted: SinkOptions["wanted"], compared: (column: string) => boolean): InvocationSink {
    const { table, derive } = this;
    // Derived attributes come with the columns that they are made of.
    return new InvocationSink({
      wanted,
      table,
      derive,
      isCompared: compared,
      isLate: () => Date.now() > this.deadline,
    });
  }
}

/** Collects the invocations that matching events belong to. */
class IdSink implements Sink {
  readonly order = "any";
  readonly first = [];
  readonly columns = [INVOCATION.physical];
  readonly ids = new Map<string, { hash: number }>();
  readonly sample: HashSample;

  constructor(most: number) {
    this.sample = new HashSample(most);
  }

  wants(): boolean {
    return true;
  }

  narrow(_: ColumnBatch, rows: Int32Array): Int32Array {
    return rows;
  }

  take(batch: ColumnBatch, rows: Int32Array): void {
    const column = batch.columns.get(INVOCATION.physical);
    for (const row of rows) {
      const id = cell(column, row);
      if (typeof id !== "string" || this.ids.has(id)) continue;
      const hash = hash32(id);
      if (this.sample.wants(hash)) this.ids.set(id, { hash });
    }
    this.sample.shrink(this.ids);
  }

  async finish(): Promise<string[]> {
    return [];
  }

  table(): Table {
    return { columns: [], rows: [] };
  }
}
