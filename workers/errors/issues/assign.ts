/** Says who looks after issues; "" for nobody. */
import { sql } from "drizzle-orm";
import type { IssueAssigneeRequest } from "../../api/contract.ts";
import { issueActivity, issues } from "../../db/schema.ts";
import { allExist, type ChangeResult, change, checkIds, invalid, meant } from "./change.ts";
import { MAX_ASSIGNEE_CHARS } from "./limits.ts";

export async function assign(
  env: Pick<Env, "DB">,
  request: IssueAssigneeRequest,
  actor: string,
  now: number,
): Promise<ChangeResult> {
  const checked = checkIds(request.ids);
  if (!checked.ok) return checked;
  const assignee = request.assignee.trim();
  if (assignee.length > MAX_ASSIGNEE_CHARS)
    return invalid(`\`assignee\` has at most ${MAX_ASSIGNEE_CHARS} characters.`);
  const { ids } = checked;
  const changes = sql`${allExist(ids)} AND id IN (${meant(ids)}) AND assignee != ${assignee}`;
  return change(
    env.DB,
    ids,
    [
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, ${now}, ${actor}, 'assigned', ${JSON.stringify({ to: assignee })} FROM ${issues} WHERE ${changes}`,
      sql`UPDATE ${issues} SET assignee = ${assignee} WHERE ${changes}`,
    ],
    now,
  );
}
