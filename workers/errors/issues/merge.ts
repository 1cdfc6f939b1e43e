/**
 * Issues that people say are one, and back. What moves are the pointers of
 * fingerprints; each keeps its home, which is where unmerging brings it. Counts
 * stay on the fingerprints, so nothing is lost or counted twice on the way.
 */
import { sql } from "drizzle-orm";
import type { IssueMergeRequest, IssueUnmergeRequest } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, issueActivity, issues } from "../../db/schema.ts";
import { asList, type ChangeResult, change, checkIds, invalid } from "./change.ts";
import { MAX_FINGERPRINTS, MAX_IDS } from "./limits.ts";
import { recount } from "./recount.ts";

type MergeEnv = Pick<Env, "DB">;

interface Named {
  id: number;
  script: string;
  merged_into: number | null;
}

export async function mergeIssues(
  env: MergeEnv,
  { ids, into }: IssueMergeRequest,
  actor: string,
  now: number,
): Promise<ChangeResult> {
  const checked = checkIds([...ids, into]);
  if (!checked.ok) return checked;
  const named = await look(env.DB, checked.ids);
  const missing = checked.ids.filter((id) => !named.has(id));
  if (missing.length > 0) return { ok: false, reason: "not_found", ids: missing };
  if (new Set([...named.values()].map((issue) => issue.script)).size > 1) {
    return invalid("Issues of different Workers cannot be one.");
  }
  const target = named.get(into)?.merged_into ?? into;
  const sources = checked.ids.map((id) => named.get(id)?.merged_into ?? id).filter((id) => id !== target);
  // Somebody may have merged one of them since they were read: then it stays where it went.
  const moving = sql`id IN (${asList([...new Set(sources)])}) AND merged_into IS NULL
    AND EXISTS (SELECT 1 FROM ${issues} t WHERE t.id = ${target} AND t.merged_into IS NULL)`;
  const moved = sql`SELECT id FROM ${issues} WHERE merged_into = ${target}`;
  return change(
    env.DB,
    checked.ids,
    [
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT ${target}, ${now}, ${actor}, 'merged', json_object('from', id) FROM ${issues} WHERE ${moving}`,
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT id, ${now}, ${actor}, 'merged', json_object('into', ${target}) FROM ${issues} WHERE ${moving}`,
      // Those that were merged into them before come along: a merged issue always says where its events are now.
      sql`UPDATE ${issues} SET merged_into = ${target}
      WHERE merged_into IN (SELECT id FROM ${issues} WHERE ${moving})`,
      sql`UPDATE ${issues} SET merged_into = ${target} WHERE ${moving}`,
      sql`UPDATE ${fingerprints} SET issue_id = ${target} WHERE issue_id IN (${moved})`,
      ...recount(sql`${target}`),
    ],
    now,
  );
}

export async function unmerge(
  env: MergeEnv,
  issueId: number,
  request: IssueUnmergeRequest,
  actor: string,
  now: number,
): Promise<ChangeResult> {
  if ((request.fingerprints?.length ?? 0) > MAX_FINGERPRINTS) {
    return invalid(`At most ${MAX_FINGERPRINTS} fingerprints at once.`);
  }
  if ((request.homes?.length ?? 0) > MAX_IDS) return invalid(`At most ${MAX_IDS} issues at once.`);
  const issue = (await look(env.DB, [issueId])).get(issueId);
  if (issue === undefined) return { ok: false, reason: "not_found", ids: [issueId] };
  if (issue.merged_into !== null) return invalid(`It is merged into #${issue.merged_into}: unmerge it there.`);
  const guests = await guestsOf(env.DB, issueId, request);
  const homes = [...new Set(guests.map((guest) => guest.home))];
  const leaving = sql`fingerprint IN (${asList(guests.map((guest) => guest.fingerprint))}) AND issue_id = ${issueId}
    AND home_issue_id != ${issueId}`;
  const to = sql`SELECT DISTINCT home_issue_id AS home FROM ${fingerprints} WHERE ${leaving}`;
  return change(
    env.DB,
    [issueId, ...homes],
    [
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT ${issueId}, ${now}, ${actor}, 'unmerged', json_object('to', home) FROM (${to})`,
      sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT home, ${now}, ${actor}, 'unmerged', json_object('from', ${issueId}) FROM (${to})`,
      sql`UPDATE ${issues} SET merged_into = NULL WHERE id IN (${to})`,
      sql`UPDATE ${fingerprints} SET issue_id = home_issue_id WHERE ${leaving}`,
      ...recount(asList([issueId, ...homes])),
    ],
    now,
  );
}

/**
 * Which of the fingerprints that people brought here are meant. Keys that count
 * nothing yet (of raw frames, or of a map that came late) only lead what is to
 * come: they are shown to nobody, and leave with the last that counts of their issue.
 */
async function guestsOf(d1: D1Database, issueId: number, { fingerprints: named, homes }: IssueUnmergeRequest) {
  const byName = named === undefined ? sql`1` : sql`fingerprint IN (${asList(named)})`;
  const byHome = homes === undefined ? sql`1` : sql`home_issue_id IN (${asList(homes)})`;
  const [rows] = await runBatch<[{ fingerprint: string; home: number }]>(d1, [
    sql`WITH guests AS (SELECT fingerprint, home_issue_id AS home, count, ${byName} AND ${byHome} AS meant
        FROM ${fingerprints} WHERE issue_id = ${issueId} AND home_issue_id != ${issueId})
      SELECT fingerprint, home FROM guests g WHERE meant
        OR (count = 0 AND home IN (SELECT home FROM guests WHERE meant)
          AND NOT EXISTS (SELECT 1 FROM guests o WHERE o.home = g.home AND o.count > 0 AND NOT o.meant))`,
  ]);
  return rows;
}

async function look(d1: D1Database, ids: readonly number[]): Promise<Map<number, Named>> {
  const [rows] = await runBatch<[Named]>(d1, [
    sql`SELECT id, script, merged_into FROM ${issues} WHERE id IN (${asList(ids)})`,
  ]);
  return new Map(rows.map((row) => [row.id, row]));
}
