/**
 * Turns the events of one closed chunk of an Ingester's log into segments, one
 * per hour. `buffer/sealer.ts` hands in and puts what comes out. Pure: the same
 * events always give the same keys and rows, which is what makes a repeated
 * seal harmless.
 *
 * Everything here is synchronous on purpose. The decoded events of a chunk are
 * the largest thing an Ingester ever holds, and while this runs no other object
 * of the isolate can hold its own; what remains for the waits that follow is
 * the compressed bytes.
 */
import type { Column, ColumnBatch } from "../event/batch.ts";
import { ENTRY_COLUMN } from "../event/columns.ts";
import { errorRows } from "../event/error-rows.ts";
import { sliceRows } from "./merge.ts";
import { sealedKey } from "./paths.ts";
import { type WrittenSegment, writeSegment } from "./segment-writer.ts";

const HOUR_US = 3_600_000_000;

/**
 * Segments of one seal. More hours than that come only with old data that is
 * replayed; neighbouring hours then share a segment, which lies under the first.
 */
export const MAX_SEGMENTS_PER_SEAL = 24;

export interface KeyedSegment extends WrittenSegment {
  key: string;
  /** It holds exceptions, or events of invocations that failed. */
  errors: boolean;
}

export interface SealSource {
  script: string;
  /** Tells Ingesters apart in keys. */
  shardId: string;
  firstId: number;
  lastId: number;
}

/** `sorted` as `BatchCollection.merged` has it. */
export function sealSegments(source: SealSource, sorted: ColumnBatch): KeyedSegment[] {
  const time = timeOf(sorted);
  return hourRanges(time, MAX_SEGMENTS_PER_SEAL).map(([from, to]) => {
    const piece = from === 0 && to === sorted.rows ? sorted : sliceRows(sorted, from, to);
    const key = sealedKey(source.script, time[from] as number, source.shardId, source.firstId, source.lastId);
    return { key, errors: errorRows(piece).includes(1), ...writeSegment(piece) };
  });
}

/** Says of every row from which entry of the log it is: `number` counts from the first of the chunk. */
export function withEntry({ rows, columns }: ColumnBatch, number: number): ColumnBatch {
  const data = new Float64Array(rows).fill(number);
  return { rows, columns: new Map(columns).set(ENTRY_COLUMN, { type: "number", data }) };
}

/** Every row needs a time, or it could neither be sorted nor found: rows without one get `fallback` (µs). */
export function withTimes(batch: ColumnBatch, fallback: number): ColumnBatch {
  const column = batch.columns.get("time");
  const data = column?.type === "time" ? column.data : new Float64Array(batch.rows).fill(Number.NaN);
  for (let row = 0; row < data.length; row++) if (!Number.isFinite(data[row])) data[row] = fallback;
  const columns = new Map<string, Column>(batch.columns);
  columns.set("time", { type: "time", data });
  return { rows: batch.rows, columns };
}

/** Row ranges `[from, to)` of sorted times, one per hour, or per several hours if there are more than `max`. */
export function hourRanges(sorted: Float64Array, max: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (let from = 0; from < sorted.length; ) {
    const end = (Math.floor((sorted[from] as number) / HOUR_US) + 1) * HOUR_US;
    const to = firstAtOrAfter(sorted, end, from + 1);
    ranges.push([from, to]);
    from = to;
  }
  if (ranges.length <= max) return ranges;
  const perGroup = Math.ceil(ranges.length / max);
  const grouped: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += perGroup) {
    const last = ranges[Math.min(i + perGroup, ranges.length) - 1] as [number, number];
    grouped.push([(ranges[i] as [number, number])[0], last[1]]);
  }
  return grouped;
}

function firstAtOrAfter(sorted: Float64Array, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function timeOf(batch: ColumnBatch): Float64Array {
  const time = batch.columns.get("time");
  if (time?.type !== "time") throw new Error(`BUG: a batch to seal has no times, but ${time?.type}`);
  return time.data;
}
