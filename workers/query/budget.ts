/**
 * What one query may use, and what it used: `scan.ts` asks before each batch.
 * Inside a Worker the clock stands still while code runs, so the scan gives
 * way now and then; the CPU limit of the runtime stands behind it.
 */
import { QueryFailure, tooMuch } from "./errors.ts";
import { MAX_BYTES, MAX_SEGMENTS, MAX_WALL_MS } from "./limits.ts";

/** Computing on so many takes some tens of milliseconds at most, as a rule. */
const EVENTS_WITHOUT_PAUSE = 100_000;
/** So many segments are opened in a quarter of a second. */
const SEGMENTS_WITHOUT_PAUSE = 48;
/** Nothing of a long query runs for so long, so that requests which wait outside come in. */
const REST_MS = 1;
/** A query whose request was cancelled by the runtime never says that it has ended. */
const SILENT_MS = 2_000;
const TURN_POLL_MS = 5;

/**
 * Long queries of an isolate run one after the other, a slice at a time. All
 * together would leave no moment in which the runtime takes in other work:
 * with 18 at once, an ingest waited for 37 s until they were done.
 */
let turn: { of: Budget; at: number } | undefined;
const waiting = new Map<Budget, number>();

export interface Limits {
  segments: number;
  bytes: number;
  wallMs: number;
}

const DEFAULTS: Limits = { segments: MAX_SEGMENTS, bytes: MAX_BYTES, wallMs: MAX_WALL_MS };

export class Budget {
  segments = 0;
  events = 0;
  bytes = 0;
  private restedAt = { events: 0, segments: 0 };
  private resting: Promise<void> | undefined;
  private stopped: { reason: unknown } | undefined;
  private readonly limits: Limits;
  private readonly startedAt = Date.now();
  private readonly signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal, limits: Limits = DEFAULTS) {
    this.signal = signal;
    this.limits = limits;
  }

  /**
   * Lets other requests of the isolate run, and the clock go on: computing alone
   * would never reach the limit of wall time. All parts of a query rest together.
   */
  async giveWay(): Promise<void> {
    if (this.resting !== undefined) return this.pause();
    const { events, segments } = this;
    const isDue = events - this.restedAt.events >= EVENTS_WITHOUT_PAUSE;
    if (!isDue && segments - this.restedAt.segments < SEGMENTS_WITHOUT_PAUSE) return;
    this.restedAt = { events, segments };
    await this.pause();
  }

  /** For work that knows itself that it takes long. */
  readonly pause = async (): Promise<void> => {
    this.resting ??= this.rest().finally(() => {
      this.resting = undefined;
    });
    await this.resting;
    this.check();
  };

  private async rest(): Promise<void> {
    const others = waiting.size > 0;
    this.end();
    await sleep(others ? 2 * TURN_POLL_MS : REST_MS);
    while (!this.takeTurn(Date.now())) {
      this.check();
      // A timer of its own: a promise of another request may never be kept.
      await sleep(TURN_POLL_MS);
    }
  }

  private takeTurn(now: number): boolean {
    for (const [budget, at] of waiting) if (now - at > SILENT_MS) waiting.delete(budget);
    if (turn !== undefined && turn.of !== this && now - turn.at <= SILENT_MS) {
      waiting.set(this, now);
      return false;
    }
    turn = { of: this, at: now };
    waiting.delete(this);
    return true;
  }

  /** Call when the query has ended, however. */
  end(): void {
    if (turn?.of === this) turn = undefined;
    waiting.delete(this);
  }

  get ms(): number {
    return Date.now() - this.startedAt;
  }

  /** What is still under way ends at its next check, for the same reason. */
  stop(reason: unknown): void {
    this.stopped ??= { reason };
  }

  /** Throws QueryFailure when the query is cancelled or has used up what it may. */
  check(): void {
    if (this.stopped !== undefined) throw this.stopped.reason;
    if (this.signal?.aborted) throw new QueryFailure({ code: "cancelled", message: "The query was cancelled." });
    const { segments, bytes, wallMs } = this.limits;
    if (this.segments > segments) throw tooMuch(`reads more than ${segments} segments`);
    if (this.bytes > bytes) throw tooMuch(`reads more than ${Math.round(bytes / 1e6)} MB`);
    if (this.ms > wallMs) throw tooMuch(`takes longer than ${wallMs / 1000} s`);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
