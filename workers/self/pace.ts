/**
 * When an isolate may hand over what it counted. Pure: a token bucket. A quiet
 * isolate sends at once whatever it counts, since it may not live until the next
 * count; a busy one sends once every PACE_MS, six requests a minute.
 */

export const PACE_MS = 10_000;
/** In a row, after a quiet time: an append, the issues that it leads to, what is told of them, the seal. */
export const BURST = 4;

export class Pace {
  /** Flushes that may go, of BURST. */
  private left = BURST;
  private at = Number.NEGATIVE_INFINITY;

  take(now: number): boolean {
    this.refill(now);
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }

  waitMs(now: number): number {
    this.refill(now);
    return this.left >= 1 ? 0 : Math.ceil((1 - this.left) * PACE_MS);
  }

  private refill(now: number): void {
    // A clock that was set back gives nothing, and takes nothing.
    this.left = Math.min(this.left + Math.max(now - this.at, 0) / PACE_MS, BURST);
    this.at = now;
  }
}
