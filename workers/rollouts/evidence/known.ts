/**
 * Old errors in new clothes: an issue whose type and message the old version has
 * had, in whatever function; one whose frames cannot be compared, because only
 * one of the versions has its source map here; and what the old version's issues
 * do meanwhile, for what is gone there may be what is new here. `issues.ts` hands
 * in the issues that look new, and marks them.
 *
 * A truly new error that says word for word what an old one said is taken for
 * that one: whether it is more frequent is for the gate of errors to say.
 */
import { sql } from "drizzle-orm";
import type { NewIssue } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { fingerprintMinutes, fingerprints, fingerprintVersions, issues, sourceMaps } from "../../db/schema.ts";
import { messageTemplate } from "../../errors/grouping/template.ts";
import type { Apart, OldIssueCount } from "../contract.ts";
import { KNOWN_MS, MAX_ISSUES, MAX_KNOWN } from "./limits.ts";
import type { Subject } from "./sum.ts";

/** Of the old version by type and template of the title → ids of issues. */
export interface Known {
  names: ReadonlyMap<string, ReadonlySet<number>>;
  oldIssues: readonly OldIssueCount[];
  hasMaps: { old: boolean; new: boolean };
}

type Named = Pick<NewIssue, "id" | "type" | "title">;

/** Under NewIssue.note. */
export const NOTES: Record<Apart, string> = {
  known: "The old version has had errors of this type and message: it is not counted as new.",
  new_unmapped:
    "No source map of the new version leads this stack to its source, and the old version has one: it cannot be told from an old error, so it is not counted as new.",
  old_unmapped:
    "The new version has a source map here and the old one has none: it cannot be told from an old error, so it is not counted as new.",
};

const nameOf = ({ type, title }: Pick<Named, "type" | "title">): string => `${type}\0${messageTemplate(title)}`;

/** @param frame as it was read; undefined: not yet */
export function apartOf(
  issue: Named & { awaits: boolean },
  frame: Pick<NewIssue, "frame"> | undefined,
  { names, hasMaps }: Known,
): Apart | undefined {
  const others = names.get(nameOf(issue));
  if (others !== undefined && [...others].some((id) => id !== issue.id)) return "known";
  if (hasMaps.old && issue.awaits) return "new_unmapped";
  if (hasMaps.old === hasMaps.new) return undefined;
  // Without a stack it was grouped by its words: no map changes those.
  if (frame !== undefined && frame.frame === null && !issue.awaits) return undefined;
  return hasMaps.old ? "new_unmapped" : "old_unmapped";
}

export async function readKnown(d1: D1Database, subject: Subject, rows: readonly Named[]): Promise<Known> {
  if (rows.length === 0) return { names: new Map(), oldIssues: [], hasMaps: { old: false, new: false } };
  const { script, old, new: fresh, since } = subject;
  const ofOld = (from: number) => sql`SELECT f.issue_id FROM ${fingerprintVersions} AS fv
    JOIN ${fingerprints} AS f ON f.fingerprint = fv.fingerprint
    WHERE fv.version_id = ${old} AND f.script = ${script} AND fv.last_seen >= ${from}`;
  const counted = (version: string) => sql`(SELECT total(m.count) FROM ${fingerprints} AS c
    JOIN ${fingerprintMinutes} AS m ON m.fingerprint = c.fingerprint
    WHERE c.issue_id = i.id AND m.minute >= ${Math.floor(since / 60_000) * 60} AND m.version_id = ${version})`;
  const types = JSON.stringify([...new Set(rows.map(({ type }) => type))]);
  const [named, oldIssues, maps] = await runBatch<[Named, OldIssueCount, { version: string }]>(d1, [
    sql`SELECT i.id, i.type, i.title FROM ${issues} AS i
      WHERE i.id IN (${ofOld(since - KNOWN_MS)}) AND i.type IN (SELECT value FROM json_each(${types}))
      ORDER BY i.last_seen DESC LIMIT ${MAX_KNOWN}`,
    sql`SELECT i.kind, i.title, ${counted(old)} AS old, ${counted(fresh)} AS new FROM ${issues} AS i
      WHERE i.id IN (${ofOld(since)}) AND i.kind NOT IN ('noise', 'death')
        AND i.id NOT IN (SELECT value FROM json_each(${JSON.stringify(rows.map(({ id }) => id))}))
      ORDER BY i.count DESC LIMIT ${MAX_ISSUES}`,
    sql`SELECT DISTINCT version_id AS version FROM ${sourceMaps}
      WHERE script = ${script} AND version_id IN (${old}, ${fresh})`,
  ]);
  const names = new Map<string, Set<number>>();
  for (const one of named) {
    const name = nameOf(one);
    names.set(name, (names.get(name) ?? new Set()).add(one.id));
  }
  const has = (version: string) => maps.some((map) => map.version === version);
  return { names, oldIssues, hasMaps: { old: has(old), new: has(fresh) } };
}
