/**
 * What lets a `wrangler tail` go on where it was. wrangler knows nothing of
 * cursors: when its socket ends other than with 1000 it deletes the tail, waits a
 * second or more and asks for a new one. So the hub remembers each open tail, and
 * where it was when it went; the next one of the same credential, with the same
 * filters, goes on from there.
 *
 * Deleting means two things then. Of a tail that ended because its user has had
 * enough (Ctrl-C cuts the socket and deletes), it is the end. Of one that the hub
 * itself cut off, or lost with its memory, it is what wrangler does before it
 * comes again: that one is kept.
 */
import { hash } from "node:crypto";
import type { LiveCursor } from "../../api/contract/live.ts";
import type { TailRequest } from "../contract.ts";
import { TRACE_RETURN_MS } from "../limits.ts";
import { MAX_CURSOR_CHARS, MAX_TAILS, NOTE_MS } from "./limits.ts";
import { hasTable } from "./tickets.ts";

/** Who ended the connection. */
export type LeftBy = "hub" | "client";

export interface Departed {
  /** Where it was; undefined when nobody knows any more: all that the ring has is new to it. */
  cursor: LiveCursor | undefined;
}

/** Where the hub is, asked for when it is to be written down. */
type Where = () => LiveCursor;

export class Departures {
  private isReady = false;
  /** ms. */
  private notedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param hasSocket whether the tail of this id has one, be it closing
   * @param startedAt of the hub's memory, ms
   */
  constructor(
    private readonly sql: SqlStorage,
    private readonly hasSocket: (id: string) => boolean,
    private readonly startedAt: number,
  ) {}

  /** A tail has opened its socket. What it is the continuation of, if of anything. */
  arrive(id: string, request: TailRequest, where: Where, now: number): Departed | undefined {
    this.prepare();
    this.prune(now);
    const key = keyOf(request);
    const before = this.lastOf(key);
    if (before !== undefined) this.sql.exec("DELETE FROM tails WHERE id = ?", before.id);
    this.sql.exec(
      "INSERT OR REPLACE INTO tails (id, key, credential, since, left_at, left_by, cursor) VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
      ...[id, key, request.who.credential, now],
    );
    // From here on; what is shown next is noted at once.
    this.write(where, 0);
    if (before === undefined) return undefined;
    return { cursor: before.cursor === null ? undefined : (JSON.parse(before.cursor) as LiveCursor) };
  }

  /**
   * So far has been shown, while there are tails: for when the hub is lost with all
   * it knows. A row at once after a quiet second, else a second later: a crash in a
   * busy second shows that second's items again.
   */
  note(where: Where, now: number): void {
    if (this.timer !== undefined) return;
    const waitMs = this.notedAt + NOTE_MS - now;
    if (waitMs <= 0) this.write(where, now);
    else this.timer = setTimeout(() => this.write(where, Date.now()), waitMs);
  }

  private write(where: Where, now: number): void {
    this.timer = undefined;
    this.notedAt = now;
    this.prepare();
    const text = JSON.stringify(where());
    this.sql.exec(
      "INSERT OR REPLACE INTO whereabouts (id, cursor) VALUES (0, ?)",
      text.length > MAX_CURSOR_CHARS ? null : text,
    );
  }

  /** Its socket has ended, without a goodbye (1000). */
  leave(id: string, cursor: LiveCursor, by: LeftBy, now: number): void {
    this.prepare();
    const text = JSON.stringify(cursor);
    this.sql.exec(
      "UPDATE tails SET left_at = ?, left_by = ?, cursor = ? WHERE id = ?",
      ...[now, by, text.length > MAX_CURSOR_CHARS ? null : text, id],
    );
  }

  /** Its client has had enough, or what let it in has ended. */
  end(id: string): void {
    this.prepare();
    this.sql.exec("DELETE FROM tails WHERE id = ?", id);
  }

  /** DELETE of a tail whose socket is gone. False when there is none of this credential. */
  delete(id: string, credential: string): boolean {
    if (!this.isReady && !hasTable(this.sql, "tails")) return false;
    this.prepare();
    const [row] = this.sql
      .exec<{ leftBy: LeftBy | null }>(
        "SELECT left_by AS leftBy FROM tails WHERE id = ? AND credential = ?",
        ...[id, credential],
      )
      .toArray();
    if (row === undefined) return false;
    if (row.leftBy !== "hub") this.end(id);
    return true;
  }

  /** The longest gone first: two that were the same come again in that order. */
  private lastOf(key: string): TailRow | undefined {
    return this.sql
      .exec<TailRow>("SELECT id, cursor FROM tails WHERE key = ? AND left_at IS NOT NULL ORDER BY left_at, since", key)
      .toArray()[0];
  }

  /**
   * The first that this object does with what an earlier one left: tails without a
   * socket were lost with its memory. They were where it noted last.
   */
  private markLost(): void {
    const known = this.sql.exec<{ id: string }>("SELECT id FROM tails WHERE left_at IS NULL").toArray();
    for (const { id } of known) {
      if (this.hasSocket(id)) continue;
      this.sql.exec(
        "UPDATE tails SET left_at = ?, left_by = 'hub', cursor = (SELECT cursor FROM whereabouts) WHERE id = ?",
        ...[this.startedAt, id],
      );
    }
  }

  /** Those that come no more. And never too many. */
  private prune(now: number): void {
    this.sql.exec("DELETE FROM tails WHERE left_at < ?", now - TRACE_RETURN_MS);
    const excess = this.sql.exec<{ n: number }>("SELECT count(*) AS n FROM tails").one().n - MAX_TAILS;
    if (excess > 0)
      this.sql.exec(
        "DELETE FROM tails WHERE id IN (SELECT id FROM tails WHERE left_at IS NOT NULL ORDER BY left_at LIMIT ?)",
        excess,
      );
  }

  private prepare(): void {
    if (this.isReady) return;
    this.sql.exec(
      `CREATE TABLE IF NOT EXISTS tails (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, credential TEXT NOT NULL, since INTEGER NOT NULL,
        left_at INTEGER, left_by TEXT, cursor TEXT
      ) WITHOUT ROWID`,
    );
    this.sql.exec("CREATE TABLE IF NOT EXISTS whereabouts (id INTEGER PRIMARY KEY, cursor TEXT)");
    this.isReady = true;
    this.markLost();
  }
}

type TailRow = { id: string; cursor: string | null };

/** The same for a tail that comes again. */
function keyOf({ script, filters, clientIp, who }: TailRequest): string {
  return hash("sha256", JSON.stringify([script, filters, clientIp, who.credential]), "hex");
}
