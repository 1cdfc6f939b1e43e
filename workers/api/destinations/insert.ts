/**
 * A new destination's row with its row of the audit log, written only while there is
 * room and nobody has its name: `save.ts` has looked, and two may look at once.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { schema } from "../../db/client.ts";
import { MAX_DESTINATIONS } from "../../delivery/destinations.ts";
import { type AuditEntry, auditOfChange } from "../audit.ts";

type Row = Omit<typeof schema.destinations.$inferSelect, "health">;

/** @returns why there is no row; undefined: there is */
export async function insertDestination(
  env: Pick<Env, "DB">,
  row: Row,
  entry: AuditEntry,
): Promise<"full" | "name_taken" | undefined> {
  const { destinations } = schema;
  const taken = sql`EXISTS (SELECT 1 FROM ${destinations} WHERE lower(name) = lower(${row.name}))`;
  const full = sql`(SELECT count(*) FROM ${destinations}) >= ${MAX_DESTINATIONS}`;
  const [inserted, , found] = await runBatch<[{ id: string }, unknown, { isFull: number }]>(env.DB, [
    sql`INSERT INTO ${destinations} (id, integration, name, state, standby, failover_to, rules, field_values, sealed,
        revision, created_at, created_by, updated_at, backfill_from, health)
      SELECT ${row.id}, ${row.integration}, ${row.name}, ${row.state}, ${row.standby}, ${row.failoverTo}, ${row.rules},
        ${row.fieldValues}, ${row.sealed}, ${row.revision}, ${row.createdAt}, ${row.createdBy}, ${row.updatedAt},
        ${row.backfillFrom}, ''
      WHERE NOT (${taken}) AND NOT (${full}) RETURNING id`,
    auditOfChange(entry),
    sql`SELECT ${full} AS isFull`,
  ]);
  if (inserted.length > 0) return undefined;
  return found[0]?.isFull === 1 ? "full" : "name_taken";
}
