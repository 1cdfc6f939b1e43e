/**
 * D1's part of rollouts: the list, and the account that they act on. What a
 * guard decides by, and its record, is in the guard's own SQLite
 * (`rollouts/`), which writes its row here after each change.
 */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const rollouts = sqliteTable(
  "rollouts",
  {
    id: text("id").primaryKey(),
    script: text("script").notNull(),
    /** ROLLOUT_STATES. */
    state: text("state").notNull(),
    /** ms since the epoch. */
    startedAt: integer("started_at").notNull(),
    endedAt: integer("ended_at"),
    /** Grows with each change of a rollout: a row that comes late does not replace a newer one. */
    revision: integer("revision").notNull(),
    /** JSON, Rollout (api/contract/rollouts.ts). */
    row: text("row").notNull(),
  },
  (t) => [index("rollouts_started").on(t.startedAt), index("rollouts_script").on(t.script, t.startedAt)],
);

/** One row: the account that is connected. */
export const cloudflareAccounts = sqliteTable("cloudflare_accounts", {
  accountId: text("account_id").primaryKey(),
  /** The API token, encrypted (secrets/seal.ts). */
  sealedToken: text("sealed_token").notNull(),
  tokenHint: text("token_hint").notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by").notNull(),
  verifiedAt: integer("verified_at"),
});
