/**
 * Adds bursts of deaths to D1, as statements of the flush's batch (`apply.ts`).
 * A burst prolongs the incident that it touches, or is one of its own; one that
 * closes the gap between two makes them one.
 */
import { type SQL, sql } from "drizzle-orm";
import { jsonChunks } from "../../db/json-chunks.ts";
import { incidents } from "../../db/schema.ts";
import type { Incident } from "./incidents.ts";
import { INCIDENT_GAP_MS } from "./limits.ts";

export function addIncidents(bursts: readonly Incident[], open: SQL): SQL[] {
  const rows = bursts.map((b) => [b.fingerprint, b.versionId, b.colo, b.startedAt, b.endedAt, b.victims]);
  /** The first incident that burst `j` touches. */
  const touched = sql`(SELECT i.id FROM ${incidents} i WHERE i.fingerprint = j.value->>0 AND i.version_id = j.value->>1
    AND i.colo = j.value->>2 AND i.started_at < (j.value->>4) + ${INCIDENT_GAP_MS}
    AND i.ended_at > (j.value->>3) - ${INCIDENT_GAP_MS} ORDER BY i.id LIMIT 1)`;
  /** Incidents `b` beside `a`, of those that were just prolonged. */
  const beside = (json: string) => sql`(SELECT DISTINCT ${touched} AS id FROM json_each(${json}) j) t
    JOIN ${incidents} a ON a.id = t.id
    JOIN ${incidents} b ON b.fingerprint = a.fingerprint AND b.version_id = a.version_id AND b.colo = a.colo AND b.id > a.id`;
  return jsonChunks(rows).flatMap((json) => [
    sql`UPDATE ${incidents} SET started_at = min(incidents.started_at, d.start), ended_at = max(incidents.ended_at, d.end),
        victims = incidents.victims + d.n
      FROM (SELECT ${touched} AS id, min(j.value->>3) AS start, max(j.value->>4) AS end, sum(j.value->>5) AS n
        FROM json_each(${json}) j GROUP BY 1) d
      WHERE incidents.id = d.id AND ${open}`,
    // What the statement before prolonged is touched now, and stays out.
    sql`INSERT INTO ${incidents} (fingerprint, version_id, colo, started_at, ended_at, victims)
      SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3, j.value->>4, j.value->>5 FROM json_each(${json}) j
      WHERE ${touched} IS NULL AND ${open}`,
    sql`UPDATE ${incidents} SET started_at = min(incidents.started_at, d.start), ended_at = max(incidents.ended_at, d.end),
        victims = incidents.victims + d.n
      FROM (SELECT a.id AS id, min(b.started_at) AS start, max(b.ended_at) AS end, sum(b.victims) AS n FROM ${beside(json)}
          AND b.started_at < a.ended_at + ${INCIDENT_GAP_MS} AND b.ended_at > a.started_at - ${INCIDENT_GAP_MS}
        GROUP BY a.id) d
      WHERE incidents.id = d.id AND ${open}`,
    // What lies within another has just been added to it.
    sql`DELETE FROM ${incidents} WHERE ${open} AND id IN (SELECT b.id FROM ${beside(json)}
      AND b.started_at >= a.started_at AND b.ended_at <= a.ended_at)`,
  ]);
}
