/** The few facts that an Ingester remembers besides its log: one row each. */
type Key =
  | "script"
  | "open"
  /** Events of chunks that have left the log (write-ahead-log.ts). */
  | "sealed"
  /** JSON of `Lease[]` (leases.ts). */
  | "leases"
  /** "1" while there are destinations to be told of what is new (nudger.ts). */
  | "forwards";

export class Meta {
  constructor(private readonly sql: SqlStorage) {
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  }

  get(key: Key): string {
    const rows = this.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key).toArray();
    return rows[0]?.value ?? "";
  }

  set(key: Key, value: string): void {
    this.sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value);
  }
}
