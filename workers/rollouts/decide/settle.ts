/**
 * Minutes that are over for an hour are settled: their strata are bet on once
 * and for all, and what that came to is all that later looks need of them. The
 * guard hands in the evidence every few minutes, the feed keeps what comes out
 * and drops the sketches that are spent, in one write.
 *
 * The verdict is the same before and after, to the last digit: bets add up
 * stratum by stratum, in the order of time, and go on from where they were.
 * What a minute's telemetry brings when it is settled already is counted for the
 * page and not bet on, of both arms alike.
 */
import type { RolloutPlan } from "../../api/contract.ts";
import type { Cell, Evidence, Settled, SettledRates, SettledTimes, Settlement } from "../contract.ts";
import { clumpsNow, errorsId, openStrata, queryId, timesId } from "./gates.ts";
import { newestMinute } from "./judge.ts";
import { SETTLED_AFTER_S } from "./limits.ts";
import { LEARNT_WIRES, slowStrata } from "./slow.ts";
import { type Counts, keyOf, queryStrata, strataOf } from "./strata.ts";
import { RateSums } from "./sums.ts";

/** Null: there is nothing new to settle. */
export function settle(plan: RolloutPlan, evidence: Evidence, stepSince: number): Settlement | null {
  const { cells, queries, settled: before } = evidence;
  const until = Math.max(before?.until ?? 0, newestMinute(cells) - SETTLED_AFTER_S);
  const queriesUntil = Math.max(before?.queriesUntil ?? 0, newestMinute(queries) - SETTLED_AFTER_S);
  if (until <= (before?.until ?? 0) && queriesUntil <= (before?.queriesUntil ?? 0)) return null;
  const rates: Record<string, SettledRates> = { ...before?.rates };
  const times: Record<string, SettledTimes> = { ...before?.times };
  const bet = (id: string, strata: readonly Counts[], from: number | undefined, to: number, clumps: number) => {
    const sums = new RateSums(stepSince, before?.rates[id]);
    for (const stratum of openStrata(strata, from)) if (stratum.minute < to) sums.add(stratum);
    rates[id] = sums.settled(clumps);
  };
  const clumpsOf = (id: string, strata: readonly Counts[], from: number | undefined): number =>
    clumpsNow(strata, openStrata(strata, from), before?.rates[id]);
  const { errors, duration, cpu } = plan.gates;
  for (const [name, strata] of strataOf(cells)) {
    const id = errorsId(name);
    if (errors !== null) bet(id, strata, before?.until, until, clumpsOf(id, strata, before?.until));
    for (const [kind, gate] of [["duration", duration] as const, ["cpu", cpu] as const]) {
      if (gate === null) continue;
      const id = timesId(kind, name);
      const over = strata.filter(({ minute }) => minute < until);
      const slow = slowStrata(over, kind, gate, { from: until, until: before?.until, before: before?.times[id] });
      bet(id, slow.strata, before?.until, until, 1);
      times[id] = { hasOld: slow.hasOld, hasNew: slow.hasNew, tolerated: slow.tolerated, isLast: slow.isLast };
    }
  }
  for (const { name } of plan.gates.queries) {
    const id = queryId(name);
    const strata = queryStrata(queries, name);
    bet(id, strata, before?.queriesUntil, queriesUntil, clumpsOf(id, strata, before?.queriesUntil));
  }
  const settled: Settled = { until, queriesUntil, rates, times };
  return { settled, spent: spentOf(cells, until) };
}

/** Cells whose sketches nothing is learnt from any more: all that are settled, but the old version's last. */
function spentOf(cells: readonly Cell[], until: number): Cell[] {
  const over = cells.filter(({ minute, duration, cpu }) => minute < until && (duration.length > 0 || cpu.length > 0));
  const teaching = new Set<Cell>();
  for (const kind of ["duration", "cpu"] as const) {
    const byClass = Map.groupBy(
      over.filter((cell) => cell.arm === "old" && cell[kind].length > 0),
      (cell) => cell.class,
    );
    for (const taught of byClass.values()) {
      for (const cell of taught.sort((a, b) => keyOf(a) - keyOf(b)).slice(-LEARNT_WIRES)) teaching.add(cell);
    }
  }
  return over.filter((cell) => !teaching.has(cell));
}
