/**
 * The write-ahead log: one row per append, in the SQLite of the Ingester that
 * owns it. It is cut into chunks, each a table of its own, and a chunk is what
 * one seal turns into segments: the chunk's rows never change once it is closed,
 * so a seal that is tried again sees the same rows.
 *
 * A table per chunk, because dropping a table counts no rows written while
 * deleting its rows counts every one (seen): an append costs one row, not two.
 * Ids are given by us, not by AUTOINCREMENT, which would write a second row for
 * its counter. They start at the clock, so a log whose storage was lost does not
 * use the ids of its former life again.
 */
import { batchIds, type Chunk, createChunk, eventsThrough, loadChunks } from "./chunk-tables.ts";
import type { UnsealedRollups } from "./contract.ts";
import { CHUNK_APPENDS, CHUNK_BYTES, CHUNK_EVENTS, MAX_ROW_BYTES, REMEMBER_BATCHES } from "./limits.ts";
import type { Meta } from "./meta.ts";
import { Quarantine } from "./quarantine.ts";
import { RecentIds } from "./recent-ids.ts";
import { TextParts } from "./text-parts.ts";

/** What an append leaves in the log. Times are µs, `at` is ms. */
export interface LogEntry {
  batchId: string;
  at: number;
  rows: number;
  minTime: number;
  maxTime: number;
  batch: string;
  /** JSON of `RollupDelta[]` and `LedgerDelta[]`, kept as text until someone needs them. */
  rollups: string;
  ledger: string;
  /** JSON of `IssueDelta[]`; "" for none. */
  issues: string;
}

/** Its issues are read apart (`issuesPage`): neither a query nor a seal wants them. */
export interface StoredEntry extends Omit<LogEntry, "issues"> {
  id: number;
}

type SqlRow = {
  id: number;
  batch_id: string;
  at: number;
  rows: number;
  bytes: number;
  min_time: number;
  max_time: number;
  parts: number;
  rollups: string;
  ledger: string;
  batch: string;
};
const COLUMNS = "id, batch_id, at, rows, bytes, min_time, max_time, parts, rollups, ledger, batch";

type Field = "batch" | "rollups" | "ledger" | "issues";
const FIELDS: readonly Field[] = ["batch", "rollups", "ledger", "issues"];

type IssuesRow = { id: number; parts: number; issues: string };

export class Log {
  /** Oldest first; the last one is open, all others are closed and wait for their seal. */
  readonly chunks: Chunk[];
  private readonly parts: TextParts;
  private readonly aside: Quarantine;
  private readonly recent: RecentIds<string>;
  /** Events of chunks that are gone: positions count on from here. */
  private sealed: number;

  constructor(
    private readonly sql: SqlStorage,
    private readonly meta: Meta,
    now: number,
  ) {
    this.sealed = Number(meta.get("sealed"));
    this.parts = new TextParts(sql);
    this.aside = new Quarantine(sql, this.parts);
    this.recent = new RecentIds(sql, "recent", REMEMBER_BATCHES);
    this.chunks = loadChunks(sql);
    for (const chunk of this.chunks) for (const id of batchIds(sql, chunk)) this.recent.add(id);
    const last = this.chunks.at(-1);
    if (last === undefined) this.open(now);
    else if (!last.hasIssues) this.replace(last);
  }

  get quarantined(): number {
    return this.aside.size;
  }

  get rows(): number {
    return this.chunks.reduce((sum, c) => sum + c.rows, 0);
  }

  /** Events ever logged up to what is not in the log any more. */
  get sealedThrough(): number {
    return this.sealed;
  }

  /** Events ever logged. */
  get through(): number {
    return this.chunks.reduce((sum, c) => sum + c.events, this.sealed);
  }

  get bytes(): number {
    return this.chunks.reduce((sum, c) => sum + c.bytes, 0);
  }

  get appends(): number {
    return this.chunks.reduce((sum, c) => sum + c.appends, 0);
  }

  get isEmpty(): boolean {
    return this.chunks.every((c) => c.appends === 0);
  }

  /** Arrival of the oldest entry, ms; undefined when the log is empty. */
  get oldestAt(): number | undefined {
    return this.chunks.find((c) => c.appends > 0)?.oldestAt;
  }

  get nextId(): number {
    return this.current.lastId + 1;
  }

  private get current(): Chunk {
    const chunk = this.chunks.at(-1);
    if (chunk === undefined) throw new Error("BUG: a log without a chunk");
    return chunk;
  }

  has(batchId: string): boolean {
    return this.recent.has(batchId);
  }

  /** True when this append filled its chunk: there is something to seal. */
  append(entry: LogEntry): boolean {
    const chunk = this.current;
    const id = chunk.lastId + 1;
    const bytes = entryBytes(entry);
    const inline = bytes <= MAX_ROW_BYTES;
    if (!inline) for (const field of FIELDS) this.parts.write(id, field, entry[field]);
    this.sql.exec(
      `INSERT INTO log_${chunk.firstId} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      entry.batchId,
      entry.at,
      entry.rows,
      bytes,
      entry.minTime,
      entry.maxTime,
      inline ? 0 : 1,
      inline ? entry.rollups : "",
      inline ? entry.ledger : "",
      inline ? entry.issues : "",
      inline ? entry.batch : "",
    );
    this.recent.add(entry.batchId);
    if (chunk.appends === 0) chunk.oldestAt = entry.at;
    chunk.lastId = id;
    chunk.rows += entry.rows;
    chunk.events += entry.rows;
    chunk.bytes += bytes;
    chunk.appends += 1;
    const full = chunk.rows >= CHUNK_EVENTS || chunk.bytes >= CHUNK_BYTES || chunk.appends >= CHUNK_APPENDS;
    if (full) this.closeChunk();
    return full;
  }

  /** Closes the open chunk, unless it is empty: what comes next goes to a new one. */
  closeChunk(): void {
    if (this.current.appends > 0) this.open(this.nextId);
  }

  /** All entries of a chunk, in order. */
  read(chunk: Chunk): StoredEntry[] {
    return this.sql
      .exec<SqlRow>(`SELECT ${COLUMNS} FROM log_${chunk.firstId} ORDER BY id`)
      .toArray()
      .map((row) => this.toEntry(row));
  }

  /**
   * A page of entries after `afterId`, oldest first, some `maxBytes` long (one
   * entry at least). With `range`, only those with events in `[from, to)` µs.
   */
  page(
    afterId: number,
    maxBytes: number,
    range?: { from: number; to: number },
  ): { entries: StoredEntry[]; more: boolean } {
    const where = range === undefined ? "id > ?" : "id > ? AND rows > 0 AND max_time >= ? AND min_time < ?";
    const bound = range === undefined ? [afterId] : [afterId, range.from, range.to];
    const entries: StoredEntry[] = [];
    let bytes = 0;
    for (const chunk of this.chunks) {
      if (chunk.lastId <= afterId) continue;
      // Sizes first: a cursor left half read would keep its table from being dropped.
      const sizes = this.sql
        .exec<{ id: number; bytes: number }>(
          `SELECT id, bytes FROM log_${chunk.firstId} WHERE ${where} ORDER BY id`,
          ...bound,
        )
        .toArray();
      let through = 0;
      let more = false;
      for (const size of sizes) {
        more = bytes > 0 && bytes + size.bytes > maxBytes;
        if (more) break;
        bytes += size.bytes;
        through = size.id;
      }
      const rows = this.sql
        .exec<SqlRow>(
          `SELECT ${COLUMNS} FROM log_${chunk.firstId} WHERE ${where} AND id <= ? ORDER BY id`,
          ...bound,
          through,
        )
        .toArray();
      for (const row of rows) entries.push(this.toEntry(row));
      if (more) return { entries, more };
    }
    return { entries, more: false };
  }

  /** Events ever logged up to this entry, which is in the log, itself included. */
  throughOf(id: number): number {
    let through = this.sealed;
    for (const chunk of this.chunks) {
      if (id > chunk.lastId) through += chunk.events;
      else return through + eventsThrough(this.sql, chunk, id);
    }
    throw new Error(`BUG: entry ${id} is not in the log`);
  }

  /** The last entry that arrived before then, ms; 0 when there is none. */
  lastIdBefore(at: number): number {
    for (const chunk of this.chunks.toReversed()) {
      const last = `SELECT max(id) AS id FROM log_${chunk.firstId} WHERE at < ?`;
      const { id } = this.sql.exec<{ id: number | null }>(last, at).one();
      if (id !== null) return id;
    }
    return 0;
  }

  /** A page of the counts of entries after `afterId`, without their events. */
  countsPage(afterId: number, maxBytes: number): UnsealedRollups {
    const through = this.nextId - 1;
    const entries: UnsealedRollups["entries"] = [];
    let bytes = 0;
    for (const chunk of this.chunks) {
      if (chunk.lastId <= afterId) continue;
      const rows = this.sql
        .exec<Pick<SqlRow, "id" | "at" | "parts" | "rollups" | "ledger">>(
          `SELECT id, at, parts, rollups, ledger FROM log_${chunk.firstId} WHERE id > ? ORDER BY id`,
          afterId,
        )
        .toArray();
      for (const row of rows) {
        if (bytes > maxBytes) return { entries, more: true, through };
        const entry = { id: row.id, at: row.at, rollups: this.text(row, "rollups"), ledger: this.text(row, "ledger") };
        bytes += entry.rollups.length + entry.ledger.length;
        entries.push(entry);
      }
    }
    return { entries, more: false, through };
  }

  /** The counts of all entries of a chunk, without their ledger. */
  countsOf(chunk: Chunk): UnsealedRollups["entries"] {
    return this.sql
      .exec<Pick<SqlRow, "id" | "at" | "parts" | "rollups">>(
        `SELECT id, at, parts, rollups FROM log_${chunk.firstId} ORDER BY id`,
      )
      .toArray()
      .map((row) => ({ id: row.id, at: row.at, rollups: this.text(row, "rollups"), ledger: "[]" }));
  }

  /**
   * A page of the issue deltas after `afterId`, some `maxBytes` long (one entry
   * at least), `maxEntries` at most. `throughId`: nothing is left out up to there.
   */
  issuesPage(
    afterId: number,
    { maxBytes, maxEntries }: { maxBytes: number; maxEntries: number },
  ): { entries: { id: number; issues: string }[]; throughId: number } {
    const entries: { id: number; issues: string }[] = [];
    let bytes = 0;
    let throughId = afterId;
    for (const chunk of this.chunks) {
      if (chunk.lastId <= afterId) continue;
      const limit = maxEntries + 1 - entries.length;
      const rows = chunk.hasIssues ? this.issueRows(chunk, afterId, limit) : [];
      for (const row of rows) {
        const issues = this.text(row, "issues");
        const full = entries.length === maxEntries || (bytes > 0 && bytes + issues.length > maxBytes);
        if (full) return { entries, throughId: row.id - 1 };
        if (issues === "") continue;
        entries.push({ id: row.id, issues });
        bytes += issues.length;
      }
      if (rows.length === limit) return { entries, throughId: rows[limit - 1]?.id ?? throughId };
      throughId = chunk.lastId;
    }
    return { entries, throughId };
  }

  /** Highest id that may have issue deltas; 0 when there are none in the log. */
  lastIssuesId(): number {
    for (const chunk of this.chunks.toReversed()) {
      if (!chunk.hasIssues) continue;
      const where = "issues != '' OR parts = 1";
      const last = this.sql.exec<{ id: number | null }>(
        `SELECT max(id) AS id FROM log_${chunk.firstId} WHERE ${where}`,
      );
      const { id } = last.one();
      if (id !== null) return id;
    }
    return 0;
  }

  /** Sets an entry's issue deltas aside, as `quarantine` does with events. */
  quarantineIssues(id: number, now: number, error: string): void {
    const chunk = this.chunks.find((c) => c.firstId <= id && id <= c.lastId);
    if (chunk?.hasIssues !== true) throw new Error(`BUG: no issues of entry ${id} in the log`);
    const row = this.sql.exec<IssuesRow>(`SELECT id, parts, issues FROM log_${chunk.firstId} WHERE id = ?`, id).one();
    const issues = this.text(row, "issues");
    this.aside.add(id, now, { issues }, error);
    this.sql.exec(`UPDATE log_${chunk.firstId} SET issues = '' WHERE id = ?`, id);
    this.parts.drop(id, "issues");
  }

  /** Entries with issues; of long ones (`parts`) it shows only when their parts are read. */
  private issueRows(chunk: Chunk, afterId: number, limit: number): IssuesRow[] {
    return this.sql
      .exec<IssuesRow>(
        `SELECT id, parts, issues FROM log_${chunk.firstId} WHERE id > ? AND (issues != '' OR parts = 1) ORDER BY id LIMIT ?`,
        afterId,
        limit,
      )
      .toArray();
  }

  /** Forgets a chunk that is in the catalog, but for its batch ids: a late retry must still count once. */
  drop(chunk: Chunk, now: number): void {
    const at = this.chunks.indexOf(chunk);
    if (at < 0 || at === this.chunks.length - 1) throw new Error(`BUG: drop of chunk ${chunk.firstId}, position ${at}`);
    this.recent.keep(chunk.lastId, now, batchIds(this.sql, chunk));
    this.sql.exec(`DROP TABLE log_${chunk.firstId}`);
    this.parts.dropRange(chunk.firstId, chunk.lastId);
    this.chunks.splice(at, 1);
    this.sealed += chunk.events;
    this.meta.set("sealed", String(this.sealed));
  }

  /**
   * Sets an entry's events aside: they cannot be read, and must not stop the others. Counts stay in the log;
   * so does the number of its events, as a negative one, by which the positions of the others stay what they were.
   */
  quarantine(chunk: Chunk, { id, at, rows, batch, rollups }: StoredEntry, error: string): void {
    this.aside.add(id, at, { batch, rollups }, error);
    this.sql.exec(`UPDATE log_${chunk.firstId} SET rows = -abs(rows), batch = '', rollups = '[]' WHERE id = ?`, id);
    this.parts.drop(id, "batch");
    this.parts.drop(id, "rollups");
    chunk.rows -= rows;
  }

  private open(firstId: number): void {
    this.chunks.push(createChunk(this.sql, firstId));
  }

  /** An open chunk of a release without issues takes no more entries. */
  private replace(chunk: Chunk): void {
    if (chunk.appends === 0) {
      this.sql.exec(`DROP TABLE log_${chunk.firstId}`);
      this.chunks.pop();
    }
    this.open(chunk.lastId + 1);
  }

  private toEntry(row: SqlRow): StoredEntry {
    return {
      id: row.id,
      batchId: row.batch_id,
      at: row.at,
      rows: Math.max(row.rows, 0),
      minTime: row.min_time,
      maxTime: row.max_time,
      batch: this.text(row, "batch"),
      rollups: this.text(row, "rollups"),
      ledger: this.text(row, "ledger"),
    };
  }

  private text<F extends Field>(row: { id: number; parts: number } & Record<F, string>, field: F): string {
    return row.parts === 0 || row[field] !== "" ? row[field] : this.parts.read(row.id, field);
  }
}

/** Size in the log: UTF-8, which is counted only when the text could be near the limit of a row. */
export function entryBytes(entry: Pick<LogEntry, Exclude<Field, "issues">> & { issues?: string }): number {
  const texts = [entry.batch, entry.rollups, entry.ledger, entry.issues ?? ""];
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  if (chars * 3 <= MAX_ROW_BYTES) return chars;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
