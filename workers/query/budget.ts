/**
 * What one query may use, and what it used: `scan.ts` asks before each batch.
 * Inside a Worker the clock stands still between reads, so the wall time counts
 * what reads took; the CPU limit of the runtime stands behind it.
 */
import { QueryFailure, tooMuch } from "./errors.ts";
import { MAX_BYTES, MAX_SEGMENTS, MAX_WALL_MS } from "./limits.ts";

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
  private readonly limits: Limits;
  private readonly startedAt = Date.now();
  private readonly signal: AbortSignal | undefined;

  constructor(signal?: AbortSignal, limits: Limits = DEFAULTS) {
    this.signal = signal;
    this.limits = limits;
  }

  get ms(): number {
    return Date.now() - this.startedAt;
  }

  /** Throws QueryFailure when the query is cancelled or has used up what it may. */
  check(): void {
    if (this.signal?.aborted) throw new QueryFailure({ code: "cancelled", message: "The query was cancelled." });
    const { segments, bytes, wallMs } = this.limits;
    if (this.segments > segments) throw tooMuch(`reads more than ${segments} segments`);
    if (this.bytes > bytes) throw tooMuch(`reads more than ${Math.round(bytes / 1e6)} MB`);
    if (this.ms > wallMs) throw tooMuch(`takes longer than ${wallMs / 1000} s`);
  }
}
