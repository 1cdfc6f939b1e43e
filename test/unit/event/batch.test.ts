import fc from "fast-check";
import { expect, test } from "vitest";
import { eventAt } from "../../../workers/event/batch.ts";
import { BatchBuilder, MAX_BATCH_ATTRIBUTES } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
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
