/**
 * `npm run bench`: the figures that Tailrace promises, each as a ratio to a
 * limit or a peer that was measured in the same run, and what a million
 * invocations cost. Prints Markdown and writes it to docs/bench.md and,
 * the tables alone, into README.md.
 *
 *   npm run bench                 all, a few minutes
 *   npm run bench -- --quick      smaller, under two minutes, not written down
 *   npm run bench -- --clickhouse beside the ClickHouse engine (installs half a gigabyte into dist/)
 *   npm run bench -- ingest cost  some of: ingest observed queries freshness symbolication grouping labels live rollouts edge delivery dashboard cost
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Complaint, run } from "../scripts/lib/complaint.mjs";
import { prepare, ROOT } from "../scripts/lib/toolchain.mjs";

const FULL = {
  ingest: { items: 60_000, d1Items: 5_000 },
  observed: { rounds: 5, roundMs: 4_000 },
  operations: { roundMs: 10_000 },
  events: 1_000_000,
  spanMs: 24 * 3_600_000,
  probes: 100,
  symbolication: { runs: 7 },
  grouping: { items: 20_000, rounds: 5 },
  live: { probes: 1_000, ingest: { items: 20_000, turns: 11 }, delivery: { forMs: 3_000 }, idle: 1_000 },
  rollouts: { runs: 10_000, promotions: 2_000 },
  edge: { rate: 200, runs: 5 },
  delivery: { forward: 200_000, ingest: { items: 60_000, turns: 5 }, outage: 1_440_000 },
};
const QUICK = {
  ingest: { items: 15_000, d1Items: 2_000 },
  observed: { rounds: 3, roundMs: 1_500 },
  operations: { roundMs: 3_000 },
  events: 200_000,
  spanMs: 24 * 3_600_000,
  probes: 20,
  symbolication: { runs: 3 },
  grouping: { items: 5_000, rounds: 3 },
  live: { probes: 300, ingest: { items: 10_000, turns: 3 }, delivery: { forMs: 1_500 }, idle: 1_000 },
  rollouts: { runs: 1_000, promotions: 200 },
  edge: { rate: 200, runs: 2 },
  delivery: { forward: 60_000, ingest: { items: 30_000, turns: 3 }, outage: 100_000 },
};
/** A whole run takes some ten minutes; one that hangs ends here, and its workerd with it. */
const LIMIT_MS = 1_200_000;
/** Where README.md has the figures. */
const MARKS = ["<!-- figures of npm run bench -->", "<!-- end of the figures -->"];
const PARTS = [
  "ingest",
  "observed",
  "queries",
  "freshness",
  "symbolication",
  "grouping",
  "labels",
  "live",
  "rollouts",
  "edge",
  "delivery",
  "dashboard",
  "cost",
];

run(async () => {
  const args = process.argv.slice(2);
  await prepare(fileURLToPath(import.meta.url), args);
  setTimeout(() => {
    console.error(`the bench is not done after ${LIMIT_MS / 1000} s: something hangs`);
    process.exit(1);
  }, LIMIT_MS).unref();
  const quick = args.includes("--quick");
  const size = { ...(quick ? QUICK : FULL), clickhouse: args.includes("--clickhouse") };
  const chosen = PARTS.filter((part) => args.every((arg) => arg.startsWith("--")) || args.includes(part));
  const { bench } = await import("./lib/report.mjs");
  const { full, summary } = await bench({ size, chosen, machine: machine(quick) });
  console.log(`\n${full}`);
  if (quick || chosen.length < PARTS.length || process.exitCode) return;
  writeFileSync(join(ROOT, "docs/bench.md"), full);
  const readme = join(ROOT, "README.md");
  writeFileSync(readme, withFigures(readFileSync(readme, "utf8"), summary));
  console.log("written to docs/bench.md and README.md");
});

/** Replaces what stands between the two marks. */
function withFigures(text, figures) {
  const [before, rest] = text.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (after === undefined) throw new Complaint(`README.md has no place for the figures (${MARKS.join(" … ")})`);
  return `${before}${MARKS[0]}\n${figures}\n${MARKS[1]}${after}`;
}

function machine(quick) {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const day = new Date().toISOString().slice(0, 10);
  const size = quick ? ", quick run" : "";
  return `${processors[0].model}, ${processors.length} cores, ${memory} GB; Node ${process.versions.node}; ${day}${size}`;
}
