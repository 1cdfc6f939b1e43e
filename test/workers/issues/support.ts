/** Issue deltas as the Collector makes them, and what D1 says of issues afterwards. */
import { env } from "cloudflare:workers";
import type { AppendRequest } from "../../../workers/buffer/contract.ts";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { appendOf, type Fault, ingester, TEN_O_CLOCK } from "../buffer/support.ts";

/** 2026-11-20T10:00:00Z in ms. */
export const T0 = TEN_O_CLOCK / 1000;

export interface DeltaOptions extends Partial<IssueDelta> {
  script: string;
  /** Occurrences at this time, ms. */
  at?: number;
}

export function delta({ script, at = T0, ...more }: DeltaOptions): IssueDelta {
  const fingerprint = more.fingerprint ?? `v1-${script}`;
  const count = more.count ?? 1;
  return {
    fingerprint,
    group: fingerprint,
    aliases: [],
    algorithm: 1,
    kind: "exception",
    noise: "",
    type: "TypeError",
    title: "x is not a function",
    culprit: "addItem (src/cart.ts)",
    awaitsMap: "",
    script,
    versionId: "version-1",
    versionTag: "",
    versionMessage: "",
    count,
    firstSeen: at,
    lastSeen: at,
    minutes: [Math.floor(at / 60_000) * 60, count],
    exemplar: { invocationId: "a".repeat(32), seq: 1, time: at, type: "TypeError", message: "x is not a function" },
    distinct: { users: [], routes: [], colos: [], countries: [] },
    ...more,
  };
}

export function appendDeltas(script: string, issues: IssueDelta[], more: Partial<AppendRequest> = {}): AppendRequest {
  return appendOf(script, [], { issues, essential: true, ...more });
}

/** A D1 that answers single questions, but fails at batches, such as the one that counts: `after` having done it. */
export function failingToCount(fault: Fault): D1Database {
  return new Proxy(env.DB, {
    get(on, property) {
      if (property !== "batch") return Reflect.get(on, property, on).bind(on) as unknown;
      return async (statements: D1PreparedStatement[]) => {
        if (statements.length === 1) return on.batch(statements);
        if (fault === "after") await on.batch(statements);
        throw new Error("D1 is away");
      };
    },
  });
}

/** Appends and flushes. */
export async function occur(script: string, issues: IssueDelta[], shard = script): Promise<void> {
  const stub = ingester(shard);
  await stub.append(appendDeltas(script, issues));
  await stub.flushIssues();
}

export interface IssueRow {
  id: number;
  birth: string;
  state: string;
  state_at: number;
  resolved_in: string;
  ignore_base: number;
  assignee: string;
  merged_into: number | null;
  regressions: number;
  first_seen: number;
  last_seen: number;
  first_version: string;
  last_version: string;
  count: number;
  title: string;
  culprit: string;
}

export async function all<T>(query: string, ...params: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(query)
      .bind(...params)
      .all<T>()
  ).results;
}

export const issuesOf = (script: string) => all<IssueRow>("SELECT * FROM issues WHERE script = ? ORDER BY id", script);

export async function onlyIssue(script: string): Promise<IssueRow> {
  const issues = await issuesOf(script);
  if (issues.length !== 1 || issues[0] === undefined) throw new Error(`${issues.length} issues of ${script}`);
  return issues[0];
}

export const activityOf = async (id: number) =>
  (
    await all<{ kind: string; actor: string; detail: string }>(
      "SELECT kind, actor, detail FROM issue_activity WHERE issue_id = ? ORDER BY id",
      id,
    )
  ).map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));

/** What errors did; what people did: `resolutionsOf`. */
export const notificationsOf = (script: string) =>
  all<{ id: number; kind: string; issue_id: number; occasion: number; detail: string; published_at: number | null }>(
    "SELECT * FROM notifications WHERE script = ? AND kind != 'issue.resolved' ORDER BY id",
    script,
  );

export const resolutionsOf = (script: string) =>
  all<{
    id: number;
    at: number;
    kind: string;
    issue_id: number;
    occasion: number;
    detail: string;
    published_at: number | null;
  }>("SELECT * FROM notifications WHERE script = ? AND kind = 'issue.resolved' ORDER BY id", script);

/** Weighted occurrences by each of the places that count them: they must never differ. */
export async function counts(script: string) {
  const one = async (query: string) => (await all<{ n: number }>(query, script))[0]?.n ?? 0;
  return {
    issues: await one("SELECT total(count) AS n FROM issues WHERE script = ? AND merged_into IS NULL"),
    fingerprints: await one("SELECT total(count) AS n FROM fingerprints WHERE script = ?"),
    versions: await one(
      "SELECT total(v.count) AS n FROM fingerprint_versions v JOIN fingerprints f USING (fingerprint) WHERE f.script = ?",
    ),
    minutes: await one(
      "SELECT total(m.count) AS n FROM fingerprint_minutes m JOIN fingerprints f USING (fingerprint) WHERE f.script = ?",
    ),
  };
}

export const everywhere = (n: number) => ({ issues: n, fingerprints: n, versions: n, minutes: n });
