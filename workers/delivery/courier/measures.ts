/**
 * How deliveries went, in memory: minutes that the page draws, and how long
 * receivers took. Written into the health row now and then; what an eviction
 * takes is at most the minute that it fell into, for the totals are kept exactly
 * elsewhere (`state.ts`). Bounded.
 */
import type { DestinationHealth } from "../../api/contract/integrations.ts";
import { HEALTH_MINUTES } from "./limits.ts";

const MINUTE_MS = 60_000;
/** Newest answers that quantiles are of. */
const SAMPLES = 512;
const MINUTE_SAMPLES = 128;

interface Minute {
  at: number;
  delivered: number;
  failed: number;
  p50: number | null;
  samples: number[];
}

export class Measures {
  private minutes: Minute[] = [];
  private recent: number[] = [];
  private isContinued = false;

  /** After an eviction it goes on where the health row ends. */
  before(minutes: DestinationHealth["minutes"]): void {
    if (this.isContinued) return;
    this.isContinued = true;
    const first = this.minutes[0]?.at ?? Number.POSITIVE_INFINITY;
    const earlier = minutes.filter(({ at }) => at < first).map((minute) => ({ ...minute, samples: [] }));
    this.minutes = [...earlier, ...this.minutes].slice(-HEALTH_MINUTES);
  }

  sent(now: number, delivered: number, failed: number, ms: number): void {
    const minute = this.minuteOf(now);
    minute.delivered += delivered;
    minute.failed += failed;
    if (delivered === 0) return;
    push(minute.samples, ms, MINUTE_SAMPLES);
    push(this.recent, ms, SAMPLES);
  }

  read(now: number): Pick<DestinationHealth, "minutes" | "latency"> {
    const from = now - HEALTH_MINUTES * MINUTE_MS;
    this.minutes = this.minutes.filter(({ at }) => at >= from);
    const minutes = this.minutes.map(({ samples, ...minute }) => ({
      ...minute,
      p50: samples.length > 0 ? quantile(samples, 0.5) : minute.p50,
    }));
    return { minutes, latency: { p50: quantile(this.recent, 0.5), p99: quantile(this.recent, 0.99) } };
  }

  private minuteOf(now: number): Minute {
    const at = Math.floor(now / MINUTE_MS) * MINUTE_MS;
    const last = this.minutes.at(-1);
    // A clock that steps back adds to the newest.
    if (last !== undefined && last.at >= at) return last;
    const minute = { at, delivered: 0, failed: 0, p50: null, samples: [] };
    push(this.minutes, minute, HEALTH_MINUTES);
    return minute;
  }
}

function push<T>(list: T[], one: T, most: number): void {
  list.push(one);
  if (list.length > most) list.shift();
}

function quantile(samples: readonly number[], q: number): number | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null;
}
