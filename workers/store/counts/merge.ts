/**
 * Adds up rollups and ledger deltas of the same key. Used where they are
 * sealed, folded to hours, and read. Pure.
 */
import type { LedgerDelta, LedgerReason, RollupDelta } from "../../event/rollup.ts";
import { Sketch } from "../../event/sketch.ts";

/** A rollup whose distributions are decoded. `minute` is the start of its bucket, seconds. */
export interface Rollup extends Omit<RollupDelta, "duration" | "cpu"> {
  duration: Sketch;
  cpu: Sketch;
}

export class RollupSums {
  private readonly sums = new Map<string, Rollup>();

  add(delta: RollupDelta | Rollup): void {
    const key = `${delta.minute}\0${delta.script}\0${delta.version_id}\0${delta.entrypoint}\0${delta.event_type}`;
    let sum = this.sums.get(key);
    if (sum === undefined) {
      // No prototype: an outcome may be called `constructor`.
      const outcomes: Rollup["outcomes"] = Object.create(null);
      sum = { ...delta, requests: 0, errors: 0, outcomes, statuses: {}, duration: new Sketch(), cpu: new Sketch() };
      this.sums.set(key, sum);
    }
    // Tag and message may come later than the version's first invocation.
    sum.version_tag ||= delta.version_tag;
    sum.version_message ||= delta.version_message;
    sum.requests += delta.requests;
    sum.errors += delta.errors;
    addCounts(sum.outcomes, delta.outcomes);
    addCounts(sum.statuses, delta.statuses);
    sum.duration.merge(asSketch(delta.duration));
    sum.cpu.merge(asSketch(delta.cpu));
  }

  list(): Rollup[] {
    return [...this.sums.values()];
  }
}

export class LedgerSums {
  private readonly sums = new Map<string, LedgerDelta>();

  add(delta: LedgerDelta): void {
    const key = `${delta.minute}\0${delta.script}`;
    let sum = this.sums.get(key);
    if (sum === undefined) {
      sum = { minute: delta.minute, script: delta.script, counts: {} };
      this.sums.set(key, sum);
    }
    addCounts(sum.counts, delta.counts);
  }

  list(): LedgerDelta[] {
    return [...this.sums.values()];
  }
}

function asSketch(value: RollupDelta["duration"] | Sketch): Sketch {
  return value instanceof Sketch ? value : Sketch.decode(value);
}

function addCounts(into: Record<string, number> | Partial<Record<LedgerReason, number>>, more: typeof into): void {
  const sums = into as Record<string, number>;
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}
