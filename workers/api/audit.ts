/**
 * The audit log: one row per change, written by one function, in the same D1
 * batch as the change where the change is in D1. Never holds a secret.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, database, schema } from "../db/client.ts";

export type AuditAction =
  | "token.create"
  | "token.revoke"
  | "session.open"
  | "session.close"
  | "session.refused"
  | "settings.update"
  | "worker.settings.update"
  | "sourcemap.upload"
  | "sourcemap.delete"
  | "issue.state"
  | "issue.assign"
  | "issue.restore"
  | "issue.merge"
  | "issue.unmerge"
  | "issue.comment"
  | "issue.comment.delete"
  | "rollout.start"
  | "rollout.promote"
  | "rollout.pause"
  | "rollout.resume"
  | "rollout.abort"
  | "cloudflare.connect"
  | "cloudflare.disconnect"
  | "destination.create"
  | "destination.update"
  | "destination.pause"
  | "destination.resume"
  | "destination.retry"
  | "destination.backfill"
  | "destination.remove"
  | "deadletter.edit"
  | "deadletter.replay"
  | "deadletter.discard"
  | "resource.create"
  | "resource.update"
  | "resource.rotate"
  | "resource.remove"
  | "worker.connect"
  | "worker.disconnect"
  | "secrets.rotate"
  | "store.seal"
  | "store.maintenance";

export interface AuditEntry {
  /** ms since the epoch. */
  at: number;
  actor: string;
  action: AuditAction;
  target: string;
  detail?: unknown;
}

/** A statement for `db.batch([...])`. */
export function auditRow(db: Database, entry: AuditEntry) {
  const { at, actor, action, target, detail } = entry;
  return db.insert(schema.audit).values({ at, actor, action, target, detail: JSON.stringify(detail ?? {}) });
}

/** For `runBatch`: of the statement right before it, and only if that changed a row. */
export function auditOfChange({ at, actor, action, target, detail }: AuditEntry): SQL {
  return sql`INSERT INTO ${schema.audit} (at, actor, action, target, detail)
    SELECT ${at}, ${actor}, ${action}, ${target}, ${JSON.stringify(detail ?? {})} WHERE changes() > 0`;
}

/** For changes that are not in D1. */
export async function audit(env: Env, entry: AuditEntry): Promise<void> {
  await auditRow(database(env.DB), entry);
}
