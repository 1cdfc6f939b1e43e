/**
 * Issues that the new version brought: those that it has, and that neither the
 * old version nor any other had before the rollout began; also one that had
 * been resolved and came back with it. Counts of both arms since then: an
 * outage that both meet shows in both. From D1, where the Ingesters' flush
 * brings them within seconds. What may be an old error in new clothes is marked
 * (`known.ts`).
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { fingerprintMinutes, fingerprints, fingerprintVersions, incidents, issues } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { IssueCount, OldIssueCount } from "../contract.ts";
import { type Frame, topFrame } from "./frames.ts";
import { apartOf, type Known, NOTES, readKnown } from "./known.ts";
import { FRAME_AGAIN_MS, FRAMES_AT_ONCE, ISSUES_MS, MAX_ISSUES, STALE_MS, STORE_MS } from "./limits.ts";
import type { Subject } from "./sum.ts";

interface Row {
  id: number;
  type: string;
  title: string;
  kind: string;
  /** 1: of a stack whose source map was missing. */
  awaits: number;
  firstSeen: number;
  old: number;
  new: number;
  oldDeaths: number;
  newDeaths: number;
}

export class IssueWatch {
  list: readonly IssueCount[] = [];
  oldIssues: readonly OldIssueCount[] = [];
  private askedAt = Number.NEGATIVE_INFINITY;
  private answeredAt: number | undefined;
  private problem = "";
  private running: Promise<void> | undefined;
  private readonly frames = new Map<number, Frame & { at: number }>();

  constructor(private readonly env: Env) {}

  /** What hides new issues at present; "" when nothing does. */
  doubt(now: number): string {
    if (this.answeredAt !== undefined && now - this.answeredAt <= STALE_MS) return "";
    return `New issues cannot be read${this.problem === "" ? " yet" : `: ${this.problem}`}.`;
  }

  /** When it is due. Never rejects. */
  refresh(subject: Subject, now: number): Promise<void> {
    if (this.running !== undefined) return this.running;
    if (Math.abs(now - this.askedAt) < ISSUES_MS) return Promise.resolve();
    this.askedAt = now;
    this.running = this.read(subject, now)
      .then(() => {
        this.answeredAt = now;
        this.problem = "";
      })
      .catch((error) => {
        this.problem = rootMessage(error);
      })
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  private async read(subject: Subject, now: number): Promise<void> {
    const rows = await within(STORE_MS, "D1", newIssues(this.env.DB, subject));
    const known = await within(STORE_MS, "D1", readKnown(this.env.DB, subject, rows));
    this.oldIssues = known.oldIssues;
    this.show(rows, known);
    // Counts do not wait for frames.
    await within(STORE_MS, "source maps", this.readFrames(subject, rows, now)).catch((error) => {
      console.warn(`top frames of new issues of ${subject.script}: ${rootMessage(error)}`);
    });
    this.show(rows, known);
  }

  private show(rows: readonly Row[], known: Known): void {
    this.list = rows.map(({ id, type, title, kind, awaits, firstSeen, ...counts }) => {
      const read = this.frames.get(id);
      const { frame = null, isMapped = false } = read ?? {};
      const apart = apartOf({ id, type, title, awaits: awaits === 1 }, read, known);
      // An isolate's death is one, however many it took along.
      const [old, count] = kind === "death" ? [counts.oldDeaths, counts.newDeaths] : [counts.old, counts.new];
      const note = apart === undefined ? {} : { note: NOTES[apart] };
      const issue = { id, title, type, frame, isMapped, count, firstSeen, ...note };
      return { issue, old, new: count, kind, ...(apart !== undefined && { apart }) };
    });
  }

  /** The most frequent first, some at a time. */
  private async readFrames({ script, new: version }: Subject, rows: readonly Row[], now: number): Promise<void> {
    const shown = new Set(rows.map(({ id }) => id));
    for (const id of this.frames.keys()) if (!shown.has(id)) this.frames.delete(id);
    const due = rows.filter(({ id }) => {
      const known = this.frames.get(id);
      return known === undefined || (!known.isMapped && Math.abs(now - known.at) >= FRAME_AGAIN_MS);
    });
    for (const { id } of due.slice(0, FRAMES_AT_ONCE)) {
      this.frames.set(id, { ...(await topFrame(this.env, script, version, id, now)), at: now });
    }
  }
}

/** Those with most occurrences in the new version. */
async function newIssues(d1: D1Database, { script, old, new: fresh, since }: Subject): Promise<Row[]> {
  const minute = Math.floor(since / 60_000) * 60;
  const counted = (version: string) => sql`(SELECT total(m.count) FROM ${fingerprints} AS c
    JOIN ${fingerprintMinutes} AS m ON m.fingerprint = c.fingerprint
    WHERE c.issue_id = i.id AND m.minute >= ${minute} AND m.version_id = ${version})`;
  const deaths = (version: string) => sql`CASE i.kind WHEN 'death' THEN (SELECT count(*) FROM ${fingerprints} AS c
    JOIN ${incidents} AS d ON d.fingerprint = c.fingerprint
    WHERE c.issue_id = i.id AND d.ended_at >= ${since} AND d.version_id = ${version}) ELSE 0 END`;
  const [rows] = await runBatch<[Row]>(d1, [
    sql`WITH seen AS (
        SELECT f.issue_id AS id, min(fv.first_seen) AS firstSeen,
          max(f.awaits_map <> '') AS awaits FROM ${fingerprintVersions} AS fv
        JOIN ${fingerprints} AS f ON f.fingerprint = fv.fingerprint
        WHERE fv.version_id = ${fresh} AND f.script = ${script} AND fv.last_seen >= ${since} GROUP BY f.issue_id
      )
      SELECT * FROM (
        SELECT i.id, i.type, i.title, i.kind, s.awaits, s.firstSeen, ${counted(old)} AS old, ${counted(fresh)} AS new,
          ${deaths(old)} AS oldDeaths, ${deaths(fresh)} AS newDeaths
        FROM seen AS s JOIN ${issues} AS i ON i.id = s.id
        WHERE i.kind <> 'noise' AND i.state <> 'ignored' AND NOT EXISTS (
          SELECT 1 FROM ${fingerprints} AS b JOIN ${fingerprintVersions} AS v ON v.fingerprint = b.fingerprint
          WHERE b.issue_id = i.id AND v.first_seen < ${since} AND v.version_id <> ${fresh}
            AND (v.version_id = ${old} OR i.state <> 'regressed')
        )
      ) WHERE new > 0 ORDER BY new DESC, id LIMIT ${MAX_ISSUES}`,
  ]);
  return rows;
}
