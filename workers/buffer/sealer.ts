/**
 * Moves closed chunks of the log into segments. Called by the Ingester's alarm
 * and by `seal()`; hands bytes to R2 and rows to D1.
 *
 *   closed chunk → decode · merge · split by hour · encode → R2 puts
 *     → one D1 batch (store/seal-commit.ts) → drop the chunk
 *
 * A chunk is closed in SQLite before this begins, so its range is fixed: after a
 * crash between any two steps the same rows make the same keys again, the D1
 * batch counts once, and nothing leaves the log before it is in the catalog and
 * its issues are counted.
 */
import type { ColumnBatch } from "../event/batch.ts";
import { decodeBatch } from "../event/batch-wire.ts";
import type { LedgerDelta, RollupDelta } from "../event/rollup.ts";
import { BatchCollection } from "../store/batch-collection.ts";
import { LedgerSums, type Rollup, RollupSums } from "../store/counts/merge.ts";
import { type KeyedSegment, type SealSource, sealSegments, withEntry, withTimes } from "../store/seal.ts";
import { commitSeal, isSealed, type StoredSegment } from "../store/seal-commit.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { Chunk } from "./chunk-tables.ts";
import type { Follower } from "./follower.ts";
import { FIRST_BACKOFF_MS, MAX_BACKOFF_MS, STORE_TIMEOUT_MS } from "./limits.ts";
import { metricPoints, POINTS_PER_INVOCATION } from "./metric-points.ts";
import type { OpenMark } from "./open-mark.ts";
import type { Log, StoredEntry } from "./write-ahead-log.ts";

export interface Stores {
  BUCKET: R2Bucket;
  DB: D1Database;
  METRICS: AnalyticsEngineDataset;
}

export interface SealerParts {
  log: Log;
  mark: OpenMark;
  atomically: (work: () => void) => void;
  stores: () => Stores;
  shard: string;
  shardId: string;
  script: () => string;
  /** Resolves when no issue deltas up to this id are left in the log (issue-flush.ts). */
  flushIssues: (throughId: number) => Promise<void>;
  /** Is told what leaves the log. */
  follower: Follower;
  /** For the counters: segments that are in the catalog now; a try that came to nothing. */
  sealed: (segments: readonly StoredSegment[]) => void;
  failed: () => void;
  /** Is told what the catalog said. */
  committed: (answer: { forwards: boolean }) => void;
}

interface Prepared {
  segments: KeyedSegment[];
  rollups: Rollup[];
  ledger: LedgerDelta[];
}

export class Sealer {
  /** Consecutive failures, what the last one said, and when it may be tried again (ms). */
  failures = 0;
  lastError: string | undefined;
  retryAt = 0;
  /** When a chunk last left the log, ms; undefined in a life in which none has. */
  sealedAt: number | undefined;
  /** A seal of a former life of this object may have reached the catalog without our knowing. */
  private doubtful = true;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: SealerParts) {}

  /** Seals up to `limit` closed chunks, oldest first, one caller at a time. False when one failed. */
  run(limit: number): Promise<boolean> {
    const result = this.running.then(() => this.sealChunks(limit));
    this.running = result;
    return result;
  }

  private async sealChunks(limit: number): Promise<boolean> {
    let points = POINTS_PER_INVOCATION;
    // The last chunk is open: never sealed, only closed ones before it.
    for (let n = 0; n < limit && this.parts.log.chunks.length > 1; n++) {
      const chunk = this.parts.log.chunks[0] as Chunk;
      try {
        points -= await this.sealChunk(chunk, points);
        this.sealedAt = Date.now();
        this.failures = 0;
        this.lastError = undefined;
        this.retryAt = 0;
      } catch (error) {
        this.failures += 1;
        this.parts.failed();
        this.lastError = rootMessage(error);
        this.retryAt = Date.now() + backoff(this.failures);
        this.doubtful = true;
        console.error(`seal of ${this.parts.shard} failed ${this.failures} times: ${this.lastError}`);
        return false;
      }
    }
    return true;
  }

  /** Returns the number of metric points written. */
  private async sealChunk(chunk: Chunk, points: number): Promise<number> {
    const { log, mark, atomically, shard, shardId } = this.parts;
    const { BUCKET, DB, METRICS } = this.parts.stores();
    const { lastId } = chunk;
    await this.parts.flushIssues(lastId);
    let rollups: Rollup[] = [];
    const known = this.doubtful && (await within(STORE_TIMEOUT_MS, "D1", isSealed(DB, shard, lastId)));
    if (!known) {
      const script = this.parts.script();
      const prepared = this.prepare(chunk, { script, shardId, firstId: chunk.firstId, lastId });
      rollups = prepared.rollups;
      const segments = await this.putSegments(BUCKET, prepared.segments);
      const seal = {
        shard,
        script,
        firstId: chunk.firstId,
        lastId,
        now: Date.now(),
        segments,
        rollups,
        ledger: prepared.ledger,
      };
      const commit = (closes?: number) => within(STORE_TIMEOUT_MS, "D1", commitSeal(DB, { ...seal, closes }));
      const empties = log.chunks.length === 2 && log.nextId === lastId + 1;
      this.parts.committed(empties && mark.isSet ? await mark.takeBack(commit) : await commit());
      this.parts.sealed(segments);
    }
    this.doubtful = false;
    const { follower } = this.parts;
    const left = follower.wants(lastId, Date.now()) ? log.countsOf(chunk) : [];
    atomically(() => log.drop(chunk, Date.now()));
    follower.keep(left);
    const written = metricPoints(rollups, points);
    for (const point of written) METRICS.writeDataPoint(point);
    return written.length;
  }

  private prepare(chunk: Chunk, source: SealSource): Prepared {
    const { atomically, log } = this.parts;
    const rollups = new RollupSums();
    const ledger = new LedgerSums();
    const batches = new BatchCollection();
    const readable: StoredEntry[] = [];
    for (const entry of log.read(chunk)) {
      try {
        const deltas = JSON.parse(entry.rollups) as RollupDelta[];
        const counts = JSON.parse(entry.ledger) as LedgerDelta[];
        if (entry.rows > 0) {
          batches.add(decodeEntry(entry, source));
          readable.push(entry);
        }
        for (const delta of deltas) rollups.add(delta);
        for (const delta of counts) ledger.add(delta);
      } catch (error) {
        atomically(() => log.quarantine(chunk, entry, String(error)));
      }
    }
    try {
      const merged = batches.merged();
      const segments = merged === undefined ? [] : sealSegments(source, merged);
      return { segments, rollups: rollups.list(), ledger: ledger.list() };
    } catch (error) {
      if (!this.setAside(chunk, source, readable)) throw error;
      return this.prepare(chunk, source);
    }
  }

  /** A batch that cannot be encoded must not keep all others in the log for ever. True when one was found. */
  private setAside(chunk: Chunk, source: SealSource, entries: readonly StoredEntry[]): boolean {
    const { atomically, log } = this.parts;
    let found = false;
    for (const entry of entries) {
      try {
        const alone = new BatchCollection();
        alone.add(decodeEntry(entry, source));
        sealSegments(source, alone.merged() as ColumnBatch);
      } catch (error) {
        atomically(() => log.quarantine(chunk, entry, String(error)));
        found = true;
      }
    }
    return found;
  }

  /** Bytes are let go as soon as they are stored. */
  private async putSegments(bucket: R2Bucket, segments: KeyedSegment[]): Promise<StoredSegment[]> {
    const stored: StoredSegment[] = [];
    for (let next = segments.shift(); next !== undefined; next = segments.shift()) {
      const { bytes, ...segment } = next;
      const options = { httpMetadata: { contentType: "application/vnd.apache.parquet" } };
      await within(STORE_TIMEOUT_MS, "R2", bucket.put(segment.key, bytes, options));
      stored.push({ ...segment, size: bytes.byteLength });
    }
    return stored;
  }
}

function decodeEntry(entry: StoredEntry, { firstId }: SealSource): ColumnBatch {
  return withEntry(withTimes(decodeBatch(entry.batch), entry.minTime), entry.id - firstId);
}

/** 1 s, 2 s, 4 s … */
export function backoff(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 16), MAX_BACKOFF_MS);
}
