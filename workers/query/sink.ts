/** The end of a scan: `stats.ts` aggregates, `events.ts` keeps the first n events. `scan.ts` feeds either. */
import type { ColumnBatch } from "../event/batch.ts";
import type { Table } from "./table.ts";

/** More columns of a batch that is being taken, read only now that rows of it are wanted. */
export interface MoreColumns {
  /** All that the batch has. */
  names: readonly string[];
  read(names: readonly string[]): Promise<ColumnBatch>;
}

export interface Sink {
  /** In which order of time batches had best come. */
  readonly order: "newest" | "oldest" | "any";
  /** Columns that `take` needs, besides those of the filter. */
  readonly columns: readonly string[];
  /** False when no event between these times (µs, both included) can change the answer any more. */
  wants(minTime: number, maxTime: number): boolean;
  /** Matching rows of one batch. Correct in any order of batches, and with calls interleaved. */
  take(batch: ColumnBatch, rows: Int32Array, more: MoreColumns): void | Promise<void>;
  table(): Table;
}
