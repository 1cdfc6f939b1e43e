/**
 * Pages of the log for who delivers it (`delivery/source/`), in order and
 * without gaps: `ingester.ts` answers with them. What has left the log is in
 * segments, whose rows say which entry they were (ENTRY_COLUMN), so a reader
 * that stands in the middle of a chunk goes on there; nothing is kept for it.
 */
import type { Chunk } from "./chunk-tables.ts";
import type { LoggedBatch, ReadLogAnswer, ReadLogRequest } from "./contract.ts";
import { READ_LOG_BYTES, READ_LOG_ENTRIES } from "./limits.ts";
import { TextParts } from "./text-parts.ts";
import type { Log } from "./write-ahead-log.ts";

/** What an entry is, without its text. */
type Head = { id: number; rows: number; bytes: number; min_time: number; wanted: number };
type BatchRow = { id: number; rows: number; parts: number; batch: string };

/**
 * Native, in SQLite: an entry that passes may hold errors, one that does not surely holds none. Its rollups count the
 * failed invocations; what was split off a large append has none of its own.
 */
const MAY_HOLD_ERRORS = `issues != '' OR parts = 1 OR rollups = '[]' OR instr(batch, '"exception"') > 0
  OR instr(batch, '"tailrace.fingerprint"') > 0
  OR rollups GLOB '*"errors":[1-9]*' OR rollups GLOB '*"errors":0.*'`;

/** Of a chunk that was read in part: by its entries, as far as can be told without reading it. */
function rowsAfter({ firstId, lastId, rows }: Chunk, afterId: number): number {
  if (lastId <= afterId) return 0;
  return afterId < firstId ? rows : Math.ceil((rows * (lastId - afterId)) / (lastId - firstId + 1));
}

type LogPage = Omit<ReadLogAnswer, "use" | "isBusy">;

export class LogReader {
  private readonly parts: TextParts;

  constructor(
    private readonly sql: SqlStorage,
    private readonly log: Log,
  ) {
    this.parts = new TextParts(sql);
  }

  /** What is there, without reading any of it. */
  none({ afterId }: Pick<ReadLogRequest, "afterId">): LogPage {
    const { chunks, nextId, oldestAt } = this.log;
    const firstId = chunks[0]?.firstId ?? nextId;
    const more = afterId + 1 < nextId;
    return {
      firstId,
      batches: [],
      through: afterId,
      more,
      waiting: chunks.reduce((sum, chunk) => sum + rowsAfter(chunk, afterId), 0),
      oldest: more ? (oldestAt ?? null) : null,
    };
  }

  read({ afterId, maxBytes, errorsOnly }: Omit<ReadLogRequest, "reader">): LogPage {
    const { chunks } = this.log;
    const none = this.none({ afterId });
    if (afterId + 1 < none.firstId) return none;
    const page: LogPage = { ...none, waiting: 0, oldest: null };
    const room = { bytes: Math.min(maxBytes, READ_LOG_BYTES), isFull: false };
    for (const chunk of chunks) {
      if (chunk.lastId <= afterId) continue;
      if (room.isFull) page.waiting += errorsOnly ? 0 : chunk.rows;
      else this.readChunk(chunk, page, room, errorsOnly);
    }
    return { ...page, more: room.isFull };
  }

  private readChunk(chunk: Chunk, page: LogPage, room: { bytes: number; isFull: boolean }, errorsOnly: boolean): void {
    const heads = this.heads(chunk, page.through, errorsOnly);
    const ids: number[] = [];
    for (const { id, rows, bytes, min_time, wanted } of heads) {
      const isWanted = rows > 0 && wanted === 1;
      if (isWanted) page.oldest ??= Math.floor(min_time / 1000);
      const isFirst = ids.length + page.batches.length === 0;
      if (isWanted && bytes > room.bytes && !isFirst) room.isFull = true;
      if (room.isFull) {
        if (isWanted) page.waiting += rows;
        continue;
      }
      page.through = id;
      if (!isWanted) continue;
      room.bytes -= bytes;
      ids.push(id);
    }
    if (ids.length > 0) page.batches.push(...this.batches(chunk, ids));
    // There may be more of them.
    if (heads.length === READ_LOG_ENTRIES) room.isFull = true;
  }

  /** A cursor left half read would keep the table from being dropped, so it is read at once. */
  private heads(chunk: Chunk, afterId: number, errorsOnly: boolean): Head[] {
    const wanted = errorsOnly && chunk.hasIssues ? MAY_HOLD_ERRORS : "1";
    return this.sql
      .exec<Head>(
        `SELECT id, rows, bytes, min_time, (${wanted}) AS wanted FROM log_${chunk.firstId} WHERE id > ? ORDER BY id LIMIT ?`,
        afterId,
        READ_LOG_ENTRIES,
      )
      .toArray();
  }

  private batches(chunk: Chunk, ids: readonly number[]): LoggedBatch[] {
    const some =
      ids.length === (ids.at(-1) as number) - (ids[0] as number) + 1
        ? ""
        : "AND id IN (SELECT value FROM json_each(?))";
    return this.sql
      .exec<BatchRow>(
        `SELECT id, rows, parts, batch FROM log_${chunk.firstId} WHERE id BETWEEN ? AND ? ${some} ORDER BY id`,
        ...[ids[0] as number, ids.at(-1) as number, ...(some === "" ? [] : [JSON.stringify(ids)])],
      )
      .toArray()
      .map(({ id, rows, parts, batch }) => ({
        id,
        rows,
        batch: parts === 0 ? batch : this.parts.read(id, "batch"),
      }));
  }
}
