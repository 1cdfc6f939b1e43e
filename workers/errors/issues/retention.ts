/**
 * Forgets the details of issues that are older than any event: counts per
 * minute, distinct values, incidents, stacks of versions that are gone, told
 * notifications. The issues themselves, their counts per version and what people
 * said stay: when a quiet one returns, its history is there. Daily, bounded: what
 * is left is for the next day.
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
  notifications,
  PLATFORM_SETTINGS_KEY,
  settings,
  workers,
} from "../../db/schema.ts";
import { foldMinutes } from "./fold-minutes.ts";
import { RETENTION_ROWS, RETENTION_STATEMENTS } from "./limits.ts";

const DAY_MS = 86_400_000;

/** Returns how many rows went or became smaller. */
export async function runIssueRetention(env: Pick<Env, "DB">, now: number): Promise<number> {
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
  let done = await foldMinutes(env, now);
  for (const statement of old) {
    for (let n = 0; n < RETENTION_STATEMENTS; n++) {
      const [rows = []] = await runBatch(env.DB, [statement]);
      done += rows.length;
      if (rows.length < RETENTION_ROWS) break;
    }
  }
  return done;
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
