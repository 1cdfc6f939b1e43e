/**
 * What new occurrences do to issues that people had put aside, as statements of
 * the flush's batch (`apply.ts`), after everything is counted:
 *   resolved → regressed    seen in a version that came after the resolution;
 *                           an old one that is still draining is only counted
 *   ignored → unresolved    the time, the count or the rate is reached
 * Each: a line of activity, a notification unless it is noise, then the state.
 */
import { type SQL, sql } from "drizzle-orm";
import { jsonChunks } from "../../db/json-chunks.ts";
import { fingerprintMinutes, fingerprints, issueActivity, issues, notifications, versions } from "../../db/schema.ts";
import type { Sums } from "./aggregate.ts";

/** Whole minutes of one flush that are looked at for a rate: replays may bring many, the newest decide. */
const MAX_RATE_MINUTES = 60;
const MINUTE_MS = 60_000;

/** `[fingerprint, version id, last seen, version name]` of each fingerprint and version. */
export function transitionRows(sums: Sums): string[] {
  return jsonChunks(sums.versions.map((v) => [v.fingerprint, v.version.id, v.last, v.version]));
}

/** A bare column beside max() is of the row that has it (SQLite): the version is that of the last occurrence. */
export function regress(json: string, now: number, open: SQL): SQL[] {
  const since = (versionId: SQL) =>
    sql`(SELECT first_seen FROM ${versions} v WHERE v.script = i.script AND v.version_id = ${versionId})`;
  const seen = since(sql.raw("j.value->>1"));
  const hits = sql`SELECT i.id AS id, i.script AS script, i.kind AS issue_kind, i.type AS type, i.title AS title,
      i.culprit AS culprit, i.regressions + 1 AS occasion, max(j.value->>2) AS last, j.value->3 AS version
    FROM json_each(${json}) j JOIN ${fingerprints} f ON f.fingerprint = j.value->>0 JOIN ${issues} i ON i.id = f.issue_id
    WHERE ${open} AND i.state = 'resolved' AND j.value->>2 > i.state_at AND (
      j.value->>1 = ''
      OR i.resolved_in IN ('', 'next') AND ${seen} > i.state_at
      OR i.resolved_in NOT IN ('', 'next')
        AND (j.value->>1 = i.resolved_in OR ${seen} > ${since(sql.raw("i.resolved_in"))}))
    GROUP BY i.id`;
  return [
    ...tell("issue.regressed", "regressed", hits, sql.raw("json_object('version', json(version))"), now),
    sql`UPDATE ${issues} SET state = 'regressed', state_at = ${now}, state_by = '', resolved_in = '',
      regressions = regressions + 1 WHERE id IN (SELECT id FROM (${hits}))`,
  ];
}

export function escalate(json: string, sums: Sums, now: number, open: SQL): SQL[] {
  const minutes = [...new Set(sums.minutes.map((m) => m.minute))].sort((a, b) => b - a).slice(0, MAX_RATE_MINUTES);
  // Only minutes that began after the issue was ignored: what came before was known to who ignored it.
  // Until the first has begun, what came since is what counts.
  const busiest = sql`SELECT max(n) FROM (SELECT sum(m.count) AS n FROM ${fingerprints} g
    JOIN ${fingerprintMinutes} m ON m.fingerprint = g.fingerprint
    WHERE g.issue_id = i.id AND m.minute IN (SELECT value FROM json_each(${JSON.stringify(minutes)}))
      AND m.minute * 1000 >= i.state_at GROUP BY m.minute)`;
  const hits = sql`SELECT i.id AS id, i.script AS script, i.kind AS issue_kind, i.type AS type, i.title AS title,
      i.culprit AS culprit, i.state_at AS occasion, i.ignore_until AS until, i.ignore_count AS n, i.ignore_rate AS rate,
      max(j.value->>2) AS last, j.value->3 AS version
    FROM json_each(${json}) j JOIN ${fingerprints} f ON f.fingerprint = j.value->>0 JOIN ${issues} i ON i.id = f.issue_id
    WHERE ${open} AND i.state = 'ignored' AND (
      j.value->>2 >= i.ignore_until
      OR i.count - i.ignore_base >= i.ignore_count
      OR i.ignore_rate IS NOT NULL AND (${busiest}) >= i.ignore_rate
      OR ${now} - i.state_at < ${MINUTE_MS} AND i.count - i.ignore_base >= i.ignore_rate)
    GROUP BY i.id`;
  const detail = sql.raw("json_object('until', until, 'count', n, 'rate', rate, 'version', json(version))");
  return [
    ...tell("issue.escalated", "escalated", hits, detail, now),
    sql`UPDATE ${issues} SET state = 'unresolved', state_at = ${now}, state_by = '', ignore_until = NULL,
      ignore_count = NULL, ignore_rate = NULL WHERE id IN (SELECT id FROM (${hits}))`,
  ];
}

function tell(notification: string, activity: string, hits: SQL, detail: SQL, now: number): SQL[] {
  return [
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, ${now}, '', ${activity}, ${detail} FROM (${hits})`,
    sql`INSERT OR IGNORE INTO ${notifications} (at, kind, issue_id, occasion, script, detail)
      SELECT ${now}, ${notification}, id, occasion, script,
        json_object('type', type, 'title', title, 'culprit', culprit, 'version', json(version))
      FROM (${hits}) WHERE issue_kind != 'noise'`,
  ];
}
