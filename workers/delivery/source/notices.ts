/** Notifications as they were written to D1, in the order of their ids: the outbox of issues and rollouts is the source of notices, too. */
import { sql } from "drizzle-orm";
import type { Notification } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { issues, notifications } from "../../db/schema.ts";

interface Row extends Omit<Notification, "issueId" | "detail"> {
  issueId: number;
  detail: string;
  /** Null for a rollout, and for an issue that was forgotten. */
  count: number | null;
  firstSeen: number | null;
}

/** Throws when D1 does. */
export async function readNotices(
  env: Pick<Env, "DB">,
  after: number,
  limit: number,
): Promise<{ notices: Notification[]; through: number; more: boolean }> {
  const [rows] = await runBatch<[Row]>(env.DB, [
    sql`SELECT n.id, n.at, n.kind, n.issue_id AS issueId, n.script, n.detail, i.count, i.first_seen AS firstSeen
      FROM ${notifications} AS n LEFT JOIN ${issues} AS i ON i.id = n.issue_id
      WHERE n.id > ${after} ORDER BY n.id LIMIT ${limit + 1}`,
  ]);
  const notices = rows.slice(0, limit).map(({ detail, count, firstSeen, ...row }): Notification => {
    const known = count === null || firstSeen === null ? {} : { count, firstSeen };
    return { ...row, detail: { ...(JSON.parse(detail) as Notification["detail"]), ...known } };
  });
  return { notices, through: notices.at(-1)?.id ?? after, more: rows.length > limit };
}

/** Id of the last one from before a time (ms): where a destination of then begins. */
export async function noticesThrough(env: Pick<Env, "DB">, before: number): Promise<number> {
  const [rows] = await runBatch<[{ id: number }]>(env.DB, [
    sql`SELECT id FROM ${notifications} WHERE at < ${before} ORDER BY id DESC LIMIT 1`,
  ]);
  return rows[0]?.id ?? 0;
}
