/**
 * What delivery's parts promise each other and the rest.
 *
 *   Ingester ─ nudge (queue) → consumer → Courier (a Durable Object per destination)
 *   Courier: source/ reads the log or what was sealed of it → rules/ → integration.send
 *
 * The truth is what is stored (the Ingesters' logs, segments, D1's notifications)
 * and a cursor per source in the Courier's SQLite. A nudge that is lost costs a minute.
 */
import type {
  BackfillRequest,
  DeadLetter,
  DeadLetterSelection,
  DeadLettersAnswer,
  DeadLettersChanged,
  DestinationHealth,
} from "../api/contract/integrations.ts";
import type { Invocation } from "../integrations/contract.ts";

/** A message of the queue `tailrace-delivery`. */
export type Nudge = { kind: "log"; shard: string; script: string; errors: boolean } | { kind: "notices" };

/**
 * Where a reader is in one shard: everything up to log entry `through` is done, and
 * of the entry after it `offset` invocations, in the order of their ids. It means the
 * same in the log and in what was sealed of it (docs/decisions/0025).
 */
export interface Position {
  through: number;
  offset: number;
}

/** What one read found. `after(n)`: the position when the first `n` invocations are done; `after(length)` may be beyond entries without events. */
export interface Page {
  invocations: readonly Invocation[];
  after(count: number): Position;
  more: boolean;
  /** 0 to 1: how busy the Ingester is; a reader under pressure waits. */
  use: number;
  /** It gave nothing out: the reader is to come again later. */
  isBusy: boolean;
  /** Where it was read. */
  from: "log" | "segments";
  /** Rows that were due and are stored nowhere any more. */
  lost: number;
  /** Rows after this page, as far as is known. */
  waiting: number;
  /** ms: of the oldest event of this page, or of what waits. */
  oldest: number | null;
}

export interface ReadRequest {
  shard: string;
  script: string;
  /** Id of the destination: an Ingester that is busy puts each off for a while. */
  reader: string;
  position: Position;
  /** Bytes of log, or rows of segments, that one page holds at most (one entry at least). */
  maxBytes: number;
  maxRows: number;
  /** Leave out what holds no error, as far as can be told without reading it. */
  errorsOnly: boolean;
}

/** Same shape for a back-fill: its shard is "" and `through` is the number of the segment in its list. */
export interface BackfillRead {
  destination: string;
  position: Position;
  maxRows: number;
  errorsOnly: boolean;
  /** Segments of other Workers are not read. */
  wants?: (script: string) => boolean;
}

export type LetterEdited = { ok: true } | { ok: false; problem: string };

export interface CourierRpc {
  /** The row of D1 was made or changed: take it over; its own, or that of its failover. Idempotent. */
  refresh(destination: string): Promise<void>;
  /** Something may be there. Never waits for a delivery. */
  nudge(nudges: readonly Nudge[]): Promise<void>;
  health(): Promise<DestinationHealth>;
  backfill(request: BackfillRequest): Promise<void>;
  /** Tries now, whatever it waits for. */
  retryNow(): Promise<void>;
  deadLetters(request: { before?: number; limit: number }): Promise<DeadLettersAnswer>;
  deadLetter(id: number): Promise<(DeadLetter & { item: string }) | null>;
  /** Nothing is stored that could not be sent: `problem` says what is wrong. */
  editDeadLetter(id: number, item: string): Promise<LetterEdited>;
  replay(selection: DeadLetterSelection): Promise<DeadLettersChanged>;
  discard(selection: DeadLetterSelection): Promise<DeadLettersChanged>;
  /** Log chunks and segments that are kept for it are let go, its own storage is emptied. */
  remove(): Promise<void>;
  /**
   * For the sweep of `sealed_log`: how far it is in each shard that it knows. One that is missing is kept from its
   * beginning, unless the destination's rules do not want its Worker.
   */
  marks(): Promise<{ shard: string; through: number }[]>;
}
