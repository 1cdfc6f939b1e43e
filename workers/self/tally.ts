/**
 * What an isolate has counted and not delivered. Pure. A flush that was not
 * confirmed is handed out again unchanged, under the same number, before anything
 * newer: the Counters object leaves out what it has seen.
 */
import type { Flush, Increment } from "./contract.ts";

/** Series that one isolate holds at a time; what is above is added up under "(other)". */
const MAX_SERIES = 2_000;
/** Names of Workers may be 255 characters; longer ones are somebody's joke. */
const MAX_LABEL_CHARS = 128;
export const OTHER = "(other)";

export class Tally {
  /** Made with the first flush: a module that is being loaded may not draw random values. */
  private isolate: string | undefined;
  private series = new Map<string, Increment>();
  private pending: Flush | undefined;
  private number = 0;

  add(name: string, labels: readonly string[], amount: number): void {
    const key = `${name}\n${labels.join("\n")}`;
    const known = this.series.get(key);
    if (known !== undefined) known.amount += amount;
    else if (this.series.size < MAX_SERIES || labels.every((label) => label === OTHER))
      this.series.set(key, { name, labels: labels.map(cut), amount });
    else
      this.add(
        name,
        labels.map(() => OTHER),
        amount,
      );
  }

  get isEmpty(): boolean {
    return this.pending === undefined && this.series.size === 0;
  }

  /** The same until it is confirmed. */
  take(): Flush {
    if (this.pending !== undefined) return this.pending;
    this.number += 1;
    const increments = [...this.series.values()];
    this.series = new Map();
    this.isolate ??= crypto.randomUUID();
    this.pending = { isolate: this.isolate, number: this.number, increments };
    return this.pending;
  }

  confirm(flush: Flush): void {
    if (this.pending === flush) this.pending = undefined;
  }
}

const cut = (label: string) => (label.length <= MAX_LABEL_CHARS ? label : `${label.slice(0, MAX_LABEL_CHARS - 1)}…`);
