/** Runs of one scenario under several rules: same seed, same run, same traffic. Threads call it (`pool.mjs`), and so does `npm run simulate`. */
import { DEFAULT_PLAN } from "../../../workers/api/contract/rollouts.ts";
import { Tailrace } from "./ours.mjs";
import { PEERS } from "./peers.mjs";
import { LOOK_S, Traffic } from "./traffic.mjs";

export const RULES = [Tailrace, ...PEERS];
/** How a run ended. */
export const ENDS = { running: 0, worse: 1, limit: 2, promoted: 3 };

/**
 * @param {import("./traffic.mjs").Scenario} scenario
 * @param {{ seed: number, from: number, to: number, rules?: number }} runs `rules`: the first so many of RULES
 * @returns {{ label: string, ends: Uint8Array, seconds: Float64Array }[]} by rule
 */
export function simulate(scenario, { seed, from, to, rules = RULES.length }) {
  const outcomes = RULES.slice(0, rules).map(({ label }) => ({
    label,
    ends: new Uint8Array(to - from),
    seconds: new Float64Array(to - from),
  }));
  for (let run = from; run < to; run++) {
    for (const [r, Rule] of RULES.slice(0, rules).entries()) {
      // Each rule goes its own way through the plan, so each meets the same traffic anew.
      const { end, second } = one(scenario, new Traffic(scenario, seed, run), Rule);
      outcomes[r].ends[run - from] = end;
      outcomes[r].seconds[run - from] = second;
    }
  }
  return outcomes;
}

/** Minutes of the old version that the evidence has from before the rollout (evidence/limits.ts). */
const BEFORE = 15;
const counts = new Float64Array(4);

function one(scenario, traffic, Rule) {
  const plan = scenario.percent === undefined ? DEFAULT_PLAN : watchOnly(scenario);
  const rule = new Rule(plan);
  let step = 0;
  // Only ours learns from it, and it is drawn apart: all rules meet the same traffic.
  if (rule.before !== undefined) {
    for (let minute = -(scenario.before ?? BEFORE); minute < 0; minute++) {
      traffic.drawBefore(minute, counts);
      rule.before(minute, counts[0], counts[1]);
    }
  }
  for (let second = LOOK_S; second <= scenario.minutes * 60; second += LOOK_S) {
    traffic.draw(second - LOOK_S, plan.steps[step].percent, counts);
    const move = rule.look(second, counts[0], counts[1], counts[2], counts[3]);
    if (move === "take_back") return { end: rule.isAtLimit ? ENDS.limit : ENDS.worse, second };
    if (move !== "promote") continue;
    step++;
    if (plan.steps[step].percent === 100) return { end: ENDS.promoted, second };
    rule.enter(step, second);
  }
  return { end: ENDS.running, second: scenario.minutes * 60 };
}

/** Stays at one percentage: only what takes it back is of interest. */
function watchOnly({ percent, minutes }) {
  const never = 2 * minutes + 1;
  return {
    ...DEFAULT_PLAN,
    steps: [
      { percent, soakMinutes: never },
      { percent: 100, soakMinutes: 0 },
    ],
    stepLimitMinutes: never,
  };
}

/** Shares and quantiles of what came out. */
export function summaryOf({ label, ends, seconds }) {
  const runs = ends.length;
  const of = (end) => ends.reduce((sum, each) => sum + (each === end ? 1 : 0), 0);
  const times = (end) => Float64Array.from([...seconds].filter((_, n) => ends[n] === end)).sort();
  const found = times(ENDS.worse);
  const promoted = times(ENDS.promoted);
  /** Over all runs: one that did not find it took for ever. */
  const foundBy = (share) => found[Math.ceil(share * runs) - 1] ?? Number.POSITIVE_INFINITY;
  return {
    label,
    runs,
    worse: of(ENDS.worse) / runs,
    limit: of(ENDS.limit) / runs,
    promoted: of(ENDS.promoted) / runs,
    running: of(ENDS.running) / runs,
    foundP50: foundBy(0.5),
    foundP95: foundBy(0.95),
    foundWithin: (s) => found.reduce((sum, each) => sum + (each <= s ? 1 : 0), 0) / runs,
    promotedP50: promoted[promoted.length >> 1] ?? Number.POSITIVE_INFINITY,
    promotedP95: promoted[Math.ceil(0.95 * promoted.length) - 1] ?? Number.POSITIVE_INFINITY,
  };
}
