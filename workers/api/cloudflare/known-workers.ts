/** Which Workers Tailrace knows, from D1: for who asks for one that it does not. */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { schema } from "../../db/client.ts";

/** Names in a message, those last heard of first. */
const MAX_NAMES = 20;

export interface KnownWorkers {
  /** The one that was asked for is among them. */
  has: boolean;
  names: string[];
}

/**
 * A Worker is in `shards` from its first events on, in `workers` once some are
 * sealed, for good. Before any, by its settings, or by the source maps that
 * `tailrace deploy` sends: who has just deployed it may watch its first request.
 */
export async function readKnownWorkers(d1: D1Database, script: string): Promise<KnownWorkers> {
  const { shards, sourceMaps, workers } = schema;
  const [found, names] = await runBatch<[{ n: number }, { script: string }]>(d1, [
    sql`SELECT 1 AS n FROM ${shards} WHERE script = ${script}
      UNION SELECT 1 FROM ${workers} WHERE script = ${script}
      UNION SELECT 1 FROM ${sourceMaps} WHERE script = ${script}`,
    sql`SELECT script FROM (
        SELECT script, updated_at AS at FROM ${shards}
        UNION ALL SELECT script, last_seen AS at FROM ${workers} WHERE last_seen > 0
      ) GROUP BY script ORDER BY max(at) DESC LIMIT ${MAX_NAMES}`,
  ]);
  return { has: found.length > 0, names: names.map((row) => row.script) };
}
