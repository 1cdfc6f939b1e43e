/** Resolve, reopen or ignore issues. What ends an ignore, and what is a regression: `transitions.ts`. */
import { type SQL, sql } from "drizzle-orm";
import type { IssueStateRequest } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import {
  fingerprints,
  fingerprintVersions,
  issueActivity,
  issues,
  notifications,
  sourceMaps,
  versions,
} from "../../db/schema.ts";
import { allExist, asList, type ChangeResult, change, checkIds, type Invalid, invalid, meant } from "./change.ts";
import { MAX_VERSION_CHARS } from "./limits.ts";

type ChangeEnv = Pick<Env, "DB">;

interface Target {
  state: "resolved" | "unresolved" | "ignored";
  resolvedIn: string;
  until: number | null;
  count: number | null;
  rate: number | null;
  activity: string;
  detail: Record<string, unknown>;
}

export async function changeState(
  env: ChangeEnv,
  request: IssueStateRequest,
  actor: string,
  now: number,
): Promise<ChangeResult> {
  const checked = checkIds(request.ids);
  if (!checked.ok) return checked;
  const target = targetOf(request, now);
  if ("ok" in target) return target;
  const { ids } = checked;
  const unknown = target.resolvedIn === "" ? undefined : await unknownVersion(env.DB, ids, target.resolvedIn);
  if (unknown !== undefined) return unknown;
  const changes = sql`${allExist(ids)} AND id IN (${meant(ids)}) AND NOT (${isThere(target)})`;
  return change(
    env.DB,
    ids,
    [
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, ${now}, ${actor}, ${target.activity}, ${JSON.stringify(target.detail)} FROM ${issues} WHERE ${changes}`,
      ...(target.state === "resolved" ? [tellResolved(target, changes, now)] : []),
      sql`UPDATE ${issues} SET state = ${target.state}, state_at = ${now}, state_by = ${actor},
      resolved_in = ${target.resolvedIn}, ignore_until = ${target.until}, ignore_count = ${target.count},
      ignore_rate = ${target.rate}, ignore_base = count WHERE ${changes}`,
    ],
    now,
  );
}

/** What others opened for it (an alert at PagerDuty) can be closed. Told by its moment: resolved again is told again, another version to resolve it in is not. */
function tellResolved({ resolvedIn }: Target, changes: SQL, now: number): SQL {
  const version = JSON.stringify({ id: resolvedIn === "next" ? "" : resolvedIn, tag: "", message: "" });
  return sql`INSERT OR IGNORE INTO ${notifications} (at, kind, issue_id, occasion, script, detail)
    SELECT ${now}, 'issue.resolved', id, ${now}, script,
      json_object('type', type, 'title', title, 'culprit', culprit, 'version', json(${version}))
    FROM ${issues} WHERE ${changes} AND state != 'resolved' AND kind != 'noise'`;
}

/**
 * A version that never comes would keep an issue resolved for ever, whatever
 * happens: a tag or a typing error in place of the id must not pass. One that
 * was deployed a moment ago is known through its source maps.
 */
async function unknownVersion(d1: D1Database, ids: readonly number[], version: string): Promise<Invalid | undefined> {
  if (version === "next") return undefined;
  const [rows] = await runBatch<[{ script: string }]>(d1, [
    sql`SELECT DISTINCT i.script AS script FROM ${issues} i WHERE i.id IN (${asList(ids)})
      AND NOT EXISTS (SELECT 1 FROM ${versions} v WHERE v.script = i.script AND v.version_id = ${version})
      AND NOT EXISTS (SELECT 1 FROM ${sourceMaps} m WHERE m.script = i.script AND m.version_id = ${version})
      AND NOT EXISTS (SELECT 1 FROM ${fingerprintVersions} fv JOIN ${fingerprints} f ON f.fingerprint = fv.fingerprint
        WHERE fv.version_id = ${version} AND f.issue_id = ifnull(i.merged_into, i.id))
      LIMIT 1`,
  ]);
  const script = rows[0]?.script;
  if (script === undefined) return undefined;
  return invalid(
    `${script} has no version ${version} that Tailrace knows: \`in\` takes the id of one that has served requests or has source maps (the UUID that wrangler prints, no tag), or "next" for whichever comes next.`,
  );
}

/** The same once more is no change: the moment of the first one decides what a regression is. */
function isThere({ state, resolvedIn, until, count, rate }: Target): SQL {
  return sql`state = ${state} AND resolved_in = ${resolvedIn} AND ignore_until IS ${until} AND ignore_count IS ${count}
    AND ignore_rate IS ${rate}`;
}

function targetOf(request: IssueStateRequest, now: number): Target | Invalid {
  const target = { resolvedIn: "", until: null, count: null, rate: null };
  switch (request.state) {
    case "unresolved":
      return { ...target, state: "unresolved", activity: "reopened", detail: {} };
    case "resolved": {
      const resolvedIn = request.in ?? "";
      if (resolvedIn.length > MAX_VERSION_CHARS) return invalid('`in` is "next" or the id of a version.');
      return { ...target, state: "resolved", resolvedIn, activity: "resolved", detail: { in: resolvedIn } };
    }
    case "ignored": {
      const { until = null, count = null, rate = null } = request;
      if (until !== null && !(Number.isSafeInteger(until) && until > now)) return invalid("`until` is a time to come.");
      if (count !== null && !(Number.isFinite(count) && count > 0))
        return invalid("`count` is how many more, above 0.");
      if (rate !== null && !(Number.isFinite(rate) && rate > 0)) return invalid("`rate` is per minute, above 0.");
      const given = Object.entries({ until, count, rate }).filter(([, value]) => value !== null);
      return {
        ...target,
        until,
        count,
        rate,
        state: "ignored",
        activity: "ignored",
        detail: Object.fromEntries(given),
      };
    }
  }
}
