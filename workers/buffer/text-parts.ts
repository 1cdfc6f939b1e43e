/** Texts too long for a row of SQLite, cut into rows of their own. Of the write-ahead log and its quarantine. */
import { PART_CHARS } from "./limits.ts";

export class TextParts {
  constructor(private readonly sql: SqlStorage) {
    sql.exec(
      "CREATE TABLE IF NOT EXISTS parts (id INTEGER, field TEXT, part INTEGER, text TEXT, PRIMARY KEY (id, field, part)) WITHOUT ROWID",
    );
  }

  write(id: number, field: string, text: string): void {
    cutText(text, PART_CHARS).forEach((part, n) => {
      this.sql.exec("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)", id, field, n, part);
    });
  }

  read(id: number, field: string): string {
    const parts = this.sql.exec<{ text: string }>(
      "SELECT text FROM parts WHERE id = ? AND field = ? ORDER BY part",
      id,
      field,
    );
    return [...parts].map((p) => p.text).join("");
  }

  /** Both ends included. */
  dropRange(fromId: number, toId: number): void {
    this.sql.exec("DELETE FROM parts WHERE id BETWEEN ? AND ?", fromId, toId);
  }

  drop(id: number, field: string): void {
    this.sql.exec("DELETE FROM parts WHERE id = ? AND field = ?", id, field);
  }
}

/** Cuts text into pieces of at most `size` UTF-16 units, never between the halves of a surrogate pair. */
export function cutText(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + size, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}
