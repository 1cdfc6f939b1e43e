/**
 * The rules of others, rebuilt from their documentation and sources, on the same
 * runs as ours. Each gets the looks, makes its own measurements of them, and
 * says what it would do; promotion is after the soak time of the same plan.
 *
 *   Argo Rollouts  docs/features/analysis.md, v1.10: a measurement is a query over a
 *                  window at each interval, compared with a constant; more than
 *                  `failureLimit` (0 unless set) failed ones fail the analysis. The
 *                  example of that page: success rate >= 0.95, interval 5m, failureLimit 3.
 *   Flagger        docs.flagger.app/usage/metrics, /usage/how-it-works: request-success-rate
 *                  at least 99 % over 1m, checked each interval (1m), rolled back after
 *                  `threshold` failed checks (5 in the examples; they need not be consecutive);
 *                  a check that fails also halts the advancement.
 *   Kayenta        `mann-whitney.mjs`
 */
import { isHigher } from "./mann-whitney.mjs";

/** Sums looks up to measurements of `interval` seconds. */
class Peer {
  constructor(plan, interval) {
    this.plan = plan;
    this.interval = interval;
    this.window = { n0: 0, f0: 0, n1: 0, f1: 0 };
    this.isHalted = false;
    this.enter(0, 0);
  }

  enter(step, second) {
    this.step = step;
    this.since = second;
  }

  look(second, n0, f0, n1, f1) {
    const { window } = this;
    window.n0 += n0;
    window.f0 += f0;
    window.n1 += n1;
    window.f1 += f1;
    if (second % this.interval === 0) {
      const isFailed = this.measure(window, second);
      this.window = { n0: 0, f0: 0, n1: 0, f1: 0 };
      if (isFailed) return "take_back";
    }
    const isSoaked = second - this.since >= this.plan.steps[this.step].soakMinutes * 60;
    return isSoaked && !this.isHalted ? "promote" : "hold";
  }
}

const argo = (label, { atLeast, interval, failureLimit }) =>
  class extends Peer {
    static label = label;

    constructor(plan) {
      super(plan, interval);
      this.failed = 0;
    }

    measure({ n1, f1 }) {
      if (n1 > 0 && 1 - f1 / n1 < atLeast) this.failed++;
      return this.failed > failureLimit;
    }
  };

const flagger = (label, { atLeast, threshold }) =>
  class extends Peer {
    static label = label;

    constructor(plan) {
      super(plan, 60);
      this.failed = 0;
    }

    measure({ n1, f1 }) {
      // Without a value there is nothing to advance on.
      this.isHalted = n1 === 0 || 1 - f1 / n1 < atLeast;
      if (this.isHalted) this.failed++;
      return this.failed >= threshold;
    }
  };

/** Minutes between two judgements of all points so far. */
const KAYENTA_EVERY = 5;

class Kayenta extends Peer {
  static label = "Kayenta (Mann–Whitney, judged every 5 min)";

  constructor(plan) {
    super(plan, 60);
    this.old = [];
    this.new = [];
  }

  /** Points of another split are of another population. */
  enter(step, second) {
    super.enter(step, second);
    this.old = [];
    this.new = [];
  }

  measure({ n0, f0, n1, f1 }) {
    if (n0 > 0 && n1 > 0) {
      this.old.push(f0 / n0);
      this.new.push(f1 / n1);
    }
    return this.old.length > 0 && this.old.length % KAYENTA_EVERY === 0 && isHigher(this.old, this.new);
  }
}

export const PEERS = [
  argo("Argo Rollouts (its example: ≥ 95 %, 5 min, failureLimit 3)", { atLeast: 0.95, interval: 300, failureLimit: 3 }),
  argo("Argo Rollouts (≥ 98 %, 1 min, failureLimit 0)", { atLeast: 0.98, interval: 60, failureLimit: 0 }),
  flagger("Flagger (its example: ≥ 99 %, 1 min, 5 failed checks)", { atLeast: 0.99, threshold: 5 }),
  flagger("Flagger (≥ 98 %, 1 min, 5 failed checks)", { atLeast: 0.98, threshold: 5 }),
  Kayenta,
];
