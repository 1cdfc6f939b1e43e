/**
 * D1: what is relational and small. Events are not here (they are in R2); this
 * is the catalog of segments, the rollups, the ledger, who may do what, issues
 * with all that is counted of them, which source maps there are, the list of rollouts.
 * Migrations are generated from this file and the four that it passes on: `npm run migrations`.
 */
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export * from "./integration-tables.ts";
export * from "./issue-tables.ts";
export * from "./rollout-tables.ts";
export * from "./source-map-tables.ts";

/** One row per Parquet object. Times are µs since the epoch. */
export const segments = sqliteTable(
  "segments",
  {
    /** R2 key. */
    key: text("key").primaryKey(),
    script: text("script").notNull(),
    minTime: integer("min_time").notNull(),
    maxTime: integer("max_time").notNull(),
    rows: integer("rows").notNull(),
    bytes: integer("bytes").notNull(),
    /** 0: sealed by an Ingester; higher: compacted from segments of the level below. */
    level: integer("level").notNull(),
    /** JSON, `store/pruning.ts`: value sets, numeric ranges and bloom filters of columns. */
    pruning: text("pruning").notNull(),
    /** JSON list of attribute columns with their types. */
    attributes: text("attributes").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("segments_script_time").on(t.script, t.maxTime), index("segments_time").on(t.maxTime)],
);

/** Objects to delete from R2 once no running query can still read them. */
export const garbage = sqliteTable("garbage", {
  key: text("key").primaryKey(),
  /** ms since the epoch. */
  deleteAfter: integer("delete_after").notNull(),
});

/** One row per Ingester. Written with every seal, in the same batch as its segments. */
export const shards = sqliteTable("shards", {
  shard: text("shard").primaryKey(),
  script: text("script").notNull(),
  /** Log rows up to this id are in segments. */
  sealedThrough: integer("sealed_through").notNull(),
  /** ms since the epoch. */
  updatedAt: integer("updated_at").notNull(),
  /** 0: nothing is unsealed, so no query need ask; else a generation (buffer/open-mark.ts). */
  open: integer("open").notNull().default(0),
  /** Issue deltas of log rows up to this id are counted (errors/issues/apply.ts). */
  issuesThrough: integer("issues_through").notNull().default(0),
});

/** Columns that minutes and their folds share. Counts are weighted; sketches are JSON (event/sketch.ts). */
const rollupColumns = {
  script: text("script").notNull(),
  versionId: text("version_id").notNull(),
  versionTag: text("version_tag").notNull(),
  versionMessage: text("version_message").notNull(),
  entrypoint: text("entrypoint").notNull(),
  eventType: text("event_type").notNull(),
  requests: real("requests").notNull(),
  errors: real("errors").notNull(),
  outcomes: text("outcomes").notNull(),
  statuses: text("statuses").notNull(),
  duration: text("duration").notNull(),
  cpu: text("cpu").notNull(),
};

/**
 * `source` is the seal that wrote the row (`shard@throughId`), so a seal tried
 * twice writes it once. `id` grows with every row: what is above the mark of
 * `folds` is not folded yet. No index by time alone: it would be written with
 * every row, and `script IN (SELECT script FROM workers)` finds a time range by
 * the key.
 */
export const rollupMinutes = sqliteTable(
  "rollup_minutes",
  {
    id: integer("id").primaryKey(),
    /** Seconds since the epoch. */
    minute: integer("minute").notNull(),
    source: text("source").notNull(),
    ...rollupColumns,
  },
  (t) => [uniqueIndex("rollup_minutes_key").on(t.script, t.minute, t.versionId, t.entrypoint, t.eventType, t.source)],
);

/** Minutes added up to `step` seconds (store/counts/folding.ts) that begin at `start`, for long ranges. */
export const rollupFolds = sqliteTable(
  "rollup_folds",
  { step: integer("step").notNull(), start: integer("start").notNull(), ...rollupColumns },
  (t) => [primaryKey({ columns: [t.script, t.step, t.start, t.versionId, t.entrypoint, t.eventType] })],
);

/** What became of what arrived (event/rollup.ts, LEDGER_REASONS). */
export const ledgerMinutes = sqliteTable(
  "ledger_minutes",
  {
    id: integer("id").primaryKey(),
    minute: integer("minute").notNull(),
    source: text("source").notNull(),
    script: text("script").notNull(),
    /** JSON: reason → count. */
    counts: text("counts").notNull(),
  },
  (t) => [uniqueIndex("ledger_minutes_key").on(t.script, t.minute, t.source)],
);

export const ledgerFolds = sqliteTable(
  "ledger_folds",
  {
    step: integer("step").notNull(),
    start: integer("start").notNull(),
    script: text("script").notNull(),
    counts: text("counts").notNull(),
  },
  (t) => [primaryKey({ columns: [t.script, t.step, t.start] })],
);

/** How far each table of minutes is folded: rows up to `through_id` are in its folds. */
export const folds = sqliteTable("folds", {
  name: text("name").primaryKey(),
  throughId: integer("through_id").notNull(),
});

/** One row per Worker ever seen. */
export const workers = sqliteTable("workers", {
  script: text("script").primaryKey(),
  /** ms since the epoch. */
  firstSeen: integer("first_seen").notNull(),
  lastSeen: integer("last_seen").notNull(),
  /** JSON, `ingest/settings.ts`: sampling rules, retention days, rate limit; `{}` for the defaults. */
  settings: text("settings").notNull().default("{}"),
});

/** One row per version ever seen. */
export const versions = sqliteTable(
  "versions",
  {
    script: text("script").notNull(),
    versionId: text("version_id").notNull(),
    tag: text("tag").notNull(),
    message: text("message").notNull(),
    firstSeen: integer("first_seen").notNull(),
    lastSeen: integer("last_seen").notNull(),
  },
  (t) => [primaryKey({ columns: [t.script, t.versionId] })],
);

/** Row of `settings` that holds `PlatformSettings` (api/contract.ts): ingest and retention go by it. */
export const PLATFORM_SETTINGS_KEY = "platform";

/** Platform-wide settings, and positions of work that goes on where it ended: key → JSON. */
export const settings = sqliteTable("settings", {
  key: text("key").primaryKey(),
  value: text("value").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

export const tokens = sqliteTable("tokens", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** SHA-256 of the token, hex. The token itself is shown once and never stored. */
  hash: text("hash").notNull().unique(),
  scope: text("scope").notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by").notNull(),
  lastUsedAt: integer("last_used_at"),
  expiresAt: integer("expires_at"),
  revokedAt: integer("revoked_at"),
});

/** Browser sessions. */
export const sessions = sqliteTable("sessions", {
  /** SHA-256 of the cookie's value, hex. */
  hash: text("hash").primaryKey(),
  /** Token that opened it (`bootstrap` for TAILRACE_ADMIN_TOKEN): revoking the token ends the session. */
  tokenId: text("token_id").notNull(),
  actor: text("actor").notNull(),
  scope: text("scope").notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
});

export const audit = sqliteTable(
  "audit",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    actor: text("actor").notNull(),
    /** `token.create`, `settings.update` … */
    action: text("action").notNull(),
    target: text("target").notNull(),
    /** JSON, never a secret. */
    detail: text("detail").notNull(),
  },
  (t) => [index("audit_at").on(t.at)],
);

/** Hubs that have viewers, so that a revoked credential can be sent away from all of them (live/registry.ts). */
export const liveHubs = sqliteTable("live_hubs", {
  /** Durable Object name. */
  name: text("name").primaryKey(),
  /** ms: when its leases end, unless it renews them. */
  until: integer("until").notNull(),
});
