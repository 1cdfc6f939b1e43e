/**
 * What one query may use, and what it used: `scan.ts` asks before each batch.
 * Inside a Worker the clock stands still while code runs, so the scan gives
 * way now and then; the CPU limit of the runtime stands behind it.
 */
import { QueryFailure, tooMuch } from "./errors.ts";
import { MAX_BYTES, MAX_SEGMENTS, MAX_WALL_MS } from "./limits.ts";

/** Computing on so many takes some tens of milliseconds at most, as a rule. */
const EVENTS_WITHOUT_PAUSE = 100_000;

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
  private gaveWayAt = 0;
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
   * would never reach the limit of wall time.
   */
  async giveWay(): Promise<void> {
    if (this.events - this.gaveWayAt < EVENTS_WITHOUT_PAUSE) return;
    this.gaveWayAt = this.events;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** For work that knows itself that it takes long. */
  readonly pause = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.check();
  };

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
