/** Evidence for tests of verdicts, written as tables. */
import type { EventClass, RolloutPlan } from "../../workers/api/contract.ts";
import { DEFAULT_PLAN } from "../../workers/api/contract.ts";
import { Sketch } from "../../workers/event/sketch.ts";
import type { Arm, Cell, Evidence, Sight } from "../../workers/rollouts/contract.ts";

export const START = 1_800_000_000;

export const SEEING: Sight = { blind: [], notes: [], newestOld: START * 1000, newestNew: START * 1000 };

export function evidence(cells: Cell[], more: Partial<Evidence> = {}): Evidence {
  return { cells, queries: [], issues: [], sight: SEEING, ...more };
}

interface CellOptions {
  class?: EventClass;
  part?: number;
  /** ms → how many. */
  durations?: [number, number][];
  cpu?: [number, number][];
}

export function cell(minute: number, arm: Arm, n: number, failed: number, options: CellOptions = {}): Cell {
  const { class: name = "request", durations = [], cpu = [], ...rest } = options;
  return {
    minute: START + 60 * minute,
    arm,
    class: name,
    n,
    failed,
    left: 0,
    collateral: 0,
    duration: sketch(durations),
    cpu: sketch(cpu),
    ...rest,
  };
}

/** Both arms of one minute. */
export function both(minute: number, old: [n: number, failed: number], fresh: [n: number, failed: number]): Cell[] {
  return [cell(minute, "old", ...old), cell(minute, "new", ...fresh)];
}

export function sketch(values: [ms: number, count: number][]): number[] {
  const found = new Sketch();
  for (const [ms, count] of values) found.add(ms, count);
  return found.encode();
}

/** Only the gates that are named. */
export function planWith(gates: Partial<RolloutPlan["gates"]>, more: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    ...DEFAULT_PLAN,
    ...more,
    gates: { errors: null, duration: null, cpu: null, issues: null, queries: [], ...gates },
  };
}

export const ERRORS_ONLY = planWith({ errors: { minEffect: 0.005 } });
