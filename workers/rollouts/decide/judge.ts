/**
 * Evidence → what can be said of the new version: worse, not worse, not yet
 * known. Pure: the guard hands in what the feed counted, the policy makes a move
 * of what comes out, and the record keeps it.
 *
 * One gate that is worse makes the version worse. Not worse it is only when all
 * gates that a step waits for have shown it with evidence of the present step.
 * The last hour is computed anew at each look; what was before is settled
 * (`settle.ts`), and is gone on from: the verdict is the same with and without.
 */
import type { EventClass, GateResult, Judgement, RolloutPlan } from "../../api/contract.ts";
import { EVENT_CLASSES } from "../../api/contract.ts";
import type { Cell, Evidence } from "../contract.ts";
import { errorGate, type Gate, type Look, queryGate, timeGate } from "./gates.ts";
import { issueGate } from "./issues.ts";
import { RARE_CLASS, SETTLED_AFTER_S } from "./limits.ts";
import { type Counts, queryStrata, type Stratum, strataOf } from "./strata.ts";
import { className, percent } from "./words.ts";

/**
 * @param nextPercent share that the new version would get next, 0 to 100: the more, the surer it must be
 * @param stepSince seconds; strata from there on are of the present step
 */
export function judge(plan: RolloutPlan, evidence: Evidence, nextPercent: number, stepSince = 0): Judgement {
  const classes = strataOf(evidence.cells);
  const look: Look = {
    ...{ minSamples: plan.minSamples, nextShare: nextPercent / 100, since: stepSince },
    settled: evidence.settled,
    quantilesFrom: newestMinute(evidence.cells) - SETTLED_AFTER_S,
  };
  const gates = [...classGates(plan, classes, look), ...otherGates(plan, evidence, classes, look)];
  return { ...overall(gates), gates: gates.map(told), ...countsOf(classes, stepSince) };
}

const told = ({ result, holds }: Gate): GateResult => (holds ? result : { ...result, holds: false });

export const newestMinute = (cells: readonly Pick<Cell, "minute">[]): number =>
  cells.reduce((newest, { minute }) => Math.max(newest, minute), 0);

function* classGates(plan: RolloutPlan, classes: Map<EventClass, Stratum[]>, look: Look): Iterable<Gate> {
  const { errors, duration, cpu } = plan.gates;
  const all = [...classes.values()].reduce((sum, strata) => sum + invocations(strata), 0);
  for (const name of EVENT_CLASSES) {
    const strata = classes.get(name);
    if (strata === undefined) continue;
    const isRare = invocations(strata) < RARE_CLASS * all;
    const pass = (gate: Gate): Gate => (isRare ? rare(gate, name) : gate);
    if (errors !== null) yield pass(errorGate(strata, name, errors, look));
    if (duration !== null) yield pass(timeGate("duration", strata, name, duration, look));
    if (cpu !== null) yield pass(timeGate("cpu", strata, name, cpu, look));
  }
}

function* otherGates(
  plan: RolloutPlan,
  evidence: Evidence,
  classes: Map<EventClass, Stratum[]>,
  look: Look,
): Iterable<Gate> {
  const { issues, queries } = plan.gates;
  if (issues !== null) yield issueGate(evidence.issues, together(classes), issues, look, evidence.oldIssues);
  for (const gate of queries) yield queryGate(queryStrata(evidence.queries, gate.name), gate, queries.length, look);
}

/** Worse it may be called; waiting for it would take for ever. */
function rare(gate: Gate, name: EventClass): Gate {
  if (gate.result.verdict !== "unknown" || !gate.holds) return gate;
  const reason = `${gate.result.reason} Fewer than ${percent(RARE_CLASS)} of the Worker's invocations are ${className(name)}: no step waits for them.`;
  return { ...gate, holds: false, result: { ...gate.result, reason: reason.trim() } };
}

const invocations = (strata: readonly Counts[]): number => strata.reduce((sum, { n0, n1 }) => sum + n0 + n1, 0);

/** All classes' traffic by minute. */
function together(classes: Map<EventClass, Stratum[]>): Counts[] {
  const minutes = new Map<number, Counts>();
  for (const strata of classes.values()) {
    for (const { minute, n0, f0, n1, f1 } of strata) {
      const sum = minutes.get(minute);
      if (sum === undefined) minutes.set(minute, { minute, n0, f0, n1, f1 });
      else {
        sum.n0 += n0;
        sum.f0 += f0;
        sum.n1 += n1;
        sum.f1 += f1;
      }
    }
  }
  return [...minutes.values()].sort((a, b) => a.minute - b.minute);
}

/** Of the present step. */
function countsOf(classes: Map<EventClass, Stratum[]>, since: number): Pick<Judgement, "present" | "drawn"> {
  const present = { old: 0, new: 0 };
  const drawn = { old: 0, new: 0 };
  for (const [name, strata] of classes) {
    for (const { minute, n0, n1 } of strata) {
      if (minute < since) continue;
      present.old += n0;
      present.new += n1;
      if (name === "durable_object") continue;
      drawn.old += n0;
      drawn.new += n1;
    }
  }
  return { present, drawn };
}

function overall(gates: readonly Gate[]): Pick<Judgement, "verdict" | "isDisaster" | "reason"> {
  const worse = gates.filter(({ result }) => result.verdict === "worse");
  const isDisaster = worse.some((gate) => gate.isDisaster);
  if (worse.length > 0) {
    const reason = worse.map(({ result }) => result.reason).join(" ");
    return { verdict: "worse", isDisaster, reason };
  }
  const waited = gates.filter(({ holds }) => holds);
  const unknown = waited.filter(({ result }) => result.verdict === "unknown");
  if (waited.length === 0) {
    return {
      verdict: "unknown",
      isDisaster,
      reason: "There is no traffic to compare, or no gate that could be asked.",
    };
  }
  if (unknown.length > 0) {
    const [{ result }] = unknown as [Gate];
    const others = unknown.length > 1 ? ` ${unknown.length - 1} more of ${waited.length} gates are open.` : "";
    return { verdict: "unknown", isDisaster, reason: `${result.label}: ${result.reason}${others}` };
  }
  const [{ result }] = waited as [Gate];
  return { verdict: "not_worse", isDisaster, reason: `All ${waited.length} gates are passed. ${result.reason}` };
}
