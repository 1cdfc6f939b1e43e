/**
 * Bounds how many fingerprints a Worker has: one whose errors all differ makes
 * hundreds a minute, and each costs some KB of D1. Beyond MAX_KNOWN those that
 * were not seen for the longest go. Others of the same issue take over what they
 * counted (`forget.ts`); an issue that all of is gone goes, unless people
 * touched it: such an issue keeps the newest fingerprint of each issue that it
 * was merged from. Hourly and daily, bounded.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, issues } from "../../db/schema.ts";
import { type Doomed, forget, SEEN, TOUCHED } from "./forget.ts";
import { FORGET_AT_ONCE, FORGET_PER_RUN, MAX_KNOWN } from "./limits.ts";

interface Old {
  fingerprint: string;
  issueId: number;
  home: number;
  seen: number;
}

/** `more`: the next run has something to do at once. */
export async function boundFingerprints(
  { DB }: Pick<Env, "DB">,
  most = MAX_KNOWN,
): Promise<{ rows: number; more: boolean }> {
  const [full] = await runBatch<[{ script: string; n: number }]>(DB, [
    sql`SELECT script, count(*) AS n FROM ${fingerprints} GROUP BY script HAVING n > ${most} ORDER BY n DESC`,
  ]);
  let rows = 0;
  for (const { script, n } of full) {
    const wanted = Math.min(n - most, FORGET_PER_RUN - rows);
    if (wanted <= 0) return { rows, more: true };
    const old = await longestUnseen(DB, script, wanted);
    for (let at = 0; at < old.length; at += FORGET_AT_ONCE) {
      const some = old.slice(at, at + FORGET_AT_ONCE);
      const through = some.at(-1)?.seen ?? 0;
      rows += await forget(DB, await withHeirs(DB, some), through, sql`NOT ${TOUCHED}`);
    }
    if (wanted < n - most) return { rows, more: true };
  }
  return { rows, more: false };
}

async function longestUnseen(d1: D1Database, script: string, wanted: number): Promise<Old[]> {
  const touched = sql`SELECT f.fingerprint AS fingerprint, max(f.last_seen) FROM ${fingerprints} f
    JOIN ${issues} i ON i.id = f.issue_id
    WHERE f.script = ${script} AND f.count > 0 AND ${TOUCHED} GROUP BY f.issue_id, f.home_issue_id`;
  const [old] = await runBatch<[Old]>(d1, [
    sql`SELECT f.fingerprint AS fingerprint, f.issue_id AS issueId, f.home_issue_id AS home, ${SEEN} AS seen
      FROM ${fingerprints} f
      JOIN ${issues} i ON i.id = f.issue_id
      WHERE f.script = ${script} AND f.fingerprint NOT IN (SELECT fingerprint FROM (${touched}))
      ORDER BY seen, f.fingerprint LIMIT ${wanted}`,
  ]);
  return old;
}

/** Best the key of the same home that leads to the issue, which stacks of all positions share; else the one seen last. */
async function withHeirs(d1: D1Database, old: readonly Old[]): Promise<Doomed[]> {
  const names = JSON.stringify(old.map((one) => one.fingerprint));
  const ids = JSON.stringify([...new Set(old.map((one) => one.issueId))]);
  const [heirs] = await runBatch<[{ issueId: number; home: number; fingerprint: string }]>(d1, [
    sql`SELECT issue_id AS issueId, home_issue_id AS home, fingerprint FROM (
      SELECT issue_id, home_issue_id, fingerprint, row_number() OVER (PARTITION BY issue_id, home_issue_id
        ORDER BY fingerprint GLOB 'u1-*', last_seen DESC, fingerprint) AS place
      FROM ${fingerprints} WHERE issue_id IN (SELECT value FROM json_each(${ids}))
        AND fingerprint NOT IN (SELECT value FROM json_each(${names})))
      WHERE place = 1`,
  ]);
  const ofHome = new Map(heirs.map((row) => [`${row.issueId}/${row.home}`, row.fingerprint]));
  const ofIssue = new Map(heirs.map((row) => [row.issueId, row.fingerprint]));
  return old.map(({ fingerprint, issueId, home }) => ({
    fingerprint,
    issueId,
    heir: ofHome.get(`${issueId}/${home}`) ?? ofIssue.get(issueId) ?? null,
  }));
}
