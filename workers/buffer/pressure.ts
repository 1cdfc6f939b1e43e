/**
 * Decisions of an Ingester, without I/O or clock: whether it takes a batch, over
 * how many shards the Worker's events should be spread, and how busy it is.
 */
import { MAX_SHARDS } from "./contract.ts";
import { HARD_APPENDS, HARD_BYTES, HARD_EVENTS, SOFT_APPENDS, SOFT_BYTES, SOFT_EVENTS } from "./limits.ts";

export interface Load {
  rows: number;
  bytes: number;
  appends: number;
}

/** Ledger news (no rows) always counts as essential: it is small, and says what was dropped. */
export function admits(unsealed: Load, batch: { rows: number; essential: boolean }): boolean {
  const { rows, bytes, appends } = unsealed;
  if (rows >= HARD_EVENTS || bytes >= HARD_BYTES || appends >= HARD_APPENDS) return false;
  if (batch.essential || batch.rows === 0) return true;
  return rows < SOFT_EVENTS && bytes < SOFT_BYTES && appends < SOFT_APPENDS;
}

/**
 * Above any of these a shard asks for twice as many. A Durable Object answers
 * some 1,000 requests/s and was measured at some 70,000 events/s in batches of
 * 100: the limits are less than half of that, as sealing needs time, too.
 */
export const BUSY_PER_SECOND = { appends: 400, rows: 25_000, bytes: 6_000_000 } as const;
/** Below this part of every limit, half as many shards do: far enough below 1/2 that it does not swing. */
const QUIET = 0.2;
const WINDOW_MS = 10_000;
/** Short: a burst is to be noticed before much was read beside it. */
const PACE_MS = 250;

interface Window {
  appends: number;
  rows: number;
  bytes: number;
}

const nothing = (): Window => ({ appends: 0, rows: 0, bytes: 0 });

function count(window: Window, rows: number, bytes: number): void {
  window.appends += 1;
  window.rows += rows;
  window.bytes += bytes;
}

/** Appends of the last whole 10 s. */
export class Meter {
  private startedAt: number;
  private current = nothing();
  private last: Window | undefined;

  constructor(now: number) {
    this.startedAt = now;
  }

  add(now: number, rows: number, bytes: number): void {
    const age = now - this.startedAt;
    if (age >= WINDOW_MS) {
      // More than one window without an append: the last one was empty.
      this.last = age >= 2 * WINDOW_MS ? nothing() : this.current;
      this.current = nothing();
      this.startedAt = now;
    }
    count(this.current, rows, bytes);
  }

  /**
   * Share of the busiest limit that is used, 1 = all of it; undefined before the
   * first window is over. A window that is over a limit already need not end.
   */
  use(): number | undefined {
    const now = usedBy(this.current);
    if (this.last === undefined) return now >= 1 ? now : undefined;
    return Math.max(now, usedBy(this.last));
  }
}

/** Appends of this very moment: who reads the log gives way by it. */
export class Pace {
  private at = 0;
  private before = nothing();
  private current = nothing();

  add(now: number, rows: number, bytes: number): void {
    const age = now - this.at;
    if (age >= PACE_MS) {
      this.before = age >= 2 * PACE_MS ? nothing() : this.current;
      this.current = nothing();
      this.at = now;
    }
    count(this.current, rows, bytes);
  }

  /** 1 = all of a limit. */
  use(now: number): number {
    const age = now - this.at;
    if (age >= 2 * PACE_MS) return 0;
    return Math.max(usedBy(this.current, PACE_MS), age >= PACE_MS ? 0 : usedBy(this.before, PACE_MS));
  }
}

function usedBy(w: Window, ms = WINDOW_MS): number {
  const seconds = ms / 1000;
  return Math.max(
    w.appends / (BUSY_PER_SECOND.appends * seconds),
    w.rows / (BUSY_PER_SECOND.rows * seconds),
    w.bytes / (BUSY_PER_SECOND.bytes * seconds),
  );
}

/**
 * The hint: `spread` is over how many shards the caller spreads now, `use` this
 * shard's own part of its limits. Every caller follows by itself, doubling or
 * halving; between the two thresholds nothing changes.
 */
export function wantedShards(spread: number, use: number | undefined): number {
  const now = Math.min(Math.max(Math.trunc(spread) || 1, 1), MAX_SHARDS);
  if (use === undefined) return now;
  if (use >= 1) return Math.min(now * 2, MAX_SHARDS);
  if (use < QUIET) return Math.max(Math.ceil(now / 2), 1);
  return now;
}
