/** The end of a scan: `stats.ts` aggregates, `events.ts` keeps the first n events. `scan.ts` feeds either. */
import type { ColumnBatch } from "../event/batch.ts";
import { SegmentError } from "../store/segment-reader.ts";
import type { Node } from "./filter/compile.ts";
import type { Table } from "./table.ts";

/** More columns of a batch that was taken, read when it is known which of its rows are wanted. */
export interface MoreColumns {
  /** All that the batch has; the overflow column stands for those that share it. */
  names: readonly string[];
  /** Rows other than those may come as null. */
  read(names: readonly string[], rows: Int32Array): Promise<ColumnBatch>;
}

export interface Sink {
  /** In which order of time batches had best come. */
  readonly order: "newest" | "oldest" | "any";
  /** Columns that `narrow` needs. */
  readonly first: readonly string[];
  /** Columns that `take` needs. */
  readonly columns: readonly string[];
  /** Filters that `take` evaluates on its batch. */
  readonly filters?: readonly Node[];
  /** False when no event between these times (µs, both included) can change the answer any more. */
  wants(minTime: number, maxTime: number): boolean;
  /** Those of the matching rows that can change the answer, by what little has been read so far. */
  narrow(batch: ColumnBatch, rows: Int32Array): Int32Array;
  /** Narrowed rows of one batch. Correct in any order of batches. */
  take(batch: ColumnBatch, rows: Int32Array, more: MoreColumns): void;
  /** After the last batch, before the table. What could not be read, in words. */
  finish(): Promise<string[]>;
  table(): Table;
}

/** Undefined when it succeeds; what could not be read when a segment is damaged or gone. Anything else is thrown. */
export async function reading(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof SegmentError) return error.message;
    throw error;
  }
}
