/**
 * A plan as somebody asked for it → a whole one, checked. What is left out is
 * DEFAULT_PLAN's, gates gate by gate. The API checks shapes, this what they mean;
 * it checks types too, because a plan may come from anywhere.
 */
import {
  DEFAULT_PLAN,
  type RolloutGates,
  type RolloutPlan,
  type RolloutStep,
  type StartRollout,
} from "../../api/contract.ts";
import { MAX_QUERY_GATES, MAX_STEP_MINUTES, MAX_STEPS } from "../contract.ts";

export type PlanAnswer = { ok: true; plan: RolloutPlan } | { ok: false; message: string };

const MAX_SAMPLES = 1e9;
/** What Cloudflare splits traffic by: two decimals, and both versions must add up to 100. */
const MIN_PERCENT = 0.01;

export function readPlan(asked: StartRollout["plan"]): PlanAnswer {
  const given = asked ?? {};
  const gates = { ...DEFAULT_PLAN.gates, ...definedOf(given.gates ?? {}) };
  const plan: RolloutPlan = { ...DEFAULT_PLAN, ...definedOf(given), gates };
  const problem =
    problemOfSteps(plan.steps) ?? problemOfTimes(plan) ?? problemOfGates(plan.gates) ?? problemOfMode(plan.mode);
  return problem === null ? { ok: true, plan: structuredClone(plan) } : { ok: false, message: problem };
}

/** `undefined` is left out, not asked for. */
function definedOf<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function problemOfSteps(steps: readonly RolloutStep[]): string | null {
  if (!Array.isArray(steps) || steps.length === 0) return "A plan needs at least one step; the last is 100 %.";
  if (steps.length > MAX_STEPS) return `A plan has at most ${MAX_STEPS} steps; this one has ${steps.length}.`;
  let before = 0;
  for (const [n, step] of steps.entries()) {
    const { percent, soakMinutes } = step ?? {};
    if (!isBetween(percent, 0, 100) || percent === 0)
      return `Step ${n + 1}: the percentage must be above 0 and at most 100.`;
    if (!isDeployable(percent))
      return `Step ${n + 1}: Cloudflare cannot split by ${percent} %: a percentage has at most two decimals and is ${MIN_PERCENT} to ${100 - MIN_PERCENT}, or 100.`;
    if (percent <= before) return `Step ${n + 1}: ${percent} % does not follow ${before} %; percentages must ascend.`;
    if (!isBetween(soakMinutes, 0, MAX_STEP_MINUTES))
      return `Step ${n + 1}: the soak time must be 0 to ${MAX_STEP_MINUTES} minutes.`;
    before = percent;
  }
  if (before !== 100)
    return `The last step must be 100 %, not ${before} %: a rollout ends when nothing is left of the old version.`;
  return null;
}

function problemOfTimes({ steps, stepLimitMinutes, minSamples }: RolloutPlan): string | null {
  if (!isBetween(stepLimitMinutes, 1, MAX_STEP_MINUTES)) return `stepLimitMinutes must be 1 to ${MAX_STEP_MINUTES}.`;
  const longest = Math.max(...steps.map(({ soakMinutes }) => soakMinutes));
  if (stepLimitMinutes <= longest) {
    return `stepLimitMinutes (${stepLimitMinutes}) must be above the longest soak time (${longest}), or every rollout would be taken back.`;
  }
  if (!isBetween(minSamples, 1, MAX_SAMPLES) || !Number.isInteger(minSamples)) {
    return "minSamples must be a whole number of at least 1: nothing is promoted without evidence.";
  }
  return null;
}

function problemOfGates({ errors, duration, cpu, issues, queries }: RolloutGates): string | null {
  if (errors !== null && !isEffect(errors?.minEffect))
    return "gates.errors.minEffect must be a fraction above 0 and below 1, as 0.005.";
  for (const [name, gate] of Object.entries({ duration, cpu })) {
    if (gate === null) continue;
    if (!isBetween(gate?.quantile, 0.5, 0.9999)) return `gates.${name}.quantile must be 0.5 to 0.9999, as 0.99.`;
    if (!isBetween(gate.tolerance, 0, 100)) return `gates.${name}.tolerance must be a fraction of 0 or more, as 0.5.`;
    if (!isBetween(gate.minMs, 0, Number.MAX_SAFE_INTEGER)) return `gates.${name}.minMs must be 0 or more ms.`;
  }
  if (issues !== null && !(Number.isInteger(issues?.max) && issues.max >= 0))
    return "gates.issues.max must be a whole number, 0 or more.";
  if (!Array.isArray(queries)) return "gates.queries must be a list.";
  if (queries.length > MAX_QUERY_GATES)
    return `A plan has at most ${MAX_QUERY_GATES} query gates; this one has ${queries.length}.`;
  const names = new Set<string>();
  for (const gate of queries) {
    if (typeof gate?.name !== "string" || gate.name === "") return "Each query gate needs a name.";
    if (names.has(gate.name)) return `Two query gates are called “${gate.name}”; names must differ.`;
    names.add(gate.name);
    if (typeof gate.filter !== "string" || gate.filter.trim() === "")
      return `Query gate “${gate.name}” needs a filter.`;
    if (!isEffect(gate.minEffect))
      return `Query gate “${gate.name}”: minEffect must be a fraction above 0 and below 1.`;
  }
  if (errors === null && duration === null && cpu === null && issues === null && queries.length === 0) {
    return "A plan without any gate would promote nothing: ask for at least one.";
  }
  return null;
}

const problemOfMode = (mode: unknown): string | null =>
  mode === "act" || mode === "advise" ? null : "mode must be act or advise.";

const isDeployable = (percent: number): boolean =>
  Number(percent.toFixed(2)) === percent &&
  (percent === 100 || (percent >= MIN_PERCENT && percent <= 100 - MIN_PERCENT));
const isBetween = (value: unknown, low: number, high: number): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= low && value <= high;
const isEffect = (value: unknown): boolean => isBetween(value, Number.MIN_VALUE, 0.999999);
