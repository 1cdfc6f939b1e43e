/** What people say about an issue. A comment may be taken back by who wrote it. */
import { sql } from "drizzle-orm";
import type { IssueActivity, IssueCommentRequest } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { issueActivity, issues } from "../../db/schema.ts";
import { type Invalid, invalid } from "./change.ts";
import { MAX_COMMENT_CHARS } from "./limits.ts";

type CommentEnv = Pick<Env, "DB">;
type NotFound = { ok: false; reason: "not_found" };

/** The same words of the same person within this time are a request that was sent twice. */
const SAME_COMMENT_MS = 30_000;

export async function addComment(
  env: CommentEnv,
  issueId: number,
  { text }: IssueCommentRequest,
  actor: string,
  now: number,
): Promise<{ ok: true; comment: IssueActivity } | Invalid | NotFound> {
  const words = text.trim();
  if (words === "") return invalid("A comment needs words.");
  if (words.length > MAX_COMMENT_CHARS) return invalid(`A comment has at most ${MAX_COMMENT_CHARS} characters.`);
  const detail = JSON.stringify({ text: words });
  const same = sql`issue_id = ${issueId} AND kind = 'commented' AND actor = ${actor} AND detail = ${detail}
    AND at > ${now - SAME_COMMENT_MS}`;
  const [, rows] = await runBatch<[unknown, { id: number; at: number }]>(env.DB, [
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, ${now}, ${actor}, 'commented', ${detail} FROM ${issues} WHERE id = ${issueId}
        AND NOT EXISTS (SELECT 1 FROM ${issueActivity} WHERE ${same})`,
    sql`SELECT id, at FROM ${issueActivity} WHERE ${same} ORDER BY id DESC LIMIT 1`,
  ]);
  const row = rows[0];
  if (row === undefined) return { ok: false, reason: "not_found" };
  return { ok: true, comment: { ...row, actor, kind: "commented", detail: { text: words } } };
}

export async function deleteComment(
  env: CommentEnv,
  issueId: number,
  activityId: number,
  actor: string,
): Promise<{ ok: true } | NotFound | { ok: false; reason: "not_yours" }> {
  const it = sql`id = ${activityId} AND issue_id = ${issueId} AND kind = 'commented'`;
  const [found] = await runBatch<[{ actor: string }, unknown]>(env.DB, [
    sql`SELECT actor FROM ${issueActivity} WHERE ${it}`,
    sql`DELETE FROM ${issueActivity} WHERE ${it} AND actor = ${actor}`,
  ]);
  if (found[0] === undefined) return { ok: false, reason: "not_found" };
  return found[0].actor === actor ? { ok: true } : { ok: false, reason: "not_yours" };
}
