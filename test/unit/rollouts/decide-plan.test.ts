/** Plans as somebody asked for them: filled in, or told what is wrong. */
import { describe, expect, test } from "vitest";
import { DEFAULT_PLAN, type StartRollout } from "../../../workers/api/contract.ts";
import { readPlan } from "../../../workers/rollouts/decide/plan.ts";

const steps = (...percents: number[]) => percents.map((percent) => ({ percent, soakMinutes: 1 }));

describe("a plan", () => {
  test("that is left out is the default", () => {
    expect(readPlan(undefined)).toEqual({ ok: true, plan: DEFAULT_PLAN });
    expect(readPlan({})).toEqual({ ok: true, plan: DEFAULT_PLAN });
  });

  test("is filled in, gate by gate; null is not asked for", () => {
    const found = readPlan({ gates: { cpu: null, errors: { minEffect: 0.02 } }, stepLimitMinutes: 30 });
    expect(found).toEqual({
      ok: true,
      plan: {
        ...DEFAULT_PLAN,
        stepLimitMinutes: 30,
        gates: { ...DEFAULT_PLAN.gates, cpu: null, errors: { minEffect: 0.02 } },
      },
    });
  });

  test("never shares memory with the default", () => {
    const found = readPlan({});
    if (!found.ok) throw new Error(found.message);
    found.plan.steps.pop();
    expect(DEFAULT_PLAN.steps).toHaveLength(5);
  });

  test("may split as finely as Cloudflare does", () => {
    expect(readPlan({ steps: steps(0.01, 0.29, 33.33, 99.99, 100) }).ok).toBe(true);
  });

  test("may be one step", () => {
    expect(readPlan({ steps: [{ percent: 100, soakMinutes: 0 }] }).ok).toBe(true);
  });

  test.each<[string, StartRollout["plan"], RegExp]>([
    ["no step", { steps: [] }, /at least one step/],
    ["not up to 100", { steps: steps(5, 50) }, /last step must be 100 %, not 50 %/],
    ["three decimals", { steps: steps(33.333, 100) }, /Step 1: Cloudflare cannot split by 33.333 %/],
    ["next to nothing", { steps: steps(1e-7, 100) }, /at most two decimals and is 0.01 to 99.99, or 100/],
    ["next to all", { steps: steps(5, 99.995, 100) }, /Step 2: Cloudflare cannot split by 99.995 %/],
    ["descending", { steps: steps(5, 50, 25, 100) }, /Step 3: 25 % does not follow 50 %/],
    ["twice the same", { steps: steps(5, 5, 100) }, /must ascend/],
    ["zero", { steps: steps(0, 100) }, /above 0/],
    ["above 100", { steps: steps(50, 101) }, /at most 100/],
    ["no number", { steps: [{ percent: Number.NaN, soakMinutes: 1 }] }, /percentage/],
    [
      "too many",
      { steps: steps(...Array.from({ length: 51 }, (_, n) => (n === 50 ? 100 : n + 1))) },
      /at most 50 steps/,
    ],
    ["negative soak time", { steps: [{ percent: 100, soakMinutes: -1 }] }, /soak time/],
    ["a limit within the soak time", { stepLimitMinutes: 10 }, /above the longest soak time \(10\)/],
    ["no samples", { minSamples: 0 }, /nothing is promoted without evidence/],
    ["half a sample", { minSamples: 1.5 }, /whole number/],
    ["an effect of nothing", { gates: { errors: { minEffect: 0 } } }, /minEffect/],
    ["a percentage for a fraction", { gates: { errors: { minEffect: 5 } } }, /fraction/],
    ["a quantile of 1", { gates: { duration: { quantile: 1, tolerance: 0.5, minMs: 5 } } }, /duration\.quantile/],
    ["a negative tolerance", { gates: { cpu: { quantile: 0.9, tolerance: -1, minMs: 5 } } }, /cpu\.tolerance/],
    ["fewer than no issues", { gates: { issues: { max: -1 } } }, /issues\.max/],
    ["a query without a name", { gates: { queries: [{ name: "", filter: "x", minEffect: 0.1 }] } }, /needs a name/],
    [
      "a query without a filter",
      { gates: { queries: [{ name: "q", filter: " ", minEffect: 0.1 }] } },
      /needs a filter/,
    ],
    [
      "two queries of one name",
      { gates: { queries: [1, 2].map(() => ({ name: "q", filter: "x", minEffect: 0.1 })) } },
      /Two query gates are called “q”/,
    ],
    ["no gate at all", { gates: { errors: null, duration: null, cpu: null, issues: null } }, /promote nothing/],
    ["another mode", { mode: "panic" as "act" }, /act or advise/],
    ["nothing where gates should be", { gates: { queries: null as never } }, /must be a list/],
  ])("is refused, and says why: %s", (_, plan, message) => {
    const found = readPlan(plan);
    expect(found.ok).toBe(false);
    if (!found.ok) expect(found.message).toMatch(message);
  });
});
