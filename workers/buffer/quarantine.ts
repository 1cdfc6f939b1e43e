/**
 * What could not be decoded, or what D1 refuses: set aside, so that it stops
 * nothing else, and kept for a human to look at, up to a bound. The texts lie in
 * `parts` under the negative id of their log entry.
 */
import { QUARANTINE_BYTES } from "./limits.ts";
import type { TextParts } from "./text-parts.ts";

export class Quarantine {
  /** Entries set aside so far. */
  size: number;

  constructor(
    private readonly sql: SqlStorage,
    private readonly parts: TextParts,
  ) {
    sql.exec("CREATE TABLE IF NOT EXISTS quarantine (id INTEGER PRIMARY KEY, at INTEGER, bytes INTEGER, error TEXT)");
    this.size = sql.exec<{ n: number }>("SELECT count(*) AS n FROM quarantine").one().n;
  }

  add(id: number, at: number, texts: Record<string, string>, error: string): void {
    let bytes = 0;
    for (const [field, text] of Object.entries(texts)) {
      this.parts.write(-id, field, text);
      bytes += Buffer.byteLength(text);
    }
    this.sql.exec(
      `INSERT INTO quarantine VALUES (?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET bytes = bytes + excluded.bytes, error = error || '; ' || excluded.error`,
      id,
      at,
      bytes,
      error,
    );
    this.size += 1;
    this.trim();
  }

  /** The oldest go first. */
  private trim(): void {
    const all = this.sql
      .exec<{ id: number; bytes: number }>("SELECT id, bytes FROM quarantine ORDER BY id DESC")
      .toArray();
    let kept = 0;
    for (const { id, bytes } of all) {
      kept += bytes;
      if (kept <= QUARANTINE_BYTES) continue;
      this.sql.exec("DELETE FROM quarantine WHERE id = ?", id);
      this.parts.dropRange(-id, -id);
    }
  }
}
