/**
 * Reads the catalog for `query/` and the maintenance of `store/`.
 *
 * Exactly once: a reader first lists the open shards and asks their Ingesters
 * for what is unsealed, then calls `findSegments`, which reads segments and
 * seal marks in one transaction, and leaves out unsealed batches up to the mark
 * of their shard: those are in the segments.
 *
 * What prunes a segment is up to 8 KB, so it is read apart from the segments, in
 * pages. A segment that was compacted away in between has no pruning any more,
 * yet its object stays readable for an hour (compaction.ts).
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { segments, shards } from "../db/schema.ts";
import type { ColumnType } from "../event/columns.ts";
import type { Pruning } from "./pruning.ts";

/**
 * Segments of one question: a month of a Worker has 720 when compacted. Their
 * rows take some 6 MB here; more would be read for many minutes anyway.
 */
export const MAX_LISTED_SEGMENTS = 20_000;
/** Keys of one page: 500 × 8 KB of pruning. */
const PRUNING_PAGE = 500;

export interface ShardRow {
  shard: string;
  script: string;
  sealedThrough: number;
  /** 0: nothing is unsealed. */
  open: number;
}

/** Times are µs, both ends included. */
export interface CatalogSegment {
  key: string;
  script: string;
  minTime: number;
  maxTime: number;
  rows: number;
  bytes: number;
  level: number;
}

export interface SegmentPruning {
  key: string;
  pruning: Pruning;
}

export type CatalogAnswer =
  | { ok: true; segments: CatalogSegment[]; sealedThrough: Map<string, number> }
  | { ok: false; reason: "too_many_segments"; limit: number };

export interface CatalogQuestion {
  /** All Workers when undefined. */
  scripts?: readonly string[] | undefined;
  /** µs, half-open `[from, to)`. */
  from: number;
  to: number;
}

/** Ingesters that were ever written to; with `open`, only those that may have unsealed data. */
export async function listShards(
  d1: D1Database,
  filter: { scripts?: readonly string[] | undefined; open?: boolean } = {},
): Promise<ShardRow[]> {
  const open = filter.open === true ? sql`open <> 0` : sql`TRUE`;
  const [rows] = await runBatch<[ShardRow]>(d1, [
    sql`SELECT shard, script, sealed_through AS sealedThrough, open FROM ${shards}
      WHERE ${open} AND ${ofScripts(filter.scripts)} ORDER BY shard`,
  ]);
  return rows;
}

/** Segments that overlap the range, oldest first, and how far each shard is sealed, as of one moment. */
export async function findSegments(d1: D1Database, question: CatalogQuestion): Promise<CatalogAnswer> {
  const { from, to } = question;
  const [found, marks] = await runBatch<[CatalogSegment, { shard: string; through: number }]>(d1, [
    sql`SELECT key, script, min_time AS minTime, max_time AS maxTime, rows, bytes, level FROM ${segments}
      WHERE max_time >= ${from} AND min_time < ${to} AND ${ofScripts(question.scripts)}
      ORDER BY min_time, key LIMIT ${MAX_LISTED_SEGMENTS + 1}`,
    sql`SELECT shard, sealed_through AS through FROM ${shards} WHERE ${ofScripts(question.scripts)}`,
  ]);
  if (found.length > MAX_LISTED_SEGMENTS) return { ok: false, reason: "too_many_segments", limit: MAX_LISTED_SEGMENTS };
  const sealedThrough = new Map(marks.map((m) => [m.shard, m.through]));
  return { ok: true, segments: found, sealedThrough };
}

/** What prunes the given segments, page by page, in the order of `keys`. */
export async function* readPruning(d1: D1Database, keys: readonly string[]): AsyncGenerator<SegmentPruning[]> {
  for (let from = 0; from < keys.length; from += PRUNING_PAGE) {
    const page = JSON.stringify(keys.slice(from, from + PRUNING_PAGE));
    const [rows] = await runBatch<[{ key: string; pruning: string }]>(d1, [
      sql`SELECT s.key, s.pruning FROM json_each(${page}) AS k
        JOIN ${segments} AS s ON s.key = k.value ORDER BY k.key`,
    ]);
    yield rows.map(({ key, pruning }) => ({ key, pruning: JSON.parse(pruning) as Pruning }));
  }
}

/** The attributes of the given segments, each name and type once: D1 sorts them out, for most segments have the same. */
export async function readAttributes(
  d1: D1Database,
  keys: readonly string[],
  limit: number,
): Promise<{ name: string; type: ColumnType }[]> {
  const [rows] = await runBatch<[{ name: string; type: ColumnType }]>(d1, [
    sql`SELECT DISTINCT a.value->>'name' AS name, a.value->>'type' AS type
      FROM ${segments} AS s, json_each(s.attributes) AS a
      WHERE s.key IN (SELECT value FROM json_each(${JSON.stringify(keys)})) LIMIT ${limit}`,
  ]);
  return rows;
}

/** One JSON parameter, however many names: D1 takes 100 parameters. */
export function ofScripts(scripts: readonly string[] | undefined): SQL {
  return scripts === undefined ? sql`TRUE` : sql`script IN (SELECT value FROM json_each(${JSON.stringify(scripts)}))`;
}
