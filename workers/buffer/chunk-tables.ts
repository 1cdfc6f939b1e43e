/** Tables of the write-ahead log, one per chunk: made, found again after a restart, summed up. `write-ahead-log.ts` decides when. */

/** Kept in memory, so that neither appends nor `status()` ask SQLite for it. */
export interface Chunk {
  /** Names the table. Ids of the chunk are at or above it. */
  firstId: number;
  /** Highest id so far; `firstId - 1` when empty. */
  lastId: number;
  rows: number;
  /** Rows ever logged in it: those set aside are not in `rows` any more. */
  events: number;
  bytes: number;
  appends: number;
  /** Arrival of its oldest entry, ms. */
  oldestAt: number;
  /** False for a chunk that was begun before there were issues: its table has no such column. */
  hasIssues: boolean;
}

export function createChunk(sql: SqlStorage, firstId: number): Chunk {
  // Small columns first: sums over a chunk need not read the texts behind them.
  sql.exec(
    `CREATE TABLE log_${firstId} (id INTEGER PRIMARY KEY, batch_id TEXT, at INTEGER, rows INTEGER, bytes INTEGER,
      min_time INTEGER, max_time INTEGER, parts INTEGER, rollups TEXT, ledger TEXT, issues TEXT, batch TEXT)`,
  );
  return { firstId, lastId: firstId - 1, rows: 0, events: 0, bytes: 0, appends: 0, oldestAt: 0, hasIssues: true };
}

/** Those on disk, oldest first. */
export function loadChunks(sql: SqlStorage): Chunk[] {
  const tables = sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'log_[0-9]*'")
    .toArray();
  const firsts = tables.map((t) => Number(t.name.slice("log_".length))).sort((a, b) => a - b);
  return firsts.map((firstId) => loadChunk(sql, firstId));
}

function loadChunk(sql: SqlStorage, firstId: number): Chunk {
  const { last, oldest, ...sums } = sql
    .exec<{ last: number | null; rows: number; events: number; bytes: number; appends: number; oldest: number }>(
      `SELECT max(id) AS last, total(max(rows, 0)) AS rows, total(abs(rows)) AS events, total(bytes) AS bytes,
        count(*) AS appends, ifnull(min(at), 0) AS oldest FROM log_${firstId}`,
    )
    .one();
  return { firstId, lastId: last ?? firstId - 1, ...sums, oldestAt: oldest, hasIssues: hasIssues(sql, firstId) };
}

function hasIssues(sql: SqlStorage, firstId: number): boolean {
  const column = "SELECT 1 FROM pragma_table_info(?) WHERE name = 'issues'";
  return sql.exec(column, `log_${firstId}`).toArray().length > 0;
}

/** In the order of the log. */
export function batchIds(sql: SqlStorage, { firstId }: Chunk): string[] {
  const rows = sql.exec<{ batch_id: string }>(`SELECT batch_id FROM log_${firstId} ORDER BY id`).toArray();
  return rows.map((row) => row.batch_id);
}

/** Rows ever logged in it, up to an entry, that one included. */
export function eventsThrough(sql: SqlStorage, { firstId }: Chunk, id: number): number {
  return sql.exec<{ n: number }>(`SELECT total(abs(rows)) AS n FROM log_${firstId} WHERE id <= ?`, id).one().n;
}
