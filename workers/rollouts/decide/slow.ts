/**
 * Durations and CPU times as rates: how many invocations are slow? `gates.ts`
 * hands in strata with sketches, and compares what comes out as it compares
 * failures.
 *
 * Slow is what lies beyond a threshold that was known before the minute began:
 * the old version's quantile over all minutes before (so that neither arm of
 * this minute has a say in it). The new version's must lie further out, by the
 * tolerance; if it is no slower than that, its share beyond is no larger than
 * the old one's beyond the plain quantile, in each minute, also when everything
 * slows down in both. The first minute only serves to learn the threshold.
 */
import type { QuantileGate } from "../../api/contract.ts";
import type { WireSketch } from "../../event/sketch.ts";
import { bucketOf, valueOfBucket } from "../../event/sketch.ts";
import type { Counts, Stratum } from "./strata.ts";

/** Buckets of 2 %: from below a µs to years of ms; what is smaller or larger goes into the last one. */
const LOWEST = -400;
const BUCKETS = 1_600;
/** Old invocations that a threshold is read from: the p99 of fewer is their maximum. */
const MIN_LEARNT = 50;

/** Weights by bucket; dense, because it is added to a thousand times. */
class Distribution {
  private readonly weights = new Float64Array(BUCKETS);
  total = 0;
  /** Whether any value is above 0: a platform that does not measure says 0. */
  isMeasured = false;
  private highest = 0;

  add(wire: WireSketch): void {
    const { weights } = this;
    let added = 0;
    let slot = 0;
    for (let i = 0; i + 1 < wire.length; i += 2) {
      slot = slotOf(wire[i] as number);
      const weight = wire[i + 1] as number;
      weights[slot] = (weights[slot] as number) + weight;
      added += weight;
      // Lists that were joined are not in order.
      if (slot > this.highest) this.highest = slot;
    }
    this.total += added;
    if (this.highest > 0) this.isMeasured = true;
  }

  without(other: Distribution): Distribution {
    if (other.total === 0) return this;
    const rest = new Distribution();
    for (let slot = 0; slot < BUCKETS; slot++) {
      const weight = (this.weights[slot] as number) - (other.weights[slot] as number);
      if (weight <= 0) continue;
      rest.weights[slot] = weight;
      rest.total += weight;
      rest.highest = slot;
    }
    rest.isMeasured = rest.highest > 0;
    return rest;
  }

  /** From above: few buckets lie beyond a high quantile. */
  quantile(q: number): number | null {
    if (this.total === 0) return null;
    const beyond = (1 - q) * this.total;
    let seen = 0;
    let slot = this.highest;
    for (; slot > 0; slot--) {
      seen += this.weights[slot] as number;
      if (seen > beyond) break;
    }
    return slot === 0 ? 0 : valueOfBucket(slot + LOWEST);
  }
}

const slotOf = (bucket: number): number => Math.min(BUCKETS - 1, Math.max(0, bucket - LOWEST));

/** Weight in all, and of the buckets that lie wholly beyond `limit`. */
function beyond(wire: WireSketch, limit: number): { n: number; hits: number } {
  const from = limit > 0 ? bucketOf(limit) : LOWEST;
  let n = 0;
  let hits = 0;
  for (let i = 0; i + 1 < wire.length; i += 2) {
    const weight = wire[i + 1] as number;
    n += weight;
    if ((wire[i] as number) > from) hits += weight;
  }
  return { n, hits };
}

export interface Slow {
  strata: Counts[];
  /** ms, over the minutes that both versions have; null where nothing was measured. */
  old: number | null;
  new: number | null;
  hasOld: boolean;
  hasNew: boolean;
}

export function slowStrata(all: readonly Stratum[], of: "duration" | "cpu", gate: QuantileGate): Slow {
  const learnt = new Distribution();
  /** Of the old version, in minutes that the new one was not there. */
  const alone = new Distribution();
  const fresh = new Distribution();
  const strata: Counts[] = [];
  let pending: WireSketch[] = [];
  let minute = Number.NaN;
  let threshold: number | null = null;
  for (const stratum of all) {
    if (stratum.minute !== minute) {
      for (const wire of pending) learnt.add(wire);
      pending = [];
      minute = stratum.minute;
      threshold = learnt.total < MIN_LEARNT ? null : learnt.quantile(gate.quantile);
    }
    const times = stratum[of];
    if (times.old.length > 0) pending.push(times.old);
    if (times.old.length === 0 && times.new.length === 0) continue;
    if (stratum.n0 > 0 && stratum.n1 > 0) fresh.add(times.new);
    else alone.add(times.old);
    if (threshold === null || times.old.length === 0 || times.new.length === 0) continue;
    const before = beyond(times.old, threshold);
    const after = beyond(times.new, threshold * (1 + gate.tolerance) + gate.minMs);
    strata.push({ minute, n0: before.n, f0: before.hits, n1: after.n, f1: after.hits });
  }
  for (const wire of pending) learnt.add(wire);
  const old = learnt.without(alone);
  return {
    strata,
    old: old.quantile(gate.quantile),
    new: fresh.quantile(gate.quantile),
    hasOld: old.isMeasured,
    hasNew: fresh.isMeasured,
  };
}
