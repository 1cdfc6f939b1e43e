/** How long to wait before the next try to connect. Pure. */

const FIRST_MS = 1000;
const MOST_MS = 60_000;

/** Doubles up to a minute; `random` in 0..1 spreads it over its upper half, so that not all browsers come back at once. */
export function backOffMs(failures: number, random: number): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.round(whole / 2 + (whole / 2) * random);
}
