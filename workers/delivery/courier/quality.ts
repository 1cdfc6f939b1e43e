/**
 * How well a receiver has done of late, over whatever the circuit did: one that
 * fails every second time, or answers late, is taken up again by each probe, and is
 * half broken all the same. Pure. Bounded.
 */
import { HALF_BROKEN, QUALITY_MIN_SENDS, QUALITY_MS, QUALITY_SENDS, SLOW_MS, WELL } from "./limits.ts";

/** ms since the epoch; 0 well, 0.5 late, 1 failed. Newest last. */
export type Quality = readonly (readonly [at: number, trouble: number])[];

export const QUALITY_OF = { taken: (ms: number) => (ms > SLOW_MS ? 0.5 : 0), failed: 1 } as const;

export const noted = (before: Quality, at: number, trouble: number): Quality =>
  [...before, [at, trouble] as const].slice(-QUALITY_SENDS);

/** @param was whether it was so before: it has to do well to be well again */
export function isHalfBroken(quality: Quality, now: number, was: boolean): boolean {
  const recent = quality.filter(([at]) => now - at < QUALITY_MS);
  if (recent.length < QUALITY_MIN_SENDS) return false;
  const share = recent.reduce((sum, [, trouble]) => sum + trouble, 0) / recent.length;
  return share >= (was ? WELL : HALF_BROKEN);
}
