/** Adds bursts of deaths to D1, as statements of the flush's batch (`apply.ts`): each prolongs an incident that it touches, or is one of its own. */
import { type SQL, sql } from "drizzle-orm";
import { jsonChunks } from "../../db/json-chunks.ts";
import { incidents } from "../../db/schema.ts";
import type { Incident } from "./incidents.ts";
import { INCIDENT_GAP_MS } from "./limits.ts";

export function addIncidents(bursts: readonly Incident[], open: SQL): SQL[] {
  const rows = bursts.map((b) => [b.fingerprint, b.versionId, b.colo, b.startedAt, b.endedAt, b.victims]);
  const touched = sql`(SELECT i.id FROM ${incidents} i WHERE i.fingerprint = j.value->>0 AND i.version_id = j.value->>1
    AND i.colo = j.value->>2 AND i.started_at < (j.value->>4) + ${INCIDENT_GAP_MS}
    AND i.ended_at > (j.value->>3) - ${INCIDENT_GAP_MS} ORDER BY i.id LIMIT 1)`;
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
  ]);
}
