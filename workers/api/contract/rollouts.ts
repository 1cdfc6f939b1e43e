/**
 * Gradual deployments: the part of the contract that plans, watches and records
 * them. Percentages are 0 to 100, rates and shares fractions of 1, times ms since
 * the epoch. Others import it from `contract.ts`.
 *
 *   GET    /api/v1/rollouts?script&state&limit&before            read*   RolloutsAnswer, newest first; `state=running`: all that have not ended, `ended`: all that have
 *   POST   /api/v1/rollouts                                      deploy  StartRollout → 201 Rollout; 409 `rollout_running` with details: { rollout: its id }; 422 `preflight_failed` with details: Preflight
 *   POST   /api/v1/rollouts/preflight                            deploy  StartRollout → Preflight; changes nothing
 *   GET    /api/v1/rollouts/:id                                  read*   RolloutAnswer
 *   GET    /api/v1/rollouts/:id/evidence                         read*   Markdown for the incident report; with `Accept: application/json` EvidenceAnswer
 *   POST   /api/v1/rollouts/:id/promote | pause | resume | abort deploy  RolloutCommand → Rollout
 *   GET    /api/v1/workers/:script/deployment                    read    DeploymentAnswer; 409 `not_connected`
 *   GET    /api/v1/cloudflare                                    read    CloudflareAnswer
 *   PUT    /api/v1/cloudflare                                    admin   CloudflareRequest → CloudflareAnswer
 *   DELETE /api/v1/cloudflare                                    admin
 *
 * read*: or deploy, so that CI follows what it started with its one token. Paths with
 * an :id take `?script=` as well: then the rollout is found without the database, so
 * that it can be taken back while that is away.
 */
import type { VersionName } from "./issues.ts";

/** What a verdict says of the new version, or of one gate of it. */
export const VERDICTS = ["worse", "not_worse", "unknown"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Invocations that are compared with their like only. */
export const EVENT_CLASSES = ["request", "durable_object", "queue", "scheduled"] as const;
export type EventClass = (typeof EVENT_CLASSES)[number];

export interface RolloutStep {
  /** Of the new version's traffic, 0 < percent ≤ 100; ascending. The last is 100: nothing is left to compare with, so reaching it ends the rollout. */
  percent: number;
  /** At least so long, however good it looks. Only minutes in which we could see count. */
  soakMinutes: number;
}

export interface RateGate {
  /** Absolute difference of the two rates, as a fraction, below which nobody need be woken. */
  minEffect: number;
}
export interface QuantileGate {
  /** 0 < quantile < 1, as 0.99. */
  quantile: number;
  /** The new version's quantile may be this fraction above the old one's: 0.25 is a quarter slower. */
  tolerance: number;
  /** …and this many ms, so that 3 ms instead of 2 ms is no regression. */
  minMs: number;
}
export interface IssueGate {
  /** Issues that are new in the version, and more frequent in it than chance allows, that are tolerated. */
  max: number;
}
export interface QueryGate extends RateGate {
  /** What people call it: unique within the plan. */
  name: string;
  /** Filter of the query language on events. Compared: invocations with such an event ÷ all, new against old; more is worse. */
  filter: string;
}
/** null: not asked. */
export interface RolloutGates {
  errors: RateGate | null;
  duration: QuantileGate | null;
  cpu: QuantileGate | null;
  issues: IssueGate | null;
  queries: QueryGate[];
}

export interface RolloutPlan {
  steps: RolloutStep[];
  gates: RolloutGates;
  /** Invocations on each arm before a verdict; a disaster is told with fewer. */
  minSamples: number;
  /** A step without a verdict after so many visible minutes is taken back. */
  stepLimitMinutes: number;
  /** act: promotes and takes back. advise: says what it would do; the split is somebody else's. */
  mode: "act" | "advise";
}

export const DEFAULT_PLAN: RolloutPlan = {
  steps: [
    { percent: 1, soakMinutes: 5 },
    { percent: 5, soakMinutes: 5 },
    { percent: 25, soakMinutes: 10 },
    { percent: 50, soakMinutes: 10 },
    { percent: 100, soakMinutes: 0 },
  ],
  gates: {
    errors: { minEffect: 0.005 },
    duration: { quantile: 0.99, tolerance: 0.5, minMs: 50 },
    cpu: { quantile: 0.99, tolerance: 0.5, minMs: 10 },
    issues: { max: 0 },
    queries: [],
  },
  minSamples: 50,
  stepLimitMinutes: 240,
  mode: "act",
};

/**
 * starting: nothing is changed yet. running: at a step. paused: stays at its step; a version that is worse is still
 * taken back. Ended: promoted (100 %), rolled_back (by the guard), aborted (by a person), stopped (somebody else changed
 * the deployment, or the version is gone: nothing was touched), failed (could not begin, or could not be taken back: see `reason`).
 */
export const ROLLOUT_STATES = [
  "starting",
  "running",
  "paused",
  "promoted",
  "rolled_back",
  "aborted",
  "stopped",
  "failed",
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];
export const ENDED_STATES: readonly RolloutState[] = ["promoted", "rolled_back", "aborted", "stopped", "failed"];

/** GET /api/v1/rollouts: one row of the list. */
export interface Rollout {
  id: string;
  script: string;
  state: RolloutState;
  mode: "act" | "advise";
  /** Tailrace noticed a split that somebody else made. */
  isWatched: boolean;
  old: VersionName;
  new: VersionName;
  plan: RolloutPlan;
  /** Index into `plan.steps`; -1 before the first. */
  step: number;
  /** Of the new version, as last seen live. */
  percent: number;
  verdict: Verdict;
  /** One sentence: why it is where it is. */
  reason: string;
  startedAt: number;
  startedBy: string;
  endedAt: number | null;
  /** When the state, the step or the percentage last changed. */
  changedAt: number;
}

export interface RolloutsAnswer {
  rollouts: Rollout[];
  /** `before` of the next page. */
  next?: number;
}

export interface StartRollout {
  /** A UUID of the caller's making: the same again answers the rollout that it began (200), also one that is over. Without it the guard makes one. */
  id?: string;
  script: string;
  /** The new version; it must be uploaded. Its id, the first 8 characters of it or more, or its tag: whatever is of one version only. */
  version: string;
  /** What it leaves out is DEFAULT_PLAN's; `gates` gate by gate. */
  plan?: Partial<Omit<RolloutPlan, "gates">> & { gates?: Partial<RolloutGates> };
  /** Starts although preflight warns. What preflight refuses cannot be forced. */
  force?: boolean;
}

/** POST …/promote goes on to the next step (or to `percent`, a step of the plan) without waiting for a verdict; …/abort takes back. */
export interface RolloutCommand {
  /** For the record. */
  reason?: string;
  percent?: number;
}

export interface PreflightFinding {
  /** refuse: it would break, or could not be taken back. warn: read this first. info: good to know. */
  level: "refuse" | "warn" | "info";
  /** `migration_differs`, `binding_deleted`, `secret_changed`, `version_window`, `not_observed`, `no_traffic`, `rollout_running` … */
  code: string;
  /** Plain words, and what to do. */
  message: string;
}
export interface Preflight {
  ok: boolean;
  old: VersionName;
  new: VersionName;
  plan: RolloutPlan;
  findings: PreflightFinding[];
}

/** What one arm did, as far as one gate is concerned. */
export interface ArmResult {
  /** Invocations compared (clients that left are in neither). */
  n: number;
  /** Those that count against it: failures, slow ones, matches. */
  hits: number;
  /** Rate, or quantile in ms; null where there is nothing to say. */
  value: number | null;
}

export interface GateResult {
  /** `errors:request`, `duration:queue`, `issues`, `query:<name>`. */
  id: string;
  /** For people: "Error rate of requests". */
  label: string;
  kind: "errors" | "duration" | "cpu" | "issues" | "query";
  unit: "share" | "ms" | "issues";
  verdict: Verdict;
  /** One sentence in plain words. */
  reason: string;
  old: ArmResult;
  new: ArmResult;
  /** New − old (of quantiles: of the shares beyond the old quantile), with an interval that holds at all times. */
  difference: { estimate: number; low: number; high: number } | null;
  /** Evidence against the new version (e-value): at or above `threshold` it is worse. */
  statistic: number;
  threshold: number;
  /** Evidence that it is not worse by more than `margin`, likewise. */
  clearStatistic: number;
  clearThreshold: number;
  margin: number;
  /** false: nothing to compare, or too rare to wait for; while it is unknown no step is held by it. Absent: the step waits. */
  holds?: false;
}

export interface Judgement {
  verdict: Verdict;
  /** Nearly all of the new version fails: told with few samples. */
  isDisaster: boolean;
  reason: string;
  gates: GateResult[];
  /** Invocations compared since the present step began, of all classes together. */
  present: { old: number; new: number };
  /** Of these, those that Cloudflare draws a version for one by one: all but calls of Durable Objects, which move by id. */
  drawn?: { old: number; new: number };
}

/** An issue that is new in the version. */
export interface NewIssue {
  id: number;
  title: string;
  type: string;
  /** `src/v2/delivery.ts:18:9 in estimate`: the top frame of the team's own code, by the source map where there is one. */
  frame: string | null;
  isMapped: boolean;
  /** Why it decides nothing, in plain words: it may be an old error in new clothes. Absent: it is taken for new. */
  note?: string;
  count: number;
  firstSeen: number;
}

/** One line of the record. Each decision keeps what it saw. */
export interface RolloutEvent {
  seq: number;
  at: number;
  kind: "started" | "preflight" | "decision" | "action" | "command" | "notice" | "ended";
  /** Who or what: `guard`, a token's name, `somebody else`. */
  actor: string;
  /** One sentence. */
  text: string;
  /** Of decisions. */
  judgement?: Judgement;
  issues?: NewIssue[];
  /** Of actions: what was asked of Cloudflare, and the answer. Never a credential. */
  request?: { versions: { version: string; percent: number }[]; expected: string | null };
  answer?: { ok: boolean; status: number; deployment?: string; message?: string; attempts: number };
  findings?: PreflightFinding[];
}

/** Both versions in one interval of time. */
export interface RolloutPoint {
  t: number;
  old: { requests: number; errors: number };
  new: { requests: number; errors: number };
  /** Of the new version at that time. */
  percent: number;
  /** The interval of the difference of error rates as it was known then; null before there was any. */
  difference: { estimate: number; low: number; high: number } | null;
}

/** GET /api/v1/rollouts/:id */
export interface RolloutAnswer {
  rollout: Rollout;
  judgement: Judgement | null;
  /** Visible ms at this step, of its soak time and of its limit. */
  soak: { ms: number; ofMs: number; limitMs: number };
  bucketMs: number;
  points: RolloutPoint[];
  issues: NewIssue[];
  /** The newest 200, oldest first; the export has all. */
  events: RolloutEvent[];
  /** What the guard cannot see at present, in plain words; empty when all is well. */
  blind: string[];
}

/** GET /api/v1/rollouts/:id/evidence, as JSON: all of the record. */
export interface EvidenceAnswer {
  rollout: Rollout;
  events: RolloutEvent[];
  judgement: Judgement | null;
  /** As they are known by now: after a take-back within seconds, more than its decision knew. */
  issues: NewIssue[];
}

export interface DeployedVersion extends VersionName {
  percent: number;
}
/** GET /api/v1/workers/:script/deployment */
export interface DeploymentAnswer {
  /** Live now, newest version last; null when the Worker is not deployed. */
  live: { id: string; createdAt: number; versions: DeployedVersion[]; message: string } | null;
  /** The newest that were uploaded, newest first. */
  versions: (VersionName & { number: number; createdAt: number })[];
  /** The rollout that runs, if one does. */
  rollout: string | null;
}

/** GET|PUT /api/v1/cloudflare: the account that rollouts act on. The token goes in and never comes out. */
export interface CloudflareAnswer {
  connected: boolean;
  accountId: string | null;
  /** Last characters, to tell tokens apart. */
  tokenHint: string | null;
  /** When Cloudflare last accepted it; null: not yet, see `problem`. */
  verifiedAt: number | null;
  problem: string | null;
}
export interface CloudflareRequest {
  accountId: string;
  token: string;
}
