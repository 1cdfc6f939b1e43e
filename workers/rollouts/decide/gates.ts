/**
 * The gates of rates: each takes its strata, compares them (`rates.ts`) and says
 * in a sentence what came out. `judge.ts` asks them one after the other.
 */
import type { EventClass, GateResult, QuantileGate, QueryGate, RateGate } from "../../api/contract.ts";
import type { Settled, SettledRates } from "../contract.ts";
import { clumpsOf } from "./clumps.ts";
import { CLASS_SHARE, FALSE_ALARM, MAX_MARGIN, MIN_NEXT_SHARE } from "./limits.ts";
import { compareRates, type RateResult, type RateRules } from "./rates.ts";
import { slowStrata } from "./slow.ts";
import type { Counts, Stratum } from "./strata.ts";
import { className, count, milliseconds, percent, points } from "./words.ts";

/** What all gates of a look have in common. */
export interface Look {
  minSamples: number;
  /** Of the traffic, at the next step: 0 to 1. */
  nextShare: number;
  /** Seconds. */
  since: number;
  settled?: Settled | undefined;
  /** Seconds: the quantiles that people read are of strata from there on. */
  quantilesFrom: number;
}

export interface Gate {
  result: GateResult;
  isDisaster: boolean;
  /** Whether a step waits for it. */
  holds: boolean;
}

/**
 * How much worse it may be at most to pass: so much that at the next step the
 * Worker as a whole, both versions together, is worse by less than the effect
 * that counts. The less traffic is at stake, the more may be left open.
 */
export function marginOf(minEffect: number, nextShare: number): number {
  return Math.max(minEffect, Math.min(MAX_MARGIN, minEffect / Math.max(nextShare, MIN_NEXT_SHARE)));
}

export const errorsId = (name: EventClass): string => `errors:${name}`;
export const timesId = (kind: "duration" | "cpu", name: EventClass): string => `${kind}:${name}`;
export const queryId = (name: string): string => `query:${name}`;

/** Settled strata are not bet on again; clumps are learnt from them all the same, while anything comes that they matter for. */
function compareOpen(
  id: string,
  strata: readonly Counts[],
  settled: Settled | undefined,
  until: number | undefined,
  rules: Omit<RateRules, "settled" | "clumps">,
): RateResult {
  const before = settled?.rates[id];
  const open = openStrata(strata, until);
  return compareRates(open, { ...rules, settled: before, clumps: clumpsNow(strata, open, before) });
}

export const openStrata = <T extends Counts>(strata: readonly T[], until: number | undefined): readonly T[] =>
  until === undefined ? strata : strata.filter(({ minute }) => minute >= until);

export const clumpsNow = (all: readonly Counts[], open: readonly Counts[], before: SettledRates | undefined): number =>
  open.length === 0 && before !== undefined ? before.clumps : clumpsOf(all);

export function errorGate(strata: readonly Counts[], name: EventClass, gate: RateGate, look: Look): Gate {
  const id = errorsId(name);
  const found = compareOpen(id, strata, look.settled, look.settled?.until, {
    ...look,
    falseAlarm: FALSE_ALARM.errors * CLASS_SHARE[name],
    minEffect: gate.minEffect,
    margin: marginOf(gate.minEffect, look.nextShare),
  });
  const what = className(name);
  const both = `${rates(found, what, "fail")}`;
  const head = { id, label: `Error rate of ${what}`, kind: "errors", unit: "share" } as const;
  return gateOf(head, found, look, gate.minEffect, `${both}${inClumps(found, "Failures")}`);
}

export function queryGate(strata: readonly Counts[], gate: QueryGate, gates: number, look: Look): Gate {
  const id = queryId(gate.name);
  const found = compareOpen(id, strata, look.settled, look.settled?.queriesUntil, {
    ...look,
    falseAlarm: FALSE_ALARM.query / gates,
    minEffect: gate.minEffect,
    margin: marginOf(gate.minEffect, look.nextShare),
  });
  const head = { id, label: gate.name, kind: "query", unit: "share" } as const;
  const both = rates(found, "invocations", `match “${gate.name}”`);
  return gateOf(head, found, look, gate.minEffect, `${both}${inClumps(found, "Matches")}`);
}

const MEASURES = {
  duration: { label: "Duration", noun: "durations" },
  cpu: { label: "CPU time", noun: "CPU times" },
} as const;

export function timeGate(
  kind: "duration" | "cpu",
  all: readonly Stratum[],
  name: EventClass,
  gate: QuantileGate,
  look: Look,
): Gate {
  const id = timesId(kind, name);
  const { settled } = look;
  const slow = slowStrata(all, kind, gate, {
    from: look.quantilesFrom,
    until: settled?.until,
    before: settled?.times[id],
  });
  // As many again as lie beyond the quantile anyway: fewer is a matter of luck in the threshold.
  const minEffect = 1 - gate.quantile;
  const margin = marginOf(minEffect, look.nextShare);
  const falseAlarm = FALSE_ALARM[kind] * CLASS_SHARE[name];
  const rules = { ...look, falseAlarm, minEffect, margin, settled: settled?.rates[id] };
  const found = compareRates(slow.strata, rules);
  const p = `p${Number((100 * gate.quantile).toFixed(2))}`;
  const what = className(name);
  const { label, noun } = MEASURES[kind];
  const head = { id, label: `${label} of ${what}, ${p}`, kind, unit: "ms" } as const;
  const result = {
    ...head,
    ...statistics(found),
    margin,
    old: { ...found.old, value: slow.old },
    new: { ...found.new, value: slow.new },
  };
  if (!(slow.hasOld || slow.hasNew)) {
    const reason = `The platform reports no ${noun} of ${what}: there is nothing to compare, and nothing waits for it.`;
    return { result: { ...result, verdict: "unknown", reason }, isDisaster: false, holds: false };
  }
  const quantiles =
    slow.old === null && slow.new === null
      ? `No ${noun} of ${what} in the last hour.`
      : slow.old === null || slow.new === null
        ? `${label}s of ${what} are known of ${slow.old === null ? "the new" : "the old"} version only.`
        : `${p} is ${milliseconds(slow.new)} on the new version, ${milliseconds(slow.old)} on the old one in the same minutes${slow.isLast ? " of the last hour" : ""}.`;
  const shares =
    found.new.n > 0 && slow.tolerated !== null
      ? ` ${percent(ratio(found.new))} of ${count(found.new.n)} ${what} took longer on the new version than is tolerated (now ${milliseconds(slow.tolerated)}: a ${percent(gate.tolerance)} and ${milliseconds(gate.minMs)} above the old version's ${p} of the minutes before); ${percent(ratio(found.old))} on the old one took longer than that ${p}.`
      : "";
  // A version that is slow is never a disaster: it answers.
  const verdict = found.isDisaster && found.missing > 0 ? "unknown" : found.verdict;
  const isLearning = slow.old !== null && slow.new !== null && found.old.n + found.new.n === 0;
  const follows = isLearning
    ? "Not compared yet: what is tolerated is read from the old version's minutes before, and there are too few so far."
    : conclusion({ ...found, verdict, isDisaster: false }, look, minEffect, margin);
  const reason = `${quantiles}${shares} ${follows}`;
  return { result: { ...result, verdict, reason }, isDisaster: false, holds: true };
}

/** Times the difference over the whole rollout, from which on the last minutes are worth a sentence. */
const MUCH_MORE = 1.5;

type Head = Pick<GateResult, "id" | "label" | "kind" | "unit">;

function gateOf(head: Head, found: RateResult, look: Look, minEffect: number, both: string): Gate {
  const { margin } = found;
  const reason = `${both} ${conclusion(found, look, minEffect, margin)}`.trim();
  const result: GateResult = {
    ...head,
    ...statistics(found),
    verdict: found.verdict,
    margin,
    reason,
    old: { ...found.old, value: found.old.n > 0 ? ratio(found.old) : null },
    new: { ...found.new, value: found.new.n > 0 ? ratio(found.new) : null },
  };
  return { result, isDisaster: found.isDisaster, holds: true };
}

const ratio = ({ n, hits }: { n: number; hits: number }): number => (n > 0 ? hits / n : 0);

/** `3.1 % of 1,204 requests fail on the new version, 1.0 % of 22,911 on the old one in the same minutes.` */
function rates(found: RateResult, what: string, verb: string): string {
  if (found.new.n === 0 || found.old.n === 0) return "";
  return `${percent(ratio(found.new))} of ${count(found.new.n)} ${what} ${verb} on the new version, ${percent(ratio(found.old))} of ${count(found.old.n)} on the old one in the same minutes.`;
}

/** Why the evidence is weaker than the counts. */
function inClumps({ clumps, new: fresh, old }: RateResult, what: string): string {
  if (clumps <= 1 || fresh.n === 0 || old.n === 0) return "";
  return ` ${what} come in clumps here, of up to about ${Math.max(2, Math.round(clumps))} on the old version: they count for less.`;
}

/** Where the whole hides what is going on now. */
function lately({ recent, difference }: RateResult): string {
  const isNew = difference !== null && recent > MUCH_MORE * Math.max(difference.estimate, 0);
  return isNew ? `In the last minutes the difference is ${points(recent)}. ` : "";
}

/** What follows from the numbers. */
function conclusion(found: RateResult, { minSamples }: Look, minEffect: number, margin: number): string {
  if (found.verdict === "worse") {
    return found.isDisaster
      ? "Half of the new version's or more: few are needed to know that."
      : `${lately(found)}That is more than chance: if both were alike, at most one rollout in ${count(Math.exp(Math.min(50, found.logThreshold)))} would ever look like this.`;
  }
  if (found.verdict === "not_worse") return `It is surely not worse by ${points(margin)} or more.`;
  if (found.new.n === 0 || found.old.n === 0) {
    return "Nothing to compare yet: no minute has traffic of both versions.";
  }
  if (found.missing > 0) {
    return `Too few for a verdict: ${count(minSamples)} on each version are needed, ${count(Math.ceil(found.missing))} are missing.`;
  }
  if (found.logAgainst >= found.logThreshold) {
    return `The difference is not chance, but it is below the ${points(minEffect)} that count.`;
  }
  return `Not known yet: it may be worse by ${points(margin)}, and it may not.`;
}

/** Above it JSON has no number any more; nobody tells e^600 from e^700. */
const MAX_LOG = 690;
export const fromLog = (log: number): number => Math.exp(Math.max(-MAX_LOG, Math.min(MAX_LOG, log)));

function statistics(found: RateResult) {
  return {
    difference: found.difference,
    statistic: fromLog(found.logAgainst),
    threshold: fromLog(found.logThreshold),
    clearStatistic: fromLog(found.logClear),
    clearThreshold: fromLog(found.logClearThreshold),
  };
}
