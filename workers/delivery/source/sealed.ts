/**
 * What was sealed since a destination was last there: rows of `sealed_log`, a
 * chunk of the log each, or several where it was of several hours. A chunk is
 * read whole and put in the order of the log again, so that a position in it
 * means what it meant in the log.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { sealedLog, shards } from "../../db/schema.ts";
import { entriesOf, Invocations } from "./invocations.ts";
import { type Decoded, keeping } from "./kept.ts";
import { SEALED_LISTED, SEALED_SUMMED } from "./limits.ts";
import { readGroups } from "./segments.ts";

interface SealedRow {
  firstId: number;
  lastId: number;
  /** "": it was kept for a week, and is not any more. */
  key: string;
  rows: number;
  /** µs. */
  minTime: number;
  errors: number;
}

export interface SealedChunk {
  firstId: number;
  lastId: number;
  rows: number;
  /** ms. */
  oldest: number;
  errors: boolean;
  keys: string[];
  /** Rows that are stored nowhere any more. */
  lost: number;
}

export interface SealedList {
  chunks: SealedChunk[];
  /** No others were sealed up to `sealedThrough`. */
  isWhole: boolean;
  sealedThrough: number;
  /** Rows of these and those that follow. */
  rows: number;
}

/** Chunks with entries after `through`, oldest first, as of one moment. */
export async function listSealed(d1: D1Database, shard: string, through: number): Promise<SealedList> {
  const [rows, marks, sums] = await runBatch<[SealedRow, { through: number }, { rows: number }]>(d1, [
    sql`SELECT first_id AS firstId, last_id AS lastId, key, rows, min_time AS minTime, errors FROM ${sealedLog}
      WHERE ${after(shard, through)} ORDER BY first_id, key LIMIT ${SEALED_LISTED}`,
    sql`SELECT sealed_through AS through FROM ${shards} WHERE shard = ${shard}`,
    sql`SELECT total(rows) AS rows FROM (SELECT rows FROM ${sealedLog} WHERE ${after(shard, through)}
      ORDER BY first_id LIMIT ${SEALED_SUMMED})`,
  ]);
  const isWhole = rows.length < SEALED_LISTED;
  const chunks = chunksOf(rows);
  // The last one may have more segments than were listed.
  if (!isWhole) chunks.pop();
  return { chunks, isWhole, sealedThrough: marks[0]?.through ?? 0, rows: sums[0]?.rows ?? 0 };
}

/** The chunk that holds the next entry begins at or before it: by the key, not by reading all that came before. */
export function after(shard: string, through: number): SQL {
  return sql`shard = ${shard} AND last_id > ${through} AND first_id >= ifnull((SELECT max(first_id) FROM ${sealedLog}
    WHERE shard = ${shard} AND first_id <= ${through + 1}), 0)`;
}

function chunksOf(rows: readonly SealedRow[]): SealedChunk[] {
  const chunks: SealedChunk[] = [];
  for (const row of rows) {
    let chunk = chunks.at(-1);
    if (chunk?.firstId !== row.firstId) {
      chunk = { firstId: row.firstId, lastId: 0, rows: 0, oldest: 0, errors: false, keys: [], lost: 0 };
      chunks.push(chunk);
    }
    const { firstId, lastId, oldest } = chunk;
    chunk.lastId = Math.max(lastId, row.lastId, firstId);
    chunk.rows += row.rows;
    chunk.oldest = Math.min(oldest === 0 ? Number.POSITIVE_INFINITY : oldest, Math.floor(row.minTime / 1000));
    chunk.errors ||= row.errors === 1;
    if (row.key === "") chunk.lost += row.rows;
    else chunk.keys.push(row.key);
  }
  return chunks;
}

/** Rows of a chunk that is not kept any more: those that were not read before, by its entries. */
export function lostOf({ firstId, lastId, lost }: SealedChunk, through: number): number {
  if (through < firstId) return lost;
  return Math.ceil((lost * (lastId - through)) / (lastId - firstId + 1));
}

/** Throws when R2 is away. */
export function readChunk(
  bucket: R2Bucket,
  { shard, script, now }: { shard: string; script: string; now: number },
  chunk: SealedChunk,
): Promise<Decoded> {
  return keeping(`chunk ${chunk.firstId} of ${shard}`, now, async () => {
    const source = new Invocations(script);
    let read = 0;
    for (const key of chunk.keys) {
      await readGroups(bucket, key, (batch) => {
        read += batch.rows;
        source.add(batch, entriesOf(batch, chunk.firstId, chunk.lastId));
      });
    }
    return { source, list: source.list(), lost: chunk.rows - read };
  });
}
