/**
 * The shapes of the HTTP API, shared with the dashboard: types, and two
 * constants. Times in answers are ms since the
 * epoch unless the name says otherwise; in questions (`from`, `to`) they are
 * ISO 8601, epoch ms, or relative (`-1h`, `now`).
 */
export interface ApiError {
  error: { code: string; message: string; details?: unknown };
}

export const SCOPES = ["read", "ingest", "deploy", "admin"] as const;
/** `admin` may do everything; the others only what their name says. */
export type Scope = (typeof SCOPES)[number];

/** GET /api/v1/session · POST /api/v1/session {token} · DELETE /api/v1/session */
export interface SessionAnswer {
  actor: string;
  scope: Scope;
  expiresAt?: number;
}

/** What became of the items of a range (ledger), and how far behind sealing is. */
export interface Completeness {
  /** (kept + sampled_out, which weights make up for) ÷ received; 1 when nothing arrived. */
  ratio: number;
  received: number;
  kept: number;
  sampledOut: number;
  rateLimited: number;
  overloaded: number;
  truncated: number;
  unreadable: number;
  /** Age of the oldest event that is not sealed yet. It is queryable all the same. */
  behindMs: number;
  /** Set when part of the data could not be read: what and why. */
  missing?: string[];
}

/** GET|POST /api/v1/query (q, from, to, limit, before). Cells of type `json` are JSON text. */
export interface QueryColumn {
  name: string;
  type: "string" | "number" | "boolean" | "time" | "json";
  unit?: string;
}
export interface QueryStats {
  /** Segments read, and segments that the catalog ruled out. */
  segments: number;
  pruned: number;
  /** Events looked at (sealed and live). */
  events: number;
  /** Bytes read from R2. */
  bytes: number;
  ms: number;
  completeness: Completeness;
}
export interface QueryAnswer {
  columns: QueryColumn[];
  /** Times are ISO 8601 text with microseconds. */
  rows: (string | number | boolean | null)[][];
  stats: QueryStats;
  /** Events only: there may be more; ask again with `before` set to this. */
  next?: string;
  /** Groups only: there are more than `limit`. */
  truncated?: boolean;
}
/** With `Accept: application/x-ndjson`: progress lines, then one answer line. */
export type QueryLine =
  | { progress: { done: number; total: number; events: number } }
  | { answer: QueryAnswer }
  | ApiError;

/** GET /api/v1/fields?from&to&script&prefix */
export interface FieldInfo {
  /** What to type. */
  name: string;
  physical: string;
  aliases: string[];
  type: "string" | "number" | "boolean" | "time";
  unit?: string;
  doc?: string;
  core: boolean;
}
export interface FieldsAnswer {
  fields: FieldInfo[];
}
/** GET /api/v1/fields/:name/values?from&to&script&prefix&limit */
export interface FieldValuesAnswer {
  /** `label`: what a value is called, where it is a number (issues). */
  values: { value: string; count: number; label?: string }[];
}

export interface Measures {
  requests: number;
  errors: number;
  /** errors ÷ requests, 0 when there were none. */
  errorRate: number;
  /** ms; null when unknown. */
  p50: number | null;
  p99: number | null;
  cpuP50: number | null;
  cpuP99: number | null;
}
/** One point per bucket, empty buckets included. */
export interface SeriesPoint extends Measures {
  t: number;
}
export interface VersionSummary extends Measures {
  id: string;
  tag: string;
  message: string;
  firstSeen: number;
  lastSeen: number;
  series: SeriesPoint[];
}
export interface BreakdownRow extends Measures {
  value: string;
}
export interface WorkerSummary extends Measures {
  script: string;
  firstSeen: number;
  lastSeen: number;
  series: SeriesPoint[];
  versions: VersionSummary[];
}
/** GET /api/v1/overview?from&to */
export interface OverviewAnswer {
  from: number;
  to: number;
  bucketMs: number;
  total: Measures & { series: SeriesPoint[] };
  workers: WorkerSummary[];
  completeness: Completeness;
}
/** GET /api/v1/workers/:script?from&to */
export interface WorkerAnswer {
  from: number;
  to: number;
  bucketMs: number;
  worker: WorkerSummary;
  entrypoints: BreakdownRow[];
  eventTypes: BreakdownRow[];
  outcomes: { value: string; requests: number }[];
  statuses: { value: string; requests: number }[];
  completeness: Completeness;
}

/** GET /api/v1/invocations/:id?around=<ms> : the events in order. `around` narrows the search. */
export interface InvocationAnswer {
  id: string;
  events: EventJson[];
  completeness: Completeness;
}
/** An event as JSON: core fields by their name, `time` as ISO text, attributes beside them. */
export interface EventJson {
  time: string;
  kind: string;
  script: string;
  invocation_id: string;
  seq: number;
  sample_weight: number;
  attributes: Record<string, string | number | boolean>;
  /** Of errors: the issue that the `fingerprint` leads to at present. */
  issue?: number;
  [field: string]: unknown;
}

/** GET /api/v1/ledger?from&to&script */
export interface LedgerAnswer {
  bucketMs: number;
  points: ({ t: number } & Record<string, number>)[];
  completeness: Completeness;
}

/** POST /api/v1/ingest/tail */
export interface IngestAnswer {
  /** Items that are durable now. */
  accepted: number;
  rejected: { index: number; error: string }[];
  /** Set when more were rejected than are listed. */
  rejectedMore?: number;
  /** Items left out on purpose (sampled, rate-limited, overloaded); the ledger says why. */
  dropped: number;
}

/** GET|POST /api/v1/tokens · DELETE /api/v1/tokens/:id */
export interface TokenInfo {
  id: string;
  name: string;
  scope: Scope;
  createdAt: number;
  createdBy: string;
  lastUsedAt: number | null;
  expiresAt: number | null;
  revokedAt: number | null;
}
export interface TokenCreated extends TokenInfo {
  /** Shown once. */
  token: string;
}
/** GET /api/v1/tokens */
export interface TokensAnswer {
  tokens: TokenInfo[];
}
/** POST /api/v1/tokens */
export interface TokenRequest {
  name: string;
  scope: Scope;
  /** Days until it expires; without it, it does not. */
  expiresInDays?: number;
}
/** GET /api/v1/audit?before&limit : newest first; `next` is the `before` of the next page. */
export interface AuditAnswer {
  rows: AuditRow[];
  next?: number;
}
export interface AuditRow {
  id: number;
  at: number;
  actor: string;
  action: string;
  target: string;
  detail: unknown;
}

/** How long events are kept where neither the Worker nor the platform says so. */
export const DEFAULT_RETENTION_DAYS = 30;

/** GET|PUT /api/v1/workers/:script/settings. What a Worker leaves out is the platform's. */
export interface WorkerSettings {
  /** Days; DEFAULT_RETENTION_DAYS if nobody says so. */
  retentionDays?: number;
  /** Items per minute and isolate that one Worker may send; without it, tail() is limited by the ratelimit binding alone. */
  ratePerMinute?: number;
  /** First rule that matches decides; errors, slow invocations and canary versions are kept before any rule is asked. */
  sampling?: SamplingRule[];
  /** Invocations slower than this are always kept; default 1,000 ms. */
  slowMs?: number;
  /** Versions always kept at 100 %. */
  canaryVersions?: string[];
}
export interface SamplingRule {
  outcome?: string;
  /** 2xx … 5xx */
  statusClass?: string;
  /** Exact, or with `*` at the end. */
  route?: string;
  version?: string;
  eventType?: string;
  /** 0 < rate ≤ 1. */
  rate: number;
}
/** GET|PUT /api/v1/settings */
export interface PlatformSettings {
  redaction: {
    /** Attribute, header and query-parameter names to redact, besides the default set. Case-insensitive, `*` allowed. */
    keys: string[];
    /** Names in the default set to leave alone. */
    except: string[];
    cardNumbers: boolean;
    emails: boolean;
  };
  /** Default for Workers without a setting of their own. */
  worker: WorkerSettings;
  /** How errors become issues. */
  grouping?: GroupingSettings;
}
export interface GroupingSettings {
  /**
   * One rule per line (docs/issues.md): `type:PaymentError message:"*declined*" -> declined, {{ type }}`. First match wins.
   * Mistakes: 400 `bad_rules` with `details: { problems: RuleProblem[] }`.
   */
  fingerprintRules: string[];
  /** Attributes that tell users and tenants apart, besides those that Tailrace knows (`user.id` …). */
  userAttributes: string[];
}
export interface RuleProblem {
  /** From 1, in `fingerprintRules`. */
  line: number;
  message: string;
}

/** POST /api/v1/seal: how many Ingesters have everything in the catalog now (503 when one could not). */
export interface SealAnswer {
  sealed: number;
}

/** GET /healthz: 200 or 503. */
export interface HealthAnswer {
  status: "ok" | "failing";
  checks: { name: string; ok: boolean; message?: string; ms?: number }[];
}

// Issues ---------------------------------------------------------------------

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
  kind: "issue.new" | "issue.regressed" | "issue.escalated";
  issueId: number;
  script: string;
  detail: NotificationDetail;
}
export interface NotificationDetail {
  type: string;
  title: string;
  culprit: string;
  version: VersionName;
}
export interface NotificationsAnswer {
  notifications: Notification[];
}

// Source maps ----------------------------------------------------------------

/** GET /api/v1/workers/:script/versions/:version/sourcemaps */
export interface SourceMapInfo {
  file: string;
  /** SHA-256 of the original, hex. */
  hash: string;
  bytes: number;
  seekableBytes: number;
  debugId: string;
  sources: number;
  mappings: number;
  uploadedAt: number;
  uploadedBy: string;
}
export interface SourceMapsAnswer {
  maps: SourceMapInfo[];
}

/**
 * Upload in parts, resumable and idempotent:
 *   POST /api/v1/sourcemaps/blobs {hash, bytes}              → BlobAnswer: what is still missing
 *   PUT  /api/v1/sourcemaps/blobs/:hash/:part  (raw bytes)    → BlobAnswer
 *   POST /api/v1/workers/:script/versions/:version/sourcemaps RegisterRequest, once both blobs are complete → SourceMapInfo
 * or, for small maps of any build, the map itself:
 *   PUT  /api/v1/workers/:script/versions/:version/sourcemaps/:file (application/json, gzip allowed) → SourceMapInfo
 */
export interface BlobRequest {
  hash: string;
  bytes: number;
}
export interface BlobAnswer {
  complete: boolean;
  /** Every part but the last has this many bytes. */
  partBytes: number;
  /** Numbers from 1. */
  missing: number[];
}
export interface RegisterRequest {
  file: string;
  hash: string;
  bytes: number;
  seekableHash: string;
  seekableBytes: number;
  debugId?: string;
  sources: number;
  mappings: number;
}
