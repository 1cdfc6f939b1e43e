/**
 * Durations and CPU times as rates: how many invocations are slow? `gates.ts`
 * hands in strata with sketches, and compares what comes out as it compares
 * failures.
 *
 * Slow is what lies beyond a threshold that was known before the minute began:
 * the old version's quantile over the quarter of an hour before (so that
 * neither arm of this minute has a say in it, and a bad hour is forgotten). The new version's must lie further out, by the
 * tolerance; if it is no slower than that, its share beyond is no larger than
 * the old one's beyond the plain quantile, in each minute, also when everything
 * slows down in both. The first minute only serves to learn the threshold.
 */
import type { QuantileGate } from "../../api/contract.ts";
import type { WireSketch } from "../../event/sketch.ts";
import { bucketOf, valueOfBucket } from "../../event/sketch.ts";
import type { SettledTimes } from "../contract.ts";
import type { Counts, Stratum } from "./strata.ts";

/** Buckets of 2 %: from below a µs to years of ms; what is smaller or larger goes into the last one. */
const LOWEST = -400;
const BUCKETS = 1_600;
/** Old invocations that a threshold is read from: the p99 of fewer is their maximum. */
const MIN_LEARNT = 50;
/** Minutes that a threshold is read from. */
export const LEARNT_WIRES = 15;
const MINUTE_S = 60;

/** Weights by bucket; dense, because it is added to a thousand times. */
class Distribution {
  private readonly weights = new Float64Array(BUCKETS);
  total = 0;
  private highest = 0;

  add(wire: WireSketch, sign: 1 | -1 = 1): void {
    const { weights } = this;
    let added = 0;
    for (let i = 0; i + 1 < wire.length; i += 2) {
      const slot = slotOf(wire[i] as number);
      const weight = wire[i + 1] as number;
      weights[slot] = (weights[slot] as number) + sign * weight;
      added += weight;
      if (slot > this.highest) this.highest = slot;
    }
    this.total += sign * added;
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

/** Weight of the buckets that lie wholly beyond `limit`; wires ascend. */
function beyond(wire: WireSketch, limit: number): number {
  const from = limit > 0 ? bucketOf(limit) : LOWEST;
  let hits = 0;
  for (let i = wire.length - 2; i >= 0 && (wire[i] as number) > from; i -= 2) hits += wire[i + 1] as number;
  return hits;
}

function weightOf(wire: WireSketch): number {
  let weight = 0;
  for (let i = 1; i < wire.length; i += 2) weight += wire[i] as number;
  return weight;
}

/** Whether any value was above 0: a platform that does not measure says 0. */
const isMeasured = (wire: WireSketch): boolean => wire.length > 0 && slotOf(wire.at(-2) as number) > 0;

export interface Slow {
  strata: Counts[];
  /** ms, over the last minutes that both versions have; null where nothing was measured. */
  old: number | null;
  new: number | null;
  /** The quantiles are of less than all strata. */
  isLast: boolean;
  /** ms: what the new version must not exceed more often than the old one exceeds its own quantile, as it is now. */
  tolerated: number | null;
  hasOld: boolean;
  hasNew: boolean;
}

export interface Times {
  /** Seconds: the quantiles are of strata from there on. */
  from: number;
  /** Seconds: strata before it are settled, and come to `before`. They only teach. */
  until?: number | undefined;
  before?: SettledTimes | undefined;
}

export function slowStrata(
  all: readonly Stratum[],
  of: "duration" | "cpu",
  gate: QuantileGate,
  { from, until = 0, before }: Times,
): Slow {
  const learnt = new Distribution();
  const old = new Distribution();
  const fresh = new Distribution();
  const strata: Counts[] = [];
  /** Of the old version, what the threshold is learnt from; the first so many of them are of minutes that are over. */
  const wires: { minute: number; wire: WireSketch }[] = [];
  let known = 0;
  let tolerated = before?.tolerated ?? null;
  let hasOld = before?.hasOld ?? false;
  let hasNew = before?.hasNew ?? false;
  let isLast = before?.isLast ?? false;
  for (const stratum of all) {
    const times = stratum[of];
    if (times.old.length === 0 && times.new.length === 0) continue;
    const minute = Math.floor(stratum.minute / MINUTE_S) * MINUTE_S;
    for (; known < wires.length && (wires[known] as { minute: number }).minute < minute; known++) {
      learnt.add((wires[known] as { wire: WireSketch }).wire);
      if (known >= LEARNT_WIRES) learnt.add((wires[known - LEARNT_WIRES] as { wire: WireSketch }).wire, -1);
    }
    if (times.old.length > 0) wires.push({ minute, wire: times.old });
    if (minute < until || !(stratum.n0 > 0 && stratum.n1 > 0)) continue;
    hasOld ||= isMeasured(times.old);
    hasNew ||= isMeasured(times.new);
    if (minute >= from) {
      old.add(times.old);
      fresh.add(times.new);
    } else isLast = true;
    const n0 = weightOf(times.old);
    const n1 = weightOf(times.new);
    const threshold = learnt.total < MIN_LEARNT ? null : learnt.quantile(gate.quantile);
    if (threshold === null || n0 === 0 || n1 === 0) continue;
    tolerated = threshold * (1 + gate.tolerance) + gate.minMs;
    strata.push({ minute: stratum.minute, n0, f0: beyond(times.old, threshold), n1, f1: beyond(times.new, tolerated) });
  }
  return {
    strata,
    old: old.quantile(gate.quantile),
    new: fresh.quantile(gate.quantile),
    tolerated,
    isLast,
    hasOld,
    hasNew,
  };
}
