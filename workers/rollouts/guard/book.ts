/**
 * The guard's own SQLite: the rollout that runs, those that ran, their record,
 * and what D1 must still be told (`outbox.ts`). A change of the rollout and the
 * lines that say why are written in one transaction, so that whoever comes after
 * an eviction finds both or neither.
 */
import type { Rollout, RolloutAnswer, RolloutEvent, RolloutNotificationKind } from "../../api/contract.ts";
import { KEPT_ROLLOUTS, MAX_EVENTS } from "./limits.ts";
import { isEnded, newRun, type Run } from "./run.ts";

/** A line of the record, before it has a place and a time. */
export type Line = Omit<RolloutEvent, "seq" | "at">;

/** Somebody is to be told, once per occasion of a rollout. */
export interface Told {
  kind: RolloutNotificationKind;
  /** Of this rollout: the same again is not told. */
  occasion: string;
  title: string;
}

export interface WaitingRow {
  id: string;
  revision: number;
  rollout: Rollout;
}
export interface WaitingNotice extends Told {
  at: number;
  rollout: Rollout;
}

/** What the page of a rollout that has ended shows of its evidence. */
export type Page = Pick<RolloutAnswer, "bucketMs" | "points" | "issues">;

/** The interval of the difference as it was known at a moment. */
export interface Mark {
  /** ms. */
  t: number;
  percent: number;
  difference: { estimate: number; low: number; high: number } | null;
}

interface Json extends Record<string, SqlStorageValue> {
  json: string;
}

/** One that an earlier release wrote has what later ones added as a new one has it. */
function readRun(json: string): Run {
  const run = JSON.parse(json) as Run;
  return { ...newRun(run.rollout, run.expected), ...run };
}

export class Book {
  /** The newest rollout, running or not. */
  run: Run | null;

  constructor(private readonly storage: Pick<DurableObjectStorage, "sql" | "transactionSync">) {
    const { sql } = storage;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS guard_runs (id TEXT PRIMARY KEY, began INTEGER, json TEXT, page TEXT) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS guard_events (run TEXT, seq INTEGER, json TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS guard_marks (run TEXT, t INTEGER, json TEXT, PRIMARY KEY (run, t)) WITHOUT ROWID`,
    );
    sql.exec(`CREATE TABLE IF NOT EXISTS guard_rows (id TEXT PRIMARY KEY, revision INTEGER, json TEXT) WITHOUT ROWID`);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS guard_notices (run TEXT, occasion TEXT, json TEXT, PRIMARY KEY (run, occasion)) WITHOUT ROWID`,
    );
    sql.exec(`CREATE TABLE IF NOT EXISTS guard_seen (deployment TEXT PRIMARY KEY) WITHOUT ROWID`);
    const newest = this.all<Json>("SELECT json FROM guard_runs ORDER BY began DESC LIMIT 1")[0];
    this.run = newest === undefined ? null : readRun(newest.json);
  }

  /** The rollout that has not ended. */
  get active(): Run | null {
    return this.run === null || isEnded(this.run) ? null : this.run;
  }

  /** Writes a rollout as it is from now on, and why. The row of the list follows when what it shows has changed. */
  write(next: Run, now: number, lines: readonly Line[] = [], told: readonly Told[] = []): Run {
    const { id } = next.rollout;
    const before = this.run?.rollout.id === id ? this.run.rollout : null;
    const run = { ...next, events: next.events + lines.length };
    const news = told.filter(({ occasion }) => !run.told.includes(occasion));
    if (news.length > 0) run.told = [...run.told, ...news.map(({ occasion }) => occasion)];
    const isShown = before === null || JSON.stringify(before) !== JSON.stringify(run.rollout);
    this.storage.transactionSync(() => {
      const { sql } = this.storage;
      sql.exec(
        `INSERT INTO guard_runs (id, began, json) VALUES (?, (SELECT coalesce(max(began), 0) + 1 FROM guard_runs), ?)
          ON CONFLICT (id) DO UPDATE SET json = excluded.json`,
        id,
        JSON.stringify(run),
      );
      for (const [i, line] of lines.entries()) {
        const event: RolloutEvent = { seq: next.events + i + 1, at: now, ...line };
        if (event.seq > MAX_EVENTS && event.kind !== "action" && event.kind !== "ended") continue;
        sql.exec("INSERT INTO guard_events VALUES (?, ?, ?)", id, event.seq, JSON.stringify(event));
      }
      if (isShown) {
        sql.exec(
          `INSERT INTO guard_rows VALUES (?, 1, ?) ON CONFLICT (id) DO UPDATE SET revision = revision + 1, json = excluded.json`,
          id,
          JSON.stringify(run.rollout),
        );
      }
      for (const notice of news) {
        const waiting: WaitingNotice = { ...notice, at: now, rollout: run.rollout };
        sql.exec("INSERT OR IGNORE INTO guard_notices VALUES (?, ?, ?)", id, notice.occasion, JSON.stringify(waiting));
      }
      if (before === null) this.dropOldest();
    });
    this.run = run;
    return run;
  }

  find(id: string): Run | null {
    if (this.run?.rollout.id === id) return this.run;
    const row = this.all<Json>("SELECT json FROM guard_runs WHERE id = ?", id)[0];
    return row === undefined ? null : readRun(row.json);
  }

  /** Oldest first; the newest `limit`. */
  events(id: string, limit = -1): RolloutEvent[] {
    const rows = this.all<Json>("SELECT json FROM guard_events WHERE run = ? ORDER BY seq DESC LIMIT ?", id, limit);
    return rows.map(({ json }) => JSON.parse(json) as RolloutEvent).reverse();
  }

  /** The last word on an interval stays. */
  mark(id: string, mark: Mark): void {
    this.storage.sql.exec("INSERT OR REPLACE INTO guard_marks VALUES (?, ?, ?)", id, mark.t, JSON.stringify(mark));
  }

  marks(id: string): Mark[] {
    const rows = this.all<Json>("SELECT json FROM guard_marks WHERE run = ? ORDER BY t", id);
    return rows.map(({ json }) => JSON.parse(json) as Mark);
  }

  page(id: string): Page | null {
    const json = this.all<{ page: string | null }>("SELECT page FROM guard_runs WHERE id = ?", id)[0]?.page ?? null;
    return json === null ? null : (JSON.parse(json) as Page);
  }

  keepPage(id: string, page: Page): void {
    this.storage.sql.exec("UPDATE guard_runs SET page = ? WHERE id = ?", JSON.stringify(page), id);
  }

  rows(): WaitingRow[] {
    const rows = this.all<Json & { id: string; revision: number; sent: number }>(
      "SELECT id, revision, json FROM guard_rows WHERE json != ''",
    );
    return rows.map(({ id, revision, json }) => ({ id, revision, rollout: JSON.parse(json) as Rollout }));
  }

  /** Its revision stays, so that the next is higher. */
  rowSent({ id, revision }: WaitingRow): void {
    this.storage.sql.exec("UPDATE guard_rows SET json = '' WHERE id = ? AND revision = ?", id, revision);
  }

  notices(): WaitingNotice[] {
    return this.all<Json>("SELECT json FROM guard_notices").map(({ json }) => JSON.parse(json) as WaitingNotice);
  }

  noticeSent({ rollout, occasion }: WaitingNotice): void {
    this.storage.sql.exec("DELETE FROM guard_notices WHERE run = ? AND occasion = ?", rollout.id, occasion);
  }

  /** The deployment of somebody else that was watched, or is not to be: only one can be live. */
  hasSeen(deployment: string): boolean {
    return this.all("SELECT 1 AS n FROM guard_seen WHERE deployment = ?", deployment).length > 0;
  }

  see(deployment: string): void {
    this.storage.transactionSync(() => {
      this.storage.sql.exec("DELETE FROM guard_seen");
      this.storage.sql.exec("INSERT INTO guard_seen VALUES (?)", deployment);
    });
  }

  private dropOldest(): void {
    const { sql } = this.storage;
    const old = this.all<{ id: string }>(
      "SELECT id FROM guard_runs ORDER BY began DESC LIMIT -1 OFFSET ?",
      KEPT_ROLLOUTS,
    );
    for (const { id } of old) {
      for (const table of ["guard_events", "guard_marks", "guard_notices"])
        sql.exec(`DELETE FROM ${table} WHERE run = ?`, id);
      for (const table of ["guard_runs", "guard_rows"]) sql.exec(`DELETE FROM ${table} WHERE id = ?`, id);
    }
  }

  private all<T extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]): T[] {
    return this.storage.sql.exec<T>(query, ...values).toArray();
  }
}
