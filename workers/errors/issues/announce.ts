/** What a flush says of issues that it has just made: a line of activity, and somebody is told. */
import { type SQL, sql } from "drizzle-orm";
import { issueActivity, issues, notifications } from "../../db/schema.ts";
import { ROW } from "./fingerprint-rows.ts";

/**
 * An issue counts nothing only between being made and being counted by the same
 * batch: that is how a new one is known. `json` as `fingerprint-rows.ts` makes it.
 */
export function announceNewIssues(json: string, now: number, open: SQL): SQL[] {
  // Of several fingerprints of one new issue, the version of the one that was first.
  const made = sql`SELECT i.id AS id, i.script AS script, i.kind AS kind, i.type AS type, i.title AS title,
      i.culprit AS culprit, min(${ROW.first}) AS first, ${ROW.firstVersionName} AS version
    FROM json_each(${json}) j JOIN ${issues} i ON i.birth = ${ROW.group}
    WHERE i.count = 0 AND i.merged_into IS NULL AND ${open} GROUP BY i.id`;
  return [
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, first, '', 'first_seen', json_object('version', json(version)) FROM (${made})`,
    sql`INSERT OR IGNORE INTO ${notifications} (at, kind, issue_id, occasion, script, detail)
      SELECT ${now}, 'issue.new', id, 0, script,
        json_object('type', type, 'title', title, 'culprit', culprit, 'version', json(version))
      FROM (${made}) WHERE kind != 'noise'`,
  ];
}
