/** The words of rollouts: states, verdicts, how far, intervals, evidence as progress. Pure. */
import {
  ENDED_STATES,
  EVENT_CLASSES,
  type EventClass,
  type GateResult,
  type Judgement,
  type Rollout,
  type RolloutAnswer,
  type RolloutEvent,
  type RolloutPlan,
  type RolloutState,
  type Scope,
  type Verdict,
} from "../../../workers/api/contract.ts";
import { count, duration, percent, span } from "./format.ts";

export type Tone = "bad" | "warn" | "good" | "";

export const STATE_LABELS: Record<RolloutState, string> = {
  starting: "Starting",
  running: "Running",
  paused: "Paused",
  promoted: "Promoted",
  rolled_back: "Taken back",
  aborted: "Taken back by hand",
  stopped: "Stopped",
  failed: "Failed",
};

/** What a state means, for who sees the word for the first time. */
export const STATE_NOTES: Record<RolloutState, string> = {
  starting: "Nothing is changed yet",
  running: "The guard watches, and promotes or takes back",
  paused: "It stays at its step; a version that is worse is still taken back",
  promoted: "The new version has all traffic",
  rolled_back: "The guard took the new version back",
  aborted: "A person took the new version back",
  stopped: "Somebody else changed the deployment, or the version is gone: nothing was touched",
  failed: "It could not begin, or the new version could not be taken back",
};

export const STATE_TONES: Record<RolloutState, Tone> = {
  starting: "",
  running: "",
  paused: "warn",
  promoted: "good",
  rolled_back: "bad",
  aborted: "warn",
  stopped: "warn",
  failed: "bad",
};

/** Of the list's filter: `running` and `ended` are all of their kind. */
export const OUTCOMES: { value: string; label: string }[] = [
  { value: "running", label: "still running" },
  { value: "promoted", label: "promoted" },
  { value: "rolled_back", label: "taken back by the guard" },
  { value: "aborted", label: "taken back by hand" },
  { value: "stopped", label: "stopped" },
  { value: "failed", label: "failed" },
];

export const VERDICT_LABELS: Record<Verdict, string> = {
  worse: "Worse",
  not_worse: "Not worse",
  unknown: "Not known yet",
};
export const VERDICT_TONES: Record<Verdict, Tone> = { worse: "bad", not_worse: "good", unknown: "" };

export const hasEnded = (r: Pick<Rollout, "state">): boolean => ENDED_STATES.includes(r.state);

const CLASS_WORDS: Record<EventClass, string> = {
  request: "requests",
  durable_object: "Durable Object calls",
  queue: "queue batches",
  scheduled: "scheduled runs",
};

/** What a gate's verdict is called: none is to be expected where nothing can be measured, or where it would take for ever. */
type GateWord = Verdict | "not_compared" | "too_rare";

export function gateWord({ verdict, holds, old, new: next }: GateResult): GateWord {
  if (verdict !== "unknown" || holds !== false) return verdict;
  return old.value === null && next.value === null && old.n + next.n === 0 ? "not_compared" : "too_rare";
}

/** What somebody wants to see first. */
export const GATE_ORDER: Record<GateWord, number> = {
  worse: 0,
  unknown: 1,
  not_worse: 2,
  too_rare: 3,
  not_compared: 4,
};

/** Whether a step waits for it at present. */
export const isOpen = (g: GateResult): boolean => gateWord(g) === "unknown";

/** What no verdict stands on, in words: gates that nothing waits for, and kinds of invocations that never came. */
export function leftOut({ gates }: Judgement, plan: Pick<RolloutPlan, "gates">): string[] {
  const named = gates.filter((g) => g.verdict === "unknown" && !isOpen(g)).map((g) => g.label);
  if (plan.gates.errors === null) return named;
  const seen = new Set(gates.map((g) => g.id));
  const absent = EVENT_CLASSES.filter((c) => !seen.has(`errors:${c}`)).map((c) => CLASS_WORDS[c]);
  return [...named, ...absent];
}

/** Only these may start or change a rollout. */
export const maySteer = (scope: Scope | undefined): boolean => scope === "deploy" || scope === "admin";

/** Tailrace changes nothing there: it watches, and says what it would do. */
export const onlyWatches = (r: Pick<Rollout, "isWatched" | "mode">): boolean => r.isWatched || r.mode === "advise";

/** 5 → `5 %`; percentages here are 0 to 100 already. */
export const share = (value: number): string => `${Number(value.toFixed(value < 1 ? 2 : 1))} %`;

/** `step 2 of 5`, or what stands in its place. A split of somebody else has no steps. */
export function stepText(r: Pick<Rollout, "step" | "plan" | "isWatched">): string {
  if (r.isWatched) return "as somebody else set it";
  const of = r.plan.steps.length;
  return r.step < 0 ? "before the first step" : `step ${Math.min(r.step + 1, of)} of ${of}`;
}

export const lasted = (r: Rollout, now: number): number => Math.max(0, (r.endedAt ?? now) - r.startedAt);

/** The time that a plan takes at least. */
export const leastMinutes = (plan: Pick<RolloutPlan, "steps">): number =>
  plan.steps.slice(0, -1).reduce((sum, s) => sum + s.soakMinutes, 0);

export const minutes = (n: number): string => span(n * 60_000);

/** A difference of shares is in points, not in percent of anything. */
export function points(value: number): string {
  const p = value * 100;
  const digits = Math.abs(p) < 0.1 ? 3 : Math.abs(p) < 1 ? 2 : Math.abs(p) < 10 ? 1 : 0;
  const text = Math.abs(p).toFixed(digits);
  return Number(text) === 0 ? "0" : `${p < 0 ? "−" : "+"}${text}`;
}

export interface DifferenceText {
  estimate: string;
  interval: string;
  unit: string;
}

/** New − old, with the interval that holds at all times. */
export function differenceText({ difference, unit }: Pick<GateResult, "difference" | "unit">): DifferenceText | null {
  if (difference === null) return null;
  const { estimate, low, high } = difference;
  // Issues are counted; shares and quantiles are compared as shares.
  const say = unit === "issues" ? signed : points;
  return {
    estimate: say(estimate),
    interval: `${say(low)} to ${say(high)}`,
    unit: unit === "issues" ? "" : "points",
  };
}
const signed = (n: number): string => (n === 0 ? "0" : `${n < 0 ? "−" : "+"}${count(Math.abs(n))}`);

export function valueText(value: number | null, unit: GateResult["unit"]): string {
  if (value === null) return "–";
  return unit === "share" ? percent(value) : unit === "ms" ? duration(value) : count(value);
}

/**
 * How far evidence is on the way to its threshold, 0 to 1. E-values multiply, so
 * the way is even on a logarithm: each like observation brings it as far. An
 * e-value too big for JSON arrives as null.
 */
export function evidenceShare(statistic: number | null, threshold: number | null): number {
  if (statistic === null) return 1;
  if (threshold === null || threshold <= 1 || statistic <= 1) return statistic >= (threshold ?? Infinity) ? 1 : 0;
  return Math.min(1, Math.log(statistic) / Math.log(threshold));
}

/** When the verdict that stands now was reached: the first decision of the last run of alike ones. */
export function verdictSince(events: readonly RolloutEvent[], verdict: Verdict): number | null {
  let since: number | null = null;
  for (const e of events) {
    if (e.judgement === undefined) continue;
    if (e.judgement.verdict !== verdict) since = null;
    else since ??= e.at;
  }
  return since;
}

/** One's own words for where a rollout is, above the reason that the guard gives. */
export function headline(answer: Pick<RolloutAnswer, "rollout" | "judgement" | "blind">): { text: string; tone: Tone } {
  const { rollout: r, judgement, blind } = answer;
  const watches = onlyWatches(r);
  switch (r.state) {
    case "starting":
      return { text: "Starting: nothing is changed yet", tone: "" };
    case "promoted":
      return {
        text: watches ? "The new version has all traffic" : "Promoted: the new version has all traffic",
        tone: "good",
      };
    case "rolled_back":
      return {
        text: watches
          ? "The new version is worse, and has no traffic any more"
          : "The new version is worse, and was taken back",
        tone: "bad",
      };
    case "aborted":
      return { text: watches ? "No longer watched" : "Taken back by hand", tone: "warn" };
    case "stopped":
      return { text: "Stopped: somebody else changed the deployment", tone: "warn" };
    case "failed":
      return {
        text: r.step < 0 ? "It could not begin" : "It could not be finished: look at the deployment",
        tone: "bad",
      };
    case "running":
    case "paused":
      if (judgement?.verdict === "worse") return { text: "The new version is worse", tone: "bad" };
      if (blind.length > 0) return { text: "Held: the guard cannot see enough at present", tone: "warn" };
      if (judgement?.verdict === "not_worse") return { text: "The new version is not worse", tone: "good" };
      return { text: "Not known yet whether the new version is worse", tone: "" };
  }
}
