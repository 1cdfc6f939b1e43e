/**
 * The part of the contract that is about integrations: the catalog, destinations
 * with their rules, health and dead letters, resources, connected Workers, and
 * how Tailrace itself is. Others import it from `contract.ts`. Times are ms since
 * the epoch unless said otherwise.
 */
import type { Notification } from "./issues.ts";

/**
 * errors: exceptions, and invocations that failed without one. logs: console calls.
 * traces: invocations and spans. notices: new issues, regressions, rollouts.
 */
export const FEEDS = ["errors", "logs", "traces", "notices"] as const;
export type Feed = (typeof FEEDS)[number];
export type NoticeKind = Notification["kind"];

export const CATEGORIES = ["Errors", "Observability", "Alerts", "Archives", "Resources"] as const;
export type Category = (typeof CATEGORIES)[number];

export interface CatalogField {
  name: string;
  label: string;
  type: "text" | "url" | "secret" | "select" | "boolean" | "number";
  required: boolean;
  /** Write-only: stored encrypted, never in an answer. */
  secret: boolean;
  help: string;
  /** Greyed example. */
  example?: string;
  default?: string;
  options?: { value: string; label: string }[];
  /** Shown under "Advanced". */
  advanced?: boolean;
  /** What to choose from is asked of the service: POST /api/v1/resources/options. */
  dynamic?: boolean;
  /** A secret that is ours to make: who sets it up is offered one, `prefix` and so many random bytes in base64, and copies it to the receiver. */
  generate?: { prefix: string; bytes: number };
}

/** GET /api/v1/integrations : {integrations}. Data only: one file of `workers/integrations/catalog/` each. */
export interface CatalogEntry {
  /** In URLs and rows: `sentry`, `otlp`, `grafana-cloud`. */
  id: string;
  name: string;
  role: "destination" | "resource";
  category: Category;
  /** One sentence: what it does for the team. */
  summary: string;
  /** Feeds; empty for a resource. */
  takes: readonly Feed[];
  /** Those that are sent unless its rules say otherwise; all when absent. */
  defaultFeeds?: readonly Feed[];
  /** Kinds of notices that are sent unless its rules say otherwise; all when absent. */
  defaultNotices?: readonly NoticeKind[];
  fields: readonly CatalogField[];
  /** Markdown: where to find the key, what arrives, what is known to be different. */
  documentation: string;
  /** The vendor's own page. */
  website: string;
  /** Two letters or a sign and a colour: there are no vendors' logos in this repository. */
  mark: { text: string; color: string };
  /** The receiver leaves out what came twice (by ids), or cannot. */
  idempotent: boolean;
}
export interface CatalogAnswer {
  integrations: CatalogEntry[];
}

/** The first rule whose every given condition holds decides. */
export interface SampleRule {
  feed?: Feed;
  /** `5xx` or `404`. */
  status?: string;
  outcome?: string;
  /** Type of the exception; `*` stands for any characters. */
  exception?: string;
  /** 0 to 1. Decided by the invocation's id: the same at every try, all items of an invocation alike. */
  rate: number;
}

export interface DestinationRules {
  /** Names, `*` stands for any characters. Empty: all. */
  workers: string[];
  exceptWorkers: string[];
  /** Version ids or tags, with `*`. Empty: all. */
  versions: string[];
  /** Of what the integration takes. */
  feeds: Feed[];
  /** Logs from this level on: debug, log, info, warn, error. */
  minLevel: "debug" | "info" | "warn" | "error";
  /** Kinds of notices. Empty: all. */
  notices: NoticeKind[];
  sampling: SampleRule[];
  /** Rate of what no rule of `sampling` matches. */
  otherwise: number;
  /** Items per minute (of the events' own time) at most; what is above is dropped and counted. */
  perMinute: number | null;
  tags: Record<string, string>;
}

export const DESTINATION_STATES = ["enabled", "paused"] as const;
export type DestinationState = (typeof DESTINATION_STATES)[number];

export interface DestinationHealth {
  /**
   * ok; idle: nothing to do yet; behind: catching up; waiting: between tries; failing: the circuit is open;
   * attention: only a person can mend it (key refused, address gone); paused; standby.
   */
  condition: "ok" | "idle" | "behind" | "waiting" | "failing" | "attention" | "paused" | "standby";
  /** One sentence for people. */
  sentence: string;
  /** Items, since it was made. */
  delivered: number;
  /** Tries of items that failed. */
  failed: number;
  droppedByRule: { sampled: number; ceiling: number };
  /** Thrown away by the receiver, by its own word. */
  rejectedByReceiver: number;
  deadLetters: number;
  /** Events that were no longer stored when their turn came. */
  lost: number;
  viaFailover: number;
  /** Events (rows) that wait and may match; null while it is not known. */
  queued: number | null;
  /** Time of the oldest event that waits. */
  oldestWaiting: number | null;
  lastDeliveredAt: number | null;
  /** When a cursor of it last moved (delivered, passed over, or put aside), or work came while it had none: what /healthz looks at. */
  movedAt: number | null;
  /** All that waits is meant to until then: a batch grows, or the receiver wants nothing of its kind now. null when something may go. */
  dueAt?: number | null;
  lastError: { at: number; kind: string; message: string; status: number } | null;
  /** When it is tried next. */
  nextTryAt: number | null;
  circuit: "closed" | "open" | "half-open";
  /** Since when the failover carries it; null when it does not. */
  failedOverSince: number | null;
  /** Up to when the failover has carried: now when nothing waits there, else when it last moved. null when it does not carry. */
  carriedAt: number | null;
  /** Position of a back-fill. */
  backfill: { from: number; to: number; rows: number; done: number } | null;
  /** Per minute, newest last, one hour: what the page draws. */
  minutes: { at: number; delivered: number; failed: number; p50: number | null }[];
  /** ms. */
  latency: { p50: number | null; p99: number | null };
  asOf: number;
}

export interface DestinationRow {
  id: string;
  integration: string;
  name: string;
  state: DestinationState;
  /** Only carries what others fail to deliver. */
  standby: boolean;
  failoverTo: string | null;
  rules: DestinationRules;
  /** Fields that are no secret. */
  values: Record<string, string>;
  /** Names of secret fields that are set. */
  secretsSet: string[];
  /** Of secret fields that hold an address: its host, and nothing else of it. */
  hosts?: Record<string, string>;
  createdAt: number;
  createdBy: string;
  updatedAt: number;
  health: DestinationHealth;
}
/** GET /api/v1/destinations */
export interface DestinationsAnswer {
  destinations: DestinationRow[];
}
/** GET, PUT /api/v1/destinations/:id ; POST /api/v1/destinations ; POST …/:id/pause, …/:id/resume : {destination} */
export interface DestinationAnswer {
  destination: DestinationRow;
}
/** POST /api/v1/destinations. PUT …/:id takes the same without `integration` and `backfillFrom`; a secret that is left out stays, an empty one is taken away. */
export interface NewDestination {
  integration: string;
  name: string;
  values: Record<string, string>;
  rules: Partial<DestinationRules>;
  state?: DestinationState;
  standby?: boolean;
  failoverTo?: string | null;
  /** ms: also what happened since then. */
  backfillFrom?: number | null;
}
/** POST /api/v1/destinations/test : with `id`, secrets that are left out are those stored. */
export interface TestDestination {
  id?: string;
  integration: string;
  values: Record<string, string>;
}
export interface TestAnswer {
  ok: boolean;
  /** What the receiver said, what to do. */
  message: string;
  ms: number;
  /** Field → what is wrong with it; nothing was sent then. */
  problems?: Record<string, string>;
}
/** POST /api/v1/destinations/preview {integration, rules} : of the last hour. */
export interface PreviewAnswer {
  from: number;
  to: number;
  /** Items that the integration could take, and of them: sent, dropped by sampling, by the ceiling, not chosen. */
  feeds: { feed: Feed; candidates: number; sent: number; sampled: number; ceiling: number; notChosen: number }[];
  byWorker: { script: string; sent: number }[];
  /** The first lines that would be sent. */
  examples: { at: number; script: string; feed: Feed; text: string }[];
  /** False when the last hour was too much to look at in full; counts are scaled then. */
  exact: boolean;
}
/** POST /api/v1/destinations/:id/backfill {from, to?} : {destination} */
export interface BackfillRequest {
  from: number;
  to?: number;
}

/** GET /api/v1/destinations/:id/dead-letters?before&limit */
export interface DeadLetter {
  id: number;
  at: number;
  script: string;
  feed: Feed;
  /** First line: message of the error, of the log. */
  title: string;
  failure: { kind: string; status: number; message: string };
  tries: number;
}
export interface DeadLettersAnswer {
  deadLetters: DeadLetter[];
  total: number;
}
/** GET …/dead-letters/:letter. `item` is JSON of what is sent, before it is put in the receiver's words. PUT …/:letter {item} stores it changed. */
export interface DeadLetterAnswer {
  deadLetter: DeadLetter & { item: string };
}
/** POST …/dead-letters/replay, …/dead-letters/discard */
export interface DeadLetterSelection {
  ids: number[] | "all";
}
export interface DeadLettersChanged {
  changed: number;
  /** Of a replay: refused again. */
  refused: number;
}

/** GET /api/v1/resources */
export interface ResourceRow {
  id: string;
  integration: string;
  name: string;
  values: Record<string, string>;
  secretsSet: string[];
  /** Workers that have its secrets, as far as they were written. */
  workers: { script: string; secrets: string[]; writtenAt: number; error: string | null }[];
  createdAt: number;
  rotatedAt: number | null;
  usage: { install: string; code: string };
}
export interface ResourcesAnswer {
  resources: ResourceRow[];
}
/** POST /api/v1/resources ; PUT …/:id (Workers chosen anew) ; POST …/:id/rotate ; DELETE …/:id removes the secrets, too */
export interface NewResource {
  integration: string;
  name: string;
  values: Record<string, string>;
  workers: string[];
}
export interface ResourceAnswer {
  resource: ResourceRow;
}
/** POST /api/v1/resources/options {integration, field, values} */
export interface OptionsAnswer {
  options: string[];
}

/**
 * GET /api/v1/connections ; GET, PUT, DELETE /api/v1/connections/:script : {connection}. DELETE of what the Worker's
 * own configuration connected is refused (`not_ours`) without `?force=true`.
 */
export interface Connection {
  script: string;
  /** Our entry is among its tail consumers. */
  connected: boolean;
  /** Tailrace wrote it; otherwise the Worker's own configuration did. Without `connected`: a deploy took it out since. */
  byTailrace: boolean;
  connectedAt: number | null;
  /** Last event, however it came. */
  lastSeen: number | null;
  /** An event came after it was connected. */
  verified: boolean;
  /** Other tail consumers, left as they are. */
  others: string[];
  /** Tailrace itself: never connected to itself. */
  self: boolean;
}
export interface ConnectionsAnswer {
  connections: Connection[];
  account: { connected: boolean; accountId: string | null };
  /** Lines for the Worker's wrangler.toml, which make it last. */
  toml: string;
}
export interface ConnectionAnswer {
  connection: Connection;
  /** With the other tail consumers: the line is the whole list. */
  toml: string;
  /** Done, and there is something to know: somebody else changed the list at the same moment, the next deploy undoes it. */
  notice?: string;
}

/** GET /api/v1/secrets ; POST /api/v1/secrets/rotate : everything that is sealed, sealed again under the first key. */
export interface SecretsAnswer {
  /** Id of the key that seals now; null when none is set. */
  key: string | null;
  /** Sealed texts per key id. */
  sealed: { key: string; count: number }[];
  /** Sealed under a key that is not here any more: enter these again. */
  unreadable: string[];
  /** Of POST: sealed anew. */
  resealed?: number;
}

/** GET /api/v1/status */
export interface StatusAnswer {
  status: "ok" | "failing";
  checks: { name: string; ok: boolean; message?: string; ms?: number }[];
  /** Consumers that move a cursor. */
  consumers: {
    name: string;
    kind: "seal" | "issues" | "notifications" | "delivery" | "rollup";
    condition: "idle" | "moving" | "stalled" | "new" | "paused";
    lagMs: number | null;
    movedAt: number | null;
    message: string;
  }[];
  counters: {
    name: string;
    help: string;
    unit: string;
    /** A line for each value of the labels; Workers and destinations are added up. */
    labels?: Record<string, string>;
    value: number;
    perMinute: number | null;
  }[];
  version: string;
  asOf: number;
}
