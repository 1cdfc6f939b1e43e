/**
 * How many requests a second, at a moment: waves of busy and quiet minutes
 * around the average, and a burst at the start so that there is something to
 * see at once. Pure.
 */
const WAVE_MS = 9 * 60_000;
const RIPPLE_MS = 70_000;
/** A quiet minute has about a third of a busy one. */
const WAVE = 0.45;
const RIPPLE = 0.2;
const BURST_MS = 3_000;
const BURST_RATE = 30;
/** Sales: one short peak in every quarter of an hour. */
const SALE_EVERY_MS = 15 * 60_000;
const SALE_MS = 40_000;
const SALE_FACTOR = 2;

export function requestsPerSecond(average: number, sinceStartMs: number): number {
  if (average === 0) return 0;
  if (sinceStartMs < BURST_MS) return Math.max(average, BURST_RATE);
  const wave = 1 + WAVE * Math.sin((2 * Math.PI * sinceStartMs) / WAVE_MS);
  const ripple = 1 + RIPPLE * Math.sin((2 * Math.PI * sinceStartMs) / RIPPLE_MS);
  const intoQuarter = sinceStartMs % SALE_EVERY_MS;
  const sale = intoQuarter > SALE_EVERY_MS - SALE_MS ? SALE_FACTOR : 1;
  return average * wave * ripple * sale;
}
