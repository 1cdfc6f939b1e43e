/**
 * A plan as a form holds it: texts, in the units that people think in (percent,
 * points of a percent). Read into what the API takes; what cannot be read is said
 * in one sentence. What a plan may be is the server's to say. Pure.
 */
import { DEFAULT_PLAN, type QuantileGate, type RolloutPlan } from "../../../workers/api/contract.ts";

interface QuantileDraft {
  on: boolean;
  tolerance: string;
  minMs: string;
}
export interface Draft {
  steps: { percent: string; soak: string }[];
  errors: { on: boolean; effect: string };
  duration: QuantileDraft;
  cpu: QuantileDraft;
  issues: { on: boolean; max: string };
  queries: { name: string; filter: string; effect: string }[];
  minSamples: string;
  limit: string;
  mode: RolloutPlan["mode"];
}

const asPercent = (share: number): string => String(Number((share * 100).toFixed(4)));

function quantileDraft(gate: QuantileGate | null, usual: QuantileGate | null): QuantileDraft {
  const of = gate ?? usual;
  return { on: gate !== null, tolerance: asPercent(of?.tolerance ?? 0), minMs: String(of?.minMs ?? 0) };
}

export function draftOf(plan: RolloutPlan = DEFAULT_PLAN): Draft {
  const { gates } = plan;
  const usual = DEFAULT_PLAN.gates;
  return {
    steps: plan.steps.map((s) => ({ percent: String(s.percent), soak: String(s.soakMinutes) })),
    errors: { on: gates.errors !== null, effect: asPercent((gates.errors ?? usual.errors)?.minEffect ?? 0) },
    duration: quantileDraft(gates.duration, usual.duration),
    cpu: quantileDraft(gates.cpu, usual.cpu),
    issues: { on: gates.issues !== null, max: String((gates.issues ?? usual.issues)?.max ?? 0) },
    queries: gates.queries.map((q) => ({ name: q.name, filter: q.filter, effect: asPercent(q.minEffect) })),
    minSamples: String(plan.minSamples),
    limit: String(plan.stepLimitMinutes),
    mode: plan.mode,
  };
}

export type Read = { ok: true; plan: RolloutPlan } | { ok: false; message: string };

class Unreadable extends Error {}

function number(text: string, what: string): number {
  const n = Number(text.trim().replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(n) || n < 0) throw new Unreadable(`${what}: write a number.`);
  return n;
}

function readSteps(draft: Draft["steps"]): RolloutPlan["steps"] {
  const steps = draft.map((s, i) => ({
    percent: number(s.percent, `Step ${i + 1}, percentage`),
    soakMinutes: number(s.soak, `Step ${i + 1}, minutes`),
  }));
  const wrong = steps.findIndex((s, i) => s.percent <= (steps[i - 1]?.percent ?? 0));
  if (wrong >= 0) throw new Unreadable(`Step ${wrong + 1}: each step gives the new version more than the one before.`);
  if (steps.at(-1)?.percent !== 100)
    throw new Unreadable("The last step is 100 %: then the new version has all of it.");
  return steps;
}

const readQuantile = (d: QuantileDraft, usual: QuantileGate | null, what: string): QuantileGate | null =>
  d.on
    ? {
        quantile: usual?.quantile ?? 0.99,
        tolerance: number(d.tolerance, `${what}, tolerance`) / 100,
        minMs: number(d.minMs, `${what}, ms`),
      }
    : null;

export function readDraft(draft: Draft): Read {
  try {
    return {
      ok: true,
      plan: {
        steps: readSteps(draft.steps),
        gates: {
          errors: draft.errors.on ? { minEffect: number(draft.errors.effect, "Error rate") / 100 } : null,
          duration: readQuantile(draft.duration, DEFAULT_PLAN.gates.duration, "Duration"),
          cpu: readQuantile(draft.cpu, DEFAULT_PLAN.gates.cpu, "CPU time"),
          issues: draft.issues.on ? { max: number(draft.issues.max, "New issues") } : null,
          queries: draft.queries.map((q) => ({
            name: q.name.trim(),
            filter: q.filter.trim(),
            minEffect: number(q.effect, `Query ${q.name}`) / 100,
          })),
        },
        minSamples: number(draft.minSamples, "Least invocations"),
        stepLimitMinutes: number(draft.limit, "Time limit"),
        mode: draft.mode,
      },
    };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, message: error.message };
    throw error;
  }
}
