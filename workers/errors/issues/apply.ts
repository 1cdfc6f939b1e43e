/**
 * Brings sums of issue deltas to D1: issues, their fingerprints, counts,
 * exemplars, incidents, what becomes of resolved and ignored ones, and the
 * notifications, in one batch, which is one transaction. Called by the
 * Ingester's flush (buffer/issue-flush.ts).
 *
 * Counted once: every statement does something only while the shard's mark is
 * the one that these sums begin at, and the last statement moves it. A batch
 * that arrives long after it was given up finds another mark and does nothing,
 * also when the next try took more with it. What depends on other shards or on
 * people is read by the statements themselves, never before.
 */
import { type SQL, sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { jsonChunks } from "../../db/json-chunks.ts";
import {
  fingerprintMinutes,
  fingerprintSketches,
  fingerprints,
  fingerprintVersions,
  issues,
  shards,
  sourceMaps,
} from "../../db/schema.ts";
import type { FingerprintSum, Sums } from "./aggregate.ts";
import { announceNewIssues } from "./announce.ts";
import { fingerprintRows, ROW } from "./fingerprint-rows.ts";
import { addIncidents } from "./incident-rows.ts";
import { awaitsPublishing } from "./notify.ts";
import { escalate, regress, transitionRows } from "./transitions.ts";
import { registerVersions, type SeenVersion } from "./versions.ts";

export interface Flush {
  shard: string;
  script: string;
  /** The mark that the sums begin at, and the one that they reach. */
  afterId: number;
  throughId: number;
  /** ms. */
  now: number;
  sums: Sums;
  /** Fingerprints whose sketch grew, with the whole of it as text. */
  sketches: { fingerprint: string; sketch: string }[];
  versions: readonly SeenVersion[];
}

export interface Flushed {
  /** The shard's mark now: `throughId`, or another when an earlier try was applied after all. */
  throughId: number;
  /** There are notifications to pass on. */
  told: boolean;
  /** Fingerprints that wait for the map of their version although there is one: the Collector did not know it yet. */
  mapped: { fingerprint: string; script: string; versionId: string }[];
}

export async function applySums(d1: D1Database, flush: Flush): Promise<Flushed> {
  const changes = flush.throughId === flush.afterId ? [] : statements(flush);
  const rows = await runBatch<unknown[]>(d1, [
    ...registerVersions(allVersions(flush)),
    ...changes,
    sql`SELECT issues_through AS n FROM ${shards} WHERE shard = ${flush.shard}`,
    awaitsPublishing(),
    waitsThoughMapped(flush.sums.fingerprints),
  ]);
  const [mark = [], told = [], mapped = []] = rows.slice(-3) as unknown[][];
  return {
    throughId: (mark[0] as { n: number } | undefined)?.n ?? 0,
    told: told.length > 0,
    mapped: mapped as Flushed["mapped"],
  };
}

/** Issue deltas of log entries up to here are in D1. */
export async function readMark(d1: D1Database, shard: string): Promise<number> {
  const [rows] = await runBatch<[{ n: number }]>(d1, [
    sql`SELECT issues_through AS n FROM ${shards} WHERE shard = ${shard}`,
  ]);
  return rows[0]?.n ?? 0;
}

/** Does D1 take anything at all for this shard? Throws when it does not. */
export async function probe(d1: D1Database, shard: string, now: number): Promise<void> {
  const of = sql`shard = ${shard}`;
  await runBatch(d1, [
    sql`UPDATE ${shards} SET updated_at = ${now} WHERE ${of}`,
    sql`SELECT issues_through AS n FROM ${shards} WHERE ${of}`,
  ]);
}

function statements(flush: Flush): SQL[] {
  const { shard, script, afterId, throughId, now, sums } = flush;
  const open = sql`EXISTS (SELECT 1 FROM ${shards} WHERE shard = ${shard} AND issues_through = ${afterId})`;
  const rows = fingerprintRows(sums.fingerprints);
  const each = (make: (json: string) => SQL) => rows.map(make);
  const changed = transitionRows(sums);
  return [
    sql`INSERT INTO ${shards} (shard, script, sealed_through, updated_at, open) VALUES (${shard}, ${script}, 0, ${now}, 0)
      ON CONFLICT DO NOTHING`,
    ...each((json) => makeIssues(json, now, open)),
    ...each((json) => leadGroupByRelative(json, open)),
    ...each((json) => leadGroupByBirth(json, open)),
    ...each((json) => countFingerprints(json, open)),
    ...rows.flatMap((json) => announceNewIssues(json, now, open)),
    ...countVersions(sums, open),
    ...countMinutes(sums, open),
    ...keepSketches(flush, open),
    ...addIncidents(sums.incidents, open),
    ...rows.flatMap((json) => sumIssues(json, open)),
    ...changed.flatMap((json) => regress(json, now, open)),
    ...changed.flatMap((json) => escalate(json, sums, now, open)),
    sql`UPDATE ${shards} SET issues_through = ${throughId}, updated_at = ${now}
      WHERE shard = ${shard} AND issues_through = ${afterId}`,
  ];
}

/** Versions of appends, and those of the errors themselves, which know the very moment. */
function allVersions({ sums, versions }: Flush): SeenVersion[] {
  const own = sums.versions
    .filter(({ version }) => version.id !== "")
    .map(({ script, version, first, last }) => ({ script, ...version, first, last }));
  return [...versions, ...own];
}

function makeIssues(json: string, now: number, open: SQL): SQL {
  return sql`INSERT INTO ${issues} (script, birth, kind, noise, type, title, culprit, state_at, first_seen, last_seen,
      first_version, last_version, count)
    SELECT ${ROW.script}, ${ROW.group}, ${ROW.kind}, ${ROW.noise}, ${ROW.type}, ${ROW.title}, ${ROW.culprit}, ${now},
      ${ROW.first}, ${ROW.last}, ${ROW.firstVersion}, ${ROW.lastVersion}, 0
    FROM json_each(${json}) j
    WHERE ${open} AND NOT EXISTS (SELECT 1 FROM ${fingerprints} WHERE fingerprint = ${ROW.group})
      AND NOT EXISTS (SELECT 1 FROM json_each(${ROW.relatives}) r JOIN ${fingerprints} f ON f.fingerprint = r.value)
    ON CONFLICT (birth) DO NOTHING`;
}

const GROUP_COLUMNS = sql.raw(
  "fingerprint, script, issue_id, home_issue_id, algorithm, first_seen, last_seen, first_version, last_version, count",
);
/** The last columns of those. A key of raw frames alone, which stacks join until their map comes, is of algorithm 0: no true key. */
const GROUP_FIGURES = sql`CASE WHEN ${ROW.group} = ${ROW.fingerprint} THEN ${ROW.algorithm} ELSE 0 END, ${ROW.first}, ${ROW.last}, ${ROW.firstVersion}, ${ROW.lastVersion}, 0`;

/** A group that nobody has met joins the issue that an older key of it has. */
function leadGroupByRelative(json: string, open: SQL): SQL {
  return sql`INSERT INTO ${fingerprints} (${GROUP_COLUMNS})
    SELECT ${ROW.group}, ${ROW.script}, f.issue_id, f.home_issue_id, ${GROUP_FIGURES}
    FROM json_each(${json}) j JOIN ${fingerprints} f ON f.fingerprint = (
      SELECT r.value FROM json_each(${ROW.relatives}) r
      WHERE EXISTS (SELECT 1 FROM ${fingerprints} WHERE fingerprint = r.value) ORDER BY r.key LIMIT 1)
    WHERE ${open} ON CONFLICT DO NOTHING`;
}

function leadGroupByBirth(json: string, open: SQL): SQL {
  return sql`INSERT INTO ${fingerprints} (${GROUP_COLUMNS})
    SELECT ${ROW.group}, ${ROW.script}, ifnull(i.merged_into, i.id), ifnull(i.merged_into, i.id), ${GROUP_FIGURES}
    FROM json_each(${json}) j JOIN ${issues} i ON i.birth = ${ROW.group}
    WHERE ${open} ON CONFLICT DO NOTHING`;
}

/** A fingerprint with a count of 0 only led to its issue until now. Whether it waits for a map is for `regroup` to say once it is there. */
function countFingerprints(json: string, open: SQL): SQL {
  return sql`INSERT INTO ${fingerprints} (fingerprint, script, issue_id, home_issue_id, algorithm, awaits_map, first_seen,
      last_seen, first_version, last_version, count)
    SELECT ${ROW.fingerprint}, ${ROW.script}, g.issue_id, g.home_issue_id, ${ROW.algorithm}, ${ROW.awaitsMap}, ${ROW.first}, ${ROW.last},
      ${ROW.firstVersion}, ${ROW.lastVersion}, ${ROW.count}
    FROM json_each(${json}) j JOIN ${fingerprints} g ON g.fingerprint = ${ROW.group}
    WHERE ${open}
    ON CONFLICT (fingerprint) DO UPDATE SET
      algorithm = CASE WHEN count = 0 THEN excluded.algorithm ELSE algorithm END,
      first_version = CASE WHEN count = 0 OR excluded.first_seen < first_seen THEN excluded.first_version ELSE first_version END,
      first_seen = CASE WHEN count = 0 THEN excluded.first_seen ELSE min(first_seen, excluded.first_seen) END,
      last_version = CASE WHEN count = 0 OR excluded.last_seen >= last_seen THEN excluded.last_version ELSE last_version END,
      last_seen = CASE WHEN count = 0 THEN excluded.last_seen ELSE max(last_seen, excluded.last_seen) END,
      count = count + excluded.count`;
}

/** An exemplar gives way to a newer one, but one with a stack only to one with a stack. */
function countVersions(sums: Sums, open: SQL): SQL[] {
  const better = sql.raw(
    `(excluded.exemplar->>'stack' IS NOT NULL OR exemplar->>'stack' IS NULL)
      AND (excluded.exemplar->>'time' >= exemplar->>'time' OR exemplar->>'stack' IS NULL AND excluded.exemplar->>'stack' IS NOT NULL)`,
  );
  const rows = sums.versions.map((v) => [
    v.fingerprint,
    v.version.id,
    v.version.tag,
    v.version.message,
    v.first,
    v.last,
    v.count,
    v.exemplar,
  ]);
  return jsonChunks(rows).map(
    (json) => sql`INSERT INTO ${fingerprintVersions} (fingerprint, version_id, version_tag, version_message, first_seen,
        last_seen, count, exemplar)
      SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3, j.value->>4, j.value->>5, j.value->>6, j.value->7
      FROM json_each(${json}) j WHERE ${open}
      ON CONFLICT (fingerprint, version_id) DO UPDATE SET
        version_tag = CASE WHEN excluded.version_tag = '' THEN version_tag ELSE excluded.version_tag END,
        version_message = CASE WHEN excluded.version_message = '' THEN version_message ELSE excluded.version_message END,
        first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen),
        count = count + excluded.count,
        exemplar = CASE WHEN ${better} THEN excluded.exemplar ELSE exemplar END`,
  );
}

function countMinutes(sums: Sums, open: SQL): SQL[] {
  const rows = sums.minutes.map((m) => [m.fingerprint, m.minute, m.versionId, m.count]);
  return jsonChunks(rows).map(
    (json) => sql`INSERT INTO ${fingerprintMinutes} (fingerprint, minute, version_id, count)
      SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3 FROM json_each(${json}) j WHERE ${open}
      ON CONFLICT (fingerprint, minute, version_id) DO UPDATE SET count = count + excluded.count`,
  );
}

function keepSketches({ shard, sketches }: Flush, open: SQL): SQL[] {
  return jsonChunks(sketches.map((s) => [s.fingerprint, s.sketch])).map(
    (json) => sql`INSERT INTO ${fingerprintSketches} (fingerprint, shard, sketch)
      SELECT j.value->>0, ${shard}, j.value->>1 FROM json_each(${json}) j WHERE ${open}
      ON CONFLICT (fingerprint, shard) DO UPDATE SET sketch = excluded.sketch`,
  );
}

/** The issue repeats what its fingerprints add up to. A bare column beside max() or min() is of the row that has it (SQLite). */
function sumIssues(json: string, open: SQL): SQL[] {
  const joined = sql`FROM json_each(${json}) j JOIN ${fingerprints} f ON f.fingerprint = ${ROW.fingerprint}`;
  return [
    sql`UPDATE ${issues} SET count = issues.count + d.n,
        last_version = CASE WHEN d.last >= issues.last_seen THEN d.version ELSE issues.last_version END,
        last_seen = max(issues.last_seen, d.last)
      FROM (SELECT f.issue_id AS id, sum(${ROW.count}) AS n, max(${ROW.last}) AS last, ${ROW.lastVersion} AS version
        ${joined} GROUP BY f.issue_id) d
      WHERE issues.id = d.id AND ${open}`,
    sql`UPDATE ${issues} SET first_seen = d.first, first_version = d.version
      FROM (SELECT f.issue_id AS id, min(${ROW.first}) AS first, ${ROW.firstVersion} AS version ${joined} GROUP BY f.issue_id) d
      WHERE issues.id = d.id AND d.first < issues.first_seen AND ${open}`,
  ];
}

/** What waits for a map that is there by now: the Collector had not seen it, or could not read it in time. */
function waitsThoughMapped(sums: readonly FingerprintSum[]): SQL {
  const waiting = JSON.stringify(sums.filter((f) => f.awaitsMap !== "").map((f) => f.fingerprint));
  return sql`SELECT f.fingerprint AS fingerprint, f.script AS script, f.awaits_map AS versionId
    FROM json_each(${waiting}) j JOIN ${fingerprints} f ON f.fingerprint = j.value
    WHERE f.awaits_map != '' AND EXISTS (SELECT 1 FROM ${sourceMaps} m WHERE m.script = f.script AND m.version_id = f.awaits_map)`;
}
