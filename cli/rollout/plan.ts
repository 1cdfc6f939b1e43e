/**
 * A plan from the command line: what the options say, over what a file says;
 * the platform fills in the rest. Pure; throws `CliFailure` that says what is wrong.
 */
import { DEFAULT_PLAN, type RolloutGates, type RolloutStep, type StartRollout } from "../../workers/api/contract.ts";
import { usageFailure } from "../failure.ts";
import { TEXT } from "../options.ts";
import { duration, readDuration, wholeNumber } from "../units.ts";

type Plan = NonNullable<StartRollout["plan"]>;

export const PLAN_OPTIONS = {
  plan: TEXT,
  steps: TEXT,
  soak: TEXT,
  limit: TEXT,
  "min-samples": TEXT,
  gate: { type: "string", multiple: true },
  advise: { type: "boolean" },
} as const;

export interface PlanValues {
  plan?: string;
  steps?: string;
  soak?: string;
  limit?: string;
  "min-samples"?: string;
  gate?: string[];
  advise?: boolean;
}

/** What was said; a file is read by who carries it out. */
export interface AskedPlan {
  file?: string;
  steps?: { percent: number; soakMinutes?: number }[];
  soakMinutes?: number;
  plan: Plan;
}

const MINUTE_MS = 60_000;
/** A week, as the platform has it. */
const LONGEST_H = 168;
const SEE = "(tailrace rollout start --help)";

export function readPlanOptions(values: PlanValues): AskedPlan {
  const asked: AskedPlan = { plan: {} };
  if (values.plan !== undefined) asked.file = values.plan;
  if (values.steps !== undefined) asked.steps = readSteps(values.steps);
  if (values.soak !== undefined) asked.soakMinutes = duration("--soak", values.soak, LONGEST_H, SEE) / MINUTE_MS;
  if (values.limit !== undefined)
    asked.plan.stepLimitMinutes = duration("--limit", values.limit, LONGEST_H, SEE) / MINUTE_MS;
  if (values["min-samples"] !== undefined)
    asked.plan.minSamples = wholeNumber("--min-samples", values["min-samples"], 1e9, SEE);
  if (values.advise) asked.plan.mode = "advise";
  if (values.gate !== undefined) asked.plan.gates = readGates(values.gate);
  return asked;
}

/** @param text of the plan file, if one was given */
export function planOf({ file, steps, soakMinutes, plan }: AskedPlan, text?: string): Plan {
  const given = file === undefined || text === undefined ? {} : parseFile(file, text);
  const merged: Plan = { ...given, ...plan };
  const gates = { ...given.gates, ...plan.gates };
  if (Object.keys(gates).length > 0) merged.gates = gates;
  if (steps !== undefined) merged.steps = soaked(steps, (own, percent) => own ?? soakMinutes ?? usualSoak(percent));
  else if (soakMinutes !== undefined) merged.steps = soaked(given.steps ?? DEFAULT_PLAN.steps, () => soakMinutes);
  return merged;
}

function parseFile(file: string, text: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageFailure(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usageFailure(`${file} must hold a plan: {"steps": [{"percent": 5, "soakMinutes": 10}, …], …} ${SEE}`);
  // What is in it is checked by the platform, which says what does not fit.
  return value as Plan;
}

/** At the last step nothing is left to compare with: reaching it ends the rollout. */
function soaked(
  steps: readonly { percent: number; soakMinutes?: number }[],
  soakOf: (own: number | undefined, percent: number) => number,
): RolloutStep[] {
  return steps.map(({ percent, soakMinutes }, i) => ({
    percent,
    soakMinutes: i === steps.length - 1 ? 0 : soakOf(soakMinutes, percent),
  }));
}

/** As long as the default plan stays at such a percentage. */
function usualSoak(percent: number): number {
  const { steps } = DEFAULT_PLAN;
  const step = steps.find((one) => one.percent >= percent && one.soakMinutes > 0);
  return (step ?? steps.filter((one) => one.soakMinutes > 0).at(-1))?.soakMinutes ?? 0;
}

function readSteps(text: string): { percent: number; soakMinutes?: number }[] {
  const steps = text.split(",").map((piece) => {
    const [, digits, soak] = /^\s*(\d+(?:\.\d{1,2})?)\s*%?\s*(?::([\w.]+))?\s*$/.exec(piece) ?? [];
    const percent = digits === undefined ? Number.NaN : Number(digits);
    const soakMs = soak === undefined ? undefined : readDuration(soak);
    if (!(percent > 0 && percent <= 100) || (soak !== undefined && soakMs === undefined))
      throw usageFailure(
        `--steps must be percentages of at most two decimals, like 1,5,25,50,100, each with a soak time if it has its own (5:10m), not "${piece.trim()}" ${SEE}`,
      );
    return soakMs === undefined ? { percent } : { percent, soakMinutes: soakMs / MINUTE_MS };
  });
  const falls = steps.findIndex((step, i) => i > 0 && step.percent <= (steps[i - 1]?.percent as number));
  if (falls !== -1)
    throw usageFailure(`--steps must rise: ${steps[falls]?.percent} comes after ${steps[falls - 1]?.percent} ${SEE}`);
  if (steps.at(-1)?.percent !== 100)
    throw usageFailure(
      `--steps must end with 100, which is when the rollout is done, not with ${steps.at(-1)?.percent} ${SEE}`,
    );
  return steps;
}

const GATE_FORMS =
  "errors=0.5%, duration=p99,50%,50ms, cpu=p99,50%,10ms, issues=0, query:<name>=1%:<filter>, or <gate>=off";

function readGates(texts: readonly string[]): Partial<RolloutGates> {
  const gates: Partial<RolloutGates> = {};
  const queries: RolloutGates["queries"] = [];
  for (const text of texts) {
    const at = text.indexOf("=");
    const [gate, value] = at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    if (gate.startsWith("query:")) queries.push(readQuery(text, gate.slice("query:".length), value));
    else if (gate === "errors") gates.errors = value === "off" ? null : { minEffect: shareOf(text, value) };
    else if (gate === "issues") gates.issues = value === "off" ? null : { max: countOf(text, value) };
    else if (gate === "duration" || gate === "cpu")
      gates[gate] = value === "off" ? null : readQuantile(text, gate, value);
    else throw wrongGate(text);
  }
  if (queries.length > 0) gates.queries = queries;
  return gates;
}

function readQuantile(text: string, gate: "duration" | "cpu", value: string): RolloutGates["duration"] {
  const usual = DEFAULT_PLAN.gates[gate];
  if (usual === null) throw new Error(`BUG: the default plan has no gate ${gate}`);
  const read = { ...usual };
  for (const piece of value.split(",")) {
    const [, quantile, percent, ms] = /^(?:p(\d{1,2}(?:\.\d+)?)|(\d+(?:\.\d+)?)%|(\d+(?:\.\d+)?)ms)$/.exec(piece) ?? [];
    // Both are percent in the mouth of people, and fractions for the platform.
    if (quantile !== undefined && Number(quantile) > 0) read.quantile = fraction(quantile);
    else if (percent !== undefined) read.tolerance = fraction(percent);
    else if (ms !== undefined) read.minMs = Number(ms);
    else throw wrongGate(text);
  }
  return read;
}

function readQuery(text: string, name: string, value: string): RolloutGates["queries"][number] {
  const at = value.indexOf(":");
  const filter = value.slice(at + 1).trim();
  if (name === "" || at === -1 || filter === "") throw wrongGate(text);
  return { name, filter, minEffect: shareOf(text, value.slice(0, at)) };
}

function shareOf(text: string, value: string): number {
  const [, digits] = /^(\d+(?:\.\d+)?)%$/.exec(value.trim()) ?? [];
  const share = digits === undefined ? Number.NaN : fraction(digits);
  if (share >= 0 && share <= 1) return share;
  throw wrongGate(text);
}

function countOf(text: string, value: string): number {
  if (/^\d{1,4}$/.test(value)) return Number(value);
  throw wrongGate(text);
}

/** 0.5 % is 0.005, and not 0.005000000000000001. */
const fraction = (percent: string): number => Number((Number(percent) / 100).toPrecision(12));

const wrongGate = (text: string) => usageFailure(`--gate must be one of ${GATE_FORMS}; not "${text}" ${SEE}`);
