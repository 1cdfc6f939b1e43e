/**
 * What the parts of rollouts hand each other, and what the guard (a Durable
 * Object, one per Worker, by the Worker's name) offers over RPC.
 *
 *   buffer/ Ingesters ──unsealedRollups──▶ evidence/ ──cells──▶ decide/ ──verdict, next move──▶ guard ──▶ cloudflare/
 *
 * Callers: `api/` starts, steers and reads; the Ingester says that a version is new (`noticed`).
 */
import type {
  EventClass,
  Judgement,
  NewIssue,
  Preflight,
  QueryGate,
  Rollout,
  RolloutAnswer,
  RolloutCommand,
  RolloutEvent,
  RolloutPlan,
  StartRollout,
} from "../api/contract.ts";
import type { WireSketch } from "../event/sketch.ts";

export type Arm = "old" | "new";

/** Steps of a plan: a person follows ten; a hundred is a mistake. */
export const MAX_STEPS = 50;
/** Of a step's soak time and limit: a week, longer than any step that somebody watches. */
export const MAX_STEP_MINUTES = 7 * 24 * 60;
/** Query gates of a plan: each is a query of its own, minute by minute. */
export const MAX_QUERY_GATES = 10;

/** More splits than this do not happen within a minute, nor within an hour that minutes are folded to. */
export const MINUTE_PARTS = 4096;

/**
 * All that is known of one arm, one class of invocations and one minute: totals,
 * which only grow while the minute's telemetry comes in. Counts are weighted.
 */
export interface Cell {
  /** Start of the minute, seconds since the epoch. */
  minute: number;
  arm: Arm;
  class: EventClass;
  /**
   * Counts up each time that the split changes while telemetry of the minute still comes in: what came before and what
   * came after are not alike, an outage between them would look like the new version's. Absent: 0.
   */
  part?: number;
  /** Compared: all but those whose client left, and all but one of those that died of the same isolate's death. */
  n: number;
  /** Of these, failures: exceptions, exceeded limits, 5xx; a death of an isolate once. */
  failed: number;
  /** Clients that left: in neither. */
  left: number;
  /** Victims of a death that is counted already: in neither. */
  collateral: number;
  /** ms; empty where the platform does not say, and once they are settled and nothing is learnt from them any more. */
  duration: WireSketch;
  cpu: WireSketch;
}

/** Invocations with an event that matches a query gate's filter, by arm and minute; `n` is of all classes together. Of a sampled Worker both are as many as were kept. */
export interface QueryCell {
  gate: QueryGate["name"];
  minute: number;
  /** As Cell.part. */
  part?: number;
  arm: Arm;
  n: number;
  hits: number;
}

/** Errors of an issue that the new version brought, by arm, since the rollout began. */
export interface IssueCount {
  issue: NewIssue;
  old: number;
  new: number;
  /** ErrorKind (errors/delta.ts). */
  kind?: string;
  /** Why it may be an old error in new clothes: it is shown, and decides nothing. */
  apart?: Apart;
}

/** known: the old version has had errors of that type and message. …_unmapped: that version has no source map here and the other one has, so their frames cannot be compared. */
export type Apart = "known" | "new_unmapped" | "old_unmapped";

/** Errors of an issue that the old version has, by arm, since the rollout began. */
export interface OldIssueCount {
  kind: string;
  title: string;
  old: number;
  new: number;
}

/** What the bets of one gate on settled minutes came to (decide/sums.ts): logarithms, and totals. */
export interface SettledRates {
  /** Which bets these are: a release that bets otherwise cannot go on with them. */
  bets: number;
  strata: number;
  against: number[];
  above: SettledBets;
  below: SettledBets;
  /** Of the step that began at `since`. */
  present: SettledBets & { since: number };
  recent: { fresh: number[]; excess: number[]; at: number };
  failures: number;
  expected: number;
  weight: number;
  old: { n: number; hits: number };
  new: { n: number; hits: number };
  /** By what the log of the evidence was divided when it was settled. */
  clumps: number;
}
export interface SettledBets {
  wealth: number[];
  slope: number[];
}
/** Of a gate of durations or CPU, beside its rates. */
export interface SettledTimes {
  /** Whether the platform ever measured them. */
  hasOld: boolean;
  hasNew: boolean;
  /** ms. */
  tolerated: number | null;
  /** Whether there were any to compare. */
  isLast: boolean;
}

/**
 * Minutes that are over for an hour are settled: their bets are made once and for all, and only their counts are
 * kept, for the page. So evidence stays small however long a rollout runs, and is never bet on a second time otherwise.
 */
export interface Settled {
  /** Seconds: cells of minutes before it are in `rates`. */
  until: number;
  /** The same of query gates' cells. */
  queriesUntil: number;
  /** By a gate's id. */
  rates: Readonly<Record<string, SettledRates>>;
  times: Readonly<Record<string, SettledTimes>>;
}

/** What the evidence cannot show. Times are visible ms that are lost to it. */
export interface Sight {
  /** In plain words; empty when all Ingesters answered. */
  blind: string[];
  /** What is lost to both arms alike, or not told apart: said, and nothing to wait for. In plain words. */
  notes: string[];
  /** When the newest event of each arm happened, ms; null when there was none yet. */
  newestOld: number | null;
  newestNew: number | null;
}

/** Everything that a verdict is made of. Pure data: the same evidence gives the same verdict. */
export interface Evidence {
  cells: readonly Cell[];
  queries: readonly QueryCell[];
  issues: readonly IssueCount[];
  /** The most frequent ones of the old version: what is gone there may be what is new here. Absent: none is known. */
  oldIssues?: readonly OldIssueCount[];
  sight: Sight;
  /** Absent: nothing is settled yet. */
  settled?: Settled;
}

/** What is settled from now on, and the cells whose sketches nobody needs any more. */
export interface Settlement {
  settled: Settled;
  spent: readonly Cell[];
}

/** What the policy knows of a rollout beside its evidence. */
export interface Situation {
  plan: RolloutPlan;
  /** Index into plan.steps. */
  step: number;
  /** Percentage of the new version that is live. */
  percent: number;
  /** Since when the present step is live: Cell.minute + Cell.part / MINUTE_PARTS of the first cells that are of it. */
  stepSince: number;
  /** Visible ms at this step: the guard looked, and could see. Jumps of the clock are not in it. */
  visibleMs: number;
  isPaused: boolean;
}

/** What is to be done next; `decide/policy.ts` says it, the guard does it. */
export type Move =
  | { type: "hold"; reason: string }
  /** To `plan.steps[step]`; the last one ends the rollout. */
  | { type: "promote"; step: number; reason: string }
  | { type: "take_back"; reason: string };

/** Turned into HTTP by `api/rollouts/failure.ts`. */
export type GuardFailureCode =
  | "not_connected"
  | "rollout_running"
  | "preflight_failed"
  | "not_found"
  | "ended"
  | "bad_request"
  /** Cloudflare's API said no, or did not answer. */
  | "cloudflare";
export type GuardFailure = {
  ok: false;
  code: GuardFailureCode;
  message: string;
  preflight?: Preflight;
};
export type GuardResult<T> = { ok: true; value: T } | GuardFailure;

export interface GuardRpc {
  start(request: StartRollout, actor: string): Promise<GuardResult<Rollout>>;
  preflight(request: StartRollout): Promise<GuardResult<Preflight>>;
  command(
    id: string,
    verb: "promote" | "pause" | "resume" | "abort",
    command: RolloutCommand,
    actor: string,
  ): Promise<GuardResult<Rollout>>;
  read(id: string): Promise<RolloutAnswer | null>;
  /** All of the record, for the export. */
  evidence(id: string): Promise<{ rollout: Rollout; events: RolloutEvent[]; judgement: Judgement | null } | null>;
  /** The rollout that runs, if one does. */
  current(): Promise<string | null>;
  /** Telemetry of a version came that was not there before: look whether somebody splits traffic. `againAfterMs`: for so long it need not hear of any. */
  noticed(script: string, version: string): Promise<{ againAfterMs: number }>;
}
