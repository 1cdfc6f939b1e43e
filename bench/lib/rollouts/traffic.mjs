/**
 * What both versions do between two looks of a simulated rollout. Requests
 * arrive as Poisson processes, with rates of failure that may change by the
 * minute.
 *
 * @typedef {object} Scenario plain data: it goes to threads
 * @property {number} rps requests per second of both versions together
 * @property {number} old rate of failure, 0 to 1
 * @property {number} new
 * @property {number} [percent] of the new version, if it stays there; else the plan is walked through
 * @property {number} minutes at most so long
 * @property {number} [onset] minute from which on the new version has its own rate, and before it the old one's
 * @property {{ at: number, minutes: number, rate: number }} [outage] upstream: strikes both versions alike
 * @property {{ every: number, swing: number }} [tide] both rates swing by this factor, once in so many minutes
 * @property {{ share: number, size: number }} [bursts] this share of the failures come `size` at a time, in one version
 * @property {number} [before] minutes of the old version that are known from before the rollout; a quarter of an hour if absent
 * @property {number} [weight] each record stands for so many requests
 */
import { generator, poisson } from "./random.mjs";

export const LOOK_S = 5;
/** Another stream of random numbers. */
const PAST = 0x5bd1e995;

export class Traffic {
  /** @param {Scenario} scenario @param {number} seed of all runs @param {number} run */
  constructor(scenario, seed, run) {
    this.scenario = scenario;
    this.random = generator(seed, run);
    this.past = generator(seed ^ PAST, run);
  }

  /** Of the `LOOK_S` from `second` on; `into` gets n0, f0, n1, f1. */
  draw(second, percent, into) {
    const { scenario } = this;
    const minute = Math.floor(second / 60);
    const requests = (scenario.rps * LOOK_S) / (scenario.weight ?? 1);
    const share = percent / 100;
    const fresh = minute >= (scenario.onset ?? 0) ? scenario.new : scenario.old;
    this.arm(requests * (1 - share), rateAt(scenario, scenario.old, minute), into, 0);
    this.arm(requests * share, rateAt(scenario, fresh, minute), into, 2);
  }

  /** A whole minute of the old version, before the rollout; `into` gets n0 and f0. */
  drawBefore(minute, into) {
    const { scenario } = this;
    const requests = (scenario.rps * 60) / (scenario.weight ?? 1);
    this.arm(requests, rateAt(scenario, scenario.old, minute), into, 0, this.past);
  }

  arm(requests, rate, into, at, random = this.random) {
    const { scenario } = this;
    const { share, size } = scenario.bursts ?? { share: 0, size: 1 };
    const single = poisson(requests * rate * (1 - share), random);
    const failed = single + (share > 0 ? size * poisson((requests * rate * share) / size, random) : 0);
    into[at] = failed + poisson(requests * (1 - rate), random);
    into[at + 1] = failed;
  }
}

function rateAt({ outage, tide }, rate, minute) {
  if (outage !== undefined && minute >= outage.at && minute < outage.at + outage.minutes) return outage.rate;
  if (tide === undefined) return rate;
  return rate * tide.swing ** Math.sin((2 * Math.PI * minute) / tide.every);
}
