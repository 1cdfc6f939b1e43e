/** Simulated rollouts for `npm run bench`: what was promised, what others would have done, and rows that keep us honest. */
import { show, table } from "./numbers.mjs";
import { simulateAll } from "./rollouts/pool.mjs";
import { HONEST, PROMISED, PROMOTIONS } from "./rollouts/scenarios.mjs";

const SEED = 1;
/** Argo, Flagger and Kayenta have rows of their own; of promotions, ours only. */
const OWN_RULE = 1;

export async function measureRollouts({ runs, promotions }) {
  const named = [...Object.entries(PROMISED), ...Object.entries(HONEST)];
  const jobs = [
    ...named.map(([, scenario]) => ({ scenario, runs })),
    ...PROMOTIONS.map((scenario) => ({ scenario, runs: promotions, rules: OWN_RULE })),
  ];
  const found = await simulateAll(jobs, { seed: SEED });
  return {
    runs,
    promotions,
    rows: Object.fromEntries(named.map(([name], n) => [name, found[n]])),
    promoted: PROMOTIONS.map(({ title }, n) => ({ title, ...found[named.length + n][0] })),
  };
}

const percent = (share) => `${show(100 * share)} %`;
const time = (seconds) => (seconds === Number.POSITIVE_INFINITY ? "never" : `${show(seconds)} s`);

export function rolloutRows({ rows }, lower) {
  const best = (name, of) => {
    const [, ...others] = rows[name];
    return of(others);
  };
  for (const name of ["healthy1", "healthy2", "healthy3", "healthy4"]) {
    const [ours, ...others] = rows[name];
    const worst = Math.max(...others.map(({ worse }) => worse));
    const title = `${PROMISED[name].title}: rolled back within an hour of looks every 5 s (5 % of 200/s)`;
    lower(title, percent(ours.worse), `others up to ${percent(worst)}`, 100 * ours.worse, 1, 0.1);
  }
  const soonest = (others) => time(Math.min(...others.map(({ foundP95 }) => foundP95)));
  const row = (name, floor, aim) => {
    const [ours] = rows[name];
    const title = `${PROMISED[name].title}: found in 95 % of runs within (s)`;
    lower(title, time(ours.foundP95), `soonest other ${best(name, soonest)}`, ours.foundP95, floor, aim);
  };
  row("regression", 300, 150);
  row("disaster", 30, 10);
  const [missed, ...others] = rows.missed;
  const worst = Math.max(...others.map(({ promoted }) => promoted));
  const title = `${PROMISED.missed.title}: completes although worse`;
  lower(title, percent(missed.promoted), `others up to ${percent(worst)}`, 100 * missed.promoted, 1, 0.1);
}

export function rolloutNotes({ runs, promotions, rows, promoted }) {
  const labels = rows.regression.map(({ label }) => label);
  const all = { ...PROMISED, ...HONEST };
  const line = (name) => [all[name].title, ...rows[name].map((each) => cellOf(all[name], each))];
  const head = ["", ...labels];
  const [regression] = rows.regression;
  const [disaster] = rows.disaster;
  const [disaster1] = rows.disaster1;
  return [
    "## Rollouts",
    "",
    `Simulated: ${show(runs)} seeded runs in each row, looked at every 5 s; telemetry arrives at once. All rules see the same runs. "Back" is the share of runs that are taken back, then the time by which half and 95 % of all runs were. Where no percentage is given the default plan is walked through, with the same steps and soak times for all. The rules of others are rebuilt from their documentation and sources, with the settings in the heading; a threshold that fits one Worker does not fit the next, so two are shown for each. \`npm run simulate -- --help\` runs it with other seeds, rates and plans.`,
    "",
    table(head, Object.keys(PROMISED).map(line)),
    "",
    `Tailrace finds 1 % → 3 % within 150 s in ${percent(regression.foundWithin(150))} of the runs, and a version of which everything fails within 10 s in ${percent(disaster.foundWithin(10))} (in ${percent(disaster1.foundWithin(10))} if the old one fails at 1 %): in 4.0 % of the runs fewer than two requests have come by then.`,
    "",
    "Rows that were not promised. Bursts in one version only are what the test itself assumes not to happen (failures of one minute that have nothing to do with each other); how large they are is learnt from the old version's minutes, of which a quarter of an hour from before the rollout is known unless a row says otherwise.",
    "",
    table(head, Object.keys(HONEST).map(line)),
    "",
    `How long a healthy version takes through the default plan (${show(promotions)} runs each). What reaches a step's limit is taken back, because it could not be told from one that is worse:`,
    "",
    table(
      ["traffic, rate of both", "promoted", "half within", "95 % of them within", "called worse", "at a step's limit"],
      promoted.map((each) => [
        each.title,
        percent(each.promoted),
        minutes(each.promotedP50),
        minutes(each.promotedP95),
        percent(each.worse),
        percent(each.limit),
      ]),
    ),
  ];
}

const minutes = (seconds) => (seconds === Number.POSITIVE_INFINITY ? "–" : `${show(seconds / 60)} min`);

function cellOf({ percent: fixed }, { worse, limit, promoted, foundP50, foundP95 }) {
  const back = worse + limit;
  const times = back >= 0.5 ? `, ${time(foundP50)} / ${time(foundP95)}` : "";
  const through = fixed === undefined ? `, ${percent(promoted)} completed` : "";
  return `${percent(back)} back${times}${through}`;
}
