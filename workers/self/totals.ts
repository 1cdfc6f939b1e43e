/**
 * What all isolates have counted together, in memory. Pure: `counters.ts` keeps it
 * on disk. Bounded: a Worker beyond the first thousand of a counter is added to
 * "(other)", so that made-up names cannot fill it.
 */
import type { Flush, Increment } from "./contract.ts";
import { lineKey } from "./lines.ts";
import { COUNTERS, type CounterSpec } from "./names.ts";
import { OTHER } from "./tally.ts";

const MAX_SERIES_PER_COUNTER = 1_000;
/** Isolates whose last flush is remembered: one lives for hours, and sends again within seconds or never. */
const MAX_ISOLATES = 1_000;
/** What a rate is of: whole minutes, and not the one that has just begun. */
const RATE_MINUTES = 5;
const MINUTE_MS = 60_000;

type Series = Omit<Increment, "name">;

export class Totals {
  private readonly counters = new Map<string, Map<string, Series>>();
  /** Isolate → number of its last flush, longest silent first. */
  private readonly seen = new Map<string, number>();
  /** Minute → line of the status page → what came in it. */
  private readonly minutes = new Map<number, Map<string, number>>();

  constructor(private readonly startedAt: number) {}

  /** False: it was counted before. */
  add({ isolate, number, increments }: Flush, now: number): boolean {
    if (number <= (this.seen.get(isolate) ?? 0)) return false;
    this.remember(isolate, number);
    const minute = this.minuteOf(now);
    for (const increment of increments) {
      if (!this.load(increment)) continue;
      const key = lineKey(increment);
      minute.set(key, (minute.get(key) ?? 0) + increment.amount);
    }
    return true;
  }

  /** As it was stored. False for what this version does not know, or cannot be. */
  load({ name, labels, amount }: Increment): boolean {
    const spec: CounterSpec | undefined = Object.hasOwn(COUNTERS, name)
      ? COUNTERS[name as keyof typeof COUNTERS]
      : undefined;
    if (spec === undefined || labels.length !== spec.labels.length || !(amount > 0 && Number.isFinite(amount)))
      return false;
    const series = this.counters.get(name) ?? new Map<string, Series>();
    this.counters.set(name, series);
    const isNew = !series.has(JSON.stringify(labels));
    const kept = isNew && series.size >= MAX_SERIES_PER_COUNTER ? labels.map(() => OTHER) : labels;
    const key = JSON.stringify(kept);
    const known = series.get(key);
    if (known !== undefined) known.amount += amount;
    else series.set(key, { labels: kept, amount });
    return true;
  }

  remember(isolate: string, number: number): void {
    this.seen.delete(isolate);
    this.seen.set(isolate, number);
    if (this.seen.size > MAX_ISOLATES) this.seen.delete(this.seen.keys().next().value as string);
  }

  get isolates(): [string, number][] {
    return [...this.seen];
  }

  names(): string[] {
    return [...this.counters.keys()];
  }

  seriesOf(name: string): Increment[] {
    return [...(this.counters.get(name)?.values() ?? [])].map((series) => ({ name, ...series }));
  }

  /** Means of the whole minutes that this object was there for; nothing before there is one. */
  perMinute(now: number): Record<string, number> {
    const current = Math.floor(now / MINUTE_MS);
    const first = Math.max(current - RATE_MINUTES, Math.ceil(this.startedAt / MINUTE_MS));
    const known = current - first;
    if (known < 1) return {};
    const lines = this.names().flatMap((name) => this.seriesOf(name).map(lineKey));
    const sums: Record<string, number> = Object.fromEntries(lines.map((line) => [line, 0]));
    for (const [minute, counts] of this.minutes) {
      if (minute < first || minute >= current) continue;
      for (const [line, amount] of counts) sums[line] = (sums[line] ?? 0) + amount / known;
    }
    return sums;
  }

  private minuteOf(now: number): Map<string, number> {
    const minute = Math.floor(now / MINUTE_MS);
    for (const old of this.minutes.keys()) if (old < minute - RATE_MINUTES) this.minutes.delete(old);
    const known = this.minutes.get(minute) ?? new Map<string, number>();
    this.minutes.set(minute, known);
    return known;
  }
}
