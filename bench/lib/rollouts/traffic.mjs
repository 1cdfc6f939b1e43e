/**
 * What both versions do between two looks of a simulated rollout. Requests
 * arrive as Poisson processes; the rates of failure may change by the minute.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {number} rps requests per second of both versions together
 * @property {(minute: number) => number} old rate of failure
 * @property {(minute: number) => number} new
 * @property {number} [percent] of the new version, if it stays; else the default plan is walked through
 * @property {number} minutes at most so long
 * @property {{ share: number, size: number }} [bursts] this share of the failures come `size` at a time, in one arm
 * @property {number} [weight] what each request is told to weigh, of which one in `weight` was recorded
 */
import { generator, poisson } from "./random.mjs";

export const LOOK_S = 5;

/** Draws look after look: `into` gets n0, f0, n1, f1. */
export class Traffic {
  /** @param {Scenario} scenario @param {number} seed of the run */
  constructor(scenario, seed, run) {
    this.scenario = scenario;
    this.random = generator(seed, run);
  }

  draw(second, percent, into) {
    const { scenario, random } = this;
    const minute = Math.floor(second / 60);
    const requests = (scenario.rps * LOOK_S) / (scenario.weight ?? 1);
    const share = percent / 100;
    this.arm(requests * (1 - share), scenario.old(minute), into, 0, random);
    this.arm(requests * share, scenario.new(minute), into, 2, random);
  }

  arm(requests, rate, into, at, random) {
    const { bursts } = this.scenario;
    let failed;
    if (bursts === undefined) failed = poisson(requests * rate, random);
    else {
      failed = poisson(requests * rate * (1 - bursts.share), random);
      failed += bursts.size * poisson((requests * rate * bursts.share) / bursts.size, random);
    }
    into[at] = failed + poisson(requests * (1 - rate), random);
    into[at + 1] = failed;
  }
}
