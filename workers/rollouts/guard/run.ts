/**
 * All that the guard knows of one rollout beside its evidence: plain data, one
 * row of its SQLite, written whole with each change. `book.ts` keeps it; the
 * other files here make the next one out of it.
 */
import { ENDED_STATES, type Judgement, type Rollout, type RolloutState } from "../../api/contract.ts";
import type { DeploymentVersion } from "../../cloudflare/contract.ts";

/** What is to be deployed. It is on disk before Cloudflare is asked, so that whoever comes after an eviction knows what may have happened. */
export interface Intent {
  /** Of this rollout; in the deployment's message. */
  seq: number;
  kind: "step" | "take_back";
  /** Index into plan.steps; -1 of a take-back. */
  step: number;
  versions: DeploymentVersion[];
  /** State of the rollout once it is live; null: it goes on. */
  end: RolloutState | null;
  actor: string;
  reason: string;
  /** How often Cloudflare was asked. */
  posts: number;
  /** Readings since Cloudflare was asked and did not clearly refuse; null: it is certain that nothing is under way. */
  unsure: number | null;
  /** Tries in a row that failed. */
  failures: number;
  /** Looks to let pass. */
  wait: number;
  /** What Cloudflare said last. */
  trouble: string;
}

export interface Run {
  rollout: Rollout;
  /** Deployment that is live as far as we know. */
  expected: string;
  /** Deployments that were live before: one that shows again is an old answer, for a rollback makes a new one. */
  past: string[];
  intent: Intent | null;
  /** Of the newest intent. */
  seq: number;
  /** Start of the minute in which the step went live, seconds. */
  stepSince: number;
  /** Visible ms at this step. */
  visibleMs: number;
  /** Clock at the last look; null before the first. */
  lookedAt: number | null;
  judgement: Judgement | null;
  blind: string[];
  /** Why Cloudflare could not be read the last time; "" when it could. */
  apiTrouble: string;
  /** Readings in a row for which the Worker was not there. */
  missing: number;
  /** Looks until the live deployment is read again. */
  liveIn: number;
  /** Looks until a step may be tried again, and why not now. */
  stepWait: number;
  stepHeld: string;
  /** Tries in a row to take this step that Cloudflare did not make. */
  stepFailures: number;
  /** Looks in a row without sight. */
  dark: number;
  /** Looks in a row in which no telemetry came. */
  quiet: number;
  /** Newest event of either arm, ms. */
  newest: number;
  /** The last decision on record. */
  decided: { key: string; step: number; atMs: number; inStep: number; total: number };
  /** New issues that the record names, and by which frame. */
  named: string;
  /** Occasions of notifications that were written. */
  told: string[];
  /** Deployments that were asked for, given up, and may still come. */
  hasLoose: boolean;
  /** Looks left after the end. */
  aftercare: number;
  /** Lines of the record. */
  events: number;
}

export const isEnded = (run: Run): boolean => ENDED_STATES.includes(run.rollout.state);

/** Percentages that differ by less are the same. */
const SAME_PERCENT = 0.005;

export function stepVersions({ old, new: next }: Pick<Rollout, "old" | "new">, percent: number): DeploymentVersion[] {
  if (percent >= 100) return [{ version: next.id, percent: 100 }];
  if (percent <= 0) return [{ version: old.id, percent: 100 }];
  return [
    { version: old.id, percent: Math.round((100 - percent) * 100) / 100 },
    { version: next.id, percent },
  ];
}

export const percentOf = (versions: readonly DeploymentVersion[], id: string): number =>
  versions.find(({ version }) => version === id)?.percent ?? 0;

export function isSameSplit(a: readonly DeploymentVersion[], b: readonly DeploymentVersion[]): boolean {
  const all = [...a, ...b].map(({ version }) => version);
  return all.every((id) => Math.abs(percentOf(a, id) - percentOf(b, id)) < SAME_PERCENT);
}

/** Only the two versions of the rollout have traffic. */
export const isOurPair = ({ old, new: next }: Rollout, versions: readonly DeploymentVersion[]): boolean =>
  versions.every(({ version, percent }) => percent === 0 || version === old.id || version === next.id);

/** The step that a percentage belongs to: the last that does not ask for more. */
export function stepAt({ plan }: Rollout, percent: number): number {
  if (percent <= 0) return -1;
  return Math.max(
    plan.steps.findLastIndex((step) => step.percent <= percent + SAME_PERCENT),
    0,
  );
}

export function newRun(rollout: Rollout, expected: string): Run {
  return {
    rollout,
    expected,
    past: [],
    intent: null,
    seq: 0,
    stepSince: 0,
    visibleMs: 0,
    lookedAt: null,
    judgement: null,
    blind: [],
    apiTrouble: "",
    missing: 0,
    liveIn: 0,
    stepWait: 0,
    stepHeld: "",
    stepFailures: 0,
    dark: 0,
    quiet: 0,
    newest: 0,
    decided: { key: "", step: -1, atMs: 0, inStep: 0, total: 0 },
    named: "",
    told: [],
    hasLoose: false,
    aftercare: 0,
    events: 0,
  };
}
