/**
 * Decoded batches on their way into one segment, in the order in which they were
 * read: `buffer/sealer.ts` puts in those of a chunk of the log, `compaction.ts`
 * the row groups of segments. Bounds what wide batches take in memory.
 */
import type { ColumnBatch } from "../event/batch.ts";
import { mergeByTime } from "./merge.ts";
import { chooseColumns, foldAttributes } from "./overflow.ts";

/**
 * Decoded batches have an entry per row and column, so thousands of attribute
 * names, each in a few rows, would make millions of empty cells. Beyond so many
 * (some 30 MB), rare names share the overflow column from here on.
 */
const MAX_CELLS = 4_000_000;

export class BatchCollection {
  private batches: ColumnBatch[] = [];
  private cells = 0;
  private keep: ReadonlySet<string> | undefined;

  add(batch: ColumnBatch): void {
    this.batches.push(this.keep === undefined ? batch : foldAttributes(batch, this.keep));
    this.cells += batch.rows * batch.columns.size;
    if (this.cells > MAX_CELLS && this.keep === undefined) this.fold();
  }

  /** All rows, by time; undefined when there are none. */
  merged(): ColumnBatch | undefined {
    if (this.batches.length === 0) return undefined;
    this.fold();
    const merged = mergeByTime(this.batches);
    this.batches = [];
    return merged;
  }

  private fold(): void {
    const keep = this.keep ?? chooseColumns(this.batches);
    this.keep = keep;
    this.batches = this.batches.map((batch) => foldAttributes(batch, keep));
  }
}
