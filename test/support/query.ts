/** Runs queries over events in memory, some of them live and some in segments: no workerd, no D1. */
import { BatchBuilder } from "../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../workers/event/batch-wire.ts";
import type { TailraceEvent } from "../../workers/event/event.ts";
import { Budget, type Limits } from "../../workers/query/budget.ts";
import { decodeCursor, EventSink } from "../../workers/query/events.ts";
import { parseQuery } from "../../workers/query/language/parse.ts";
import type { LiveBatch } from "../../workers/query/live.ts";
import { chooseSegments, planQuery, type TimeRange } from "../../workers/query/plan.ts";
import { runScan } from "../../workers/query/scan.ts";
import { SealedReader } from "../../workers/query/sealed.ts";
import { StatsSink } from "../../workers/query/stats.ts";
import { applyPipe, type Table } from "../../workers/query/table.ts";
import type { CatalogSegment, SegmentPruning } from "../../workers/store/catalog.ts";
import { sortByTime } from "../../workers/store/merge.ts";
import { writeSegment } from "../../workers/store/segment-writer.ts";

export interface Store {
  live: LiveBatch[];
  segments: CatalogSegment[];
  pruning: Map<string, SegmentPruning>;
  objects: Map<string, Uint8Array>;
}

let stores = 0;

export function batchOf(events: readonly TailraceEvent[]) {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  const text = builder.encode();
  return { batch: decodeBatch(text), minTime: builder.minTime, maxTime: builder.maxTime, chars: text.length };
}

/** Each list becomes one live batch or one segment. */
export function storeOf(live: readonly TailraceEvent[][], sealed: readonly TailraceEvent[][]): Store {
  const store: Store = { live: [], segments: [], pruning: new Map(), objects: new Map() };
  live.forEach((events, id) => {
    if (events.length > 0) store.live.push({ shard: "s", id, ...batchOf(events) });
  });
  const prefix = `store${stores++}`;
  sealed.forEach((events, i) => {
    if (events.length === 0) return;
    const key = `${prefix}/${i}.parquet`;
    const { bytes, rows, minTime, maxTime, pruning } = writeSegment(sortByTime(batchOf(events).batch));
    store.objects.set(key, bytes);
    store.segments.push({ key, script: "s", minTime, maxTime, rows, bytes: bytes.length, level: 0 });
    store.pruning.set(key, { key, pruning: JSON.parse(JSON.stringify(pruning)) });
  });
  return store;
}

/** As much of R2 as the reader asks. */
export function bucketOf(objects: ReadonlyMap<string, Uint8Array>, onRead?: (key: string) => void): R2Bucket {
  const get = async (key: string, { range }: { range: { offset: number; length: number } }) => {
    onRead?.(key);
    const object = objects.get(key);
    if (object === undefined) return null;
    return { arrayBuffer: async () => object.slice(range.offset, range.offset + range.length).buffer };
  };
  return { get } as unknown as R2Bucket;
}

export const ALWAYS: TimeRange = { from: 0, to: 4e15 };

export interface AskOptions {
  range?: TimeRange;
  limit?: number;
  now?: number;
  before?: string;
  limits?: Limits;
  signal?: AbortSignal;
  onRead?: (key: string) => void;
  maxExactValues?: number;
}

/** The table, before it is written as an answer: times are µs. */
export async function ask(store: Store, q: string, options: AskOptions = {}) {
  const parsed = parseQuery(q, options.now ?? 0);
  if (!parsed.ok) throw new Error(parsed.problem.message);
  const plan = planQuery(parsed.query, options.range ?? ALWAYS);
  const limit = Math.min(options.limit ?? 1_000, plan.limit ?? 10_000);
  const after = options.before === undefined ? undefined : decodeCursor(options.before);
  const sink = plan.stats
    ? new StatsSink(plan.stats.aggregates, plan.stats.by, options.maxExactValues)
    : new EventSink({ limit, sort: plan.sort, fields: plan.fields, after });
  const budget = new Budget(options.signal, options.limits);
  const { read, pruned } = chooseSegments(store.segments, store.pruning, plan, sink.order);
  const reader = new SealedReader(bucketOf(store.objects, options.onRead), budget);
  const missing = await runScan({ plan, sink, budget, live: store.live, segments: read, reader });
  let table: Table = sink.table();
  for (const pipe of plan.after) table = await applyPipe(table, pipe, budget.pause);
  return { ...table, budget, pruned, missing, next: sink instanceof EventSink ? sink.next() : undefined };
}
