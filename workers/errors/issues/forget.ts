/**
 * Forgets fingerprints with all that hangs on them, and issues that are left
 * without any. `retention.ts` and `fingerprint-cap.ts` say which. One D1 batch
 * per call, so nobody sees half of it, and a call that is lost changes nothing.
 *
 * What a fingerprint counted goes to its heir, another one of the same issue:
 * an issue's total, its versions and its days stay what they were. Only whose
 * events they were is forgotten, and so are its distinct values. Flushes and
 * people go on meanwhile: what was seen again, or moved, stays.
 */
import { type SQL, sql } from "drizzle-orm";
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
} from "../../db/schema.ts";

export interface Doomed {
  fingerprint: string;
  issueId: number;
  /** Takes over what it counted; null when the whole issue goes. */
  heir: string | null;
}

/** Of a fingerprint `f` of issue `i`: keys that only lead to an issue are of use as long as that is seen. */
export const SEEN = sql.raw("CASE WHEN f.count = 0 THEN i.last_seen ELSE f.last_seen END");

/** People did something with issue `i`, or said something about it. */
export const TOUCHED = sql`(i.assignee != '' OR EXISTS (
  SELECT 1 FROM ${issueActivity} a WHERE a.issue_id = i.id AND a.actor != ''))`;

/**
 * Returns how many fingerprints went.
 * @param through ms: what was seen later than this stays
 * @param mayGo of an issue `i` without fingerprints
 */
export async function forget(
  d1: D1Database,
  doomed: readonly Doomed[],
  through: number,
  mayGo: SQL = sql`1`,
): Promise<number> {
  const pairs = JSON.stringify(doomed.map(({ fingerprint, heir }) => [fingerprint, heir]));
  const going = sql`(SELECT f.*, h.fingerprint AS heir FROM json_each(${pairs}) j
    JOIN ${fingerprints} f ON f.fingerprint = j.value->>0 JOIN ${issues} i ON i.id = f.issue_id
    LEFT JOIN ${fingerprints} h ON h.fingerprint = j.value->>1 AND h.issue_id = f.issue_id
    WHERE ${SEEN} <= ${through} AND (h.fingerprint IS NOT NULL OR (j.value->>1 IS NULL AND i.last_seen <= ${through})))`;
  const left = JSON.stringify([...new Set(doomed.map((one) => one.issueId))]);
  const results = await runBatch<unknown[]>(d1, [
    ...inherit(going),
    ...[fingerprintMinutes, fingerprintVersions, fingerprintSketches, incidents].map(
      (table) => sql`DELETE FROM ${table} WHERE fingerprint IN (SELECT fingerprint FROM ${going})`,
    ),
    sql`DELETE FROM ${fingerprints} WHERE fingerprint IN (SELECT fingerprint FROM ${going}) RETURNING 1`,
    ...forgetIssues(sql`SELECT i.id FROM ${issues} i WHERE i.id IN (SELECT value FROM json_each(${left}))
      AND i.merged_into IS NULL AND i.last_seen <= ${through} AND ${mayGo}
      AND NOT EXISTS (SELECT 1 FROM ${fingerprints} WHERE issue_id = i.id)`),
  ]);
  return results.at(-4)?.length ?? 0;
}

/** Three statements; `ids` are those of issues. The last returns a row for each that went. */
export const forgetIssues = (ids: SQL): SQL[] => [
  sql`DELETE FROM ${notifications} WHERE issue_id IN (${ids})`,
  sql`DELETE FROM ${issueActivity} WHERE issue_id IN (${ids})`,
  sql`DELETE FROM ${issues} WHERE id IN (${ids}) RETURNING 1`,
];

function inherit(going: SQL): SQL[] {
  const of = (columns: SQL) => sql`(SELECT heir, ${columns} FROM ${going}
    WHERE heir IS NOT NULL AND count > 0 GROUP BY heir)`;
  // A bare column beside max() or min() is of the row that has it (SQLite).
  return [
    sql`INSERT INTO ${fingerprintMinutes} (fingerprint, minute, version_id, count)
      SELECT g.heir, m.minute, m.version_id, sum(m.count)
      FROM ${going} g JOIN ${fingerprintMinutes} m ON m.fingerprint = g.fingerprint WHERE g.heir IS NOT NULL GROUP BY 1, 2, 3
      ON CONFLICT (fingerprint, minute, version_id) DO UPDATE SET count = count + excluded.count`,
    // Without their stacks: one of many says nothing about all, and a late map would lead them all where it leads.
    sql`INSERT INTO ${fingerprintVersions} (fingerprint, version_id, version_tag, version_message, first_seen, last_seen,
        count, exemplar)
      SELECT g.heir, v.version_id, v.version_tag, v.version_message, min(v.first_seen), max(v.last_seen), sum(v.count),
        json_remove(v.exemplar, '$.stack')
      FROM ${going} g JOIN ${fingerprintVersions} v ON v.fingerprint = g.fingerprint WHERE g.heir IS NOT NULL GROUP BY 1, 2
      ON CONFLICT (fingerprint, version_id) DO UPDATE SET count = count + excluded.count,
        first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)`,
    sql`UPDATE ${incidents} SET fingerprint = g.heir FROM ${going} g
      WHERE incidents.fingerprint = g.fingerprint AND g.heir IS NOT NULL`,
    sql`UPDATE ${fingerprints} SET first_seen = d.first, first_version = d.version
      FROM ${of(sql`min(first_seen) AS first, first_version AS version`)} d
      WHERE fingerprints.fingerprint = d.heir AND (d.first < fingerprints.first_seen OR fingerprints.count = 0)`,
    sql`UPDATE ${fingerprints} SET count = fingerprints.count + d.n,
        last_version = CASE WHEN fingerprints.count = 0 OR d.last > fingerprints.last_seen THEN d.version ELSE fingerprints.last_version END,
        last_seen = CASE WHEN fingerprints.count = 0 THEN d.last ELSE max(fingerprints.last_seen, d.last) END
      FROM ${of(sql`sum(count) AS n, max(last_seen) AS last, last_version AS version`)} d
      WHERE fingerprints.fingerprint = d.heir`,
  ];
}
