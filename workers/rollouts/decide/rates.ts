/**
 * One comparison of two rates, stratum by stratum, from counts to a verdict:
 * errors, slow invocations and matches of a query are all judged here. The
 * gates (`gates.ts`) hand in strata and words, and get a GateResult.
 */
import type { GateResult } from "../../api/contract.ts";
import type { SettledRates } from "../contract.ts";
import { DISASTER_FAILURES, DISASTER_SHARE, FALSE_CLEAR, RECENT_EFFECTS } from "./limits.ts";
import type { Counts } from "./strata.ts";
import { RateSums } from "./sums.ts";

export interface RateRules {
  /** Chance that a version that is as good is called worse. */
  falseAlarm: number;
  minEffect: number;
  minSamples: number;
  /** It is not worse when it is surely worse by less than this. */
  margin: number;
  /** Seconds; strata from here on are of the present step. */
  since: number;
  /** By what the log of the evidence is divided (`clumps.ts`); at least 1. */
  clumps?: number;
  /** Of strata before the ones that are handed in. */
  settled?: SettledRates | undefined;
}

/** What one comparison comes to, before it is put into words. */
export interface RateResult {
  verdict: GateResult["verdict"];
  isDisaster: boolean;
  old: { n: number; hits: number };
  new: { n: number; hits: number };
  difference: GateResult["difference"];
  /** ln of both statistics and of their thresholds. */
  logAgainst: number;
  logThreshold: number;
  logClear: number;
  logClearThreshold: number;
  margin: number;
  /** The estimate over the last minutes. */
  recent: number;
  clumps: number;
  /** Samples that are missing on the arm that has fewer of them; 0 when there are enough. */
  missing: number;
}

/** Strata must be in the order of time; the last one may still be open. */
export function compareRates(strata: readonly Counts[], rules: RateRules): RateResult {
  const sums = new RateSums(rules.since, rules.settled);
  for (const stratum of strata) sums.add(stratum);
  const { against, all, recent, present, old, fresh } = sums;
  const { clumps = 1 } = rules;
  const logAgainst = against.log() / clumps;
  const logThreshold = -Math.log(rules.falseAlarm);
  const logClear = present.against(rules.margin) / clumps;
  const logClearThreshold = -Math.log(FALSE_CLEAR);
  const missing = Math.max(0, rules.minSamples - Math.min(old.n, fresh.n));
  const estimates = { estimate: all.estimate, recent: recent.estimate() };
  const verdict = verdictOf({ logAgainst, logThreshold, ...estimates, old, fresh, missing, rules });
  const isWorse = verdict !== "unknown";
  const isClear = !isWorse && missing === 0 && logClear >= logClearThreshold;
  return {
    verdict: isWorse ? "worse" : isClear ? "not_worse" : "unknown",
    isDisaster: verdict === "disaster",
    old,
    new: fresh,
    difference: all.interval(clumps),
    logAgainst,
    logThreshold,
    logClear,
    logClearThreshold,
    margin: rules.margin,
    recent: estimates.recent,
    clumps,
    missing,
  };
}

export interface Standing {
  logAgainst: number;
  logThreshold: number;
  /** Of the difference, over all and over the last minutes. */
  estimate: number;
  recent: number;
  old: { n: number };
  fresh: { n: number; hits: number };
  missing: number;
  rules: Pick<RateRules, "minEffect">;
}

/** The rule itself; the simulator calls it as well. */
export function verdictOf(standing: Standing): "disaster" | "worse" | "unknown" {
  const { logAgainst, logThreshold, estimate, recent, fresh, missing, rules } = standing;
  const counts = estimate >= rules.minEffect || recent >= RECENT_EFFECTS * rules.minEffect;
  // Written so that what is no number is no verdict.
  if (!(logAgainst >= logThreshold) || !counts) return "unknown";
  if (fresh.hits >= DISASTER_FAILURES && fresh.hits >= DISASTER_SHARE * fresh.n && estimate >= DISASTER_SHARE / 2) {
    return "disaster";
  }
  return missing === 0 ? "worse" : "unknown";
}
