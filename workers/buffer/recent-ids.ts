/**
 * Remembers which batches arrived, so that an append that is tried again counts
 * once, also when its first try is sealed already. In memory it is one set; on
 * disk, the ids of a sealed chunk are one row, not one row per batch.
 */
import { REMEMBER_IDS, REMEMBER_MS } from "./limits.ts";

export class RecentIds {
  private readonly ids = new Set<string>();
  /** Sealed lists still remembered, oldest first. */
  private readonly lists: { throughId: number; at: number; ids: string[] }[] = [];
  private listed = 0;

  constructor(private readonly sql: SqlStorage) {
    sql.exec("CREATE TABLE IF NOT EXISTS recent (through_id INTEGER PRIMARY KEY, at INTEGER, ids TEXT)");
    for (const row of sql.exec<{ through_id: number; at: number; ids: string }>(
      "SELECT * FROM recent ORDER BY through_id",
    )) {
      this.remember(row.through_id, row.at, JSON.parse(row.ids) as string[]);
    }
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** An append that is in the log. */
  add(id: string): void {
    this.ids.add(id);
  }

  /** The ids of a chunk that leaves the log. Drops what is too old or too much. */
  keep(throughId: number, at: number, ids: string[]): void {
    this.sql.exec("INSERT OR REPLACE INTO recent VALUES (?, ?, ?)", throughId, at, JSON.stringify(ids));
    this.remember(throughId, at, ids);
    for (let oldest = this.lists[0]; oldest !== undefined; oldest = this.lists[0]) {
      if (oldest.at >= at - REMEMBER_MS && this.listed <= REMEMBER_IDS) return;
      this.sql.exec("DELETE FROM recent WHERE through_id = ?", oldest.throughId);
      for (const id of oldest.ids) this.ids.delete(id);
      this.listed -= oldest.ids.length;
      this.lists.shift();
    }
  }

  private remember(throughId: number, at: number, ids: string[]): void {
    this.lists.push({ throughId, at, ids });
    this.listed += ids.length;
    for (const id of ids) this.ids.add(id);
  }
}
