/**
 * Tailrace's own rule, look after look: the same statistics as `judge()`, with
 * what is over and done summed up, so that a million hours can be simulated.
 * test/unit/rollouts/decide-simulator.test.ts holds it against judge() and
 * nextMove() at every look. Error gate of one class; `gates` more of the same
 * kind stand for others.
 */
import { DEFAULT_PLAN } from "../../../workers/api/contract/rollouts.ts";
import { clumpFactor } from "../../../workers/rollouts/decide/clumps.ts";
import { Clearance, Recent } from "../../../workers/rollouts/decide/difference.ts";
import { EvidenceAgainst } from "../../../workers/rollouts/decide/evidence-against.ts";
import { marginOf } from "../../../workers/rollouts/decide/gates.ts";
import { CLASS_SHARE, FALSE_ALARM, FALSE_CLEAR, RECENT_EFFECTS } from "../../../workers/rollouts/decide/limits.ts";
import { verdictOf } from "../../../workers/rollouts/decide/rates.ts";

const LOG_THRESHOLD = -Math.log(FALSE_ALARM.errors * CLASS_SHARE.request);
const LOG_CLEAR = -Math.log(FALSE_CLEAR);

/** Older ones are not asked for. */
const LEARNT_MINUTES = 60;

export class Tailrace {
  static label = "Tailrace";

  constructor(plan = DEFAULT_PLAN) {
    this.plan = plan;
    this.rules = { minEffect: plan.gates.errors.minEffect };
    this.against = new EvidenceAgainst();
    this.recent = new Recent();
    this.closed = { n0: 0, n1: 0, failures: 0, expected: 0, weight: 0 };
    this.open = { minute: -1, n0: 0, f0: 0, n1: 0, f1: 0 };
    this.isAtLimit = false;
    /** Of the old version, minutes that are over. */
    this.past = [];
    this.clumps = 1;
    this.old = { n: 0, f: 0 };
    this.enter(0, 0);
  }

  /** A step goes live, at a second. */
  enter(step, second) {
    this.fold();
    this.step = step;
    this.since = second;
    this.present = new Clearance();
    this.seen = { n0: 0, n1: 0 };
    const next = this.plan.steps[step + 1];
    this.margin = marginOf(this.rules.minEffect, (next?.percent ?? 100) / 100);
  }

  /** A minute of the old version before the rollout: negative, ascending. */
  before(minute, n, f) {
    this.past.push({ minute: minute * 60, n, f });
    this.clumps = clumpFactor(this.past, minute * 60 + 60);
  }

  /** What happened in the `LOOK_S` before `second`. @returns {"hold" | "promote" | "take_back"} */
  look(second, n0, f0, n1, f1) {
    const minute = Math.ceil(second / 60) - 1;
    if (minute !== this.open.minute) {
      this.fold();
      if (this.open.minute >= 0) this.learn(minute);
      this.open.minute = minute;
    }
    const { open } = this;
    this.old.n += n0;
    this.old.f += f0;
    open.n0 += n0;
    open.f0 += f0;
    open.n1 += n1;
    open.f1 += f1;
    this.seen.n0 += n0;
    this.seen.n1 += n1;
    if (this.verdict() !== "unknown") return "take_back";
    const visible = second - this.since;
    const { plan, step } = this;
    if (visible >= plan.steps[step].soakMinutes * 60 && this.isClear()) return "promote";
    if (visible < plan.stepLimitMinutes * 60) return "hold";
    this.isAtLimit = true;
    return "take_back";
  }

  verdict() {
    const { open, closed } = this;
    // A stratum without a failure of the new version takes from the wealth, never adds.
    if (open.f1 === 0) return "unknown";
    const isOpen = open.n0 > 0 && open.n1 > 0;
    const weight = closed.weight + (isOpen ? open.n1 : 0);
    const expected = closed.expected + (isOpen ? (open.n1 * open.f0) / open.n0 : 0);
    const failures = closed.failures + (isOpen ? open.f1 : 0);
    const { rules } = this;
    const estimate = weight > 0 ? (failures - expected) / weight : 0;
    const recent = this.recent.estimate(open.n0, open.f0, open.n1, open.f1);
    // The dear part only where it can matter.
    if (estimate < rules.minEffect && recent < RECENT_EFFECTS * rules.minEffect) return "unknown";
    const old = { n: closed.n0 + (isOpen ? open.n0 : 0) };
    const fresh = { n: weight, hits: failures };
    const missing = Math.max(0, this.plan.minSamples - Math.min(old.n, fresh.n));
    const logAgainst = this.against.log(open.n0, open.f0, open.n1, open.f1) / this.clumps;
    return verdictOf({ logAgainst, logThreshold: LOG_THRESHOLD, estimate, recent, old, fresh, missing, rules });
  }

  isClear() {
    const { open, plan, seen, present, closed } = this;
    if (Math.min(seen.n0, seen.n1) < plan.minSamples) return false;
    if (Math.min(closed.n0 + open.n0, closed.n1 + open.n1) < plan.minSamples) return false;
    return present.against(this.margin, open.n0, open.f0, open.n1, open.f1) / this.clumps >= LOG_CLEAR;
  }

  /** The open minute is over: it says something of clumps from now on. */
  learn(now) {
    this.past.push({ minute: this.open.minute * 60, ...this.old });
    if (this.past.length > LEARNT_MINUTES) this.past.shift();
    this.old = { n: 0, f: 0 };
    this.clumps = clumpFactor(this.past, now * 60);
  }

  /** The open stratum is over: its minute is, or the split changed. */
  fold() {
    const { n0, f0, n1, f1 } = this.open;
    if (n0 > 0 && n1 > 0) {
      this.against.close(n0, f0, n1, f1);
      this.present.close(n0, f0, n1, f1);
      this.recent.close(n0, f0, n1, f1);
      this.closed.n0 += n0;
      this.closed.n1 += n1;
      this.closed.failures += f1;
      this.closed.expected += (n1 * f0) / n0;
      this.closed.weight += n1;
    }
    this.open = { minute: this.open.minute, n0: 0, f0: 0, n1: 0, f1: 0 };
  }
}
