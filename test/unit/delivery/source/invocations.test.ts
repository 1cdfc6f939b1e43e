/** From columns to invocations: nothing is left out, and the order is the same however the rows are mixed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entriesOf, Invocations } from "../../../../workers/delivery/source/invocations.ts";
import { PageBuilder } from "../../../../workers/delivery/source/page.ts";
import { eventAt } from "../../../../workers/event/batch.ts";
import { BatchBuilder } from "../../../../workers/event/batch-builder.ts";
import { decodeBatch } from "../../../../workers/event/batch-wire.ts";
import type { TailraceEvent } from "../../../../workers/event/event.ts";
import { BatchCollection } from "../../../../workers/store/batch-collection.ts";
import { withEntry } from "../../../../workers/store/seal.ts";
import { arbitraryEvent } from "../../../support/events.ts";

function batchOf(events: readonly TailraceEvent[]) {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  return decodeBatch(builder.encode());
}

const id = (n: number) => n.toString(16).padStart(32, "0");
const event = (n: number, seq: number, more: Partial<TailraceEvent> = {}): TailraceEvent => {
  return { time: 1_000_000 - seq, kind: "log", script: "s", invocation_id: id(n), seq, sample_weight: 1, ...more };
};

/** Whatever order its members came in. */
function canonical(event: TailraceEvent): string {
  const sorted = (object: object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  const { attributes = {}, ...core } = event;
  return JSON.stringify([sorted(core), sorted(attributes)]);
}

describe("Invocations", () => {
  it("makes events as they were put in, attributes of any name among them", () => {
    fc.assert(
      fc.property(fc.array(arbitraryEvent, { minLength: 1, maxLength: 30 }), (events) => {
        const batch = batchOf(events);
        const source = new Invocations("s");
        source.add(batch, () => 1);
        const made = source.list().flatMap((found) => source.make(found).events);
        const expected = Array.from({ length: batch.rows }, (_, row) => eventAt(batch, row));
        expect(made.map(canonical).sort()).toEqual(expected.map(canonical).sort());
      }),
      { numRuns: 100 },
    );
  });

  it("gives the same invocations in the same order from the log and from what was sealed of it", () => {
    const entry = fc.array(fc.tuple(fc.nat(20), fc.nat(5)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (entries) => {
        const batches = entries.map((rows) =>
          batchOf(rows.map(([n, seq]) => event(n, seq, { message: `${n}.${seq}` }))),
        );
        const log = batches.flatMap((batch, i) => {
          const source = new Invocations("s");
          source.add(batch, () => 100 + i);
          return source.list().map((found) => ({ ...found, rows: [], made: source.make(found) }));
        });
        const collection = new BatchCollection();
        for (const [i, batch] of batches.entries()) collection.add(withEntry(batch, i));
        const merged = collection.merged();
        const source = new Invocations("s");
        if (merged !== undefined) source.add(merged, entriesOf(merged, 100, 0));
        const sealed = source.list().map((found) => ({ ...found, rows: [], made: source.make(found) }));
        expect(sealed).toEqual(log);
      }),
      { numRuns: 100 },
    );
  });

  it("says which hold errors: exceptions, issues, failed invocations; not one whose client left", () => {
    const source = new Invocations("s");
    const batch = batchOf([
      event(1, 0, { kind: "invocation", outcome: "ok", status: 200 }),
      event(2, 0, { kind: "exception" }),
      event(3, 0, { kind: "invocation", outcome: "exceededCpu" }),
      event(4, 0, { kind: "invocation", outcome: "ok", status: 503 }),
      event(5, 0, { kind: "invocation", outcome: "canceled", status: 500 }),
      event(6, 0, { fingerprint: "f" }),
    ]);
    source.add(batch, () => 1);
    expect(source.list().map(({ isError }) => isError)).toEqual([false, true, true, true, false, true]);
  });
});

describe("PageBuilder", () => {
  const source = new Invocations("s");
  source.add(batchOf([event(1, 0), event(1, 1), event(2, 0), event(3, 0, { kind: "exception" })]), () => 7);
  source.add(batchOf([event(4, 0)]), () => 8);
  const rest = { more: false, use: 0, isBusy: false, from: "log" as const, lost: 0, waiting: 0, oldest: null };
  const built = (from: { through: number; offset: number }, maxRows: number, errorsOnly = false) => {
    const page = new PageBuilder(from, maxRows, errorsOnly);
    page.take(source, source.list());
    return page.build({ through: 9, offset: 0 }, rest);
  };

  it("knows the position after each invocation, and goes on from there", () => {
    const page = built({ through: 6, offset: 0 }, 100);
    expect(page.invocations.map((one) => one.id)).toEqual([1, 2, 3, 4].map(id));
    expect([0, 1, 2, 3, 4].map((n) => page.after(n))).toEqual([
      { through: 6, offset: 0 },
      { through: 6, offset: 1 },
      { through: 6, offset: 2 },
      { through: 7, offset: 0 },
      { through: 9, offset: 0 },
    ]);
    for (let n = 0; n <= 4; n++) {
      expect(built(page.after(n), 100).invocations.map((one) => one.id)).toEqual([1, 2, 3, 4].slice(n).map(id));
    }
  });

  it("is full by rows, takes one invocation at least, and says that there is more", () => {
    const page = built({ through: 6, offset: 0 }, 1);
    expect(page.invocations.map((one) => one.events.length)).toEqual([2]);
    expect(page).toMatchObject({ more: true });
    expect(page.after(1)).toEqual({ through: 6, offset: 1 });
  });

  it("leaves out what holds no error, without changing what positions mean", () => {
    const page = built({ through: 6, offset: 1 }, 100, true);
    expect(page.invocations.map((one) => one.id)).toEqual([id(3)]);
    expect(page.after(1)).toEqual({ through: 9, offset: 0 });
  });
});
