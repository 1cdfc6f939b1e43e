/**
 * D1: what is relational and small. Events are not here (they are in R2); this
 * is the catalog of segments, the rollups, the ledger, who may do what, issues
 * with all that is counted of them, and which source maps there are.
 * Migrations are generated from this file: `npm run migrations`.
 */
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

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

/**
 * What a team works on. Everything that is counted hangs on `fingerprints`, and
 * an issue is the set of fingerprints that point to it: merging, splitting and
 * regrouping move pointers, never counts. `firstSeen` … `count` repeat what the
 * fingerprints add up to, for sorting. Times are ms since the epoch.
 */
export const issues = sqliteTable(
  "issues",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    script: text("script").notNull(),
    /** Grouping key that made it; for one made by splitting, the fingerprint that left. */
    birth: text("birth").notNull().unique(),
    /** ErrorKind (errors/delta.ts). */
    kind: text("kind").notNull(),
    noise: text("noise").notNull().default(""),
    type: text("type").notNull(),
    title: text("title").notNull(),
    culprit: text("culprit").notNull(),
    /** unresolved, resolved, regressed, ignored. */
    state: text("state").notNull().default("unresolved"),
    stateAt: integer("state_at").notNull(),
    stateBy: text("state_by").notNull().default(""),
    /** While resolved: "" for now, `next`, or the id of the version that has the fix. */
    resolvedIn: text("resolved_in").notNull().default(""),
    /** While ignored: the first that comes true ends it. Rate: occurrences per minute. */
    ignoreUntil: integer("ignore_until"),
    ignoreCount: real("ignore_count"),
    ignoreRate: real("ignore_rate"),
    /** `count` when it was ignored. */
    ignoreBase: real("ignore_base").notNull().default(0),
    assignee: text("assignee").notNull().default(""),
    /** The issue that it was merged into: it has no fingerprints of its own then. */
    mergedInto: integer("merged_into"),
    regressions: integer("regressions").notNull().default(0),
    firstSeen: integer("first_seen").notNull(),
    lastSeen: integer("last_seen").notNull(),
    firstVersion: text("first_version").notNull(),
    lastVersion: text("last_version").notNull(),
    /** Weighted. */
    count: real("count").notNull(),
  },
  (t) => [
    // All that the list filters and sorts by: it is counted and sorted without looking at a row. `lastSeen` is written with every flush, so the others cost nothing.
    index("issues_state").on(t.state, t.lastSeen, t.kind, t.firstSeen, t.mergedInto, t.script, t.count, t.ignoreUntil),
  ],
);

/** Fingerprints that events carry, and grouping keys that only lead to an issue (`count` 0). */
export const fingerprints = sqliteTable(
  "fingerprints",
  {
    fingerprint: text("fingerprint").primaryKey(),
    script: text("script").notNull(),
    issueId: integer("issue_id").notNull(),
    /** The issue that it belonged to before people merged: unmerging brings it back. */
    homeIssueId: integer("home_issue_id").notNull(),
    algorithm: integer("algorithm").notNull(),
    /** Version whose source map would tell more; "" when nothing is missing. */
    awaitsMap: text("awaits_map").notNull().default(""),
    firstSeen: integer("first_seen").notNull(),
    lastSeen: integer("last_seen").notNull(),
    firstVersion: text("first_version").notNull(),
    lastVersion: text("last_version").notNull(),
    count: real("count").notNull(),
  },
  (t) => [index("fingerprints_issue").on(t.issueId), index("fingerprints_waiting").on(t.script, t.awaitsMap)],
);

export const fingerprintVersions = sqliteTable(
  "fingerprint_versions",
  {
    fingerprint: text("fingerprint").notNull(),
    versionId: text("version_id").notNull(),
    versionTag: text("version_tag").notNull(),
    versionMessage: text("version_message").notNull(),
    firstSeen: integer("first_seen").notNull(),
    lastSeen: integer("last_seen").notNull(),
    count: real("count").notNull(),
    /** JSON, Exemplar (errors/delta.ts), with its stack. */
    exemplar: text("exemplar").notNull(),
  },
  (t) => [primaryKey({ columns: [t.fingerprint, t.versionId] }), index("fingerprint_versions_version").on(t.versionId)],
);

export const fingerprintMinutes = sqliteTable(
  "fingerprint_minutes",
  {
    fingerprint: text("fingerprint").notNull(),
    /** Seconds since the epoch; after some days the start of an hour, for all of it (errors/issues/fold-minutes.ts). */
    minute: integer("minute").notNull(),
    versionId: text("version_id").notNull(),
    /** Weighted. */
    count: real("count").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.fingerprint, t.minute, t.versionId] }),
    index("fingerprint_minutes_minute").on(t.minute),
  ],
);

/** Distinct users, routes, colos, countries: one row per shard, which alone writes it, so replacing it is enough. */
export const fingerprintSketches = sqliteTable(
  "fingerprint_sketches",
  {
    fingerprint: text("fingerprint").notNull(),
    shard: text("shard").notNull(),
    /** JSON, errors/issues/distinct.ts. */
    sketch: text("sketch").notNull(),
  },
  (t) => [primaryKey({ columns: [t.fingerprint, t.shard] })],
);

/** Deaths of isolates: all that died of the same cause, in one version and place, with no pause between them. */
export const incidents = sqliteTable(
  "incidents",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    fingerprint: text("fingerprint").notNull(),
    versionId: text("version_id").notNull(),
    colo: text("colo").notNull(),
    startedAt: integer("started_at").notNull(),
    endedAt: integer("ended_at").notNull(),
    victims: integer("victims").notNull(),
  },
  (t) => [index("incidents_fingerprint").on(t.fingerprint, t.startedAt)],
);

/** What happened to an issue and what people said about it, oldest first. */
export const issueActivity = sqliteTable(
  "issue_activity",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    issueId: integer("issue_id").notNull(),
    at: integer("at").notNull(),
    /** "" for Tailrace itself. */
    actor: text("actor").notNull(),
    /** ActivityKind (api/contract.ts). */
    kind: text("kind").notNull(),
    /** JSON. */
    detail: text("detail").notNull(),
  },
  (t) => [index("issue_activity_issue").on(t.issueId, t.id)],
);

/** What somebody should be told. The row is the truth; whoever passes it on notes that in `publishedAt`. */
export const notifications = sqliteTable(
  "notifications",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    /** issue.new, issue.regressed, issue.escalated */
    kind: text("kind").notNull(),
    issueId: integer("issue_id").notNull(),
    /** 0 for new, else which regression or escalation: what makes it happen once. */
    occasion: integer("occasion").notNull(),
    script: text("script").notNull(),
    /** JSON, NotificationDetail (api/contract.ts). */
    detail: text("detail").notNull(),
    publishedAt: integer("published_at"),
    /** Somebody is passing it on; when that failed another may from then on, ms. */
    claimedUntil: integer("claimed_until").notNull().default(0),
  },
  (t) => [
    uniqueIndex("notifications_once").on(t.issueId, t.kind, t.occasion),
    index("notifications_waiting").on(t.publishedAt),
  ],
);

/** Source maps by the version and file that they are for. The objects lie in R2 under their hash (errors/maps/). */
export const sourceMaps = sqliteTable(
  "source_maps",
  {
    script: text("script").notNull(),
    versionId: text("version_id").notNull(),
    /** Name of the generated file as stacks have it: `index.js`. */
    file: text("file").notNull(),
    /** SHA-256 of the original map, hex. */
    hash: text("hash").notNull(),
    bytes: integer("bytes").notNull(),
    /** SHA-256 of the seekable form, hex. */
    seekableHash: text("seekable_hash").notNull(),
    seekableBytes: integer("seekable_bytes").notNull(),
    debugId: text("debug_id").notNull().default(""),
    sources: integer("sources").notNull(),
    mappings: integer("mappings").notNull(),
    uploadedAt: integer("uploaded_at").notNull(),
    uploadedBy: text("uploaded_by").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.script, t.versionId, t.file] }),
    index("source_maps_hash").on(t.hash),
    index("source_maps_seekable").on(t.seekableHash),
  ],
);

/** Blobs that are being uploaded in parts. */
export const sourceMapUploads = sqliteTable("source_map_uploads", {
  /** SHA-256 of the whole, hex. */
  hash: text("hash").primaryKey(),
  /** Of R2's multipart upload. */
  uploadId: text("upload_id").notNull(),
  bytes: integer("bytes").notNull(),
  createdAt: integer("created_at").notNull(),
});

export const sourceMapParts = sqliteTable(
  "source_map_parts",
  {
    hash: text("hash").notNull(),
    /** From 1. */
    part: integer("part").notNull(),
    etag: text("etag").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hash, t.part] })],
);
