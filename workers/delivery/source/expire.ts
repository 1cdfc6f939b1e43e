/**
 * Hourly: lets go of what all destinations have read. A row of `sealed_log`
 * keeps its object in the bucket (`store/garbage.ts`), so this is what bounds
 * it: what nobody came to fetch for HOLD_DAYS leaves a mark of how much it was,
 * by which each destination that comes later knows what it lost.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { jsonChunks } from "../../db/json-chunks.ts";
import { backfillSegments, destinations, sealedLog } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { CourierRpc } from "../contract.ts";
import { type DestinationEnv, listDestinations, type StoredDestination } from "../destinations.ts";
import { takesEvents, wantsWorker } from "../rules/rules.ts";
import { HOLD_DAYS, MARKS_TIMEOUT_MS } from "./limits.ts";

const DAY_MS = 86_400_000;
/** What is younger is left to the next run: a destination that was made while Couriers were asked begins after the rest. */
const YOUNG_MS = 60_000;

export interface Expiry {
  /** Rows of `sealed_log` that all are past. */
  done: number;
  /** Rows that were kept too long, and the events in them. */
  expired: number;
  lost: number;
  /** Destinations that did not say where they are. */
  silent: string[];
}

type ExpireEnv = DestinationEnv & { COURIERS: { getByName(name: string): Pick<CourierRpc, "marks"> } };

export interface ExpiryReport {
  sealed?: Expiry;
  errors: string[];
}

/** By the hourly cron, and by hand: what fails is tried again by the next run. */
export async function runExpiry(env: ExpireEnv, now: number): Promise<ExpiryReport> {
  try {
    const sealed = await expireSealed(env, now);
    const { lost } = sealed;
    if (lost > 0) console.warn(`${lost} events were kept for destinations for ${HOLD_DAYS} days, and are not any more`);
    return { sealed, errors: [] };
  } catch (error) {
    const message = `sweep of what was sealed: ${rootMessage(error)}`;
    console.error(message);
    return { errors: [message] };
  }
}

/** Throws when D1 does. */
export async function expireSealed(env: ExpireEnv, now: number): Promise<Expiry> {
  const all = await listDestinations(env);
  // A standby reads nothing of its own, who takes notices alone reads no log.
  const readers = all.filter(({ standby, rules }) => !standby && takesEvents(rules));
  const silent: string[] = [];
  const known = await Promise.all(readers.map((row) => marksOf(env, row, silent)));
  const done = await releaseDone(env.DB, readers, known, now - YOUNG_MS);
  const { expired, lost } = await expireOld(env.DB, now - HOLD_DAYS * DAY_MS);
  await runBatch(env.DB, [
    sql`DELETE FROM ${backfillSegments} WHERE destination NOT IN (SELECT id FROM ${destinations})`,
  ]);
  return { done, expired, lost, silent };
}

async function marksOf(env: ExpireEnv, { id }: StoredDestination, silent: string[]): Promise<Map<string, number>> {
  try {
    const marks = await within(MARKS_TIMEOUT_MS, "Courier", env.COURIERS.getByName(id).marks());
    return new Map(marks.map(({ shard, through }) => [shard, through]));
  } catch (error) {
    console.warn(`sweep of what was sealed: destination ${id} does not say where it is: ${rootMessage(error)}`);
    silent.push(id);
    return new Map();
  }
}

/** Up to where all are that want the Worker; a shard that one of them does not know is kept whole. */
async function releaseDone(
  d1: D1Database,
  readers: readonly StoredDestination[],
  known: readonly ReadonlyMap<string, number>[],
  before: number,
): Promise<number> {
  const [shards] = await runBatch<[{ shard: string; script: string }]>(d1, [
    sql`SELECT shard, min(script) AS script FROM ${sealedLog} GROUP BY shard`,
  ]);
  const marks = shards.map(({ shard, script }) => {
    const through = readers.map(({ rules }, i) =>
      wantsWorker(rules, script) ? (known[i]?.get(shard) ?? 0) : Number.MAX_SAFE_INTEGER,
    );
    return [shard, Math.min(Number.MAX_SAFE_INTEGER, ...through)];
  });
  let done = 0;
  for (const json of jsonChunks(marks)) {
    const [gone] = await runBatch<[{ n: number }]>(d1, [
      sql`DELETE FROM ${sealedLog} WHERE rowid IN (SELECT s.rowid FROM json_each(${json}) AS m
        JOIN ${sealedLog} AS s ON s.shard = m.value->>0 AND s.last_id <= m.value->>1
        WHERE s.sealed_at < ${before}) RETURNING 1 AS n`,
    ]);
    done += gone.length;
  }
  return done;
}

/** Of each shard one row is left, without a key, however often some of it goes: what was lost for those who are not past it. */
async function expireOld(d1: D1Database, before: number): Promise<{ expired: number; lost: number }> {
  const old = sql`sealed_at < ${before}`;
  const [, gone] = await runBatch<[unknown, { rows: number }]>(d1, [
    sql`INSERT OR REPLACE INTO ${sealedLog}
      (shard, first_id, last_id, key, script, rows, bytes, min_time, max_time, errors, sealed_at)
      SELECT shard, min(first_id), max(last_id), '', min(script), sum(rows), 0, min(min_time), max(max_time),
      max(errors), max(sealed_at) FROM ${sealedLog} WHERE ${old} GROUP BY shard HAVING max(key) <> ''`,
    sql`DELETE FROM ${sealedLog} WHERE ${old} AND key <> '' RETURNING rows`,
  ]);
  return { expired: gone.length, lost: gone.reduce((sum, { rows }) => sum + rows, 0) };
}
