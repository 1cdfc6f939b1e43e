/** Workers and versions ever seen, from D1: what a range of rollups cannot know. For `measures/summaries.ts`. */
import { sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { schema } from "../db/client.ts";
import type { Seen, SeenSource } from "./measures/summaries.ts";

/** A Worker that fell silent stays on the Overview for this long before the range: its silence is news. */
const SILENT_MS = 24 * 3_600_000;
/** Rows of each table that are read at most, the latest first. */
const MAX_WORKERS = 1_000;
const MAX_VERSIONS = 5_000;

interface SeenRow extends Seen {
  script: string;
}

export async function readSeen(d1: D1Database, from: number, script?: string): Promise<SeenSource> {
  const { workers, versions } = schema;
  // A Worker that has settings and was never seen is not there yet (`routes/settings.ts`).
  const only =
    script === undefined
      ? sql`last_seen >= ${Math.max(from - SILENT_MS, 1)}`
      : sql`script = ${script} AND last_seen > 0`;
  const [workerRows, versionRows] = await runBatch<[SeenRow, SeenRow & { id: string }]>(d1, [
    sql`SELECT script, first_seen AS firstSeen, last_seen AS lastSeen FROM ${workers}
      WHERE ${only} ORDER BY last_seen DESC LIMIT ${MAX_WORKERS}`,
    sql`SELECT script, version_id AS id, first_seen AS firstSeen, last_seen AS lastSeen FROM ${versions}
      WHERE ${script === undefined ? sql`TRUE` : only} ORDER BY last_seen DESC LIMIT ${MAX_VERSIONS}`,
  ]);
  const byScript = new Map(workerRows.map((row) => [row.script, row]));
  const byVersion = new Map(versionRows.map((row) => [`${row.script}\0${row.id}`, row]));
  return {
    scripts: [...byScript.keys()],
    worker: (name) => byScript.get(name),
    version: (name, id) => byVersion.get(`${name}\0${id}`),
  };
}
