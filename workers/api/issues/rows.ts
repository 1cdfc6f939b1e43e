/** Rows of issues as `list.ts` and `page.ts` read them → the summary that the API shows. */
import { type SQL, sql } from "drizzle-orm";
import { versions } from "../../db/schema.ts";
import { readDistinct } from "../../errors/issues/distinct.ts";
import { shownState } from "../../errors/issues/shown-state.ts";
import type { IssueKind, IssueState, IssueSummary, VersionName } from "../contract.ts";

export interface IssueRow {
  id: number;
  script: string;
  kind: IssueKind;
  noise: string;
  type: string;
  title: string;
  culprit: string;
  state: IssueState;
  stateAt: number;
  resolvedIn: string;
  ignoreUntil: number | null;
  ignoreCount: number | null;
  ignoreRate: number | null;
  assignee: string;
  mergedInto: number | null;
  regressions: number;
  firstSeen: number;
  lastSeen: number;
  firstVersion: string;
  firstTag: string | null;
  firstMessage: string | null;
  lastVersion: string;
  lastTag: string | null;
  lastMessage: string | null;
  count: number;
}

/** Columns of issues `i` with the names of their versions; goes with VERSION_NAMES. */
export const ISSUE_COLUMNS = sql.raw(`i.id, i.script, i.kind, i.noise, i.type, i.title, i.culprit, i.state,
  i.state_at AS stateAt, i.resolved_in AS resolvedIn, i.ignore_until AS ignoreUntil, i.ignore_count AS ignoreCount,
  i.ignore_rate AS ignoreRate, i.assignee, i.merged_into AS mergedInto, i.regressions,
  i.first_seen AS firstSeen, i.last_seen AS lastSeen, i.count,
  i.first_version AS firstVersion, a.tag AS firstTag, a.message AS firstMessage,
  i.last_version AS lastVersion, b.tag AS lastTag, b.message AS lastMessage`);

export const VERSION_NAMES: SQL = sql`
  LEFT JOIN ${versions} AS a ON a.script = i.script AND a.version_id = i.first_version
  LEFT JOIN ${versions} AS b ON b.script = i.script AND b.version_id = i.last_version`;

/** What is counted over a range, and added up from all fingerprints. */
export interface Extras {
  sparkline: number[];
  users: number;
  awaitsMap: boolean;
}

/** @param now ms */
export function summaryOf(row: IssueRow, { sparkline, users, awaitsMap }: Extras, now: number): IssueSummary {
  const { id, script, kind, noise, type, title, culprit, assignee, firstSeen, lastSeen, count } = row;
  const state = shownState(row.state, row.ignoreUntil, now);
  return {
    ...{ id, script, kind, noise, type, title, culprit, state, assignee, firstSeen, lastSeen },
    firstVersion: versionName(row.firstVersion, row.firstTag, row.firstMessage),
    lastVersion: versionName(row.lastVersion, row.lastTag, row.lastMessage),
    count,
    countInRange: sparkline.reduce((sum, n) => sum + n, 0),
    users,
    regressions: row.regressions,
    awaitsMap,
    sparkline,
  };
}

export const versionName = (id: string, tag: string | null, message: string | null): VersionName => ({
  id,
  tag: tag ?? "",
  message: message ?? "",
});

/** A sketch that holds nothing but users, which is a quarter of it. Of `fingerprint_sketches AS s`. */
export const USERS_ONLY = sql.raw(`'{"users":' || coalesce(s.sketch -> 'users', '[]') || '}'`);

export const usersOf = (sketches: Iterable<string>): number => readDistinct(sketches).users;
