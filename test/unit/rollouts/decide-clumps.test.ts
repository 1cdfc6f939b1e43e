/** Failures that come in clumps weigh less; without clumps nothing changes. */
import { describe, expect, test } from "vitest";
import { generator, poisson } from "../../../bench/lib/rollouts/random.mjs";
import { clumpFactor, clumpsOf, type OldMinute } from "../../../workers/rollouts/decide/clumps.ts";
import { judge } from "../../../workers/rollouts/decide/judge.ts";
import { both, cell, ERRORS_ONLY, evidence } from "../../support/rollout-evidence.ts";

const HOUR = 60;
const N = 11_400;

/** Failures by minute, in clumps of `size` for half of them. */
function minutesOf(run: number, count: number, mean: (minute: number) => number, size = 1): OldMinute[] {
  const random = generator(11, run);
  return Array.from({ length: count }, (_, n) => {
    const f = poisson(mean(n) / 2, random) + size * poisson(mean(n) / 2 / size, random);
    return { minute: 60 * n, n: f + poisson(N - mean(n), random), f };
  });
}

const factorOf = (minutes: OldMinute[]): number => clumpFactor(minutes, 60 * minutes.length);

/** Share of runs in which clumps were seen. */
function seen(count: number, mean: (minute: number) => number, size = 1): number {
  const runs = 1_000;
  let found = 0;
  for (let run = 0; run < runs; run++) if (factorOf(minutesOf(run, count, mean, size)) > 1) found++;
  return found / runs;
}

describe("the factor", () => {
  test.each([0.5, 3, 20, 114, 1_000])("is exactly 1 where failures come one by one: %d a minute", (mean) => {
    expect(seen(15, () => mean)).toBeLessThanOrEqual(0.012);
    expect(seen(HOUR, () => mean)).toBeLessThanOrEqual(0.012);
  });

  test("is no larger for a rate that drifts, or an outage", () => {
    const drifting = (minute: number) => 100 * 1.5 ** (minute / HOUR);
    expect(seen(HOUR, drifting)).toBeLessThanOrEqual(0.02);
    const outage = (minute: number) => (minute >= 20 && minute < 25 ? 4_000 : 114);
    expect(seen(HOUR, outage)).toBeLessThanOrEqual(0.012);
  });

  test("is above 1 where they come in clumps, and the larger the clumps", () => {
    expect(seen(HOUR, () => 114, 3)).toBeGreaterThan(0.8);
    expect(seen(15, () => 114, 10)).toBeGreaterThan(0.9);
    const mean = (size: number) => {
      const factors = Array.from({ length: 200 }, (_, run) => factorOf(minutesOf(run, HOUR, () => 114, size)));
      return factors.reduce((sum, each) => sum + each, 0) / factors.length;
    };
    expect(mean(3)).toBeGreaterThan(2.5);
    expect(mean(10)).toBeGreaterThan(mean(3) + 2);
  });

  test("is 1 without minutes, with one, with few failures, and where nothing or everything fails", () => {
    const flat = (f: number): OldMinute[] => Array.from({ length: 30 }, (_, n) => ({ minute: 60 * n, n: 100, f }));
    expect(clumpFactor([], 0)).toBe(1);
    expect(factorOf(flat(0).slice(0, 1))).toBe(1);
    expect(factorOf([...flat(0), { minute: 1_800, n: 100, f: 9 }])).toBe(1);
    for (const f of [0, 1, 100]) expect(factorOf(flat(f))).toBe(1);
  });

  test("forgets what was more than an hour ago", () => {
    const clumped = minutesOf(3, HOUR, () => 114, 10);
    expect(clumpFactor(clumped, 60 * HOUR)).toBeGreaterThan(1);
    expect(clumpFactor(clumped, 2 * 60 * HOUR)).toBe(1);
  });

  test("takes a minute's parts together, and leaves out the last minute", () => {
    const minutes = minutesOf(3, HOUR, () => 114, 10);
    const strata = minutes.flatMap(({ minute, n, f }) => [
      { minute, n0: n - 400, f0: Math.max(0, f - 40) },
      { minute: minute + 0.25, n0: 400, f0: Math.min(f, 40) },
    ]);
    const open = { minute: 60 * HOUR, n0: N, f0: 5_000 };
    expect(clumpsOf([...strata, open])).toBe(factorOf(minutes));
    expect(clumpsOf([])).toBe(1);
  });
});

describe("a version whose failures come in clumps", () => {
  const earlier = (size: number) =>
    minutesOf(3, 15, () => 114, size).map(({ minute, f }) => cell(minute / 60 - 15, "old", N, f));
  const two = [...both(0, [N, 114], [600, 18]), ...both(1, [N, 114], [600, 19])];

  test("needs more of them to be called worse, and the reason says why", () => {
    const alone = judge(ERRORS_ONLY, evidence([...earlier(1), ...two]), 25);
    const clumped = judge(ERRORS_ONLY, evidence([...earlier(10), ...two]), 25);
    expect([alone.verdict, clumped.verdict]).toEqual(["worse", "unknown"]);
    expect(alone.reason).not.toContain("clumps");
    expect(clumped.reason).toMatch(
      /Failures come in clumps here, of up to about \d+ on the old version: they count for less\./,
    );
    expect(clumped.gates[0]?.statistic).toBeLessThan(alone.gates[0]?.statistic as number);
    expect(clumped.gates[0]?.difference?.low).toBeLessThan(alone.gates[0]?.difference?.low as number);
  });

  test("is called worse when it is plainly so", () => {
    const all = both(0, [N, 114], [600, 600]);
    expect(judge(ERRORS_ONLY, evidence([...earlier(10), ...all]), 25).verdict).toBe("worse");
  });
});
