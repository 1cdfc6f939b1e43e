/**
 * What the Ingesters have not sealed yet. Asked before the catalog is read, so
 * that an event sealed in between is found in both and counted once (`run.ts`
 * leaves out what the catalog's marks cover). Decoded batches are kept between
 * queries: only what is new travels and is parsed.
 */
import type { IngesterRpc, UnsealedBatch } from "../buffer/contract.ts";
import type { ColumnBatch } from "../event/batch.ts";
import { decodeBatch } from "../event/batch-wire.ts";
import type { ShardRow } from "../store/catalog.ts";
import { within } from "../util/within.ts";
import { LIVE_CACHE_CHARS, LIVE_TIMEOUT_MS, MAX_LIVE_CHARS } from "./limits.ts";
import type { TimeRange } from "./plan.ts";

/** Ingesters asked at once. */
const ASK_WIDTH = 16;
/** Batch ids and times of all that was ever logged. */
const ALL: TimeRange = { from: -Number.MAX_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };

export interface LiveBatch {
  shard: string;
  id: number;
  minTime: number;
  maxTime: number;
  batch: ColumnBatch;
  /** Of its text: what the limits count. */
  chars: number;
}

export interface LiveAnswer {
  batches: LiveBatch[];
  /** Shards that could not be read, and why. */
  missing: string[];
}

type Namespace = Pick<Env["INGESTER"], "getByName">;

interface ShardCache {
  /** All batches up to this id that were unsealed when asked. */
  through: number;
  batches: LiveBatch[];
}

const cache = new Map<string, ShardCache>();
let cachedChars = 0;

const charsOf = (batches: readonly LiveBatch[]) => batches.reduce((sum, { chars }) => sum + chars, 0);

function forget(shard: string): void {
  cachedChars -= charsOf(cache.get(shard)?.batches ?? []);
  cache.delete(shard);
}

export async function readLive(
  ingesters: Namespace,
  shards: readonly ShardRow[],
  range: TimeRange,
): Promise<LiveAnswer> {
  const answer: LiveAnswer = { batches: [], missing: [] };
  const budget = { left: MAX_LIVE_CHARS };
  for (let at = 0; at < shards.length; at += ASK_WIDTH) {
    const asked = shards.slice(at, at + ASK_WIDTH).map((row) => readShard(ingesters, row, range, budget));
    for (const part of await Promise.all(asked)) {
      if (typeof part === "string") answer.missing.push(part);
      else for (const b of part) if (b.maxTime >= range.from && b.minTime < range.to) answer.batches.push(b);
    }
  }
  return answer;
}

/**
 * Its batches, or what to say about their absence. All that a query holds counts
 * on one budget, however many Workers it comes from: kept batches, and pages
 * when they arrive.
 */
async function readShard(
  ingesters: Namespace,
  row: ShardRow,
  range: TimeRange,
  budget: { left: number },
): Promise<LiveBatch[] | string> {
  const { shard } = row;
  const tooMuch = `${shard}: more unsealed events than one query can read`;
  try {
    const known = cache.get(shard) ?? { through: row.sealedThrough, batches: [] };
    const fresh = await ask(ingesters, shard, ALL, known.through, LIVE_CACHE_CHARS, budget);
    if (fresh.more) {
      // Too much to keep: only what this query's time range needs.
      forget(shard);
      budget.left += charsOf(fresh.batches);
      const ranged = await ask(ingesters, shard, range, row.sealedThrough, MAX_LIVE_CHARS, budget);
      if (!ranged.more) return ranged.batches;
      budget.left += charsOf(ranged.batches);
      return tooMuch;
    }
    if (charsOf(known.batches) > budget.left) {
      budget.left += charsOf(fresh.batches);
      return tooMuch;
    }
    budget.left -= charsOf(known.batches);
    const batches = [...known.batches, ...fresh.batches].filter((b) => b.id > row.sealedThrough);
    remember(shard, known.through, batches);
    return batches;
  } catch (error) {
    forget(shard);
    return `${shard}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** `known`: through which id the cache held all there was. */
function remember(shard: string, known: number, batches: LiveBatch[]): void {
  forget(shard);
  const chars = charsOf(batches);
  while (cachedChars + chars > LIVE_CACHE_CHARS && cache.size > 0) forget(cache.keys().next().value as string);
  if (cachedChars + chars > LIVE_CACHE_CHARS) return;
  cache.set(shard, { through: batches.at(-1)?.id ?? known, batches });
  cachedChars += chars;
}

async function ask(
  ingesters: Namespace,
  shard: string,
  range: TimeRange,
  afterId: number,
  maxChars: number,
  budget: { left: number },
): Promise<{ batches: LiveBatch[]; more: boolean }> {
  const ingester: Pick<IngesterRpc, "unsealed"> = ingesters.getByName(shard);
  const batches: LiveBatch[] = [];
  let chars = 0;
  let after = afterId;
  for (;;) {
    const page = await within(LIVE_TIMEOUT_MS, undefined, ingester.unsealed({ ...range, afterId: after }));
    for (const batch of page.batches) {
      chars += batch.batch.length;
      budget.left -= batch.batch.length;
      batches.push(decode(shard, batch));
    }
    if (budget.left < 0) return { batches, more: true };
    if (!page.more) return { batches, more: false };
    if (chars > maxChars) return { batches, more: true };
    after = page.batches.at(-1)?.id ?? after;
  }
}

function decode(shard: string, { id, minTime, maxTime, batch }: UnsealedBatch): LiveBatch {
  return { shard, id, minTime, maxTime, batch: decodeBatch(batch), chars: batch.length };
}
