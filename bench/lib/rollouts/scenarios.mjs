/** What is simulated: the rows that were promised, then those that keep us honest. Rates are shares of 1. */

const HOUR = 60;
/** A plan whose steps all reach their limit ends before. */
const WHOLE_PLAN = 2_000;

const watched = { rps: 200, percent: 5, minutes: HOUR };

/** @type {Record<string, import("./traffic.mjs").Scenario & { title: string }>} */
export const PROMISED = {
  healthy1: { title: "healthy, 0.01 % fail", ...watched, old: 0.0001, new: 0.0001 },
  healthy2: { title: "healthy, 0.1 % fail", ...watched, old: 0.001, new: 0.001 },
  healthy3: { title: "healthy, 1 % fail", ...watched, old: 0.01, new: 0.01 },
  healthy4: { title: "healthy, 5 % fail", ...watched, old: 0.05, new: 0.05 },
  regression: { title: "1 % → 3 % at 5 % of 200/s", ...watched, old: 0.01, new: 0.03 },
  disaster: { title: "0.1 % → all at 1 % of 50/s", rps: 50, percent: 1, minutes: HOUR, old: 0.001, new: 1 },
  disaster1: { title: "1 % → all at 1 % of 50/s", rps: 50, percent: 1, minutes: HOUR, old: 0.01, new: 1 },
  missed: { title: "1 % → 3 % of 200/s, the default plan", rps: 200, minutes: WHOLE_PLAN, old: 0.01, new: 0.03 },
  plan: { title: "healthy, 1 % fail, 200/s, the default plan", rps: 200, minutes: WHOLE_PLAN, old: 0.01, new: 0.01 },
};

export const HONEST = {
  outage: {
    title: "healthy; upstream outage for 5 min, 40 % fail in both",
    ...watched,
    old: 0.01,
    new: 0.01,
    outage: { at: 20, minutes: 5, rate: 0.4 },
  },
  tide: {
    title: "healthy; the rate swings between 0.25 % and 4 % in 20 min",
    ...watched,
    old: 0.01,
    new: 0.01,
    tide: { every: 20, swing: 4 },
  },
  weighted: {
    title: "healthy, 1 % fail; one of ten is recorded, weighs 10",
    ...watched,
    old: 0.01,
    new: 0.01,
    weight: 10,
  },
  bursts: {
    title: "healthy, 1 % fail; half of it in bursts of 3 in one version",
    ...watched,
    old: 0.01,
    new: 0.01,
    bursts: { share: 0.5, size: 3 },
  },
  bursts10: {
    title: "healthy, 1 % fail; half of it in bursts of 10 in one version",
    ...watched,
    old: 0.01,
    new: 0.01,
    bursts: { share: 0.5, size: 10 },
  },
  bursts10Quiet: {
    title: "healthy, 0.1 % fail, 20/s; half of it in bursts of 10 in one version",
    ...watched,
    rps: 20,
    old: 0.001,
    new: 0.001,
    bursts: { share: 0.5, size: 10 },
  },
  burstsUnknown: {
    title: "as above, 1 % and bursts of 3, nothing known from before the rollout",
    ...watched,
    old: 0.01,
    new: 0.01,
    bursts: { share: 0.5, size: 3 },
    before: 0,
  },
  bursts10Unknown: {
    title: "as above, 1 % and bursts of 10, nothing known from before the rollout",
    ...watched,
    old: 0.01,
    new: 0.01,
    bursts: { share: 0.5, size: 10 },
    before: 0,
  },
  burstsWorse: {
    title: "1 % → 3 %; half of it in bursts of 3 in one version",
    ...watched,
    old: 0.01,
    new: 0.03,
    bursts: { share: 0.5, size: 3 },
  },
  bursts10Worse: {
    title: "1 % → 3 %; half of it in bursts of 10 in one version",
    ...watched,
    old: 0.01,
    new: 0.03,
    bursts: { share: 0.5, size: 10 },
  },
  hiccup: {
    title: "1 % → 3 % ten minutes after an upstream outage of 3 min, 2 % fail in both",
    ...watched,
    old: 0.01,
    new: 0.03,
    onset: 15,
    outage: { at: 2, minutes: 3, rate: 0.02 },
  },
  small: { title: "1 % → 1.3 %, below what counts (0.5 points)", ...watched, old: 0.01, new: 0.013 },
  late: { title: "1 % → 3 % from the 30th minute on", ...watched, old: 0.01, new: 0.03, onset: 30 },
  half: { title: "1 % → 1.5 % at 5 %, just what counts", ...watched, old: 0.01, new: 0.015 },
};

/** How long a healthy version takes through the default plan: requests per second, and rates at which both fail. */
const TRAFFIC = [
  [200, [0.001, 0.01, 0.05, 0.1, 0.2]],
  [20, [0.001, 0.01, 0.05, 0.1]],
  [2, [0.001, 0.01]],
];
export const PROMOTIONS = TRAFFIC.flatMap(([rps, rates]) =>
  rates.map((rate) => ({
    title: `${rps}/s, ${100 * rate} % fail`,
    rps,
    old: rate,
    new: rate,
    minutes: WHOLE_PLAN,
  })),
);
