/**
 * Versions at first sight. Whether a resolved issue regressed hangs on when its
 * version was first seen, so this must not wait for a seal, and must be known to
 * more than the minute.
 */
import { type SQL, sql } from "drizzle-orm";
import { jsonChunks } from "../../db/json-chunks.ts";
import { versions } from "../../db/schema.ts";
import type { VersionName } from "./aggregate.ts";

/** Times are ms. */
export interface SeenVersion extends VersionName {
  script: string;
  first: number;
  last: number;
}

/** May be repeated: needs no guard. */
export function registerVersions(seen: readonly SeenVersion[]): SQL[] {
  const rows = seen.map((v) => [v.script, v.id, v.tag, v.message, v.first, v.last]);
  return jsonChunks(rows).map(
    (json) => sql`INSERT INTO ${versions} (script, version_id, tag, message, first_seen, last_seen)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(${json}) WHERE true
      ON CONFLICT (script, version_id) DO UPDATE SET
        tag = CASE WHEN excluded.tag = '' THEN tag ELSE excluded.tag END,
        message = CASE WHEN excluded.message = '' THEN message ELSE excluded.message END,
        first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)
      WHERE excluded.first_seen < first_seen OR excluded.last_seen > last_seen + ${LAST_SEEN_STEP_MS}
        OR excluded.tag NOT IN ('', tag) OR excluded.message NOT IN ('', message)`,
  );
}

/** Errors of a version that is known write its row this often, not with every flush; seals do the rest. */
const LAST_SEEN_STEP_MS = 60_000;
