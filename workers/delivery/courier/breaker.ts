/**
 * The circuit breaker of one receiver. Closed: all is sent. Open: nothing, until
 * `until`. Half-open: one small batch, and its outcome decides. It opens after
 * some failures in a row, or when a share of the newest sends failed; an answer
 * that came late counts as half a failure. Pure: time and chance are handed in.
 */
import { backoffMs } from "./backoff.ts";
import { BREAKER_CONSECUTIVE, BREAKER_MIN_SENDS, BREAKER_SHARE, BREAKER_WINDOW, IN_FLIGHT, SLOW_MS } from "./limits.ts";

export interface Breaker {
  state: "closed" | "open" | "half-open";
  /** Failures in a row. */
  failures: number;
  /** Newest last: 0 well, 0.5 late, 1 failed. */
  window: readonly number[];
  /** ms: of the first failure in a row. */
  since: number | null;
  /** ms: when it opened first, since it was last closed. */
  openedAt: number | null;
  /** ms: nothing is sent before. */
  until: number;
  /** Batches at once: after trouble it begins with one, and doubles. */
  width: number;
}

export const CLOSED: Breaker = {
  state: "closed",
  failures: 0,
  since: null,
  window: [],
  openedAt: null,
  until: 0,
  width: IN_FLIGHT,
};

/** Something was taken, `ms` after it was sent. */
export function succeeded(breaker: Breaker, ms: number): Breaker {
  if (breaker.state !== "closed") return { ...CLOSED, until: 0, width: 1 };
  const window = pushed(breaker.window, ms > SLOW_MS ? 0.5 : 0);
  return { ...breaker, failures: 0, since: null, window, width: Math.min(IN_FLIGHT, breaker.width * 2) };
}

/** @param asked ms that the receiver asks to wait, 0 if it does not */
export function failedOnce(breaker: Breaker, now: number, random: number, asked: number): Breaker {
  const failures = breaker.failures + 1;
  const window = pushed(breaker.window, 1);
  const until = Math.max(breaker.until, now + Math.max(asked, backoffMs(failures, random)));
  const opens = breaker.state !== "closed" || failures >= BREAKER_CONSECUTIVE || isHalfBroken(window);
  return {
    state: opens ? "open" : "closed",
    failures,
    since: breaker.since ?? now,
    window,
    openedAt: opens ? (breaker.openedAt ?? now) : null,
    until,
    width: 1,
  };
}

/** The receiver lives, and asks to be left alone for a while. */
export function askedToWait(breaker: Breaker, now: number, ms: number): Breaker {
  return { ...breaker, until: Math.max(breaker.until, now + ms) };
}

/** What may be sent at this moment: how many batches at once, and whether it is a probe. */
export function allows(breaker: Breaker, now: number, underWay: number): "send" | "probe" | "wait" {
  if (now < breaker.until) return "wait";
  if (breaker.state === "closed") return underWay < breaker.width ? "send" : "wait";
  return underWay === 0 ? "probe" : "wait";
}

export const probing = (breaker: Breaker): Breaker => ({ ...breaker, state: "half-open" });

function isHalfBroken(window: readonly number[]): boolean {
  if (window.length < BREAKER_MIN_SENDS) return false;
  return window.reduce((sum, one) => sum + one, 0) / window.length >= BREAKER_SHARE;
}

const pushed = (window: readonly number[], one: number) => [...window, one].slice(-BREAKER_WINDOW);
