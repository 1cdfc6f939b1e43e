/** What the bench simulates is what the guard does: look by look, the quick way and judge() with nextMove() agree. */
import { describe, expect, test } from "vitest";
import { isHigher } from "../../../bench/lib/rollouts/mann-whitney.mjs";
import { Tailrace } from "../../../bench/lib/rollouts/ours.mjs";
import { generator, poisson } from "../../../bench/lib/rollouts/random.mjs";
import { simulate, summaryOf } from "../../../bench/lib/rollouts/simulate.mjs";
import { LOOK_S, Traffic } from "../../../bench/lib/rollouts/traffic.mjs";
import type { RolloutPlan } from "../../../workers/api/contract.ts";
import { type Cell, MINUTE_PARTS } from "../../../workers/rollouts/contract.ts";
import { judge } from "../../../workers/rollouts/decide/judge.ts";
import { nextMove } from "../../../workers/rollouts/decide/policy.ts";
import { cell, ERRORS_ONLY, evidence, SEEING, START } from "../../support/rollout-evidence.ts";

const PLAN: RolloutPlan = {
  ...ERRORS_ONLY,
  // Soak times that end inside of minutes: the split changes there.
  steps: [
    { percent: 1, soakMinutes: 1.25 },
    { percent: 10, soakMinutes: 0.75 },
    { percent: 50, soakMinutes: 2.5 },
    { percent: 100, soakMinutes: 0 },
  ],
  stepLimitMinutes: 9,
};

interface Rates {
  rps: number;
  old: number;
  new: number;
  bursts?: { share: number; size: number };
}

/** Minutes of the old version that are known from before. */
const BEFORE = 15;

/** One run, both ways; the moves by look until one ends it, and how large the clumps seemed. */
function bothWays(rates: Rates, run: number): { quick: string[]; whole: string[]; clumps: number } {
  const scenario = { ...rates, minutes: 60 };
  const traffic = new Traffic(scenario, 3, run);
  const rule = new Tailrace(PLAN);
  const cells = new Map<string, Cell>();
  const counts = new Float64Array(4);
  const quick: string[] = [];
  const whole: string[] = [];
  let clumps = 1;
  for (let minute = -BEFORE; minute < 0; minute++) {
    traffic.drawBefore(minute, counts);
    const [n = 0, f = 0] = counts;
    rule.before(minute, n, f);
    add(cells, minute, 0, "old", n, f);
  }
  let step = 0;
  let parts = { minute: -1, part: 0 };
  let since = { second: 0, minute: START };
  for (let second = LOOK_S; ; second += LOOK_S) {
    traffic.draw(second - LOOK_S, PLAN.steps[step]?.percent, counts);
    const [n0 = 0, f0 = 0, n1 = 0, f1 = 0] = counts;
    const minute = Math.ceil(second / 60) - 1;
    if (parts.minute !== minute) parts = { minute, part: 0 };
    add(cells, minute, parts.part, "old", n0, f0);
    add(cells, minute, parts.part, "new", n1, f1);
    const next = PLAN.steps[step + 1]?.percent as number;
    const judgement = judge(PLAN, evidence([...cells.values()]), next, since.minute);
    const situation = { plan: PLAN, step, percent: PLAN.steps[step]?.percent as number, isPaused: false };
    const visibleMs = (second - since.second) * 1000;
    const sight = { ...SEEING, newestOld: 1, newestNew: 1 };
    const move = nextMove({ ...situation, stepSince: since.minute, visibleMs }, judgement, sight).type;
    whole.push(move);
    quick.push(rule.look(second, n0, f0, n1, f1));
    clumps = Math.max(clumps, rule.clumps);
    if (move === "take_back" || quick.at(-1) === "take_back") return { quick, whole, clumps };
    if (move !== "promote") continue;
    step++;
    if (PLAN.steps[step]?.percent === 100) return { quick, whole, clumps };
    rule.enter(step, second);
    const later = Math.floor(second / 60);
    parts = later === minute ? { minute, part: parts.part + 1 } : { minute: later, part: 0 };
    since = { second, minute: START + 60 * later + parts.part / MINUTE_PARTS };
  }
}

function add(
  cells: Map<string, Cell>,
  minute: number,
  part: number,
  arm: "old" | "new",
  n: number,
  failed: number,
): void {
  const key = `${minute}/${part}/${arm}`;
  const before = cells.get(key);
  cells.set(key, cell(minute, arm, n + (before?.n ?? 0), failed + (before?.failed ?? 0), { part }));
}

describe("the simulator", () => {
  test.each([
    ["healthy", 200, 0.01, 0.01],
    ["healthy and quiet", 5, 0.01, 0.01],
    ["worse", 200, 0.01, 0.03],
    ["a little worse", 100, 0.02, 0.03],
    ["a disaster", 30, 0.005, 1],
    ["a disaster at a high rate", 50, 0.4, 1],
  ])("does at every look what judge() and nextMove() do: %s", (_, rps, old, fresh) => {
    for (let run = 0; run < 6; run++) {
      const { quick, whole } = bothWays({ rps, old, new: fresh }, run);
      expect(quick).toEqual(whole);
    }
  });

  test.each([
    ["healthy", 0.01],
    ["worse", 0.05],
  ])("does so too where failures come in clumps: %s", (_, fresh) => {
    const bursts = { share: 0.5, size: 10 };
    for (let run = 0; run < 6; run++) {
      const { quick, whole, clumps } = bothWays({ rps: 200, old: 0.01, new: fresh, bursts }, run);
      expect(quick).toEqual(whole);
      expect(clumps).toBeGreaterThan(1);
    }
  });

  test.each([
    [3, 0.035],
    [10, 0.025],
  ])("a healthy version whose failures come in clumps is seldom taken back: of %d", (size, most) => {
    const healthy = { rps: 200, old: 0.01, new: 0.01, percent: 5, minutes: 60, bursts: { share: 0.5, size } };
    const [found] = simulate(healthy, { seed: 2, from: 0, to: 1_000, rules: 1 }).map(summaryOf);
    expect(found?.worse).toBeLessThanOrEqual(most);
  });

  test("gives the same for the same seed, and other runs for another", () => {
    const scenario = { rps: 50, old: 0.01, new: 0.04, percent: 10, minutes: 20 };
    const seconds = (seed: number) => [...(simulate(scenario, { seed, from: 0, to: 20, rules: 1 })[0]?.seconds ?? [])];
    expect(seconds(1)).toEqual(seconds(1));
    expect(seconds(1)).not.toEqual(seconds(2));
  });

  test("draws what it says: mean and variance of a Poisson number", () => {
    for (const lambda of [0.05, 3, 47.5, 990]) {
      const random = generator(9);
      const draws = Array.from({ length: 40_000 }, () => poisson(lambda, random));
      const mean = draws.reduce((sum, n) => sum + n, 0) / draws.length;
      const variance = draws.reduce((sum, n) => sum + (n - mean) ** 2, 0) / draws.length;
      expect(Math.abs(mean - lambda)).toBeLessThan(5 * Math.sqrt(lambda / draws.length));
      expect(variance / lambda).toBeGreaterThan(0.9);
      expect(variance / lambda).toBeLessThan(1.1);
    }
  });

  test("a healthy version is hardly ever taken back, and one that is worse always is", () => {
    const healthy = { rps: 200, old: 0.01, new: 0.01, percent: 5, minutes: 60 };
    const [alike] = simulate(healthy, { seed: 2, from: 0, to: 500, rules: 1 }).map(summaryOf);
    expect(alike?.worse).toBeLessThanOrEqual(0.004);
    const [worse] = simulate({ ...healthy, new: 0.03 }, { seed: 2, from: 0, to: 500, rules: 1 }).map(summaryOf);
    expect(worse?.worse).toBe(1);
    expect(worse?.foundP95).toBeLessThanOrEqual(160);
  });
});

test.each([
  [200, 0.0001],
  [200, 0.2],
  [20, 0.01],
])("a healthy version goes through the default plan: %d requests/s, rate %d", (rps, rate) => {
  const scenario = { rps, old: rate, new: rate, minutes: 2_000 };
  const [found] = simulate(scenario, { seed: 4, from: 0, to: 60, rules: 1 }).map(summaryOf);
  expect(found?.promoted).toBeGreaterThanOrEqual(0.98);
});

describe("the rules of others", () => {
  test("Kayenta's: the rank-sum interval of R's wilcox.test", () => {
    // wilcox.test(1:5 + 10, 1:5, conf.int = TRUE, conf.level = 0.98): from 7 on, estimate 10.
    expect(isHigher([1, 2, 3, 4, 5], [11, 12, 13, 14, 15])).toBe(true);
    expect(isHigher([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])).toBe(false);
    expect(isHigher([11, 12, 13, 14, 15], [1, 2, 3, 4, 5])).toBe(false);
    // Too few points for 98 %.
    expect(isHigher([1, 2], [11, 12])).toBe(true);
  });

  test("fixed thresholds: fail where the rate is below, however healthy", () => {
    const scenario = { rps: 200, old: 0.05, new: 0.05, percent: 5, minutes: 30 };
    const found = simulate(scenario, { seed: 1, from: 0, to: 20 }).map(summaryOf);
    const back = Object.fromEntries(found.map(({ label, worse }) => [label.slice(0, 8), worse]));
    expect(back["Flagger "]).toBe(1);
    expect(back.Tailrace).toBe(0);
  });
});
