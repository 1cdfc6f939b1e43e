/**
 * Leads one fingerprint to the issue of its true key, once its stack is known in
 * the source, as one D1 batch:
 *   the true key has an issue         the fingerprint joins it
 *   it has none, and no other true    it stays, and the key leads here from now
 *   key leads to the present issue    on: this issue's history goes on
 *   another one was first             it leaves, with an issue of its own
 * What people merged stays where they put it. An issue that nothing counted
 * points to any more is merged into where the last of it went.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, issueActivity, issues } from "../../db/schema.ts";
import type { Grouping } from "../grouping/facts.ts";
import { recount } from "./recount.ts";
import { regress } from "./transitions.ts";

export interface Move {
  fingerprint: string;
  /** As they were read: if they are others now, nothing happens. */
  issueId: number;
  homeIssueId: number;
  /** All that it counts is of the version whose map came. */
  movable: boolean;
  truth: Grouping;
  versionId: string;
  /** As `transitions.ts` wants it: when it was seen last in that version. */
  seen: string;
  now: number;
}

/** Its stack says the same as its map: it waits no longer. */
export async function stillTrue(d1: D1Database, fingerprint: string): Promise<void> {
  await runBatch(d1, [sql`UPDATE ${fingerprints} SET awaits_map = '' WHERE fingerprint = ${fingerprint}`]);
}

/** True when it belongs to another issue now. */
export async function moveFingerprint(d1: D1Database, move: Move): Promise<boolean> {
  const { fingerprint, issueId, homeIssueId, truth, versionId, now } = move;
  const key = truth.fingerprint;
  const mergedByPeople = issueId !== homeIssueId;
  const here = sql`EXISTS (SELECT 1 FROM ${fingerprints} WHERE fingerprint = ${fingerprint} AND issue_id = ${issueId}
    AND home_issue_id = ${homeIssueId})`;
  const unknown = sql`NOT EXISTS (SELECT 1 FROM ${fingerprints} WHERE fingerprint = ${key})`;
  // Keys of raw frames (algorithm 0) and of single stacks are not true keys.
  const taken = sql`EXISTS (SELECT 1 FROM ${fingerprints} WHERE issue_id = ${issueId} AND algorithm > 0
    AND fingerprint != ${fingerprint} AND fingerprint NOT GLOB 'u1-*')`;
  const first =
    mergedByPeople || !move.movable ? sql`${here} AND ${unknown}` : sql`${here} AND ${unknown} AND NOT ${taken}`;
  const leaves = sql`${here} AND ${unknown}`;
  const target = sql`(SELECT issue_id FROM ${fingerprints} WHERE fingerprint = ${key})`;
  const moves = sql`${here} AND ${target} != ${issueId}`;
  const symbolicated = JSON.stringify({ version: versionId, fingerprint: key });
  const statements: SQL[] = [
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT ${homeIssueId}, ${now}, '', 'symbolicated', ${symbolicated} WHERE ${first}`,
    sql`UPDATE ${issues} SET title = ${truth.title}, culprit = ${truth.culprit} WHERE id = ${homeIssueId} AND ${first}`,
    ...lead(move, sql`SELECT issue_id, home_issue_id FROM ${fingerprints} WHERE fingerprint = ${fingerprint}`, first),
    ...(mergedByPeople || !move.movable ? [] : split(move, leaves)),
    ...(mergedByPeople || !move.movable ? [] : join(move, moves, target)),
    sql`UPDATE ${fingerprints} SET awaits_map = '' WHERE fingerprint = ${fingerprint}`,
    // It may have joined an issue that was resolved before its version came: that one is back.
    ...regress(move.seen, now, sql`1`),
    sql`SELECT issue_id AS id FROM ${fingerprints} WHERE fingerprint = ${fingerprint}`,
  ];
  const after = (await runBatch<unknown[]>(d1, statements)).at(-1) as { id: number }[];
  return after[0] !== undefined && after[0].id !== issueId;
}

/** The true key leads to an issue from now on. It counts nothing yet: events that carry it are still to come. */
function lead({ fingerprint, truth }: Move, to: SQL, when: SQL): SQL[] {
  return [
    sql`INSERT INTO ${fingerprints} (fingerprint, script, issue_id, home_issue_id, algorithm, first_seen, last_seen,
        first_version, last_version, count)
      SELECT ${truth.fingerprint}, r.script, t.issue_id, t.home_issue_id, ${truth.algorithm}, r.first_seen, r.last_seen,
        r.first_version, r.last_version, 0
      FROM ${fingerprints} r, (${to}) t WHERE r.fingerprint = ${fingerprint} AND ${when} ON CONFLICT DO NOTHING`,
  ];
}

/** An issue of its own, in the state that people gave to the one it leaves. Nobody is told: they were. */
function split(move: Move, when: SQL): SQL[] {
  const { fingerprint, issueId, truth, versionId, now } = move;
  const detail = JSON.stringify({ from: issueId, version: versionId, fingerprint: truth.fingerprint });
  return [
    sql`INSERT INTO ${issues} (script, birth, kind, noise, type, title, culprit, state, state_at, state_by, resolved_in,
        ignore_until, ignore_count, ignore_rate, ignore_base, assignee, first_seen, last_seen, first_version, last_version, count)
      SELECT i.script, r.fingerprint, i.kind, i.noise, i.type, ${truth.title}, ${truth.culprit}, i.state, i.state_at,
        i.state_by, i.resolved_in, i.ignore_until, i.ignore_count, i.ignore_rate, r.count, i.assignee, r.first_seen,
        r.last_seen, r.first_version, r.last_version, r.count
      FROM ${fingerprints} r JOIN ${issues} i ON i.id = r.issue_id WHERE r.fingerprint = ${fingerprint} AND ${when}
      ON CONFLICT (birth) DO NOTHING`,
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT i.id, ${now}, '', 'regrouped', ${detail} FROM ${issues} i WHERE i.birth = ${fingerprint} AND ${when}`,
    ...lead(
      move,
      sql`SELECT ifnull(merged_into, id) AS issue_id, ifnull(merged_into, id) AS home_issue_id FROM ${issues}
        WHERE birth = ${fingerprint}`,
      when,
    ),
  ];
}

function join({ fingerprint, issueId, truth, versionId, now }: Move, when: SQL, target: SQL): SQL[] {
  const home = sql`(SELECT home_issue_id FROM ${fingerprints} WHERE fingerprint = ${truth.fingerprint})`;
  const detail = JSON.stringify({ from: issueId, version: versionId, fingerprint: truth.fingerprint });
  const counted = sql`EXISTS (SELECT 1 FROM ${fingerprints} WHERE issue_id = ${issueId} AND count > 0)`;
  const moved = sql`(SELECT issue_id FROM ${fingerprints} WHERE fingerprint = ${fingerprint}) = ${target}`;
  const left = sql`${moved} AND NOT ${counted} AND id = ${issueId} AND merged_into IS NULL`;
  const gone = sql`EXISTS (SELECT 1 FROM ${issues} WHERE id = ${issueId} AND merged_into IS NOT NULL)`;
  const into = sql`json_object('into', ${target}, 'version', ${versionId})`;
  // Many stacks of one error move for the same reason: it is said once.
  const unsaid = (issue: SQL, said: SQL) => sql`NOT EXISTS (SELECT 1 FROM ${issueActivity}
    WHERE issue_id = ${issue} AND kind = 'regrouped' AND detail = ${said})`;
  return [
    // A split has said so already.
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT ${target}, ${now}, '', 'regrouped', ${detail}
      WHERE ${when} AND ${target} NOT IN (SELECT id FROM ${issues} WHERE birth = ${fingerprint})
        AND ${unsaid(target, sql`${detail}`)}`,
    sql`INSERT INTO ${issueActivity} (issue_id, at, actor, kind, detail)
      SELECT ${issueId}, ${now}, '', 'regrouped', ${into} WHERE ${when} AND ${unsaid(sql`${issueId}`, into)}`,
    sql`UPDATE ${fingerprints} SET issue_id = ${target}, home_issue_id = ${home} WHERE fingerprint = ${fingerprint} AND ${when}`,
    ...recount(sql`${target}`),
    // Nothing counted is left: the issue goes where this went, with all that leads to it and what people said.
    sql`UPDATE ${issues} SET merged_into = ${target} WHERE ${left} AND ${target} != ${issueId}`,
    sql`UPDATE ${issues} SET merged_into = ${target} WHERE merged_into = ${issueId} AND ${target} != ${issueId} AND ${gone}`,
    sql`UPDATE ${issueActivity} SET issue_id = ${target} WHERE issue_id = ${issueId} AND kind = 'commented' AND ${gone}`,
    sql`UPDATE ${issues} SET assignee = (SELECT assignee FROM ${issues} WHERE id = ${issueId})
      WHERE id = ${target} AND assignee = '' AND ${gone}`,
    sql`UPDATE ${fingerprints} SET issue_id = ${target}, home_issue_id = ${target} WHERE issue_id = ${issueId} AND ${gone}`,
    ...recount(sql`${issueId}`),
  ];
}
