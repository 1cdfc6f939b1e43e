/**
 * All that a comparison of two rates adds up, stratum by stratum: `rates.ts`
 * asks it for a verdict, `settle.ts` keeps it where strata are over and done
 * with. Beginning from what was settled, it comes to the very numbers that all
 * strata together would have come to.
 */
import type { SettledRates } from "../contract.ts";
import { Clearance, Difference, Recent } from "./difference.ts";
import { EvidenceAgainst } from "./evidence-against.ts";
import type { Counts } from "./strata.ts";

/** Counts up with each change of effects or shares (evidence-against.ts, difference.ts): what other bets came to is not gone on with. */
const BETS = 1;

export class RateSums {
  readonly against: EvidenceAgainst;
  readonly all: Difference;
  readonly recent: Recent;
  /** Of the step that began at `since`, seconds. */
  readonly present: Clearance;
  readonly old: { n: number; hits: number };
  readonly fresh: { n: number; hits: number };

  private readonly since: number;

  constructor(since: number, known?: SettledRates) {
    this.since = since;
    const before = known?.bets === BETS ? known : undefined;
    this.against = new EvidenceAgainst(before);
    this.all = new Difference(before);
    this.recent = new Recent(before?.recent);
    // A step that began later has nothing settled yet.
    this.present = new Clearance(before?.present.since === since ? before.present : undefined);
    this.old = { ...(before?.old ?? { n: 0, hits: 0 }) };
    this.fresh = { ...(before?.new ?? { n: 0, hits: 0 }) };
  }

  /** In the order of time. Without traffic on both arms it says nothing. */
  add({ minute, n0, f0, n1, f1 }: Counts): void {
    if (!(n0 > 0 && n1 > 0)) return;
    this.against.close(n0, f0, n1, f1);
    this.all.add(n0, f0, n1, f1);
    this.recent.close(n0, f0, n1, f1);
    if (minute >= this.since) this.present.close(n0, f0, n1, f1);
    this.old.n += n0;
    this.old.hits += f0;
    this.fresh.n += n1;
    this.fresh.hits += f1;
  }

  settled(clumps: number): SettledRates {
    const { since, old, fresh } = this;
    return {
      bets: BETS,
      ...this.against.settled(),
      ...this.all.settled(),
      recent: this.recent.settled(),
      present: { since, ...this.present.settled() },
      old: { ...old },
      new: { ...fresh },
      clumps,
    };
  }
}
