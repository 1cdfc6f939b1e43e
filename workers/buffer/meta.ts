/** The few facts that an Ingester remembers besides its log. One row each. */
export class Meta {
  constructor(private readonly sql: SqlStorage) {
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  }

  get(key: "script" | "open"): string {
    const rows = this.sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = ?", key).toArray();
    return rows[0]?.value ?? "";
  }

  set(key: "script" | "open", value: string): void {
    this.sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value);
  }
}
