/** Batches and segments for tests of the store, in Node and in workerd alike. */
import { BatchBuilder, type Column, type ColumnBatch, cell, decodeBatch } from "../../workers/event/batch.ts";
import type { AttributeValue, TailraceEvent } from "../../workers/event/event.ts";
import type { ByteSource } from "../../workers/store/segment-reader.ts";

export function batchOf(events: readonly TailraceEvent[]): ColumnBatch {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  return decodeBatch(builder.encode());
}

/** A source over bytes in memory that records what was read. */
export function sourceOf(bytes: Uint8Array): ByteSource & { reads: [offset: number, length: number][] } {
  const reads: [number, number][] = [];
  return {
    reads,
    async read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
}

/** All cells of a column: undefined for null. */
export function cells(column: Column | undefined, rows: number): (AttributeValue | undefined)[] {
  return Array.from({ length: rows }, (_, row) => cell(column, row));
}

/** Numbers that repeat: the same seed gives the same sequence. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
