/**
 * How a receiver's state changes by the answer to a batch (settling.ts): it is well, broken,
 * in want of a person, or asks for patience. Pure.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Failure, SendResult } from "../../integrations/contract.ts";
import { askedMs, holdMs } from "./backoff.ts";
import { askedToWait, type Breaker, failedOnce, succeeded } from "./breaker.ts";
import { BREAKER_CONSECUTIVE, KIND_WAIT_MS, MESSAGE_CHARS } from "./limits.ts";
import type { Verdict } from "./outcomes.ts";
import { noted, QUALITY_OF } from "./quality.ts";
import type { Waits } from "./slot.ts";
import type { Hold, ReceiverState } from "./state.ts";

export interface Moment {
  /** How long the answer took. */
  ms: number;
  now: number;
  /** 0 to 1. */
  random: number;
}

export function reacted(
  before: ReceiverState,
  verdict: Verdict,
  { holdMs: asksMs }: Pick<SendResult, "holdMs">,
  moment: Moment,
): ReceiverState {
  const { now, ms } = moment;
  const next: ReceiverState = { ...before, refusedInRow: verdict.refusedInRow };
  const { failure, held } = verdict;
  next.waits = waiting(before.waits, verdict, now);
  // All that was in it waits by its kind: that says nothing of the rest, and may not even have been asked.
  if (verdict.limits.size > 0 && verdict.delivered.length + verdict.dead.length === 0 && (held ?? failure) === null)
    return next;
  const isFailure = verdict.delivered.length === 0 && (held ?? failure) !== null;
  next.quality = noted(before.quality, now, isFailure ? QUALITY_OF.failed : QUALITY_OF.taken(ms));
  if (verdict.delivered.length > 0) {
    next.breaker = succeeded(before.breaker, ms);
    next.deliveredAt = now;
    next.hold = null;
  } else if (held !== null) next.hold = holding(before.hold, held, moment);
  // All refused: it answers, so the line is well.
  else if (failure === null) next.breaker = succeeded(before.breaker, ms);
  else {
    next.breaker = broken(before.breaker, failure, moment);
    // It fails in another way than the one that a person had to mend: the circuit's waits hold from now on.
    next.hold = null;
  }
  // A clean break is the circuit's affair: it ends with the first success.
  if (next.breaker.failures >= BREAKER_CONSECUTIVE) next.quality = [];
  if (asksMs !== undefined) next.breaker = askedToWait(next.breaker, now, askedMs(asksMs));
  return next;
}

/** Of kinds that the receiver does not want now, those that are over are forgotten. */
function waiting(before: Waits, { limits }: Verdict, now: number): Waits {
  const next: Partial<Record<Feed, number>> = {};
  for (const [feed, until] of Object.entries(before) as [Feed, number][]) if (until > now) next[feed] = until;
  for (const [feed, { retryAfterMs }] of limits)
    next[feed] = Math.max(next[feed] ?? 0, now + (askedMs(retryAfterMs) || KIND_WAIT_MS));
  return next;
}

function holding(before: Hold | null, failure: Failure, { now, random }: Moment): Hold {
  const tries = before === null ? 0 : before.tries + 1;
  const until = now + Math.max(askedMs(failure.retryAfterMs), holdMs(tries, random));
  return { since: before?.since ?? now, tries, until, failure: shortened(failure) };
}

function broken(before: Breaker, failure: Failure, { now, random }: Moment): Breaker {
  const failed = failedOnce(before, now, random, askedMs(failure.retryAfterMs));
  // Asked to wait is not broken.
  if (failure.kind === "rate_limited") return { ...failed, state: "closed", openedAt: null, window: before.window };
  return failed;
}

export const shortened = (failure: Failure): Failure => ({
  ...failure,
  message: failure.message.slice(0, MESSAGE_CHARS),
});
