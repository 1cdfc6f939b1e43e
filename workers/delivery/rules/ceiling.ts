/**
 * At most so many items per minute, by the events' own clock: after an outage of
 * hours, what is caught up is not squeezed into the minutes of the catching up, and
 * a try again counts nothing twice. The state travels with the cursor (a Courier
 * stores both in one transaction), so what was counted and what was read agree. Pure.
 */
import { MAX_CEILING_MINUTES } from "./limits.ts";

const MINUTE_US = 60_000_000;

/** Minute since the epoch, items let through in it. JSON; oldest first. */
export type CeilingState = readonly (readonly [minute: number, count: number])[];

export class Ceiling {
  readonly #perMinute: number | null;
  readonly #counts: Map<number, number>;

  /** @param perMinute null: no ceiling, nothing is counted */
  constructor(perMinute: number | null, state: CeilingState = []) {
    this.#perMinute = perMinute;
    this.#counts = new Map(perMinute === null ? [] : state.slice(-MAX_CEILING_MINUTES));
  }

  /** Counts it when it may pass. @param timeUs of the event */
  admits(timeUs: number): boolean {
    if (this.#perMinute === null) return true;
    const minute = Math.floor(timeUs / MINUTE_US);
    const count = this.#counts.get(minute) ?? 0;
    if (count >= this.#perMinute) return false;
    this.#counts.set(minute, count + 1);
    if (count === 0 && this.#counts.size > MAX_CEILING_MINUTES) this.#forgetOldest();
    return true;
  }

  state(): CeilingState {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  #forgetOldest(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const minute of this.#counts.keys()) oldest = Math.min(oldest, minute);
    this.#counts.delete(oldest);
  }
}
