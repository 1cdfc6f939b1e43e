/**
 * Cells → strata: both arms side by side, by class, in the order of time. Only
 * what happened in the same minute, at the same split, in the same class, is
 * compared. `judge.ts` hands in the evidence.
 */
import type { EventClass } from "../../api/contract.ts";
import { Sketch, type WireSketch } from "../../event/sketch.ts";
import { type Cell, MINUTE_PARTS, type QueryCell } from "../contract.ts";

/** Counts of one stratum that is compared; of a query's matches they may be fractions. */
export interface Counts {
  /** Seconds, and which part of the minute (Situation.stepSince). */
  minute: number;
  n0: number;
  f0: number;
  n1: number;
  f1: number;
}

/** Durations and CPU of one stratum; an arm that has none has an empty list. */
export interface Times {
  duration: { old: WireSketch; new: WireSketch };
  cpu: { old: WireSketch; new: WireSketch };
}

export type Stratum = Counts & Times;

const EMPTY: WireSketch = [];

/** By class, each in the order of time; also those in which one arm has nothing. */
export function strataOf(cells: readonly Cell[]): Map<EventClass, Stratum[]> {
  const classes = new Map<EventClass, Map<number, Stratum>>();
  for (const cell of cells) {
    let strata = classes.get(cell.class);
    if (strata === undefined) {
      strata = new Map();
      classes.set(cell.class, strata);
    }
    const key = keyOf(cell);
    let stratum = strata.get(key);
    if (stratum === undefined) {
      stratum = emptyStratum(key);
      strata.set(key, stratum);
    }
    addCell(stratum, cell);
  }
  return new Map([...classes].map(([name, strata]) => [name, inOrder(strata)]));
}

/** Of one query gate. */
export function queryStrata(cells: readonly QueryCell[], gate: string): Counts[] {
  const strata = new Map<number, Counts>();
  for (const cell of cells) {
    if (cell.gate !== gate) continue;
    const key = keyOf(cell);
    let counts = strata.get(key);
    if (counts === undefined) {
      counts = { minute: key, n0: 0, f0: 0, n1: 0, f1: 0 };
      strata.set(key, counts);
    }
    addCounts(counts, cell.arm, cell.n, Math.min(cell.hits, cell.n));
  }
  return inOrder(strata);
}

/** Ascends with time, also within a minute in which the split changed. */
export const keyOf = ({ minute, part = 0 }: { minute: number; part?: number }): number => minute + part / MINUTE_PARTS;

function inOrder<T>(strata: Map<number, T>): T[] {
  return [...strata.keys()].sort((a, b) => a - b).map((key) => strata.get(key) as T);
}

const emptyStratum = (minute: number): Stratum => ({
  minute,
  n0: 0,
  f0: 0,
  n1: 0,
  f1: 0,
  duration: { old: EMPTY, new: EMPTY },
  cpu: { old: EMPTY, new: EMPTY },
});

function addCell(stratum: Stratum, cell: Cell): void {
  addCounts(stratum, cell.arm, cell.n, Math.min(cell.failed, cell.n));
  stratum.duration[cell.arm] = joined(stratum.duration[cell.arm], cell.duration);
  stratum.cpu[cell.arm] = joined(stratum.cpu[cell.arm], cell.cpu);
}

function addCounts(counts: Counts, arm: "old" | "new", n: number, f: number): void {
  if (arm === "old") {
    counts.n0 += n;
    counts.f0 += f;
  } else {
    counts.n1 += n;
    counts.f1 += f;
  }
}

/** Nearly always there is one cell per stratum and arm: then nothing is copied. */
function joined(before: WireSketch, wire: WireSketch): WireSketch {
  if (before.length === 0) return wire;
  const sum = Sketch.decode(before);
  sum.merge(Sketch.decode(wire));
  return sum.encode();
}
