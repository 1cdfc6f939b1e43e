import fc from "fast-check";
import { expect, test } from "vitest";
import { eventAt } from "../../../workers/event/batch.ts";
import { BatchBuilder, MAX_BATCH_ATTRIBUTES } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import type { AttributeValue } from "../../../workers/event/event.ts";
import { arbitraryEvent } from "../../support/events.ts";

test("core fields survive encoding and decoding, whatever the events", () => {
  fc.assert(
    fc.property(fc.array(arbitraryEvent, { maxLength: 30 }), (events) => {
      const builder = new BatchBuilder();
      for (const event of events) builder.push(event);
      const batch = decodeBatch(builder.encode());
      expect(batch.rows).toBe(events.length);
      events.forEach((event, row) => {
        const { attributes: _, ...core } = event;
        expect(eventAt(batch, row)).toMatchObject(core);
      });
    }),
    { numRuns: 200 },
  );
});

test("values of two types under one attribute all become text", () => {
  const base = { time: 1, kind: "log", script: "shop", invocation_id: "a", seq: 0, sample_weight: 1 } as const;
  const builder = new BatchBuilder();
  builder.push({ ...base, attributes: { size: 12, ok: true } });
  builder.push({ ...base, attributes: { size: "large", ok: "maybe" } });
  const batch = decodeBatch(builder.encode());
  expect(eventAt(batch, 0).attributes).toEqual({ size: "12", ok: "true" });
  expect(eventAt(batch, 1).attributes).toEqual({ size: "large", ok: "maybe" });
});

test("names without end share a column: a batch has a bounded width, and loses nothing", () => {
  const builder = new BatchBuilder();
  const base = { time: 1, kind: "log", script: "shop", invocation_id: "a", sample_weight: 1 } as const;
  const wide = (seq: number) => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`user-${seq * 40 + i}`, i]));
  for (let seq = 0; seq < 100; seq++)
    builder.push({ ...base, seq, attributes: { ...wide(seq), message: "m", common: 1 } });
  const batch = decodeBatch(builder.encode());
  expect(batch.columns.size).toBeLessThan(MAX_BATCH_ATTRIBUTES + 20);
  for (let seq = 0; seq < 100; seq++) {
    expect({ ...eventAt(batch, seq).attributes }).toEqual({ ...wide(seq), "attr.message": "m", common: 1 });
  }
});

test("ids that turn out to repeat are kept as they are", () => {
  const builder = new BatchBuilder();
  const base = { time: 1, kind: "log", script: "shop", invocation_id: "a", sample_weight: 1 } as const;
  const ids = Array.from({ length: 300 }, (_, seq) => `id-${seq < 200 ? seq : seq % 7}`);
  ids.forEach((id, seq) => {
    builder.push({ ...base, seq, attributes: { id } });
  });
  const batch = decodeBatch(builder.encode());
  expect(ids.map((_, row) => eventAt(batch, row).attributes?.id)).toEqual(ids);
});

test("numbers and gaps of any size survive encoding and decoding", () => {
  const number = fc.oneof(
    fc.nat(150),
    fc.integer(),
    fc.integer().map((v) => v / 1000),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => (v === 0 ? 0 : v)),
  );
  const few = fc.array(fc.option(fc.nat(90), { nil: undefined }), { maxLength: 300 });
  const fractions = fc.array(
    fc.option(
      fc.nat(90_000).map((v) => v / 1000),
      { nil: undefined },
    ),
    { maxLength: 300 },
  );
  const column = fc.oneof(few, fractions, fc.array(fc.option(number, { nil: undefined }), { maxLength: 300 }));
  const start = fc.oneof(fc.constant(1_790_000_000_000_000), fc.nat());
  fc.assert(
    fc.property(column, column, fc.nat(200), start, fc.nat(200), (a, b, gap, time, words) => {
      const builder = new BatchBuilder();
      const rows = Array.from({ length: Math.max(a.length, b.length + gap) }, (_, row) => ({
        time: time + row * (words % 2 === 0 ? 1000 : 1),
        seq: row,
        attributes: given({ a: a[row], b: b[row - gap], word: row % 3 === 0 ? undefined : `w${row % (words + 1)}` }),
      }));
      for (const row of rows) {
        builder.push({ ...row, kind: "log", script: "shop", invocation_id: "a", sample_weight: 1 });
      }
      const batch = decodeBatch(builder.encode());
      rows.forEach((row, at) => {
        const { time, seq, attributes } = eventAt(batch, at);
        expect({ time, seq, attributes: { ...attributes } }).toEqual(row);
      });
    }),
    { numRuns: 200 },
  );
});

function given(values: Record<string, AttributeValue | undefined>): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined),
  );
}
