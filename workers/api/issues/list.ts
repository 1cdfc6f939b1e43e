/**
 * `GET /api/v1/issues`: a page of the list, how many there are in each state,
 * and what their sparklines are made of. Two questions to D1, each one batch:
 * which issues, then their counts, which are read for the page only.
 *
 * Pages go by the sort key and the number of the last issue, so that nothing is
 * skipped while issues come in; one that is seen again meanwhile moves up, as in
 * any list that is alive.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprintMinutes, fingerprintSketches, fingerprints, issues } from "../../db/schema.ts";
import type { IssueKind, IssueState, IssuesAnswer } from "../contract.ts";
import { type Buckets, cutRange } from "../measures/buckets.ts";
import { type Conditions, conditionsOf, type IssueFilters, type IssueSort, isOfKind, statesOf } from "./filters.ts";
import { type Extras, ISSUE_COLUMNS, type IssueRow, summaryOf, USERS_ONLY, usersOf, VERSION_NAMES } from "./rows.ts";

/** Bars of a sparkline: it is some hundred pixels wide. */
const SPARK_POINTS = 48;
/** Users are counted in sketches, which SQL cannot sort by: the most frequent issues are, by their users. */
export const MAX_SORTED_BY_USERS = 200;

/** Where a page ended. */
export interface ListCursor {
  key: number;
  id: number;
}

export interface ListQuestion {
  filters: IssueFilters;
  sort: IssueSort;
  from: number;
  to: number;
  /** ms. */
  now: number;
  limit: number;
  after?: ListCursor | undefined;
}

export async function readIssueList(db: D1Database, question: ListQuestion): Promise<IssuesAnswer> {
  const buckets = cutRange(question.from, question.to, undefined, SPARK_POINTS);
  const conditions = conditionsOf(question.filters, buckets.from, buckets.to);
  const [found, counts] = await runBatch<[IssueRow, CountRow]>(db, [
    pageOf(question, conditions),
    sql`SELECT i.state, ${isOver(question.now)} AS isOver, i.kind, count(*) AS n FROM ${issues} AS i
      WHERE ${conditions.common} GROUP BY 1, 2, 3`,
  ]);
  const byUsers = question.sort === "users";
  const rows = byUsers ? found : found.slice(0, question.limit);
  const extras = await readExtras(db, rows, buckets);
  let list = rows.map((row) => summaryOf(row, extras(row.id), question.now));
  let more = found.length > question.limit;
  if (byUsers) {
    const after = question.after;
    list.sort((a, b) => b.users - a.users || b.id - a.id);
    if (after !== undefined)
      list = list.filter((i) => i.users < after.key || (i.users === after.key && i.id < after.id));
    more = list.length > question.limit;
    list = list.slice(0, question.limit);
  }
  const last = list.at(-1);
  const next = more && last !== undefined ? { next: encodeCursor(keyOf(last, question.sort), last.id) } : {};
  const { from, to, bucketMs } = buckets;
  return { from, to, bucketMs, issues: list, ...countsOf(counts, question.filters), ...next };
}

interface CountRow {
  state: IssueState;
  isOver: number;
  kind: IssueKind;
  n: number;
}

/** Each number as it would be with the filter that it is shown beside. */
function countsOf(rows: readonly CountRow[], filters: IssueFilters): Pick<IssuesAnswer, "states" | "noise"> {
  const shown = new Set(statesOf(filters.state));
  const states = { unresolved: 0, resolved: 0, regressed: 0, ignored: 0 };
  let noise = 0;
  for (const { isOver, kind, n, ...row } of rows) {
    const state = isOver === 1 ? "unresolved" : row.state;
    if (isOfKind(kind, filters.kind)) states[state] += n;
    if (kind === "noise" && shown.has(state)) noise += n;
  }
  return { states, noise };
}

const SORT_COLUMNS = { last_seen: "last_seen", first_seen: "first_seen", count: "count", users: "count" } as const;

/** One more than is shown: that tells whether there is another page. */
function pageOf({ filters, sort, now, limit, after }: ListQuestion, { common, kind }: Conditions): SQL {
  const column = sql.raw(`i.${SORT_COLUMNS[sort]}`);
  const rows = sort === "users" ? MAX_SORTED_BY_USERS : limit + 1;
  const beyond =
    after === undefined || sort === "users" ? sql`TRUE` : sql`(${column}, i.id) < (${after.key}, ${after.id})`;
  // One branch per state: each walks the index of states in its order, and SQLite merges them.
  const branches = branchesOf(statesOf(filters.state), now).map(
    (state) => sql`SELECT i.id, ${column} AS key FROM ${issues} AS i
      WHERE ${state} AND ${common} AND ${kind} AND ${beyond}`,
  );
  return sql`WITH page AS (${sql.join(branches, sql` UNION ALL `)} ORDER BY key DESC, id DESC LIMIT ${rows})
    SELECT ${ISSUE_COLUMNS} FROM page JOIN ${issues} AS i ON i.id = page.id ${VERSION_NAMES}
    ORDER BY page.key DESC, page.id DESC`;
}

/** Rows that are ignored until a time that has passed: unresolved to everyone (`shownState`). */
const isOver = (now: number): SQL => sql`(i.state = 'ignored' AND ifnull(i.ignore_until, ${now} + 1) <= ${now})`;

function branchesOf(states: readonly IssueState[], now: number): SQL[] {
  const over = isOver(now);
  const both = states.includes("unresolved") && states.includes("ignored");
  const branches = states.map((state) =>
    state === "ignored" && !both ? sql`i.state = ${state} AND NOT ${over}` : sql`i.state = ${state}`,
  );
  return states.includes("unresolved") && !both ? [...branches, over] : branches;
}

/** Counts per bucket, users and missing source maps of the issues of a page. */
async function readExtras(
  db: D1Database,
  rows: readonly IssueRow[],
  { from, to, bucketMs, count }: Buckets,
): Promise<(id: number) => Extras> {
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(rows.map((row) => row.id))}))`;
  const [bars, sketches, waiting] =
    rows.length === 0
      ? [[], [], []]
      : await runBatch<[{ id: number; bucket: number; n: number }, { id: number; sketch: string }, { id: number }]>(
          db,
          [
            sql`SELECT f.issue_id AS id, CAST((m.minute * 1000 - ${from}) / ${bucketMs} AS INTEGER) AS bucket, total(m.count) AS n
            FROM ${fingerprints} AS f JOIN ${fingerprintMinutes} AS m ON m.fingerprint = f.fingerprint
              AND m.minute >= ${from / 1000} AND m.minute < ${to / 1000}
            WHERE f.issue_id IN ${ids} GROUP BY 1, 2`,
            sql`SELECT f.issue_id AS id, ${USERS_ONLY} AS sketch
            FROM ${fingerprints} AS f JOIN ${fingerprintSketches} AS s ON s.fingerprint = f.fingerprint
            WHERE f.issue_id IN ${ids}`,
            sql`SELECT DISTINCT issue_id AS id FROM ${fingerprints} WHERE issue_id IN ${ids} AND awaits_map <> ''`,
          ],
        );
  const sparklines = new Map(rows.map((row) => [row.id, new Array<number>(count).fill(0)]));
  for (const { id, bucket, n } of bars) {
    const sparkline = sparklines.get(id);
    if (sparkline !== undefined) sparkline[bucket] = (sparkline[bucket] ?? 0) + n;
  }
  const byIssue = Map.groupBy(sketches, (s) => s.id);
  const awaiting = new Set(waiting.map((w) => w.id));
  return (id) => ({
    sparkline: sparklines.get(id) ?? [],
    users: usersOf((byIssue.get(id) ?? []).map((s) => s.sketch)),
    awaitsMap: awaiting.has(id),
  });
}

const keyOf = (issue: IssuesAnswer["issues"][number], sort: IssueSort): number =>
  ({ last_seen: issue.lastSeen, first_seen: issue.firstSeen, count: issue.count, users: issue.users })[sort];

const encodeCursor = (key: number, id: number): string => `${key}_${id}`;

export function decodeCursor(text: string): ListCursor | undefined {
  const match = /^(\d{1,18}(?:\.\d{1,20})?(?:e\+\d{1,3})?)_(\d{1,15})$/.exec(text);
  return match === null ? undefined : { key: Number(match[1]), id: Number(match[2]) };
}
