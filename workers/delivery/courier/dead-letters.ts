/**
 * Items that the receiver will never take as they are, kept until a person edits,
 * replays or discards them. They hold no secret: an item is what was observed
 * (redacted before it was stored), and messages are masked. Bounded by count and
 * bytes: the oldest go, and are counted.
 */
import type { DeadLetter, DeadLetterSelection, DeadLettersAnswer } from "../../api/contract/integrations.ts";
import type { EventItem, Failure, Item } from "../../integrations/contract.ts";
import type { LetterEdited } from "../contract.ts";
import type { Storage } from "./book.ts";
import { type ReadItem, readItem } from "./item-shape.ts";
import { DEAD_LETTER_BYTES, DEAD_LETTER_CHARS, DEAD_LETTERS, MESSAGE_CHARS } from "./limits.ts";

interface Row extends Record<string, SqlStorageValue> {
  id: number;
  at: number;
  script: string;
  feed: string;
  title: string;
  failure: string;
  tries: number;
  item: string;
}

const TITLE_CHARS = 200;

export class DeadLetters {
  /** Counted once, then kept: the table is not read for each letter. */
  private known: { n: number; bytes: number } | undefined;

  constructor(private readonly storage: Storage) {
    storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS dead_letters (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, script TEXT NOT NULL, feed TEXT NOT NULL,
        title TEXT NOT NULL, failure TEXT NOT NULL, tries INTEGER NOT NULL, bytes INTEGER NOT NULL, item TEXT NOT NULL)`,
    );
  }

  /** How many had to go for it. */
  add(item: Item, failure: Failure, tries: number, now: number): number {
    const text = textOf(item);
    this.storage.sql.exec(
      "INSERT INTO dead_letters (at, script, feed, title, failure, tries, bytes, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...[now, scriptOf(item), item.feed, titleOf(item), failureJson(failure), tries, text.length, text],
    );
    if (this.known !== undefined) this.known = { n: this.known.n + 1, bytes: this.known.bytes + text.length };
    return this.trim();
  }

  get total(): number {
    return this.size().n;
  }

  /** Newest first. */
  list({ before, limit }: { before?: number; limit: number }): DeadLettersAnswer {
    const rows = this.rows(
      "SELECT id, at, script, feed, title, failure, tries, '' AS item FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?",
      ...[before ?? Number.MAX_SAFE_INTEGER, limit],
    );
    return { deadLetters: rows.map(letterOf), total: this.total };
  }

  read(id: number): (DeadLetter & { item: string }) | null {
    const row = this.rows("SELECT * FROM dead_letters WHERE id = ?", id)[0];
    return row === undefined ? null : { ...letterOf(row), item: row.item };
  }

  /** The text is an item that can be sent, and still the same one. */
  edit(id: number, text: string): LetterEdited {
    const before = this.read(id);
    if (before === null) return { ok: false, problem: "There is no such dead letter." };
    if (text.length > DEAD_LETTER_CHARS)
      return { ok: false, problem: `It has ${text.length} characters; ${DEAD_LETTER_CHARS} are the most.` };
    const read = readItem(text);
    if (!read.ok) return read;
    const { item } = read;
    if (item.feed !== before.feed) return { ok: false, problem: `feed must stay ${before.feed}.` };
    const was = readItem(before.item);
    if (was.ok && was.item.id !== item.id) return { ok: false, problem: `id must stay ${was.item.id}.` };
    this.storage.sql.exec(
      "UPDATE dead_letters SET item = ?, title = ?, bytes = ? WHERE id = ?",
      ...[text, titleOf(item), text.length, id],
    );
    this.known = undefined;
    return { ok: true };
  }

  /** Oldest first, after `after`. */
  chosen({ ids }: DeadLetterSelection, after: number, limit: number): { id: number; read: ReadItem }[] {
    const rows =
      ids === "all"
        ? this.rows("SELECT * FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        : this.rows(
            "SELECT * FROM dead_letters WHERE id > ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?",
            ...[after, JSON.stringify(ids), limit],
          );
    return rows.map(({ id, item }) => ({ id, read: readItem(item) }));
  }

  refusedAgain(id: number, failure: Failure, now: number): void {
    this.storage.sql.exec(
      "UPDATE dead_letters SET failure = ?, tries = tries + 1, at = ? WHERE id = ?",
      ...[failureJson(failure), now, id],
    );
  }

  discard({ ids }: DeadLetterSelection): number {
    const before = this.total;
    if (ids === "all") this.storage.sql.exec("DELETE FROM dead_letters");
    else
      this.storage.sql.exec(
        "DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(ids),
      );
    this.known = undefined;
    return before - this.total;
  }

  private trim(): number {
    let dropped = 0;
    for (let size = this.size(); size.n > DEAD_LETTERS || size.bytes > DEAD_LETTER_BYTES; size = this.size()) {
      const oldest = this.storage.sql
        .exec<{ id: number; bytes: number }>("SELECT id, bytes FROM dead_letters ORDER BY id LIMIT 1")
        .one();
      this.storage.sql.exec("DELETE FROM dead_letters WHERE id = ?", oldest.id);
      this.known = { n: size.n - 1, bytes: size.bytes - oldest.bytes };
      dropped += 1;
    }
    return dropped;
  }

  private size(): { n: number; bytes: number } {
    this.known ??= this.storage.sql
      .exec<{ n: number; bytes: number }>("SELECT count(*) AS n, coalesce(sum(bytes), 0) AS bytes FROM dead_letters")
      .one();
    return this.known;
  }

  private rows(query: string, ...values: SqlStorageValue[]): Row[] {
    return this.storage.sql.exec<Row>(query, ...values).toArray();
  }
}

/** The item, its invocation's other events only while there is room for them. */
function textOf(item: Item): string {
  const text = JSON.stringify(item);
  if (text.length <= DEAD_LETTER_CHARS || item.feed === "notices") return text;
  return JSON.stringify({ ...item, invocation: { ...item.invocation, events: [item.event] } } satisfies EventItem);
}

const scriptOf = (item: Item) => (item.feed === "notices" ? item.notice.script : item.event.script);

function titleOf(item: Item): string {
  const text =
    item.feed === "notices" ? `${item.notice.kind} ${item.notice.script}` : (item.event.message ?? item.event.name);
  return (text ?? item.feed).split("\n")[0]?.slice(0, TITLE_CHARS) ?? "";
}

const failureJson = ({ kind, status, message }: Failure) =>
  JSON.stringify({ kind, status, message: message.slice(0, MESSAGE_CHARS) });

function letterOf({ id, at, script, feed, title, failure, tries }: Row): DeadLetter {
  return { id, at, script, feed: feed as DeadLetter["feed"], title, failure: JSON.parse(failure), tries };
}
