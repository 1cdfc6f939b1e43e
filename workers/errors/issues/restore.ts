/** Undoes a change of state or assignee: the issues are again what `before` of that change said. */
import { sql } from "drizzle-orm";
import { ISSUE_STATES, type IssueBefore, type IssueRestoreRequest } from "../../api/contract.ts";
import { issueActivity, issues } from "../../db/schema.ts";
import { allExist, type ChangeResult, change, checkIds, invalid } from "./change.ts";
import { MAX_ASSIGNEE_CHARS, MAX_VERSION_CHARS } from "./limits.ts";

export async function restore(
  env: Pick<Env, "DB">,
  request: IssueRestoreRequest,
  actor: string,
  now: number,
): Promise<ChangeResult> {
  const checked = checkIds(request.issues.map((issue) => issue.id));
  if (!checked.ok) return checked;
  const { ids } = checked;
  const wrong = request.issues.find((issue) => !isPossible(issue));
  if (wrong !== undefined)
    return invalid(`Issue #${wrong.id} was never like this: send \`before\` as it was answered.`);
  const json = JSON.stringify(request.issues.map(toRow));
  const differs = sql`${allExist(ids)} AND (i.state != j.value->>1 OR i.state_at != j.value->>2 OR i.resolved_in != j.value->>4
    OR i.ignore_until IS NOT j.value->>5 OR i.ignore_count IS NOT j.value->>6 OR i.ignore_rate IS NOT j.value->>7
    OR i.assignee != j.value->>9)`;
  return change(
    env.DB,
    ids,
    [
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT i.id, ${now}, ${actor},
        CASE WHEN i.state = j.value->>1 AND i.state_at = j.value->>2 THEN 'assigned'
          WHEN j.value->>1 IN ('unresolved', 'regressed') THEN 'reopened' ELSE j.value->>1 END,
        CASE WHEN i.state = j.value->>1 AND i.state_at = j.value->>2
          THEN json_object('to', j.value->>9, 'undo', json('true')) ELSE json_object('undo', json('true')) END
      FROM json_each(${json}) j JOIN ${issues} i ON i.id = j.value->>0 WHERE ${differs}`,
      sql`UPDATE ${issues} SET state = d.state, state_at = d.state_at, state_by = d.state_by, resolved_in = d.resolved_in,
        ignore_until = d.until, ignore_count = d.n, ignore_rate = d.rate, ignore_base = d.base, assignee = d.assignee
      FROM (SELECT j.value->>0 AS id, j.value->>1 AS state, j.value->>2 AS state_at, j.value->>3 AS state_by,
          j.value->>4 AS resolved_in, j.value->>5 AS until, j.value->>6 AS n, j.value->>7 AS rate, j.value->>8 AS base,
          j.value->>9 AS assignee
        FROM json_each(${json}) j JOIN ${issues} i ON i.id = j.value->>0 WHERE ${differs}) d
      WHERE issues.id = d.id`,
    ],
    now,
  );
}

function toRow({ id, state, stateAt, stateBy, resolvedIn, ignored, assignee }: IssueBefore): unknown[] {
  const { until, count, rate, base } = ignored ?? { until: null, count: null, rate: null, base: 0 };
  return [id, state, stateAt, stateBy, resolvedIn, until, count, rate, base, assignee];
}

function isPossible({ state, stateAt, stateBy, resolvedIn, ignored, assignee }: IssueBefore): boolean {
  const texts: [string, number][] = [
    [stateBy, MAX_ASSIGNEE_CHARS],
    [resolvedIn, MAX_VERSION_CHARS],
    [assignee, MAX_ASSIGNEE_CHARS],
  ];
  const numbers = ignored === null ? [] : [ignored.until ?? 0, ignored.count ?? 0, ignored.rate ?? 0, ignored.base];
  return (
    (ISSUE_STATES as readonly string[]).includes(state) &&
    Number.isSafeInteger(stateAt) &&
    (ignored !== null) === (state === "ignored") &&
    texts.every(([text, max]) => text.length <= max) &&
    numbers.every((n) => Number.isFinite(n) && n >= 0)
  );
}
