/**
 * A judgement → the next move: hold, promote, or take back. Pure, and without a
 * clock: the guard measures the time in which it could see, and does what is
 * said here.
 *
 * Bad news counts always: also blind, paused, or before the soak time is over.
 * Good news counts only with evidence of the present step, after the soak time,
 * with open eyes and a new version that answers. Everything else holds, and what
 * holds for too long is taken back: nothing passes because time went by.
 */
import type { Judgement } from "../../api/contract.ts";
import type { Move, Sight, Situation } from "../contract.ts";
import { SHARE_EXPECTED, SHARE_FACTOR, SILENT_EXPECTED, SILENT_MS } from "./limits.ts";
import { count, minutes, percent } from "./words.ts";

const MINUTE_MS = 60_000;

export function nextMove(situation: Situation, judgement: Judgement, sight: Sight): Move {
  if (judgement.verdict === "worse") return { type: "take_back", reason: judgement.reason };
  const { plan, step } = situation;
  const isLast = step >= plan.steps.length - 1;
  if (isLast) return hold("The new version has all of the traffic: nothing is left to compare with.");
  if (sight.blind.length > 0) {
    return hold(
      `We cannot see everything: ${sight.blind.join("; ")}. The time does not count, and nothing is decided on half the evidence.`,
    );
  }
  if (situation.isPaused) {
    return hold(
      `Paused: it stays at ${situation.percent} %. A version that is worse is still taken back. ${judgement.reason}`,
    );
  }
  const silence = silenceOf(situation, judgement, sight);
  const doubt = silence ?? mismatchOf(situation, judgement);
  if (mayPromote(situation, judgement)) return doubt === null ? promotion(situation, judgement) : hold(doubt);
  if (situation.visibleMs >= plan.stepLimitMinutes * MINUTE_MS) return atTheLimit(situation, judgement, doubt);
  // In a step's first seconds telemetry of the split before still comes in.
  const isSettled = situation.visibleMs >= SILENT_MS;
  return hold((isSettled ? doubt : silence) ?? waitingFor(situation, judgement));
}

const hold = (reason: string): Move => ({ type: "hold", reason });

function mayPromote({ plan, step, visibleMs }: Situation, { verdict, present }: Judgement): boolean {
  const isSoaked = visibleMs >= soakMs(plan.steps[step]);
  const isMeasured = Math.min(present.old, present.new) >= Math.max(1, plan.minSamples);
  return verdict === "not_worse" && isSoaked && isMeasured;
}

const soakMs = (step: { soakMinutes: number } | undefined): number => (step?.soakMinutes ?? 0) * MINUTE_MS;

function promotion({ plan, step }: Situation, judgement: Judgement): Move {
  const next = plan.steps[step + 1];
  if (next === undefined) throw new Error(`BUG: step ${step} of ${plan.steps.length} has no next one`);
  return { type: "promote", step: step + 1, reason: `On to ${next.percent} %. ${judgement.reason}` };
}

function atTheLimit({ plan }: Situation, judgement: Judgement, silence: string | null): Move {
  const { present } = judgement;
  const why =
    silence ??
    (Math.min(present.old, present.new) === 0
      ? `At this step ${present.new === 0 ? "the new version" : "the old version"} had no traffic that we saw.`
      : judgement.reason);
  return {
    type: "take_back",
    reason: `No verdict within ${minutes(plan.stepLimitMinutes)} that we could see, so it is taken back rather than passed. ${why}`,
  };
}

function waitingFor({ plan, step, visibleMs }: Situation, { verdict, reason, present }: Judgement): string {
  if (present.new === 0) return "No traffic of the new version at this step yet: not yet known.";
  if (present.old === 0) return "No traffic of the old version at this step to compare with: not yet known.";
  if (verdict !== "not_worse") return reason;
  const soak = soakMs(plan.steps[step]);
  if (visibleMs < soak)
    return `Looks good; ${minutes(visibleMs / MINUTE_MS)} of ${minutes(soak / MINUTE_MS)} soak time are over. ${reason}`;
  return `Looks good, but of this step there are ${count(Math.min(present.old, present.new))} samples on one version, and ${count(plan.minSamples)} are asked for.`;
}

/**
 * The split that telemetry shows is not the one that is live: the counts are not
 * of this traffic alone, or not of all of it, and what they say is not to be built
 * on. Null when all is well.
 */
function mismatchOf({ percent: live }: Situation, { present, drawn = present }: Judgement): string | null {
  if (!(live > 0 && live < 100)) return null;
  const all = drawn.old + drawn.new;
  const arms = [
    { name: "new", share: live / 100, seen: drawn.new },
    { name: "old", share: 1 - live / 100, seen: drawn.old },
  ];
  // None at all is silence.
  const off = arms.find(({ share, seen }) => {
    const expected = share * all;
    const isOff = seen > SHARE_FACTOR * expected || seen * SHARE_FACTOR < expected;
    return drawn.new > 0 && expected >= SHARE_EXPECTED && isOff;
  });
  if (off === undefined) return null;
  const { name, share, seen } = off;
  return `The ${name} version has ${percent(share)} of the traffic, and ${percent(seen / all)} of the ${count(all)} invocations of this step are said to be its own: telemetry of a version is lost (one that hangs sends none), or somebody sends more than there was (whoever holds an ingest token can). Nothing is promoted on such counts.`;
}

/**
 * Many of its invocations should have been seen and none was, while the old
 * version's come in: it may be dead, or we may be deaf to it. Null when all is well.
 */
function silenceOf({ percent, visibleMs }: Situation, { present }: Judgement, sight: Sight): string | null {
  if (!(percent > 0 && percent < 100) || sight.newestOld === null) return null;
  const expected = (present.old * percent) / (100 - percent);
  if (present.new === 0) {
    if (expected < SILENT_EXPECTED) return null;
    return `The old version was called ${count(present.old)} times since this step began, so the new one should have been some ${count(expected)} times, and was never seen: ${CAUSES}`;
  }
  const gap = sight.newestOld - (sight.newestNew ?? 0);
  const missed = expected * Math.min(1, gap / Math.max(visibleMs, MINUTE_MS));
  if (gap < SILENT_MS || missed < SILENT_EXPECTED) return null;
  return `Nothing was heard of the new version for ${minutes(gap / MINUTE_MS)}, in which it should have been called some ${count(missed)} times: ${CAUSES}`;
}

const CAUSES =
  "it may be dead before it can say so, or its tail_consumers lack Tailrace (look at its wrangler.toml). Nothing is promoted on silence.";
