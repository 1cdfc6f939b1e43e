/**
 * What to do about a failure, after what happened, for who presses "test" or looks at a
 * destination that stands still. An integration's own words go before these
 * (`own`); where it has none, who shows a failure adds these. Pure.
 */
import type { Failure } from "../contract.ts";

type Advice = Partial<Record<Failure["kind"], string>>;

const GENERAL: Advice = {
  unauthorized: "Check the key: it may be wrong, have ended, or not be allowed to do this.",
  misplaced: "Check the address: nobody takes this there.",
  unreachable: "Check the address, and that the receiver is running and can be reached from the internet.",
  timeout: "Check that the receiver is running, and that it answers within ten seconds.",
  rate_limited: "It is asked too often, or a quota there is used up.",
  unavailable: "The trouble is at the receiver: its log, or its status page, says more.",
  lying: "Check the address: something else answers there.",
  refused: "Check what is filled in: it was understood, and not taken.",
};

/** The general words only where nothing better is said already. */
export function withAdvice(failure: Failure, own: Advice = {}): Failure {
  const advice = own[failure.kind] ?? (failure.advised === true ? undefined : GENERAL[failure.kind]);
  if (advice === undefined) return failure;
  return { ...failure, message: sentences(failure.message, advice), advised: true };
}

/** With one mark between them: receivers end with one, or do not. */
export function sentences(first: string, second: string): string {
  const said = first.trim().replace(/[.,;:\s]+$/, "");
  return `${said}${/[!?…]$/.test(said) ? "" : "."} ${second}`.trim();
}
