/** The part of the contract that is about issues, their stacks and notifications. Others import it from `contract.ts`. */
import type { Completeness } from "../contract.ts";

export const ISSUE_STATES = ["unresolved", "resolved", "regressed", "ignored"] as const;
export type IssueState = (typeof ISSUE_STATES)[number];
export const ISSUE_KINDS = ["exception", "rejection", "log", "message", "http", "death", "noise"] as const;
export type IssueKind = (typeof ISSUE_KINDS)[number];

/** A version as people know it. */
export interface VersionName {
  id: string;
  tag: string;
  message: string;
}

export interface IssueSummary {
  id: number;
  script: string;
  kind: IssueKind;
  /** `network`, `client_left` …; "" for everything but noise. */
  noise: string;
  type: string;
  title: string;
  /** `addItem (src/cart.ts)`, or the route. */
  culprit: string;
  state: IssueState;
  assignee: string;
  firstSeen: number;
  lastSeen: number;
  firstVersion: VersionName;
  lastVersion: VersionName;
  /** Weighted, of all time. */
  count: number;
  /** Weighted, within the asked range. */
  countInRange: number;
  /** Approximate. */
  users: number;
  regressions: number;
  /** A source map would tell more: of these versions there is none. */
  awaitsMap: boolean;
  /** Weighted counts per bucket of the asked range, empty ones included. */
  sparkline: number[];
}

/**
 * GET /api/v1/issues?state&script&version&kind&assignee&q&sort&from&to&limit&cursor
 * `state`: one of ISSUE_STATES, `open` (unresolved and regressed; the default) or `all`. `kind`: `errors` (all but noise; the default), `all`, or one.
 * `version`: seen in it. `new_in`: first seen in it. `q`: words in type, title, culprit or id. `sort`: last_seen (default), first_seen, count, users (of the 200 most frequent).
 * `assignee` empty: nobody's. Seen between `from` (default -24h) and `to`; `limit` 50, at most 100.
 */
export interface IssuesAnswer {
  from: number;
  to: number;
  bucketMs: number;
  issues: IssueSummary[];
  /** Give it as `cursor` for the next page. */
  next?: string;
  /** With every filter but `state`. */
  states: Record<IssueState, number>;
  /** With every filter but `kind`. */
  noise: number;
}

export interface IssueVersion extends VersionName {
  firstSeen: number;
  lastSeen: number;
  count: number;
  exemplar: IssueExemplar;
  hasSourceMap: boolean;
}
export interface IssueExemplar {
  invocationId: string;
  seq: number;
  time: number;
  message: string;
}

export const ACTIVITY_KINDS = [
  "first_seen",
  "resolved",
  "reopened",
  "regressed",
  "ignored",
  "escalated",
  "assigned",
  "commented",
  "merged",
  "unmerged",
  "regrouped",
  "symbolicated",
] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];
export interface IssueActivity {
  id: number;
  at: number;
  /** "" for Tailrace itself. */
  actor: string;
  kind: ActivityKind;
  /** resolved: {in}; regressed: {version}; ignored: {until?, count?, rate?}; assigned: {to}; commented: {text}; merged: {from|into}; … */
  detail: Record<string, unknown>;
}

export interface IssueIncident {
  version: VersionName;
  colo: string;
  startedAt: number;
  endedAt: number;
  victims: number;
}

/** GET /api/v1/issues/:id?from&to . A merged issue answers with `mergedInto` set, and the summary it had. */
export interface IssueAnswer {
  from: number;
  to: number;
  bucketMs: number;
  issue: IssueSummary;
  mergedInto: number | null;
  resolvedIn: string;
  /** While resolved in a version: which one that is. Of `next` the first that came after; null until it does. */
  resolvedInVersion: VersionName | null;
  ignored: { until: number | null; count: number | null; rate: number | null } | null;
  /** Approximate. */
  affected: { users: number; routes: number; colos: number; countries: number };
  /** Newest first. */
  versions: IssueVersion[];
  /** Weighted count per bucket and version id; buckets without any are 0. */
  series: { version: string; counts: number[] }[];
  fingerprints: { fingerprint: string; homeIssueId: number; count: number; lastSeen: number; awaitsMap: string }[];
  /** What `GET /api/v1/query` wants as `q` for its events. */
  query: string;
  activity: IssueActivity[];
  /** Deaths only, newest first. */
  incidents: IssueIncident[];
}

/** GET /api/v1/issues/:id/occurrences?from&to&version&limit&before : newest first. */
export interface OccurrencesAnswer {
  occurrences: IssueOccurrence[];
  next?: string;
  completeness: Completeness;
}
export interface IssueOccurrence {
  time: number;
  invocationId: string;
  seq: number;
  version: VersionName;
  message: string;
  method: string | null;
  route: string | null;
  status: number | null;
  outcome: string | null;
  entrypoint: string | null;
  colo: string | null;
  country: string | null;
  weight: number;
}

/** One line of a stack, led back to the source. */
export interface StackFrame {
  function: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
  inApp: boolean;
  mapped: boolean;
  isAsync: boolean;
  isConstructor: boolean;
  /** As V8 printed it. */
  raw: { function: string | null; file: string | null; line: number | null; column: number | null };
  context?: { firstLine: number; lines: string[] };
}
export interface StackTrace {
  type: string | null;
  message: string | null;
  frames: StackFrame[];
  /** Frames left out because there were too many. */
  omitted: number;
  cause: StackTrace | null;
  errors: StackTrace[];
}
/**
 * GET /api/v1/issues/:id/stack?version&invocation&seq (the exemplar of the version, or of the newest, unless told otherwise)
 * POST /api/v1/symbolicate {script, version, stack}
 */
export interface StackAnswer {
  version: VersionName;
  trace: StackTrace;
  /** As it arrived. */
  raw: string;
  /** Of the frames that could be mapped: `none` nothing to map, `mapped`, `partly`, `missing` no map of this version, `failed` it cannot be read. */
  sourceMap: "none" | "mapped" | "partly" | "missing" | "failed";
  /** What to do about it, in a sentence; "" when there is nothing to do. */
  hint: string;
  /** What does it, for a shell, with `<dir>` to fill in; "" where no command helps. */
  command: string;
}

/**
 * GET /api/v1/issues/:id/attributes?from&to : what its events have more often than all
 * events of the same Worker and time. Only what stands out beyond chance is listed.
 */
export interface AttributesAnswer {
  /** Weighted invocations of the issue, and of the Worker; estimates where samples were looked at. */
  inIssue: number;
  inWorker: number;
  /** Invocations that were compared: samples, where there are more. `fractions`: which part of all they are. */
  looked: { issue: number; rest: number; fractions: { issue: number; rest: number } };
  /** The largest effect first. */
  findings: AttributeFinding[];
  /** Attributes that were compared, and values: what the correction is for. */
  comparisons: { attributes: number; values: number };
  completeness: Completeness;
}
export interface AttributeFinding {
  attribute: string;
  value: string;
  /** Weighted invocations with the value. */
  issueCount: number;
  workerCount: number;
  /** Shares of those that have the attribute. */
  issueShare: number;
  workerShare: number;
  /** Ratio of the odds, and its 95 % interval. */
  oddsRatio: number;
  interval: [number, number];
  /** Cramér's V of the two shares, issue against all others, 0..1. */
  effect: number;
  /** After Benjamini–Hochberg. */
  q: number;
  /** For the query language. */
  filter: string;
  /** Values of other attributes that nearly the same invocations have. */
  alike: { attribute: string; value: string }[];
}

/** POST /api/v1/issues/state : one or many. `in`: "" now, `next`, or a version id. `until` ms, `count` more, `rate` per minute. */
export type IssueStateRequest = { ids: number[] } & (
  | { state: "resolved"; in?: string }
  | { state: "unresolved" }
  | { state: "ignored"; until?: number; count?: number; rate?: number }
);
/** POST /api/v1/issues/assignee */
export interface IssueAssigneeRequest {
  ids: number[];
  assignee: string;
}
/** POST /api/v1/issues/:id/comments : answers IssueActivity · DELETE /api/v1/issues/:id/comments/:activityId : one's own */
export interface IssueCommentRequest {
  text: string;
}
/** POST /api/v1/issues/merge */
export interface IssueMergeRequest {
  ids: number[];
  into: number;
}
/** POST /api/v1/issues/:id/unmerge : what goes back to where it came from; without either, all that was merged in. */
export interface IssueUnmergeRequest {
  fingerprints?: string[];
  /** All that came from these issues: what undoes a merge. */
  homes?: number[];
}
/** What the changes answer with: the issues as they are now, and of changes of state and assignee what they were before. */
export interface IssuesChanged {
  issues: Pick<IssueSummary, "id" | "state" | "assignee">[];
  before?: IssueBefore[];
}
/** What an issue was before a change. */
export interface IssueBefore {
  id: number;
  state: IssueState;
  /** ms, and who: a regression is told by when it was resolved. */
  stateAt: number;
  stateBy: string;
  resolvedIn: string;
  ignored: { until: number | null; count: number | null; rate: number | null; base: number } | null;
  assignee: string;
}
/** POST /api/v1/issues/restore : undoes a change of state or assignee: the issues are again what they were. Answers IssuesChanged. */
export interface IssueRestoreRequest {
  issues: IssueBefore[];
}

/** GET /api/v1/fingerprints/:fingerprint : from an event to its issue. */
export interface FingerprintAnswer {
  fingerprint: string;
  issueId: number;
}

/** GET /api/v1/notifications?after&limit : newest first. GET /api/v1/notifications/live : the same, one per WebSocket message, as they happen. */
export interface Notification {
  id: number;
  at: number;
  kind: "issue.new" | "issue.regressed" | "issue.escalated" | "issue.resolved" | RolloutNotificationKind;
  /** 0 for rollouts: `detail.rolloutId` says which. */
  issueId: number;
  script: string;
  detail: NotificationDetail;
}
/** held: the guard waits for a person or for telemetry, and says so once. */
export type RolloutNotificationKind =
  | "rollout.started"
  | "rollout.held"
  | "rollout.promoted"
  | "rollout.rolled_back"
  | "rollout.stopped";
export interface NotificationDetail {
  type: string;
  title: string;
  culprit: string;
  version: VersionName;
  /** Of rollouts. */
  rolloutId?: string;
  /** Of issues, when they were read to be sent on: occurrences so far, and since when (ms). */
  count?: number;
  firstSeen?: number;
}
export interface NotificationsAnswer {
  notifications: Notification[];
}
