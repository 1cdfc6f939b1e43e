/**
 * Failures that come in clumps: one client that retries, one user who is pinned
 * to a version, one dead connection. Ten failures of one cause are not ten times
 * evidence. How large the clumps are is learnt from the old version's minutes
 * that are over, those before the rollout included; `rates.ts` divides the log of
 * all evidence by the factor, which is exactly 1 unless clumps show.
 *
 * What is proven. The log of a wealth ÷ a factor of 1 or more reaches a
 * threshold only where the wealth itself did, however the factor was learnt:
 * without clumps no guarantee is lost, only time. And where failures come c at a
 * time, each clump in one version with its share of the traffic, a bet to the
 * power 1/c is a fair bet on clumps; smaller clumps among them only make it
 * dearer (Jensen). So a factor of at least the largest clump is right, but for
 * the spread of the stake (a sum of shares to the power 1/c instead of 1).
 * What is not: that the factor is that large. It is an estimate from the variance
 * (a quasi-likelihood in Wedderburn's sense), and how far it carries is measured by
 * simulation (bench part `rollouts`).
 *
 * Whether there are clumps is asked of blocks of minutes, with a chi-square
 * statistic and a bound that chance hardly ever passes. How large they are is the smaller of
 * two estimates: the blocks', and that of the differences from each minute to the
 * next, which a drifting rate or an outage hardly touches. Jumps that no clump
 * makes are left out of both. Minutes are coarse: a quarter of an hour of them
 * shows clumps of ten nearly always, clumps of three in fewer than half of the cases.
 */

/** Of the old version, in one minute. */
export interface OldMinute {
  /** Seconds. */
  minute: number;
  n: number;
  f: number;
}

/** Seconds before the open minute that are learnt from. An hour, so that what an upstream did before is forgotten. */
const LEARNT_S = 3_600;
/** Minutes in which the rate is taken to stay: a tide of the day hardly moves in them. */
const BLOCK = 8;
const MIN_FREEDOM = 4;
/** Fewer failures have no variance worth the name. */
const MIN_FAILURES = 10;
/** Deviations; below, it is chance. Lower, and regressions of Workers without clumps would be found later. */
const SURE = 2.5;
/** The variance tells no few large clumps from many small ones: this share of the failures is taken to come in clumps, at least. */
const CLUMPED_SHARE = 1 / 3;
const MAX_FACTOR = 10;
/** Times the variance that chance has: not a clump but a change of the rate. */
const JUMP = 30;

/** By what the log of the evidence is to be divided: 1, or up to MAX_FACTOR. Minutes in their order, all of them over by `now` (seconds). */
export function clumpFactor(all: readonly OldMinute[], now: number): number {
  const minutes = all.filter(({ minute, n }) => n > 0 && minute >= now - LEARNT_S);
  const blocks = spreadOfBlocks(minutes);
  if (blocks.failures < MIN_FAILURES || blocks.freedom < MIN_FREEDOM) return 1;
  const spread = blocks.chi / blocks.freedom;
  if (!(deviations(spread, blocks.freedom) >= SURE)) return 1;
  const excess = Math.min(spread, spreadOfSteps(minutes)) - 1;
  return Math.max(1, Math.min(MAX_FACTOR, 1 + excess / CLUMPED_SHARE));
}

/** Old version's minutes out of strata; the last minute may still be open, and is left out. */
export function clumpsOf(strata: readonly { minute: number; n0: number; f0: number }[]): number {
  const minutes: OldMinute[] = [];
  for (const { minute: key, n0, f0 } of strata) {
    const minute = Math.floor(key / MINUTE_S) * MINUTE_S;
    const last = minutes.at(-1);
    if (last?.minute !== minute) minutes.push({ minute, n: n0, f: f0 });
    else {
      last.n += n0;
      last.f += f0;
    }
  }
  const open = minutes.pop();
  return open === undefined ? 1 : clumpFactor(minutes, open.minute);
}

const MINUTE_S = 60;

/** Pearson's statistic of each block around its own rate, and its degrees of freedom; from the newest block on. */
function spreadOfBlocks(minutes: readonly OldMinute[]): { chi: number; freedom: number; failures: number } {
  const sum = { chi: 0, freedom: 0, failures: 0 };
  for (let end = minutes.length; end >= 2; end -= BLOCK) {
    const block = minutes.slice(Math.max(0, end - BLOCK), end);
    const n = block.reduce((all, each) => all + each.n, 0);
    const f = block.reduce((all, each) => all + each.f, 0);
    const freedom = block.length - 1;
    // One failure has no spread; and where everything fails, nothing has.
    if (freedom === 0 || f < 2 || f >= n) continue;
    const chi =
      block.reduce((all, each) => all + (each.f - (each.n * f) / n) ** 2 / each.n, 0) / ((f / n) * (1 - f / n));
    if (chi > JUMP * freedom) continue;
    sum.chi += chi;
    sum.freedom += freedom;
    sum.failures += f;
  }
  return sum;
}

/** Mean of the squared differences from minute to minute, in units of what chance makes them. */
function spreadOfSteps(minutes: readonly OldMinute[]): number {
  let sum = 0;
  let count = 0;
  for (let i = 1; i < minutes.length; i++) {
    const [a, b] = [minutes[i - 1] as OldMinute, minutes[i] as OldMinute];
    const rate = (a.f + b.f) / (a.n + b.n);
    if (rate <= 0 || rate >= 1) continue;
    const square = (a.f / a.n - b.f / b.n) ** 2 / (rate * (1 - rate) * (1 / a.n + 1 / b.n));
    if (square > JUMP) continue;
    sum += square;
    count++;
  }
  return count === 0 ? 1 : sum / count;
}

/** Wilson and Hilferty, 1931: the cube root of chi-square ÷ freedom is nearly normal. */
function deviations(spread: number, freedom: number): number {
  const variance = 2 / (9 * freedom);
  return (Math.cbrt(spread) - 1 + variance) / Math.sqrt(variance);
}
