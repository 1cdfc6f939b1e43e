/** What came in per second over the last minute: the rate meter and its sparkline. Pure; `now` is passed in. */

/** As wide as the sparkline. */
export const METER_SECONDS = 60;
/** Long enough to be read, short enough to be now. */
const RATE_SECONDS = 5;
const SECOND_MS = 1000;

export interface Second {
  /** Events that the filter matched. */
  matched: number;
  shown: number;
  errors: number;
}

const empty = (): Second => ({ matched: 0, shown: 0, errors: 0 });

export class RateMeter {
  private readonly seconds: Second[] = Array.from({ length: METER_SECONDS }, empty);
  /** The second that the last element counts. */
  private last = 0;
  private first: number | undefined;

  add(now: number, counted: Second): void {
    this.moveTo(now);
    this.first ??= this.last;
    const second = this.seconds[METER_SECONDS - 1] as Second;
    second.matched += counted.matched;
    second.shown += counted.shown;
    second.errors += counted.errors;
  }

  /** Oldest first; the last one is not over yet. */
  series(now: number): readonly Second[] {
    this.moveTo(now);
    return this.seconds;
  }

  /** Events per second, over the last whole seconds since there were any. */
  rate(now: number): { matched: number; shown: number } {
    this.moveTo(now);
    const lived = this.first === undefined ? 0 : this.last - this.first;
    const seconds = Math.max(1, Math.min(RATE_SECONDS, lived));
    const end = lived < 1 ? METER_SECONDS : METER_SECONDS - 1;
    const whole = this.seconds.slice(end - seconds, end);
    const sum = (of: (s: Second) => number) => whole.reduce((n, s) => n + of(s), 0) / seconds;
    return { matched: sum((s) => s.matched), shown: sum((s) => s.shown) };
  }

  clear(): void {
    for (let i = 0; i < METER_SECONDS; i++) this.seconds[i] = empty();
    this.first = undefined;
  }

  private moveTo(now: number): void {
    const second = Math.floor(now / SECOND_MS);
    for (let i = Math.min(METER_SECONDS, second - this.last); i > 0; i--) {
      this.seconds.shift();
      this.seconds.push(empty());
    }
    // A clock that was set back goes on in the present second.
    this.last = Math.max(this.last, second);
  }
}
