/**
 * Records a seal in the catalog: its segments, rollups, ledger, the Workers and
 * versions it saw, what destinations are to read of it (sealed-log.ts), and how
 * far the shard is sealed, in one D1 batch, which is one transaction.
 *
 * Every statement carries the same guard: it does something only while the
 * shard is not sealed that far, and the last statement moves the mark. So a seal
 * whose answer was lost can be tried again, whatever happened to its segments
 * since. Many rows travel as one JSON parameter (a statement may have 100
 * parameters, but one parameter 2 MB).
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { database } from "../db/client.ts";
import { jsonChunks } from "../db/json-chunks.ts";
import {
  destinations,
  ledgerMinutes,
  rollupMinutes,
  sealedLog,
  segments,
  shards,
  versions,
  workers,
} from "../db/schema.ts";
import type { LedgerDelta } from "../event/rollup.ts";
import type { Rollup } from "./counts/merge.ts";
import { ledgerValues, ROLLUP_COLUMNS, ROLLUP_FROM_JSON, rollupValues } from "./counts/rows.ts";
import type { KeyedSegment } from "./seal.ts";

const MINUTE_MS = 60_000;

/** A segment that lies in R2, without its bytes. */
export interface StoredSegment extends Omit<KeyedSegment, "bytes"> {
  /** In bytes. */
  size: number;
}

export interface Seal {
  shard: string;
  script: string;
  /** The chunk of the log. */
  firstId: number;
  lastId: number;
  /** ms since the epoch. */
  now: number;
  segments: readonly StoredSegment[];
  rollups: readonly Rollup[];
  ledger: readonly LedgerDelta[];
  /** The mark to take back, as nothing is left unsealed (buffer/open-mark.ts). */
  closes?: number | undefined;
}

/** True when the catalog holds all log entries of the shard up to `lastId`. */
export async function isSealed(d1: D1Database, shard: string, lastId: number): Promise<boolean> {
  const rows = await database(d1)
    .select({ through: shards.sealedThrough })
    .from(shards)
    .where(sql`${shards.shard} = ${shard}`);
  return (rows[0]?.through ?? 0) >= lastId;
}

/** `forwards`: there are destinations to which events are delivered as they come. */
export async function commitSeal(d1: D1Database, seal: Seal): Promise<{ forwards: boolean }> {
  const results = await runBatch<{ forwards: number }[]>(d1, [
    ...statements(seal),
    sql`SELECT ${FORWARDS} AS forwards`,
  ]);
  return { forwards: results.at(-1)?.[0]?.forwards === 1 };
}

/** Reads logs, sooner or later: a standby has no cursor, and who takes notices alone reads none (delivery/rules/items.ts). */
const READS_LOGS = sql`standby = 0 AND EXISTS (SELECT 1 FROM json_each(rules, '$.feeds') WHERE value <> 'notices')`;

/** SQL, 1 or 0. */
export const FORWARDS = sql`EXISTS (SELECT 1 FROM ${destinations} WHERE state = 'enabled' AND ${READS_LOGS})`;

function statements(seal: Seal): SQL[] {
  const { shard, script, lastId, now } = seal;
  const open = sql`EXISTS (SELECT 1 FROM ${shards} WHERE shard = ${shard} AND sealed_through < ${lastId})`;
  const source = `${shard}@${lastId}`;
  return [
    sql`INSERT INTO ${shards} (shard, script, sealed_through, updated_at, open) VALUES (${shard}, ${script}, 0, ${now}, 0)
      ON CONFLICT DO NOTHING`,
    ...seal.segments.map((s) => segmentStatement(seal, s, open)),
    ...seal.segments.map((s) => sealedStatement(seal, s, open)),
    ...jsonChunks(seal.rollups.map(rollupValues)).map(
      (json) => sql`INSERT INTO ${rollupMinutes} (source, minute, ${ROLLUP_COLUMNS})
        SELECT ${source}, value->>0, ${ROLLUP_FROM_JSON} FROM json_each(${json}) WHERE ${open}`,
    ),
    ...jsonChunks(seal.ledger.map(ledgerValues)).map(
      (json) => sql`INSERT INTO ${ledgerMinutes} (source, minute, script, counts)
        SELECT ${source}, value->>0, value->>1, value->>2 FROM json_each(${json}) WHERE ${open}`,
    ),
    ...jsonChunks(seenWorkers(seal)).map(
      (json) => sql`INSERT INTO ${workers} (script, first_seen, last_seen)
        SELECT value->>0, value->>1, value->>2 FROM json_each(${json}) WHERE ${open}
        ON CONFLICT (script) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen)`,
    ),
    ...jsonChunks(seenVersions(seal.rollups)).map(
      (json) => sql`INSERT INTO ${versions} (script, version_id, tag, message, first_seen, last_seen)
        SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(${json}) WHERE ${open}
        ON CONFLICT (script, version_id) DO UPDATE SET
        tag = CASE WHEN excluded.tag = '' THEN tag ELSE excluded.tag END,
        message = CASE WHEN excluded.message = '' THEN message ELSE excluded.message END,
        first_seen = CASE WHEN first_seen < excluded.first_seen + ${MINUTE_MS} THEN first_seen ELSE excluded.first_seen END,
        last_seen = max(last_seen, excluded.last_seen)`,
    ),
    sql`UPDATE ${shards} SET sealed_through = ${lastId}, updated_at = ${now},
      open = CASE WHEN open = ${seal.closes ?? -1} THEN 0 ELSE open END
      WHERE shard = ${shard} AND sealed_through < ${lastId}`,
  ];
}

function segmentStatement(seal: Seal, s: StoredSegment, open: SQL): SQL {
  return sql`INSERT OR REPLACE INTO ${segments} (key, script, min_time, max_time, rows, bytes, level, pruning, attributes,
    created_at) SELECT ${s.key}, ${seal.script}, ${s.minTime}, ${s.maxTime}, ${s.rows}, ${s.size}, 0,
    ${JSON.stringify(s.pruning)}, ${JSON.stringify(s.attributes)}, ${seal.now} WHERE ${open}`;
}

/** What destinations are to read, also one that is paused, or was made a moment ago: the transaction knows. */
function sealedStatement({ shard, script, firstId, lastId, now }: Seal, s: StoredSegment, open: SQL): SQL {
  return sql`INSERT OR REPLACE INTO ${sealedLog}
    (shard, first_id, last_id, key, script, rows, bytes, min_time, max_time, errors, sealed_at)
    SELECT ${shard}, ${firstId}, ${lastId}, ${s.key}, ${script}, ${s.rows}, ${s.size}, ${s.minTime}, ${s.maxTime},
    ${s.errors ? 1 : 0}, ${now} WHERE ${open} AND EXISTS (SELECT 1 FROM ${destinations} WHERE ${READS_LOGS})`;
}

/** Minutes in which each Worker was seen, by what was counted and by its events; ms. */
function seenWorkers(seal: Seal): [script: string, first: number, last: number][] {
  const seen = new Map<string, [number, number]>();
  const note = (script: string, from: number, to: number) => {
    const range = seen.get(script);
    if (range === undefined) seen.set(script, [from, to]);
    else seen.set(script, [Math.min(range[0], from), Math.max(range[1], to)]);
  };
  for (const s of seal.segments) note(seal.script, Math.floor(s.minTime / 1000), Math.floor(s.maxTime / 1000));
  for (const r of [...seal.rollups, ...seal.ledger]) note(r.script, r.minute * 1000, r.minute * 1000);
  return [...seen].map(([script, [first, last]]) => [script, first, last]);
}

/** First seen: the start of a minute. Within that minute the flush of issues knew it better (buffer/new-versions.ts). */
function seenVersions(rollups: readonly Rollup[]): unknown[][] {
  const seen = new Map<string, { r: Rollup; first: number; last: number }>();
  for (const r of rollups) {
    if (r.version_id === "") continue;
    const key = `${r.script}\0${r.version_id}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { r: { ...r }, first: r.minute, last: r.minute });
    else {
      known.first = Math.min(known.first, r.minute);
      known.last = Math.max(known.last, r.minute);
      known.r.version_tag ||= r.version_tag;
      known.r.version_message ||= r.version_message;
    }
  }
  return [...seen.values()].map(({ r, first, last }) => [
    r.script,
    r.version_id,
    r.version_tag,
    r.version_message,
    first * 1000,
    last * 1000,
  ]);
}
