import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_SHARDS } from "../../../workers/buffer/contract.ts";
import {
  HARD_APPENDS,
  HARD_BYTES,
  HARD_EVENTS,
  SOFT_APPENDS,
  SOFT_BYTES,
  SOFT_EVENTS,
} from "../../../workers/buffer/limits.ts";
import { admits, BUSY_PER_SECOND, Meter, wantedShards } from "../../../workers/buffer/pressure.ts";

describe("admits", () => {
  const events = { rows: 10, essential: false };
  const errors = { rows: 10, essential: true };
  const ledger = { rows: 0, essential: false };
  for (const [load, batch, taken] of [
    [{ rows: 0, bytes: 0 }, events, true],
    [{ rows: SOFT_EVENTS, bytes: 0 }, events, false],
    [{ rows: 0, bytes: SOFT_BYTES }, events, false],
    [{ appends: SOFT_APPENDS }, events, false],
    [{ appends: SOFT_APPENDS }, errors, true],
    [{ appends: HARD_APPENDS }, errors, false],
    [{ rows: SOFT_EVENTS, bytes: SOFT_BYTES }, errors, true],
    [{ rows: SOFT_EVENTS, bytes: SOFT_BYTES }, ledger, true],
    [{ rows: HARD_EVENTS, bytes: 0 }, errors, false],
    [{ rows: 0, bytes: HARD_BYTES }, ledger, false],
  ] as const) {
    it(`${taken ? "takes" : "refuses"} ${JSON.stringify(batch)} at ${JSON.stringify(load)}`, () => {
      expect(admits({ rows: 0, bytes: 0, appends: 0, ...load }, batch)).toBe(taken);
    });
  }
});

describe("the hint how many shards a Worker should have", () => {
  function meterAt(appendsPerSecond: number, seconds: number): Meter {
    const meter = new Meter(0);
    for (let i = 0; i < appendsPerSecond * seconds; i++) meter.add((i * 1000) / appendsPerSecond, 1, 100);
    return meter;
  }

  it("is what the caller has until the shard has seen a while", () => {
    expect(wantedShards(4, meterAt(1, 5).use())).toBe(4);
  });

  it("doubles when one limit is reached, at once", () => {
    expect(wantedShards(1, meterAt(BUSY_PER_SECOND.appends + 1, 10).use())).toBe(2);
    const few = new Meter(0);
    few.add(0, BUSY_PER_SECOND.rows * 10, 100);
    expect(wantedShards(2, few.use())).toBe(4);
  });

  it("halves when all are far below, and stays in between", () => {
    expect(wantedShards(4, meterAt(10, 30).use())).toBe(2);
    expect(wantedShards(4, meterAt(BUSY_PER_SECOND.appends / 2, 30).use())).toBe(4);
  });

  it("forgets a busy time after a pause", () => {
    const meter = meterAt(BUSY_PER_SECOND.appends * 2, 15);
    meter.add(60_000, 1, 100);
    expect(wantedShards(2, meter.use())).toBe(1);
  });

  it("does not swing: what halving brings about is not answered by doubling", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 40, noNaN: true }), fc.integer({ min: 0, max: 4 }), (total, power) => {
        const spread = 2 ** power;
        const next = wantedShards(spread, total / spread);
        if (next < spread) expect(wantedShards(next, total / next)).toBeLessThanOrEqual(next);
      }),
    );
  });

  it("is between 1 and the upper bound, whatever callers say", () => {
    fc.assert(
      fc.property(fc.double(), fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }), (spread, use) => {
        const shards = wantedShards(spread, use);
        expect(Number.isInteger(shards)).toBe(true);
        expect(shards).toBeGreaterThanOrEqual(1);
        expect(shards).toBeLessThanOrEqual(MAX_SHARDS);
      }),
    );
  });
});
