/** The two makers of an event's JSON make the same of every event. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cell } from "../../../workers/event/batch.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../workers/event/batch-wire.ts";
import { OVERFLOW_COLUMN } from "../../../workers/event/columns.ts";
import { EventTexts, toJson } from "../../../workers/query/event-json.ts";
import { arbitraryEvent } from "../../support/events.ts";

describe("an event as text", () => {
  it("is what the API answers for it, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(arbitraryEvent, { minLength: 1, maxLength: 20 }), (events) => {
        const builder = new BatchBuilder();
        for (const event of events) builder.push(event);
        const batch = decodeBatch(builder.encode());
        const texts = new EventTexts(batch);
        for (let row = 0; row < batch.rows; row++) {
          const cells = new Map(
            [...batch.columns].flatMap(([name, column]) => {
              const value = cell(column, row);
              if (value === undefined) return [];
              if (name !== OVERFLOW_COLUMN) return [[name, value] as const];
              return Object.entries(JSON.parse(String(value)) as Record<string, string>);
            }),
          );
          expect(JSON.parse(texts.text(row))).toEqual(JSON.parse(JSON.stringify(toJson(cells))));
        }
      }),
    );
  });

  it("has further fields where they are given", () => {
    const builder = new BatchBuilder();
    builder.push({ time: 0, kind: "log", script: "s", invocation_id: "i", seq: 0, sample_weight: 1 });
    const text = new EventTexts(decodeBatch(builder.encode())).text(0, { mapped_stack: 'at "x"\n' });
    expect(JSON.parse(text)).toMatchObject({ mapped_stack: 'at "x"\n', attributes: {} });
  });
});
