/**
 * Remembers ids, so that what comes again counts once: of batches, so that an
 * append may be tried again when its first try is sealed already; of occurrences
 * that may be sent again. In memory it is one set; on disk, the ids of a sealed
 * chunk or of a flush are one row, not one row each.
 */

export class RecentIds<Id extends string | number> {
  private readonly ids = new Set<Id>();
  /** Sealed lists still remembered, oldest first. */
  private readonly lists: { throughId: number; at: number; ids: Id[] }[] = [];
  private listed = 0;

  constructor(
    private readonly sql: SqlStorage,
    private readonly table: "recent" | "counted",
    private readonly limits: { ms: number; ids: number },
  ) {
    sql.exec(`CREATE TABLE IF NOT EXISTS ${table} (through_id INTEGER PRIMARY KEY, at INTEGER, ids TEXT)`);
    for (const row of sql.exec<{ through_id: number; at: number; ids: string }>(
      `SELECT * FROM ${table} ORDER BY through_id`,
    )) {
      this.remember(row.through_id, row.at, JSON.parse(row.ids) as Id[]);
    }
  }

  has(id: Id): boolean {
    return this.ids.has(id);
  }

  /** Of the newest list; 0 when there is none. */
  get throughId(): number {
    return this.lists.at(-1)?.throughId ?? 0;
  }

  /** An append that is in the log. */
  add(id: Id): void {
    this.ids.add(id);
  }

  /** Ids of log entries up to `throughId`, all of them. Drops what is too old or too much. */
  keep(throughId: number, at: number, ids: Id[]): void {
    this.sql.exec(`INSERT OR REPLACE INTO ${this.table} VALUES (?, ?, ?)`, throughId, at, JSON.stringify(ids));
    this.remember(throughId, at, ids);
    for (let oldest = this.lists[0]; oldest !== undefined; oldest = this.lists[0]) {
      if (oldest.at >= at - this.limits.ms && this.listed <= this.limits.ids) return;
      this.sql.exec(`DELETE FROM ${this.table} WHERE through_id = ?`, oldest.throughId);
      for (const id of oldest.ids) this.ids.delete(id);
      this.listed -= oldest.ids.length;
      this.lists.shift();
    }
  }

  private remember(throughId: number, at: number, ids: Id[]): void {
    this.lists.push({ throughId, at, ids });
    this.listed += ids.length;
    for (const id of ids) this.ids.add(id);
  }
}
