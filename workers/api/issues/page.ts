/**
 * `GET /api/v1/issues/:id`: one issue with its versions, its history and what
 * people did about it, in one batch of D1. Everything hangs on its fingerprints;
 * the lists are cut where nobody reads on.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import {
  fingerprintMinutes,
  fingerprintSketches,
  fingerprints,
  fingerprintVersions,
  incidents,
  issueActivity,
  issues,
  sourceMaps,
  versions,
} from "../../db/schema.ts";
import { readDistinct } from "../../errors/issues/distinct.ts";
import type {
  ActivityKind,
  IssueActivity,
  IssueAnswer,
  IssueExemplar,
  IssueIncident,
  IssueVersion,
  VersionName,
} from "../contract.ts";
import type { Buckets } from "../measures/buckets.ts";
import { ISSUE_COLUMNS, type IssueRow, summaryOf, VERSION_NAMES, versionName } from "./rows.ts";

/** The latest of each. A stack that waits for its map may have thousands of fingerprints, a chart shows dozens of versions. */
const MAX_FINGERPRINTS = 200;
const MAX_VERSION_ROWS = 2_000;
const MAX_ACTIVITY = 500;
const MAX_INCIDENTS = 100;
/** Sketches of so many fingerprints are united: some 3 MB. */
const MAX_SKETCHES = 500;

interface VersionRow extends IssueExemplar {
  id: string;
  tag: string;
  versionMessage: string;
  firstSeen: number;
  lastSeen: number;
  count: number;
}
type ActivityRow = Omit<IssueActivity, "detail" | "kind"> & { kind: ActivityKind; detail: string };
type IncidentRow = Omit<IssueIncident, "version"> & { versionId: string; tag: string | null; message: string | null };

/** Undefined: there is no such issue. */
export async function readIssuePage(
  db: D1Database,
  id: number,
  buckets: Buckets,
  now: number,
): Promise<IssueAnswer | undefined> {
  const { from, to, bucketMs, count } = buckets;
  const ofIssue = sql`FROM ${fingerprints} AS f WHERE f.issue_id = ${id}`;
  const own = sql`(SELECT f.fingerprint ${ofIssue})`;
  const [[row], known, perVersion, bars, sketches, activity, deaths, mapped, [fix]] = await runBatch<
    [
      IssueRow,
      IssueAnswer["fingerprints"][number],
      VersionRow,
      { version: string; bucket: number; n: number },
      { sketch: string },
      ActivityRow,
      IncidentRow,
      { id: string },
      VersionName,
    ]
  >(db, [
    sql`SELECT ${ISSUE_COLUMNS} FROM ${issues} AS i ${VERSION_NAMES} WHERE i.id = ${id}`,
    sql`SELECT f.fingerprint, f.home_issue_id AS homeIssueId, f.count, f.last_seen AS lastSeen, f.awaits_map AS awaitsMap
      ${ofIssue} AND f.count > 0 ORDER BY f.last_seen DESC LIMIT ${MAX_FINGERPRINTS}`,
    sql`SELECT fv.version_id AS id, fv.version_tag AS tag, fv.version_message AS versionMessage,
        fv.first_seen AS firstSeen, fv.last_seen AS lastSeen, fv.count, fv.exemplar ->> 'invocationId' AS invocationId,
        fv.exemplar ->> 'seq' AS seq, fv.exemplar ->> 'time' AS time, fv.exemplar ->> 'message' AS message
      FROM ${fingerprintVersions} AS fv WHERE fv.fingerprint IN ${own}
      ORDER BY fv.last_seen DESC LIMIT ${MAX_VERSION_ROWS}`,
    sql`SELECT m.version_id AS version, CAST((m.minute * 1000 - ${from}) / ${bucketMs} AS INTEGER) AS bucket, total(m.count) AS n
      FROM ${fingerprintMinutes} AS m WHERE m.fingerprint IN ${own}
        AND m.minute >= ${from / 1000} AND m.minute < ${to / 1000} GROUP BY 1, 2`,
    sql`SELECT s.sketch FROM ${fingerprintSketches} AS s WHERE s.fingerprint IN ${own} LIMIT ${MAX_SKETCHES}`,
    sql`SELECT id, at, actor, kind, detail FROM ${issueActivity} WHERE issue_id = ${id}
      ORDER BY id DESC LIMIT ${MAX_ACTIVITY}`,
    sql`SELECT d.version_id AS versionId, v.tag, v.message, d.colo, d.started_at AS startedAt, d.ended_at AS endedAt, d.victims
      FROM ${incidents} AS d LEFT JOIN ${versions} AS v
        ON v.version_id = d.version_id AND v.script = (SELECT script FROM ${issues} WHERE id = ${id})
      WHERE d.fingerprint IN ${own} ORDER BY d.started_at DESC LIMIT ${MAX_INCIDENTS}`,
    sql`SELECT DISTINCT version_id AS id FROM ${sourceMaps}
      WHERE script = (SELECT script FROM ${issues} WHERE id = ${id}) LIMIT ${MAX_VERSION_ROWS}`,
    sql`SELECT v.version_id AS id, v.tag, v.message FROM ${issues} AS i JOIN ${versions} AS v ON v.script = i.script
        AND (v.version_id = i.resolved_in OR (i.resolved_in = 'next' AND v.first_seen > i.state_at))
      WHERE i.id = ${id} AND i.state = 'resolved' ORDER BY v.first_seen LIMIT 1`,
  ]);
  if (row === undefined) return undefined;
  const series = seriesOf(bars, count);
  const affected = readDistinct(sketches.map((s) => s.sketch));
  const sparkline = Array.from({ length: count }, (_, at) => series.reduce((sum, s) => sum + (s.counts[at] ?? 0), 0));
  const awaitsMap = known.some((f) => f.awaitsMap !== "");
  const summary = summaryOf(row, { sparkline, users: affected.users, awaitsMap }, now);
  return {
    from,
    to,
    bucketMs,
    issue: summary,
    mergedInto: row.mergedInto,
    resolvedIn: row.resolvedIn,
    resolvedInVersion: fix ?? null,
    ignored:
      summary.state === "ignored" ? { until: row.ignoreUntil, count: row.ignoreCount, rate: row.ignoreRate } : null,
    affected,
    versions: versionsOf(perVersion, new Set(mapped.map((m) => m.id))),
    series,
    fingerprints: known,
    query: `issue:${id}`,
    activity: activity.reverse().map((a) => ({ ...a, detail: JSON.parse(a.detail) as Record<string, unknown> })),
    incidents: deaths.map(({ versionId, tag, message, ...d }) => ({
      ...d,
      version: versionName(versionId, tag, message),
    })),
  };
}

function seriesOf(
  bars: readonly { version: string; bucket: number; n: number }[],
  count: number,
): IssueAnswer["series"] {
  const byVersion = new Map<string, number[]>();
  for (const { version, bucket, n } of bars) {
    const counts = byVersion.get(version) ?? new Array<number>(count).fill(0);
    byVersion.set(version, counts);
    counts[bucket] = (counts[bucket] ?? 0) + n;
  }
  return [...byVersion].map(([version, counts]) => ({ version, counts }));
}

/** Rows come with the latest first: the exemplar of a version is that of its latest fingerprint. */
function versionsOf(rows: readonly VersionRow[], withMaps: ReadonlySet<string>): IssueVersion[] {
  const byId = new Map<string, IssueVersion>();
  for (const { id, tag, versionMessage, firstSeen, lastSeen, count, ...exemplar } of rows) {
    const known = byId.get(id);
    if (known === undefined) {
      const name = { id, tag, message: versionMessage };
      byId.set(id, { ...name, firstSeen, lastSeen, count, exemplar, hasSourceMap: withMaps.has(id) });
    } else {
      known.count += count;
      known.firstSeen = Math.min(known.firstSeen, firstSeen);
    }
  }
  return [...byId.values()].sort((a, b) => b.firstSeen - a.firstSeen);
}
