/** D1: issues, and all that is counted of them; a part of `schema.ts`. Decisions 13 and 18 say how they are written and forgotten. */
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

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
    /** issue.new, issue.regressed, issue.escalated, issue.resolved; of rollouts: rollouts/guard/. */
    kind: text("kind").notNull(),
    issueId: integer("issue_id").notNull(),
    /** 0 for new, else which regression, escalation or resolution: what makes it happen once. */
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
