/**
 * Is the new version worse? An e-process against "in every stratum, the new
 * version fails no more often than the old one": a bettor's wealth that starts
 * at 1 and, if that is so, ever reaches 1/α with a probability of at most α
 * (Ville, 1939), however often one looks. `judge.ts` hands in strata (minute ×
 * class) in their order.
 *
 * Within a stratum, given the totals n0 and n1 and the number of failures f, the
 * new version's share f1 of the failures is hypergeometric when both arms are
 * alike, whatever the rate of that minute is: an outage that strikes both, or a
 * rate that follows the sun, says nothing. Betting on an odds ratio θ pays
 * θ^f1 ÷ E[θ^f1]; for the expectation stands an upper bound of it, that of
 * draws with replacement (Hoeffding, 1963, theorem 4), so that the bet is never
 * unfair to the new version. Of the four equivalent readings of a 2×2 table as
 * draws, the one with the fewest draws per table is the tightest, which is what
 * lets two requests that both fail say something.
 *
 * Nobody knows the effect or when it begins, so money is spread: over effects
 * (a discrete mixture) and over strata to begin in (a mixture of restarts, as in
 * Shin, Ramdas and Rinaldo's e-detectors, but with weights that sum to 1, so
 * that it stays one e-process). Both cost a constant factor, not validity.
 *
 * While a stratum's minute is open it is evaluated again and again with what is
 * there; the bound holds exactly at the ends of minutes and, by simulation
 * (bench part `rollouts`), at the looks in between.
 */
import type { SettledRates } from "../contract.ts";

/** Odds ratios that are bet on, and the share of the stake. A threefold rate is what an on-call person would want to know of within minutes; thousands are versions that fail altogether. */
const EFFECTS: readonly (readonly [theta: number, share: number])[] = [
  [1.5, 0.03],
  [2, 0.11],
  [3, 0.4],
  [4.5, 0.12],
  [8, 0.06],
  [30, 0.05],
  [200, 0.07],
  [2000, 0.16],
];
const COUNT = EFFECTS.length;
const THETA = Float64Array.from(EFFECTS, ([theta]) => theta);
const LOG_THETA = Float64Array.from(EFFECTS, ([theta]) => Math.log(theta));
const LOG_SHARE = Float64Array.from(EFFECTS, ([, share]) => Math.log(share));

/** Share of the stake that is laid from the first stratum on; the rest waits for regressions that begin later. */
const AT_ONCE = 0.9;

/** ln of the stake that is laid when the stratum `index` begins; over all strata they sum to 1. */
function logStake(index: number): number {
  return index === 0 ? Math.log(AT_ONCE) : Math.log((2 * (1 - AT_ONCE)) / ((index + 1) * (index + 2)));
}

/** e^−37 is less than the last digit of a double. */
const NEGLIGIBLE = 37;

/** ln(e^a + e^b) */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  return low < high - NEGLIGIBLE || high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}

export class EvidenceAgainst {
  /** ln of the wealth at the end of the last closed stratum, by effect; before the first, nothing is laid. */
  private readonly closed = new Float64Array(COUNT).fill(Number.NEGATIVE_INFINITY);
  private strata = 0;

  constructor(before?: Pick<SettledRates, "strata" | "against">) {
    if (before === undefined || before.strata === 0) return;
    this.strata = before.strata;
    this.closed.set(before.against);
  }

  /** What the next one begins with. */
  settled(): Pick<SettledRates, "strata" | "against"> {
    return { strata: this.strata, against: this.strata === 0 ? [] : [...this.closed] };
  }

  /** A stratum that nothing is added to any more, or that is the last one. Without requests on both arms it says nothing. */
  close(n0: number, f0: number, n1: number, f1: number): void {
    if (!(n0 > 0 && n1 > 0)) return;
    const stake = logStake(this.strata++);
    const bet = betOf(n0, f0, n1, f1);
    for (let k = 0; k < COUNT; k++) {
      this.closed[k] = logAdd(this.closed[k] as number, stake) + f1 * (LOG_THETA[k] as number) - bet.logMean(k);
    }
  }

  /** ln of the wealth after a last stratum that is still open. */
  log(n0 = 0, f0 = 0, n1 = 0, f1 = 0): number {
    let sum = Number.NEGATIVE_INFINITY;
    const isOpen = n0 > 0 && n1 > 0;
    const stake = isOpen ? logStake(this.strata) : Number.NEGATIVE_INFINITY;
    const bet = betOf(n0, f0, n1, f1);
    for (let k = 0; k < COUNT; k++) {
      let wealth = logAdd(this.closed[k] as number, stake);
      if (isOpen) wealth += f1 * (LOG_THETA[k] as number) - bet.logMean(k);
      sum = logAdd(sum, wealth + (LOG_SHARE[k] as number));
    }
    return this.strata === 0 && !isOpen ? 0 : logAdd(sum, this.logInHand(isOpen));
  }

  /** Stakes of strata to come are money in hand. */
  private logInHand(isOpen: boolean): number {
    const begun = this.strata + (isOpen ? 1 : 0);
    return Math.log((2 * (1 - AT_ONCE)) / (begun + 1));
  }
}

/** ln of the upper bound of E[θ^f1]: by draws with replacement, of the smallest margin there is. */
function betOf(n0: number, f0: number, n1: number, f1: number): { logMean(k: number): number } {
  const n = n0 + n1;
  const f = f0 + f1;
  const s = n - f;
  const most = Math.max(n0, n1, f, s);
  // The failures are drawn from all: each is the new version's with n1/n.
  if (most === s) return { logMean: (k) => f * Math.log1p((n1 / n) * ((THETA[k] as number) - 1)) };
  // The new version's invocations are drawn: each fails with f/n.
  if (most === n0) return { logMean: (k) => n1 * Math.log1p((f / n) * ((THETA[k] as number) - 1)) };
  // The old version's are: f1 is what they leave of f.
  if (most === n1) {
    return { logMean: (k) => f * (LOG_THETA[k] as number) + n0 * Math.log1p((f / n) * (1 / (THETA[k] as number) - 1)) };
  }
  // The successes are: f1 is what they leave of n1.
  return { logMean: (k) => n1 * (LOG_THETA[k] as number) + s * Math.log1p((n1 / n) * (1 / (THETA[k] as number) - 1)) };
}
