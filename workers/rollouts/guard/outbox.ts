/**
 * Tells D1 what the guard has written down: the row of the list, and who is to be
 * told. Tried until it works, without holding the guard up. A row that comes late
 * never replaces a newer one (`revision`), and a notice has a number of its own by
 * which it is written once, however often it is tried.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../../db/batch.ts";
import { notifications, rollouts } from "../../db/schema.ts";
import { rootMessage } from "../../util/error-message.ts";
import { hash53 } from "../../util/hash.ts";
import { within } from "../../util/within.ts";
import type { Book, WaitingNotice, WaitingRow } from "./book.ts";
import type { Dependencies } from "./dependencies.ts";
import { DB_MS, ROW_LOOKS } from "./limits.ts";
import { backOff } from "./retry.ts";
import { versionText } from "./words.ts";

export class Outbox {
  /** Looks to let pass after a failure; lost with memory, which only means one try more. */
  private wait = 0;
  private failures = 0;
  /** What the list shows at a glance, as last sent, and looks since then. */
  private sent = "";
  private looks = 0;
  private publishing = false;

  constructor(
    private readonly book: Book,
    private readonly deps: Pick<Dependencies, "db" | "publish" | "random">,
  ) {}

  get isEmpty(): boolean {
    return !this.publishing && this.book.rows().length === 0 && this.book.notices().length === 0;
  }

  /** Never throws. */
  async deliver(): Promise<void> {
    this.looks += 1;
    if (this.wait > 0) {
      this.wait -= 1;
      return;
    }
    try {
      const notices = this.book.notices();
      const rows = this.book.rows().filter((row) => this.isDue(row));
      if (rows.length === 0 && notices.length === 0 && !this.publishing) return;
      const statements = [...rows.map(rowStatement), ...notices.map(noticeStatement)];
      if (statements.length > 0) await within(DB_MS, "D1", runBatch(this.deps.db(), statements));
      for (const row of rows) {
        this.book.rowSent(row);
        this.sent = glance(row);
        this.looks = 0;
      }
      for (const notice of notices) this.book.noticeSent(notice);
      if (notices.length > 0) this.publishing = true;
      // Should this object be lost before: any flush of issues, and the hourly sweep, publish what waits.
      if (this.publishing) await within(DB_MS, "publishing", this.deps.publish());
      this.publishing = false;
      this.failures = 0;
    } catch (error) {
      // Said once: it is tried for as long as it takes.
      if (this.failures === 0) console.error(`list and notifications of rollouts wait: ${rootMessage(error)}`);
      this.failures += 1;
      this.wait = backOff(this.failures, null, this.deps.random());
    }
  }

  /** A changed sentence alone can wait a little. */
  private isDue(row: WaitingRow): boolean {
    return glance(row) !== this.sent || this.looks >= ROW_LOOKS;
  }
}

const glance = ({ id, rollout: { state, step, percent, verdict } }: WaitingRow) =>
  `${id} ${state} ${step} ${percent} ${verdict}`;

function rowStatement({ id, revision, rollout }: WaitingRow) {
  const { script, state, startedAt, endedAt } = rollout;
  return sql`INSERT INTO ${rollouts} (id, script, state, started_at, ended_at, revision, row)
    VALUES (${id}, ${script}, ${state}, ${startedAt}, ${endedAt}, ${revision}, ${JSON.stringify(rollout)})
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at,
      ended_at = excluded.ended_at, revision = excluded.revision, row = excluded.row
    WHERE excluded.revision > ${rollouts}.revision`;
}

function noticeStatement({ at, kind, occasion, title, rollout }: WaitingNotice) {
  const detail = {
    type: "rollout",
    title,
    culprit: versionText(rollout.new),
    version: rollout.new,
    rolloutId: rollout.id,
  };
  return sql`INSERT OR IGNORE INTO ${notifications} (at, kind, issue_id, occasion, script, detail)
    VALUES (${at}, ${kind}, 0, ${hash53(`${rollout.id} ${occasion}`)}, ${rollout.script}, ${JSON.stringify(detail)})`;
}
