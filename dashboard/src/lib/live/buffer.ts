/**
 * The rows of the Live page: the newest of what arrived, bounded by number and
 * by characters; the oldest go first. Rows are numbered as they come in, without
 * a gap, so a number stays good while rows before it are let go. Pure.
 */
import type { EventJson } from "../../../../workers/api/contract.ts";
import { type EventRow, toRow } from "../event-row.ts";

/** As far back as one scrolls by hand; the rest is what Explore is for. */
const MAX_ROWS = 10_000;
/** As they came over the wire: about 50 MB as objects. */
const MAX_CHARS = 16_000_000;
/** Rows that were let go are cut off when there are this many, so that it costs little per row. */
const COMPACT_ROWS = 2048;

/** What happened to the stream between two events. */
export type Note =
  /** Events of that time, matching or not, which are only in the store. */
  | { kind: "gone"; from: number; to: number; events: number }
  /** Rows that arrived during a pause and did not fit. */
  | { kind: "dropped"; from: number; to: number; events: number };

export type Entry = { event: EventJson; note?: undefined } | { note: Note; event?: undefined };
export type LiveRow = Entry & {
  n: number;
  chars: number;
  /** Of the invocation of the row before it, when it came. It stays so: a row does not change its height. */
  follows: boolean;
  /** How many followers came before it, ever. */
  followers: number;
  shown?: EventRow;
};

/** What the row shows; worked out when it is first drawn. */
export function shownOf(row: LiveRow): EventRow | undefined {
  if (row.event === undefined) return undefined;
  row.shown ??= toRow(row.event);
  return row.shown;
}

export class LiveBuffer {
  /** Rows that did not fit any more, ever. */
  dropped = 0;
  private rows: LiveRow[] = [];
  private head = 0;
  private held = 0;
  private next = 0;
  private followers = 0;
  /** Of the row that came last. */
  private invocation: string | undefined;
  private readonly maxRows: number;
  private readonly maxChars: number;

  constructor(maxRows = MAX_ROWS, maxChars = MAX_CHARS) {
    this.maxRows = maxRows;
    this.maxChars = maxChars;
  }

  get length(): number {
    return this.rows.length - this.head;
  }

  get chars(): number {
    return this.held;
  }

  /** Number of the oldest row that is held, or of the next one. */
  get firstNumber(): number {
    return this.next - this.length;
  }

  at(index: number): LiveRow | undefined {
    return index < 0 ? undefined : this.rows[this.head + index];
  }

  /** -1 when it is not held any more. */
  indexOf(n: number): number {
    const index = n - this.firstNumber;
    return index >= 0 && index < this.length ? index : -1;
  }

  /** How many of the rows before an index follow one of their invocation, of all that were ever held. */
  followersEver(index: number): number {
    return index >= this.length ? this.followers : (this.rows[this.head + Math.max(0, index)] as LiveRow).followers;
  }

  push(entry: Entry, chars: number): void {
    const invocation = entry.event?.invocation_id;
    const follows = invocation !== undefined && invocation === this.invocation;
    this.invocation = invocation;
    this.rows.push({ ...entry, n: this.next++, chars, follows, followers: this.followers });
    if (follows) this.followers++;
    this.held += chars;
    while (this.length > this.maxRows || (this.held > this.maxChars && this.length > 1)) this.shift();
    if (this.head >= COMPACT_ROWS) {
      this.rows = this.rows.slice(this.head);
      this.head = 0;
    }
  }

  /** Hands all over, in order, and is empty. */
  drain(): LiveRow[] {
    const rows = this.rows.slice(this.head);
    this.clear();
    return rows;
  }

  clear(): void {
    this.rows = [];
    this.head = 0;
    this.held = 0;
    this.dropped = 0;
    this.invocation = undefined;
  }

  private shift(): void {
    this.held -= (this.rows[this.head] as LiveRow).chars;
    // Nothing keeps it alive until the next cut.
    this.rows[this.head] = undefined as unknown as LiveRow;
    this.head++;
    this.dropped++;
  }
}
