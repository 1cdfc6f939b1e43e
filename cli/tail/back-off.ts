/** How long to wait before the next try to connect. Pure. */

const FIRST_MS = 500;
/** On call, nobody wants to wait longer than this for a platform that is back. */
const MOST_MS = 20_000;
/** A server that asks for more is asked again after this all the same. */
const MOST_ASKED_MS = 120_000;

/** Doubles; `random` in 0..1 spreads it over its upper half, so that not all viewers come back at once. */
export function reconnectAfterMs(failures: number, random: number, retryAfterMs = 0): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  const own = whole / 2 + (whole / 2) * random;
  const asked = Math.min(retryAfterMs, MOST_ASKED_MS);
  return Math.round(asked > own ? asked + FIRST_MS * random : own);
}
