/**
 * How large is the difference of the two rates, and is it surely below a
 * margin? An interval that holds at all times, and positive evidence that the
 * new version is not worse. `judge.ts` hands in strata; the rate may differ from
 * each to the next.
 *
 * For one stratum with rates p0 and p1 = p0 + d, and any weights φ, θ > 0 with
 * n0(φ−1) + n1(θ−1) = 0,
 *
 *   E[φ^f0 θ^f1] = (1 + p0(φ−1))^n0 (1 + p1(θ−1))^n1 ≤ exp(n1 (θ−1) d),
 *
 * by 1+x ≤ e^x: p0 cancels, so the bound holds whatever it is. The product over
 * strata, mixed over θ, is therefore an e-process of each assumed d (a sum of
 * bets that knows nothing of the base rate), and the d that it has not refuted
 * form a confidence sequence (Darling and Robbins, 1967; Howard, Ramdas,
 * McAuliffe and Sekhon, 2021) of the mean difference on the new version's
 * traffic. It loses little: a failure is rare, and 1+x ≤ e^x is tight there.
 */
import type { SettledBets, SettledRates } from "../contract.ts";
import { logAdd } from "./evidence-against.ts";

/** θ for the upper end: what is left of the new version's rate if it is as good as the old one, of the rate that is to be refuted. */
const BELOW = [0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99];
/**
 * Shares of the stake. Most versions fail hardly ever, and are to be let through with few requests; of one that fails at
 * 20 % half a point more is a fortieth, and only bets as small as that grow.
 */
const BELOW_SHARES = [0.3, 0.1, 0.1, 0.08, 0.08, 0.08, 0.08, 0.06, 0.05, 0.04, 0.03];
/** θ for the lower end. */
const ABOVE = [1.05, 1.2, 1.6, 3, 10, 100];
const ABOVE_SHARES = ABOVE.map(() => 1 / ABOVE.length);
/** Of n0: as much as the old version's failures can pay. */
const MOST_OF_OLD = 0.9;
/** Halvings of [−1, 1]: to 1e-9. */
const HALVINGS = 31;
/** Of the interval, together on both sides: 95 %. */
const MISSES = 0.05;

/** Sums over strata of one direction: ln of the wealth for d = 0, and what each unit of d takes from it. */
class Bets {
  private readonly wealth: Float64Array;
  private readonly slope: Float64Array;
  private readonly thetas: readonly number[];
  private readonly logShares: number[];

  constructor(thetas: readonly number[], shares: readonly number[], before?: SettledBets) {
    this.thetas = thetas;
    this.logShares = shares.map(Math.log);
    this.wealth = Float64Array.from(before?.wealth ?? thetas.map(() => 0));
    this.slope = Float64Array.from(before?.slope ?? thetas.map(() => 0));
  }

  /** What the next one begins with. */
  settled(): SettledBets {
    return { wealth: [...this.wealth], slope: [...this.slope] };
  }

  close(n0: number, f0: number, n1: number, f1: number): void {
    if (!(n0 > 0 && n1 > 0)) return;
    for (let k = 0; k < this.thetas.length; k++) {
      const kappa = kappaOf(this.thetas[k] as number, n0, n1);
      this.wealth[k] = (this.wealth[k] as number) + gain(kappa, n0, f0, n1, f1);
      this.slope[k] = (this.slope[k] as number) + kappa;
    }
  }

  /** ln of the mixed wealth against an assumed difference, after a last stratum that is still open. */
  against(d: number, n0 = 0, f0 = 0, n1 = 0, f1 = 0): number {
    const isOpen = n0 > 0 && n1 > 0;
    let sum = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < this.thetas.length; k++) {
      let wealth = (this.logShares[k] as number) + (this.wealth[k] as number) - d * (this.slope[k] as number);
      if (isOpen) {
        const kappa = kappaOf(this.thetas[k] as number, n0, n1);
        wealth += gain(kappa, n0, f0, n1, f1) - d * kappa;
      }
      sum = logAdd(sum, wealth);
    }
    return sum;
  }
}

/** ln of φ^f0 θ^f1; what did not happen costs no logarithm. */
const gain = (kappa: number, n0: number, f0: number, n1: number, f1: number): number =>
  (f1 > 0 ? f1 * Math.log1p(kappa / n1) : 0) + (f0 > 0 ? f0 * Math.log1p(-kappa / n0) : 0);

const kappaOf = (theta: number, n0: number, n1: number): number => Math.min(n1 * (theta - 1), MOST_OF_OLD * n0);

/** Evidence that the new version is worse by less than a margin: bets that its rate is below what the margin would make it. */
export class Clearance extends Bets {
  constructor(before?: SettledBets) {
    super(BELOW, BELOW_SHARES, before);
  }
}

type SettledDifference = Pick<SettledRates, "above" | "below" | "failures" | "expected" | "weight">;

export class Difference {
  private readonly above: Bets;
  private readonly below: Clearance;
  private failures: number;
  private expected: number;
  private weight: number;

  constructor(before?: SettledDifference) {
    this.above = new Bets(ABOVE, ABOVE_SHARES, before?.above);
    this.below = new Clearance(before?.below);
    this.failures = before?.failures ?? 0;
    this.expected = before?.expected ?? 0;
    this.weight = before?.weight ?? 0;
  }

  /** What the next one begins with. */
  settled(): SettledDifference {
    const { failures, expected, weight } = this;
    return { above: this.above.settled(), below: this.below.settled(), failures, expected, weight };
  }

  add(n0: number, f0: number, n1: number, f1: number): void {
    if (!(n0 > 0 && n1 > 0)) return;
    this.above.close(n0, f0, n1, f1);
    this.below.close(n0, f0, n1, f1);
    this.failures += f1;
    this.expected += (n1 * f0) / n0;
    this.weight += n1;
  }

  /** New − old on the new version's traffic: what it has more than the old version's rates of the same minutes would have made. */
  get estimate(): number {
    // JSON has no −0.
    return this.weight > 0 ? (this.failures - this.expected) / this.weight + 0 : 0;
  }

  /** Null without traffic on both arms. `clumps`: by what the log of its evidence is divided (`clumps.ts`). */
  interval(clumps = 1): { estimate: number; low: number; high: number } | null {
    if (this.weight === 0) return null;
    const limit = clumps * Math.log(2 / MISSES);
    // A difference below `low` is refuted by bets on more, one above `high` by bets on less.
    const low = bisect((d) => this.above.against(d) < limit);
    const high = bisect((d) => this.below.against(d) >= limit);
    const { estimate } = this;
    return { estimate, low: Math.min(low, estimate), high: Math.max(high, estimate) };
  }
}

/** Strata that are recent: five minutes of steady traffic. */
const RECENT = 5;

/** The estimate over the last strata: of a version that was good for a day and is bad now, the whole says too little. */
export class Recent {
  private readonly fresh = new Float64Array(RECENT);
  private readonly excess = new Float64Array(RECENT);
  private at = 0;

  constructor(before?: SettledRates["recent"]) {
    if (before === undefined) return;
    this.fresh.set(before.fresh);
    this.excess.set(before.excess);
    this.at = before.at;
  }

  /** What the next one begins with. */
  settled(): SettledRates["recent"] {
    return { fresh: [...this.fresh], excess: [...this.excess], at: this.at };
  }

  close(n0: number, f0: number, n1: number, f1: number): void {
    if (!(n0 > 0 && n1 > 0)) return;
    this.fresh[this.at % RECENT] = n1;
    this.excess[this.at % RECENT] = f1 - (n1 * f0) / n0;
    this.at++;
  }

  /** With a last stratum that is still open, which takes the place of the oldest. */
  estimate(n0 = 0, f0 = 0, n1 = 0, f1 = 0): number {
    const isOpen = n0 > 0 && n1 > 0;
    let fresh = isOpen ? n1 : 0;
    let excess = isOpen ? f1 - (n1 * f0) / n0 : 0;
    for (let n = 0; n < RECENT; n++) {
      if (isOpen && this.at >= RECENT && n === this.at % RECENT) continue;
      fresh += this.fresh[n] as number;
      excess += this.excess[n] as number;
    }
    return fresh > 0 ? excess / fresh : 0;
  }
}

/** Smallest d in [−1, 1] from which on `holds`. */
function bisect(holds: (d: number) => boolean): number {
  if (holds(-1)) return -1;
  let low = -1;
  let high = 1;
  for (let n = 0; n < HALVINGS; n++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
