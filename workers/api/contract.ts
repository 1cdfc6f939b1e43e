/**
 * The shapes of the HTTP API, shared with the dashboard and the command: types,
 * and the constants that they are made of. Times in answers are ms since the
 * epoch unless the name says otherwise; in questions (`from`, `to`) they are
 * ISO 8601, epoch ms, or relative (`-1h`, `now`).
 */
export * from "./contract/integrations.ts";
export * from "./contract/issues.ts";
export * from "./contract/live.ts";
export * from "./contract/reading-order.ts";
export * from "./contract/rollouts.ts";
export * from "./contract/source-maps.ts";

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
