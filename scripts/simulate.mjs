/**
 * `npm run simulate`: rollouts by the thousand, with rates of your own, under
 * Tailrace's rule and those of others. The bench's part `rollouts` does the same
 * with the rates that were promised; both use bench/lib/rollouts/.
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Complaint, run } from "./lib/complaint.mjs";
import { prepare } from "./lib/toolchain.mjs";

const HELP = `Usage: npm run simulate -- [options]

Simulates gradual deployments and prints what became of them under each rule.

  --old R       share of requests that fail on the old version, 0 to 1 (default 0.01)
  --new R       on the new one (default: as on the old one)
  --rps N       requests per second of both together (default 200)
  --percent N   of the new version, above 0 and below 100 (default 5)
  --plan        walk through the default plan instead of staying at one percentage
  --minutes N   at most so long (default 60; with --plan 2000)
  --runs N      how many (default 10000)
  --seed N      same seed, same runs (default 1)
  --only-ours   leave out the rules of others: several times as fast
  --help        this text`;

const MAX_RUNS = 1_000_000;
const MAX_RPS = 1_000_000;
const MAX_MINUTES = 100_000;
const MAX_SEED = 2 ** 31;

run(async () => {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  if (options === "help") {
    console.log(HELP);
    return;
  }
  await prepare(fileURLToPath(import.meta.url), args);
  const { simulateAll } = await import("../bench/lib/rollouts/pool.mjs");
  const { table } = await import("../bench/lib/numbers.mjs");
  const { scenario, runs, seed, rules } = options;
  const started = Date.now();
  const [found] = await simulateAll([{ scenario, runs, rules }], { seed });
  console.log(`${JSON.stringify(scenario)}, ${runs} runs, seed ${seed}:\n`);
  console.log(
    table(
      ["", "called worse", "half / 95 % of the runs by", "at a step's limit", "promoted", "half / 95 % of these by"],
      found.map(rowOf),
    ),
  );
  console.log(`\n${((Date.now() - started) / 1000).toFixed(1)} s`);
});

function rowOf({ label, worse, limit, promoted, foundP50, foundP95, promotedP50, promotedP95 }) {
  return [label, share(worse), both(foundP50, foundP95), share(limit), share(promoted), both(promotedP50, promotedP95)];
}

const share = (value) => `${Number((100 * value).toFixed(3))} %`;
const seconds = (value) => (value === Number.POSITIVE_INFINITY ? "never" : `${value} s`);
const both = (half, most) => `${seconds(half)} / ${seconds(most)}`;

/** @throws {Complaint} on anything that is not understood */
function readOptions(args) {
  const values = parse(args);
  if (values.help === true) return "help";
  const isPlan = values.plan === true;
  if (isPlan && values.percent !== undefined)
    throw new Complaint("--plan has percentages of its own: leave --percent out");
  const old = number("--old", values.old, 0.01, 0, 1);
  const scenario = {
    rps: number("--rps", values.rps, 200, 0.001, MAX_RPS),
    old,
    new: number("--new", values.new, old, 0, 1),
    minutes: whole("--minutes", values.minutes, isPlan ? 2_000 : 60, 1, MAX_MINUTES),
  };
  if (!isPlan) scenario.percent = number("--percent", values.percent, 5, 0.001, 99.999);
  return {
    scenario,
    runs: whole("--runs", values.runs, 10_000, 1, MAX_RUNS),
    seed: whole("--seed", values.seed, 1, 0, MAX_SEED),
    rules: values["only-ours"] === true ? 1 : undefined,
  };
}

function parse(args) {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  const options = { old: text, new: text, rps: text, percent: text, minutes: text, runs: text, seed: text };
  try {
    return parseArgs({ args, options: { ...options, plan: flag, "only-ours": flag, help: flag } }).values;
  } catch (error) {
    throw new Complaint(`${error.message}\n\n${HELP}`);
  }
}

function number(name, given, fallback, min, max) {
  if (given === undefined) return fallback;
  const value = Number(given);
  if (given.trim() === "" || !(value >= min && value <= max)) {
    throw new Complaint(`${name} must be a number from ${min} to ${max}, not "${given}"`);
  }
  return value;
}

function whole(name, given, fallback, min, max) {
  const value = number(name, given, fallback, min, max);
  if (!Number.isInteger(value)) throw new Complaint(`${name} must be a whole number, not "${given}"`);
  return value;
}
