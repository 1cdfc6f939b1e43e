/**
 * Forgets the details of issues that are older than any event: counts per
 * minute, distinct values, incidents, stacks of versions that are gone, told
 * notifications. The issues themselves, their counts per version and what people
 * said stay for ISSUE_KEPT_MS: when a quiet one returns, its history is there.
 * Daily, bounded: what is left is for the next day.
 */
import { type SQL, sql } from "drizzle-orm";
import { DEFAULT_RETENTION_DAYS } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import {
  fingerprintMinutes,
  fingerprintSketches,
  fingerprints,
  fingerprintVersions,
  incidents,
  issueActivity,
  issues,
  notifications,
  PLATFORM_SETTINGS_KEY,
  settings,
  workers,
} from "../../db/schema.ts";
import { boundFingerprints } from "./fingerprint-cap.ts";
import { foldMinutes } from "./fold-minutes.ts";
import { forget, forgetIssues } from "./forget.ts";
import { FORGET_AT_ONCE, FORGET_PER_RUN, ISSUE_KEPT_MS, RETENTION_ROWS, RETENTION_STATEMENTS } from "./limits.ts";

const DAY_MS = 86_400_000;

export interface Retained {
  /** How many rows went or became smaller. */
  rows: number;
  /** There is more than one run may do: run it again, or wait for the next day. */
  more: boolean;
}

export async function runIssueRetention(env: Pick<Env, "DB">, now: number): Promise<Retained> {
  const before = now - (await longestDays(env.DB)) * DAY_MS;
  const some = (from: SQL, id: SQL = sql`rowid`) => sql`(SELECT ${id} FROM ${from} LIMIT ${RETENTION_ROWS})`;
  const old = [
    sql`DELETE FROM ${fingerprintMinutes} WHERE rowid IN ${some(sql`${fingerprintMinutes} WHERE minute < ${Math.floor(before / 1000)}`)}
      RETURNING 1`,
    sql`DELETE FROM ${fingerprintSketches} WHERE rowid IN ${some(
      sql`${fingerprints} f JOIN ${fingerprintSketches} s ON s.fingerprint = f.fingerprint WHERE f.last_seen < ${before}`,
      sql`s.rowid`,
    )} RETURNING 1`,
    sql`DELETE FROM ${incidents} WHERE id IN ${some(sql`${incidents} WHERE ended_at < ${before}`)} RETURNING 1`,
    sql`DELETE FROM ${notifications} WHERE id IN ${some(
      sql`${notifications} WHERE published_at < ${before} AND at < ${before}`,
    )} RETURNING 1`,
    // The newest version's stack stays: it says where the error was.
    sql`UPDATE ${fingerprintVersions} SET exemplar = json_remove(exemplar, '$.stack') WHERE rowid IN ${some(
      sql`${fingerprintVersions} v JOIN ${fingerprints} f ON f.fingerprint = v.fingerprint
        WHERE v.last_seen < ${before} AND v.version_id != f.last_version AND v.exemplar->>'stack' IS NOT NULL`,
      sql`v.rowid`,
    )} RETURNING 1`,
  ];
  const done: Retained = { rows: await foldMinutes(env, now), more: false };
  for (const statement of old) {
    let n = 0;
    for (let full = true; full && n < RETENTION_STATEMENTS; n++) {
      const [rows = []] = await runBatch(env.DB, [statement]);
      done.rows += rows.length;
      full = rows.length === RETENTION_ROWS;
    }
    done.more ||= n === RETENTION_STATEMENTS;
  }
  for (const part of [await forgetOld(env.DB, Math.min(before, now - ISSUE_KEPT_MS)), await boundFingerprints(env)]) {
    done.rows += part.rows;
    done.more ||= part.more;
  }
  return done;
}

/** Issues that neither an error nor a person has touched since `before`, and those that were merged into what is gone. */
async function forgetOld(d1: D1Database, before: number): Promise<Retained> {
  const isOld = sql`i.merged_into IS NULL AND i.last_seen < ${before} AND NOT EXISTS (
    SELECT 1 FROM ${issueActivity} a WHERE a.issue_id = i.id AND a.actor != '' AND a.at >= ${before})`;
  const isEmpty = sql`NOT EXISTS (SELECT 1 FROM ${fingerprints} f WHERE f.issue_id = i.id)`;
  // Nothing of it could be parted from the issue that it is merged into.
  const isMergedForGood = sql`i.merged_into IS NOT NULL AND (i.merged_into NOT IN (SELECT id FROM ${issues})
    OR i.last_seen < ${before} AND NOT EXISTS (
      SELECT 1 FROM ${fingerprints} f WHERE f.issue_id = i.merged_into AND f.home_issue_id = i.id))`;
  let rows = 0;
  for (let done = 0; done < FORGET_PER_RUN; done += FORGET_AT_ONCE) {
    const [doomed] = await runBatch<[{ fingerprint: string; issueId: number }]>(d1, [
      sql`SELECT f.fingerprint AS fingerprint, i.id AS issueId FROM ${issues} i JOIN ${fingerprints} f ON f.issue_id = i.id
        WHERE ${isOld} ORDER BY i.id LIMIT ${FORGET_AT_ONCE}`,
    ]);
    rows += await forget(
      d1,
      doomed.map((one) => ({ ...one, heir: null })),
      before,
      isOld,
    );
    const [, gone = []] = await runBatch<unknown[]>(d1, [
      ...forgetIssues(sql`SELECT i.id FROM ${issues} i WHERE (${isOld} AND ${isEmpty}) OR (${isMergedForGood})
        LIMIT ${FORGET_AT_ONCE}`),
    ]);
    rows += gone.length;
    if (doomed.length + gone.length < FORGET_AT_ONCE) return { rows, more: false };
  }
  return { rows, more: true };
}

/** Of all Workers: an issue's details are useful as long as any of its events can be found. */
async function longestDays(d1: D1Database): Promise<number> {
  const [rows] = await runBatch<[{ days: number | null }]>(d1, [
    sql`SELECT max(days) AS days FROM (
      SELECT value->>'$.worker.retentionDays' AS days FROM ${settings} WHERE key = ${PLATFORM_SETTINGS_KEY}
      UNION ALL SELECT settings->>'$.retentionDays' FROM ${workers})`,
  ]);
  return Math.max(rows[0]?.days ?? 0, DEFAULT_RETENTION_DAYS);
}
