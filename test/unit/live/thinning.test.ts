/** A sample of what is too much: fair to every invocation, errors first, never more than was asked for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { OpenEntry } from "../../../workers/live/entry.ts";
import { Bucket, type Candidates, thin } from "../../../workers/live/thinning.ts";

const log = (invocation: number, seq: number, isError = false): TailraceEvent => ({
  ...{ time: 1, kind: "log", script: "s", invocation_id: `invocation ${invocation}`, seq, sample_weight: 1 },
  ...(isError ? { level: "error" } : {}),
});

function candidates(events: TailraceEvent[]): Candidates {
  const batch = new BatchBuilder();
  for (const event of events) batch.push(event);
  const raw = {
    id: 1,
    through: 1,
    rows: events.length,
    at: 0,
    batch: batch.encode(),
    extras: "",
    script: "s",
    shard: "s",
  };
  const entry = new OpenEntry(raw);
  const mask = new Uint8Array(events.length).fill(1);
  const { errors } = entry.tally(mask);
  return { entry, mask, events: events.length, errors };
}

const sum = (masks: readonly Uint8Array[]) => masks.reduce((n, mask) => n + mask.reduce((a, b) => a + b, 0), 0);

describe("thinning", () => {
  it("leaves alone what is within the rate", () => {
    const all = candidates(Array.from({ length: 100 }, (_, k) => log(k, 0)));
    expect(sum(thin([all], new Bucket(100, 0), 0))).toBe(100);
  });

  it("keeps whole invocations, about as many as there is room for", () => {
    const all = candidates(Array.from({ length: 10_000 }, (_, k) => log(Math.floor(k / 10), k % 10)));
    const [mask] = thin([all], new Bucket(1_000, 0), 0) as [Uint8Array];
    expect(sum([mask])).toBeGreaterThan(800);
    expect(sum([mask])).toBeLessThan(1_200);
    for (let at = 0; at < mask.length; at += 10) expect(new Set(mask.subarray(at, at + 10)).size).toBe(1);
  });

  it("keeps errors as long as they alone are not too much", () => {
    const all = candidates(Array.from({ length: 5_000 }, (_, k) => log(k, 0, k % 50 === 0)));
    const bucket = new Bucket(60, 0);
    // The bucket is empty, and errors still come.
    thin([candidates([log(1, 0)])], bucket, 0);
    bucket.spend(59);
    const [mask] = thin([all], bucket, 0) as [Uint8Array];
    const { errors } = all.entry;
    expect(mask.filter((shown, row) => shown === 1 && errors[row] === 1)).toHaveLength(
      mask.filter((shown) => shown === 1).length,
    );
    expect(sum([mask])).toBeGreaterThan(40);
  });

  it("shows over time no more than the rate, and a second's worth or two on top", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.record({ wait: fc.nat(2_000), events: fc.nat(400), errors: fc.nat(3) }), { maxLength: 20 }),
        (rate, pushes) => {
          const bucket = new Bucket(rate, 0);
          let now = 0;
          let shown = 0;
          let id = 0;
          for (const { wait, events, errors } of pushes) {
            now += wait;
            const all = Array.from({ length: events }, (_, k) => log(id++, 0, errors > 0 && k % errors === 0));
            if (events > 0) shown += sum(thin([candidates(all)], bucket, now));
            expect(shown).toBeLessThanOrEqual((rate * now) / 1_000 + 2 * rate);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
