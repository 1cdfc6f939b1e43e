/**
 * Issues in queries. Events carry fingerprints, and D1 knows which issue each
 * leads to at present: people merge and split issues, and a source map that
 * comes late moves them, without an event being written again.
 *
 *   issue:12        becomes the fingerprints of issue 12, before planning: they prune
 *   … by issue      the scan looks up what the batches at hand have (`withIssues`)
 *   events          are answered with the issue beside the fingerprint
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { fingerprints, issues } from "../db/schema.ts";
import type { Column, NumberColumn } from "../event/batch.ts";
import { ISSUE, ISSUE_COLUMN } from "../event/columns.ts";
import { asking, badQuery, QueryFailure, tooMuch } from "./errors.ts";
import { type Filter, fieldOf, type Leaf, type Pipe, type Query } from "./language/ast.ts";
import type { TimeRange } from "./plan.ts";
import type { SealedGroup } from "./sealed.ts";
import type { Table } from "./table.ts";

/**
 * Fingerprints that one query may look for: an issue whose stacks wait for a
 * source map can have very many, of which most were seen at other times.
 */
const MAX_FINGERPRINTS = 20_000;
/** When a fingerprint was last seen is known some seconds later than its events are. */
const SEEN_SLACK_MS = 600_000;
/** Fingerprints of one look-up: a parameter of 300 KB. */
const LOOKUP_PAGE = 10_000;

const FINGERPRINT = fieldOf("fingerprint", 0);
const SCRIPT = fieldOf("script", 0);

/** A filter on issues as one on their fingerprints; what was last seen before the range may be left out. */
export async function resolveIssues(db: D1Database, query: Query, range: TimeRange): Promise<Query> {
  checkIssueFilters(query);
  const ids = new Set<number>();
  mapFilters(query, (leaf) => {
    if (leaf.kind === "equals") ids.add(issueNumber(leaf));
    return leaf;
  });
  const found = ids.size === 0 ? new Map<number, IssueEvents>() : await readIssues(db, [...ids], range);
  return mapFilters(query, (leaf) => {
    if (leaf.kind !== "equals") return { kind: "exists", field: FINGERPRINT };
    return eventsOf(found.get(issueNumber(leaf)));
  });
}

/** Throws QueryFailure on a filter on issues that can never be resolved. */
export function checkIssueFilters(query: Query): void {
  mapFilters(query, (leaf) => {
    if (leaf.kind === "equals") issueNumber(leaf);
    else if (leaf.kind !== "exists") throw notANumber(leaf);
    return leaf;
  });
}

export interface IssueEvents {
  script: string;
  kind: string;
  fingerprints: Set<string>;
}

/** The Worker is part of a fingerprint; told to the planner, the catalog is asked for one Worker only. */
function eventsOf(issue: IssueEvents | undefined): Filter {
  const values: ReadonlySet<string> = issue?.fingerprints ?? new Set();
  const some: Leaf = { kind: "in", field: FINGERPRINT, values };
  if (issue === undefined) return some;
  const script: Leaf = { kind: "equals", field: SCRIPT, value: { text: issue.script, quoted: true } };
  return { kind: "and", items: [script, some] };
}

/** Of one issue; undefined if there is none. */
export async function fingerprintsOf(db: D1Database, id: number, range: TimeRange): Promise<IssueEvents | undefined> {
  return (await readIssues(db, [id], range)).get(id);
}

/** One that was merged stands for the issue that it was merged into. */
async function readIssues(db: D1Database, ids: readonly number[], range: TimeRange): Promise<Map<number, IssueEvents>> {
  const [rows] = await asking(
    runBatch<[IssueRow]>(db, [
      sql`SELECT asked.id, asked.kind, asked.script, f.fingerprint, f.last_seen AS lastSeen FROM ${issues} AS asked
        LEFT JOIN ${fingerprints} AS f ON f.issue_id = coalesce(asked.merged_into, asked.id)
        WHERE asked.id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
        ORDER BY f.last_seen DESC LIMIT ${MAX_FINGERPRINTS + 1}`,
    ]),
  );
  const beyond = rows[MAX_FINGERPRINTS];
  if (beyond !== undefined && (beyond.lastSeen ?? 0) >= range.from / 1_000 - SEEN_SLACK_MS) {
    const advice = "narrow the time range or ask for fewer issues";
    throw tooMuch(`looks for more than ${MAX_FINGERPRINTS} fingerprints`, advice);
  }
  const found = new Map<number, IssueEvents>();
  for (const { id, kind, script, fingerprint } of rows) {
    const issue = found.get(id) ?? { kind, script, fingerprints: new Set() };
    found.set(id, issue);
    if (fingerprint !== null) issue.fingerprints.add(fingerprint);
  }
  return found;
}

interface IssueRow {
  id: number;
  kind: string;
  script: string;
  fingerprint: string | null;
  lastSeen: number | null;
}

/** Every filter on issues among those that see events: after `stats`, `issue` is a column of the answer. */
function mapFilters(query: Query, map: (leaf: Leaf) => Filter): Query {
  const one = (filter: Filter): Filter => {
    switch (filter.kind) {
      case "all":
      case "failed":
        return filter;
      case "not":
        return { kind: "not", item: one(filter.item) };
      case "and":
      case "or":
        return { kind: filter.kind, items: filter.items.map(one) };
      default:
        return filter.field.physical === ISSUE_COLUMN ? map(filter) : filter;
    }
  };
  const stats = query.pipes.findIndex((p) => p.kind === "stats");
  const pipes = query.pipes.map((pipe, at): Pipe => {
    if (pipe.kind === "where" && (stats < 0 || at < stats)) return { ...pipe, filter: one(pipe.filter) };
    if (pipe.kind !== "stats") return pipe;
    const aggregates = pipe.aggregates.map((a) =>
      a.fn === "count" && a.filter !== undefined ? { ...a, filter: one(a.filter) } : a,
    );
    return { ...pipe, aggregates };
  });
  return { filter: one(query.filter), pipes };
}

/** `12` or `#12`. */
function issueNumber(leaf: Extract<Leaf, { kind: "equals" }>): number {
  const match = /^#?(\d{1,15})$/.exec(leaf.value.text);
  if (match === null) throw notANumber(leaf);
  return Number(match[1]);
}

function notANumber(leaf: Leaf): QueryFailure {
  const { at, name } = leaf.field;
  const expected = `the number of an issue (${name}:12), or ${name}:* for any`;
  const found = leaf.kind === "equals" ? `'${leaf.value.text.slice(0, 40)}'` : `a filter of another kind`;
  const message = `expected ${expected} at column ${at + 1}, found ${found}; fingerprints have a field of their own`;
  return new QueryFailure(badQuery({ message, position: at, found, expected }));
}

/** Fingerprints → issues, as of the first time that a query meets each. */
export class IssueLookup {
  private readonly known = new Map<string, number | undefined>();
  private readonly db: D1Database;

  constructor(db: D1Database) {
    this.db = db;
  }

  /** The issues of a column of fingerprints. */
  async column(column: Column | undefined, rows: number): Promise<NumberColumn> {
    const data = new Float64Array(rows).fill(Number.NaN);
    if (column?.type !== "string") return { type: "number", data };
    const { dict, index } = column;
    const used = new Set<string>();
    for (const at of index) if (at >= 0) used.add(dict[at] as string);
    const issueOf = await this.find(used);
    for (let row = 0; row < rows; row++) {
      const at = index[row] as number;
      if (at >= 0) data[row] = issueOf.get(dict[at] as string) ?? Number.NaN;
    }
    return { type: "number", data };
  }

  /** Those that lead to no issue (yet) are left out of the answer's values. */
  async find(wanted: Iterable<string>): Promise<ReadonlyMap<string, number | undefined>> {
    const unknown = [...wanted].filter((fingerprint) => !this.known.has(fingerprint));
    for (let at = 0; at < unknown.length; at += LOOKUP_PAGE) {
      const page = unknown.slice(at, at + LOOKUP_PAGE);
      const [rows] = await asking(
        runBatch<[{ fingerprint: string; issueId: number }]>(this.db, [
          sql`SELECT fingerprint, issue_id AS issueId FROM ${fingerprints}
            WHERE fingerprint IN (SELECT value FROM json_each(${JSON.stringify(page)}))`,
        ]),
      );
      for (const fingerprint of page) this.known.set(fingerprint, undefined);
      for (const { fingerprint, issueId } of rows) this.known.set(fingerprint, issueId);
    }
    return this.known;
  }
}

/** A row group that has the column, too. */
export function withIssues(group: SealedGroup, lookup: IssueLookup): SealedGroup {
  return {
    ...group,
    async read(names, only) {
      if (!names.includes(ISSUE_COLUMN)) return group.read(names, only);
      const stored = names.filter((name) => name !== ISSUE_COLUMN && name !== FINGERPRINT.physical);
      const { rows, columns } = await group.read([...stored, FINGERPRINT.physical], only);
      const issue = await lookup.column(columns.get(FINGERPRINT.physical), rows);
      return { rows, columns: new Map([...columns, [ISSUE_COLUMN, issue]]) };
    },
  };
}

/** Events that carry fingerprints are shown with the issue that they belong to. */
export async function withIssueColumn(db: D1Database, table: Table): Promise<Table> {
  const at = table.columns.findIndex((c) => c.name === FINGERPRINT.name);
  if (at < 0) return table;
  const carried = table.rows.flatMap((row) => (typeof row[at] === "string" ? [row[at]] : []));
  const issueOf = await new IssueLookup(db).find(new Set(carried));
  return {
    columns: table.columns.toSpliced(at, 0, { name: ISSUE, type: "number" }),
    rows: table.rows.map((row) => row.toSpliced(at, 0, issueOf.get(String(row[at])) ?? null)),
  };
}

/** What issues are called, by their numbers as text: for completion. */
export async function issueTitles(db: D1Database, ids: readonly string[]): Promise<Map<string, string>> {
  const [rows] = await asking(
    runBatch<[{ id: number; type: string; title: string }]>(db, [
      sql`SELECT id, type, title FROM ${issues}
        WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(${JSON.stringify(ids)}))`,
    ]),
  );
  return new Map(rows.map(({ id, type, title }) => [String(id), [type, title].filter(Boolean).join(": ")]));
}
