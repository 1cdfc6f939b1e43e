/**
 * Segments as the scan sees them: opened once, their decoded columns kept in a
 * cache that the queries of an isolate share (a segment never changes). Reads
 * from R2 are counted and wait for one of a few places.
 */

import type { Column, ColumnBatch } from "../event/batch.ts";
import type { CatalogSegment } from "../store/catalog.ts";
import { openSegment, type Segment } from "../store/segment-reader.ts";
import { columnBytes } from "../store/text-column.ts";
import type { Budget } from "./budget.ts";
import {
  COLUMN_CACHE_BYTES,
  FOOTER_CACHE_BYTES,
  MAX_CACHED_COLUMN,
  RANGE_CACHE_BYTES,
  READ_CONCURRENCY,
} from "./limits.ts";
import { Lru } from "./lru.ts";
import { Places } from "./places.ts";

/** A parsed footer, per column and row group. */
const FOOTER_BYTES_PER_CHUNK = 200;
/** A cache entry that says that there is nothing. */
const NONE_BYTES = 64;

interface Opened {
  segment: Segment;
  /** Bytes read so far through this segment; a query counts what it adds. */
  source: { bytes: number };
}

const opened = new Lru<Opened>(FOOTER_CACHE_BYTES);
/** null: the segment has no such column. */
const columns = new Lru<{ column: Column | null }>(COLUMN_CACHE_BYTES);
/**
 * Bytes as they lie in R2, by segment and range. Text is five times smaller
 * here than decoded, and decoding it again costs less than another read.
 */
const ranges = new Lru<Uint8Array>(RANGE_CACHE_BYTES);

/** Outlives the query that opened it: it must hold nothing of that query. */
function sourceOf(bucket: R2Bucket, key: string) {
  const source = {
    bytes: 0,
    async read(offset: number, length: number): Promise<Uint8Array> {
      const id = `${key}\0${offset}\0${length}`;
      const cached = ranges.get(id);
      if (cached !== undefined) return cached;
      const object = await bucket.get(key, { range: { offset, length } });
      if (object === null) throw new Error("the object is gone");
      const bytes = new Uint8Array(await object.arrayBuffer());
      source.bytes += bytes.length;
      ranges.set(id, bytes, bytes.length);
      return bytes;
    },
  };
  return source;
}

export interface SealedGroup {
  rows: number;
  minTime: number;
  maxTime: number;
  names: readonly string[];
  /** With `rows`, only those need be right: pages without any of them are not decoded, and nothing is cached. */
  read(names: readonly string[], rows?: Int32Array): Promise<ColumnBatch>;
}

/** Segments of one query. */
export class SealedReader {
  private readonly places = new Places(READ_CONCURRENCY);
  private readonly bucket: R2Bucket;
  private readonly budget: Budget;

  constructor(bucket: R2Bucket, budget: Budget) {
    this.bucket = bucket;
    this.budget = budget;
  }

  async open(entry: CatalogSegment): Promise<SealedGroup[]> {
    const known = opened.get(entry.key);
    const { segment, source } = known ?? (await this.places.run(() => this.openNew(entry)));
    return segment.rowGroups.map((group, at) => ({
      ...group,
      names: segment.stored,
      read: (wanted, only) => this.read(entry.key, { segment, source }, at, wanted, only),
    }));
  }

  private async openNew(entry: CatalogSegment): Promise<Opened> {
    const source = sourceOf(this.bucket, entry.key);
    const segment = await openSegment(source, entry.bytes);
    this.budget.bytes += source.bytes;
    const made = { segment, source };
    opened.set(entry.key, made, segment.rowGroups.length * segment.columns.length * FOOTER_BYTES_PER_CHUNK);
    return made;
  }

  private async read(
    key: string,
    from: Opened,
    group: number,
    names: readonly string[],
    only?: Int32Array,
  ): Promise<ColumnBatch> {
    const rows = from.segment.rowGroups[group]?.rows ?? 0;
    const found = new Map<string, Column>();
    const missing: string[] = [];
    for (const name of names) {
      const cached = columns.get(`${key}\0${group}\0${name}`);
      if (cached === undefined) missing.push(name);
      else if (cached.column !== null) found.set(name, cached.column);
    }
    if (missing.length === 0) return { rows, columns: found };
    const batch = await this.places.run(async () => {
      const before = from.source.bytes;
      const read = await from.segment.read(group, missing, only);
      this.budget.bytes += from.source.bytes - before;
      return read;
    });
    for (const name of missing) {
      const column = batch.columns.get(name);
      if (column !== undefined) found.set(name, column);
      const size = column === undefined ? NONE_BYTES : columnBytes(column);
      if (only === undefined && size <= MAX_CACHED_COLUMN) {
        columns.set(`${key}\0${group}\0${name}`, { column: column ?? null }, size);
      }
    }
    return { rows, columns: found };
  }
}
