/**
 * A source map came: the stacks of its version that waited for it are led back
 * to the source, and from there to the issue that they belong to. Called when a
 * map is registered (also a better one), by the Ingester when a stack waits
 * though a map is there, and by the hourly sweep.
 *
 * The counts stay where they are, on fingerprints; what moves is the pointer from
 * a fingerprint to its issue (`move-fingerprint.ts`), one fingerprint per D1
 * batch, which does nothing when it has moved meanwhile. So this may be
 * interrupted, repeated, and run beside flushes and people.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprints, fingerprintVersions, issues, PLATFORM_SETTINGS_KEY, settings } from "../../db/schema.ts";
import type { ErrorKind, Exemplar } from "../delta.ts";
import type { Grouping } from "../grouping/facts.ts";
import { fingerprintOf } from "../grouping/fingerprint.ts";
import { type CompiledRules, compileRules, NO_RULES } from "../grouping/rules.ts";
import { forgetVersion, MapStore } from "../maps/lookup.ts";
import { parseStack } from "../stack/parse.ts";
import { symbolicate } from "../symbolicate/symbolicate.ts";
import { REGROUP_ROWS, REGROUP_STEPS } from "./limits.ts";
import { moveFingerprint, stillTrue } from "./move-fingerprint.ts";

export interface Regrouped {
  /** Fingerprints whose stack was led back to the source. */
  rows: number;
  /** Of these, how many belong to another issue now. */
  moved: number;
  /** Fingerprints whose map could not be read at the moment: call again later. */
  failed: number;
  /** Not all were looked at: call again, with this as `after`. */
  next?: string;
}

/** `all`: a map was registered, and may tell more than the one before it. `waiting`: it was there already. */
export type Which = "all" | "waiting";

/** `u1-`: of one very stack of one version, which waits or has waited for its map. */
const OF_STACK = "u1-";

interface Row {
  fingerprint: string;
  issueId: number;
  homeIssueId: number;
  awaitsMap: string;
  /** Over how many versions it was seen. */
  versions: number;
  kind: ErrorKind;
  noise: string;
  type: string;
  exemplar: string;
  /** In the version whose map came. */
  lastSeen: number;
  tag: string;
  message: string;
}

export async function regroup(
  env: Pick<Env, "DB" | "BUCKET">,
  script: string,
  versionId: string,
  now: number,
  which: Which = "all",
  after = "",
): Promise<Regrouped> {
  // This isolate may remember that there was no map.
  if (after === "") forgetVersion(script, versionId);
  const { rows, rules } = await load(env.DB, { script, versionId, which, after });
  const maps = new MapStore(env);
  const done: Regrouped = { rows: 0, moved: 0, failed: 0 };
  for (const row of rows) {
    const exemplar = JSON.parse(row.exemplar) as Exemplar;
    if (exemplar.stack === undefined) continue;
    const trace = parseStack(exemplar.stack, { type: exemplar.type, message: exemplar.message });
    const mapped = await symbolicate(trace, { script, version: versionId }, maps, { context: false });
    if (mapped.state === "failed") done.failed += 1;
    if (mapped.state === "missing" || mapped.state === "failed") continue;
    const truth = fingerprintOf(
      {
        script,
        kind: row.kind,
        noise: row.noise,
        type: exemplar.type,
        message: exemplar.message,
        trace: { ...mapped.trace, type: exemplar.type, message: exemplar.message },
        versionId,
        waitsForMap: false,
        method: exemplar.method,
        route: exemplar.route,
        status: exemplar.status,
        outcome: exemplar.outcome,
        level: exemplar.used?.level,
        entrypoint: exemplar.used?.entrypoint,
        attribute: (name) => exemplar.used?.[`attributes.${name}`],
      },
      rules,
    );
    done.rows += 1;
    if (await settle(env.DB, row, truth, versionId, now)) done.moved += 1;
  }
  const last = rows.at(-1);
  return rows.length < REGROUP_ROWS || last === undefined ? done : { ...done, next: last.fingerprint };
}

/** All of them, in steps, for whoever has the time; what is left after so many is for the sweep. */
export async function regroupAll(
  env: Pick<Env, "DB" | "BUCKET">,
  script: string,
  versionId: string,
  now: number,
  which: Which = "all",
): Promise<Regrouped> {
  const done: Regrouped = { rows: 0, moved: 0, failed: 0 };
  let after: string | undefined = "";
  for (let n = 0; n < REGROUP_STEPS && after !== undefined; n++) {
    const step: Regrouped = await regroup(env, script, versionId, now, which, after);
    done.rows += step.rows;
    done.moved += step.moved;
    done.failed += step.failed;
    after = step.next;
  }
  return after === undefined ? done : { ...done, next: after };
}

/** True when it belongs to another issue now. */
async function settle(d1: D1Database, row: Row, truth: Grouping, versionId: string, now: number): Promise<boolean> {
  const { fingerprint, issueId, homeIssueId, awaitsMap } = row;
  const isTrue = fingerprint === truth.fingerprint;
  // Nothing to lead anywhere. What waited does not any more.
  if (isTrue && awaitsMap === "") return false;
  if (isTrue) {
    await stillTrue(d1, fingerprint);
    return false;
  }
  const movable = fingerprint.startsWith(OF_STACK) || row.versions === 1;
  const version = { id: versionId, tag: row.tag, message: row.message };
  const seen = JSON.stringify([[fingerprint, versionId, row.lastSeen, version]]);
  return moveFingerprint(d1, { fingerprint, issueId, homeIssueId, movable, truth, versionId, seen, now });
}

/**
 * With rules, what a fingerprint was made of is not known to the end (they look
 * at attributes, and may have changed since): then only stacks that waited for
 * the map are touched, not those that had an older one.
 */
async function load(
  d1: D1Database,
  { script, versionId, which, after }: { script: string; versionId: string; which: Which; after: string },
) {
  const [stored] = await runBatch<[{ lines: string | null }]>(d1, [
    sql`SELECT value->'$.grouping.fingerprintRules' AS lines FROM ${settings} WHERE key = ${PLATFORM_SETTINGS_KEY}`,
  ]);
  const rules = compiled(stored[0]?.lines ?? null);
  const ofStacks = rules === NO_RULES ? sql`1` : sql`f.fingerprint GLOB ${`${OF_STACK}*`}`;
  const touched = which === "waiting" ? sql`f.awaits_map = ${versionId}` : ofStacks;
  const [rows] = await runBatch<[Row]>(d1, [
    sql`SELECT f.fingerprint AS fingerprint, f.issue_id AS issueId, f.home_issue_id AS homeIssueId,
        f.awaits_map AS awaitsMap, i.kind AS kind, i.noise AS noise, i.type AS type, v.exemplar AS exemplar,
        v.last_seen AS lastSeen, v.version_tag AS tag, v.version_message AS message,
        (SELECT count(*) FROM ${fingerprintVersions} o WHERE o.fingerprint = f.fingerprint) AS versions
      FROM ${fingerprints} f
      JOIN ${fingerprintVersions} v ON v.fingerprint = f.fingerprint AND v.version_id = ${versionId}
      JOIN ${issues} i ON i.id = f.issue_id
      WHERE f.script = ${script} AND f.fingerprint > ${after} AND ${touched}
      ORDER BY f.fingerprint LIMIT ${REGROUP_ROWS}`,
  ]);
  return { rows, rules };
}

function compiled(lines: string | null): CompiledRules {
  const list = lines === null ? [] : (JSON.parse(lines) as string[]);
  if (list.length === 0) return NO_RULES;
  const result = compileRules(list);
  return result.ok ? result.rules : NO_RULES;
}
