/** The tests behind the verdicts: false alarms are bounded, and what must not matter does not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generator, poisson } from "../../../bench/lib/rollouts/random.mjs";
import { Clearance, Difference, Recent } from "../../../workers/rollouts/decide/difference.ts";
import { EvidenceAgainst } from "../../../workers/rollouts/decide/evidence-against.ts";

const logChoose = (n: number, k: number): number => {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
};

/** Exact: over all tables with these margins, as both versions being alike makes them. */
function expectedWealth(n0: number, n1: number, f: number): number {
  let expected = 0;
  for (let f1 = Math.max(0, f - n0); f1 <= Math.min(f, n1); f1++) {
    const chance = Math.exp(logChoose(n1, f1) + logChoose(n0, f - f1) - logChoose(n0 + n1, f));
    expected += chance * Math.exp(new EvidenceAgainst().log(n0, f - f1, n1, f1));
  }
  return expected;
}

const table = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n0, n1, share]) => ({ n0, n1, f: Math.round(share * (n0 + n1)) }));

describe("evidence against the new version", () => {
  test("is a fair bet in every single table of every size: expectation at most 1", () => {
    fc.assert(fc.property(table, ({ n0, n1, f }) => expectedWealth(n0, n1, f) <= 1 + 1e-9));
  });

  test("a stratum counts the same whether it is open or closed", () => {
    const stratum = fc.tuple(fc.nat(500), fc.nat(500), fc.nat(50), fc.nat(50));
    fc.assert(
      fc.property(fc.array(stratum, { maxLength: 20 }), (strata) => {
        const closed = new EvidenceAgainst();
        for (const [a, b, f0, f1] of strata) {
          const [n0, n1] = [a + f0, b + f1];
          const open = closed.log(n0, f0, n1, f1);
          closed.close(n0, f0, n1, f1);
          expect(open).toBeCloseTo(closed.log(), 9);
        }
      }),
    );
  });

  test("minutes in which only one version had traffic say nothing", () => {
    const against = new EvidenceAgainst();
    against.close(1000, 900, 0, 0);
    against.close(0, 0, 1000, 900);
    expect(against.log()).toBe(0);
  });

  test("without a failure of the new version the evidence never grows", () => {
    const against = new EvidenceAgainst();
    let before = 0;
    for (let minute = 0; minute < 100; minute++) {
      against.close(500, minute % 7, 30, 0);
      const now = against.log();
      expect(now).toBeLessThanOrEqual(before + 1e-9);
      before = now;
    }
  });

  test("an outage that strikes both alike takes, and hardly ever gives", () => {
    const against = new EvidenceAgainst();
    for (let minute = 0; minute < 10; minute++) against.close(10_000, 100, 500, 5);
    const before = against.log();
    against.close(10_000, 6_000, 500, 300);
    expect(against.log()).toBeLessThanOrEqual(before + 1e-9);
  });

  test("a regression that begins after hours is found nonetheless", () => {
    const against = new EvidenceAgainst();
    for (let minute = 0; minute < 300; minute++) against.close(11_400, 114, 600, 6);
    for (let minute = 0; minute < 5; minute++) against.close(11_400, 114, 600, 18);
    expect(against.log()).toBeGreaterThan(Math.log(1000));
  });

  test("false alarms over a thousand looks stay below what is allowed, also at looks inside of minutes", () => {
    const allowed = 0.02;
    const runs = 1_000;
    for (const rate of [0.01, 0.2]) {
      let alarms = 0;
      for (let run = 0; run < runs; run++) if (everAbove(-Math.log(allowed), rate, run)) alarms++;
      expect(alarms / runs).toBeLessThanOrEqual(allowed);
    }
  });
});

/** Both alike, 100 minutes with a look every 6 s. */
function everAbove(limit: number, rate: number, run: number): boolean {
  const random = generator(20_261_121, run);
  const against = new EvidenceAgainst();
  for (let minute = 0; minute < 100; minute++) {
    const open: [number, number, number, number] = [0, 0, 0, 0];
    for (let look = 0; look < 10; look++) {
      const f0 = poisson(90 * rate, random);
      const f1 = poisson(10 * rate, random);
      open[0] += f0 + poisson(90 * (1 - rate), random);
      open[1] += f0;
      open[2] += f1 + poisson(10 * (1 - rate), random);
      open[3] += f1;
      if (against.log(...open) >= limit) return true;
    }
    against.close(...open);
  }
  return false;
}

describe("the difference", () => {
  test("its interval holds the truth at all times in at least 95 % of runs, with a base rate that changes", () => {
    const runs = 300;
    let missed = 0;
    for (let run = 0; run < runs; run++) {
      const random = generator(5, run);
      const difference = new Difference();
      let holds = true;
      for (let minute = 0; minute < 40 && holds; minute++) {
        const base = minute % 10 === 3 ? 0.3 : 0.01;
        const f0 = poisson(2_000 * base, random);
        const f1 = poisson(200 * (base + 0.02), random);
        difference.add(2_000, f0, 200, Math.min(200, f1));
        const { low, high } = difference.interval() as { low: number; high: number };
        holds = low <= 0.02 && high >= 0.02;
      }
      if (!holds) missed++;
    }
    expect(missed / runs).toBeLessThanOrEqual(0.05);
  });

  test("its interval is around the estimate, and within −1 to 1", () => {
    const size = fc.integer({ min: 1, max: 5_000 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(size, size, share, share, (n0, n1, a, b) => {
        const difference = new Difference();
        difference.add(n0, Math.round(a * n0), n1, Math.round(b * n1));
        const { estimate, low, high } = difference.interval() as { estimate: number; low: number; high: number };
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("it closes in with traffic", () => {
    const widths = [1, 10, 100].map((minutes) => {
      const difference = new Difference();
      for (let minute = 0; minute < minutes; minute++) difference.add(11_400, 114, 600, 6);
      const { low, high } = difference.interval() as { low: number; high: number };
      return high - low;
    });
    expect(widths[1]).toBeLessThan((widths[0] as number) / 2);
    expect(widths[2]).toBeLessThan((widths[1] as number) / 2);
  });

  test("a version that is worse by the margin is cleared in no more runs than is allowed", () => {
    const runs = 2_000;
    let cleared = 0;
    for (let run = 0; run < runs; run++) {
      const random = generator(77, run);
      const clearance = new Clearance();
      let isCleared = false;
      for (let minute = 0; minute < 60 && !isCleared; minute++) {
        clearance.close(2_000, poisson(2_000 * 0.01, random), 400, poisson(400 * 0.02, random));
        isCleared = clearance.against(0.01) >= Math.log(20);
      }
      if (isCleared) cleared++;
    }
    expect(cleared / runs).toBeLessThanOrEqual(0.05);
  });

  test("nothing is cleared without requests, and the closer the margin the more it takes", () => {
    expect(new Clearance().against(0.05)).toBeLessThanOrEqual(1e-9);
    const clearance = new Clearance();
    clearance.close(10_000, 0, 500, 0);
    expect(clearance.against(0.05)).toBeGreaterThan(clearance.against(0.01));
  });

  test("of the last minutes it is what happened in them", () => {
    const recent = new Recent();
    for (let minute = 0; minute < 100; minute++) recent.close(1_000, 10, 1_000, 10);
    expect(recent.estimate()).toBeCloseTo(0, 9);
    for (let minute = 0; minute < 4; minute++) recent.close(1_000, 10, 1_000, 60);
    expect(recent.estimate(1_000, 10, 1_000, 60)).toBeCloseTo(0.05, 9);
  });
});
