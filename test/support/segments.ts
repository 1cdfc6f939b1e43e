/** Batches and segments for tests of the store, in Node and in workerd alike. */
import { type Column, type ColumnBatch, cell, type NumberColumn } from "../../workers/event/batch.ts";
import { BatchBuilder } from "../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../workers/event/batch-wire.ts";
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

/** A column of text with an entry of its own for every row that has a value. */
export function stringColumn(rows: number, make: (row: number) => string | undefined): Column {
  const dict: string[] = [];
  const index = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    const value = make(row);
    if (value !== undefined) index[row] = dict.push(value) - 1;
  }
  return { type: "string", dict, index };
}

export function numberColumn(rows: number, type: NumberColumn["type"], make: (row: number) => number): Column {
  return { type, data: Float64Array.from({ length: rows }, (_, row) => make(row)) };
}

/** Hex digits that do not compress. */
export function hexOf(random: () => number, digits: number): string {
  let text = "";
  while (text.length < digits) {
    text += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
  return text.slice(0, digits);
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
