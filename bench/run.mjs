/**
 * `npm run bench`: the figures that Tailrace promises, each as a ratio to a
 * limit or a peer that was measured in the same run, and what a million
 * invocations cost. Prints Markdown and writes it to docs/bench.md.
 *
 *   npm run bench                 all, a few minutes
 *   npm run bench -- --quick      smaller, under two minutes, not written down
 *   npm run bench -- --clickhouse beside the ClickHouse engine (installs half a gigabyte into dist/)
 *   npm run bench -- ingest cost  some of: ingest observed queries freshness dashboard cost
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../scripts/lib/complaint.mjs";
import { prepare, ROOT } from "../scripts/lib/toolchain.mjs";

const FULL = {
  ingest: { items: 60_000, d1Items: 8_000 },
  observed: { rounds: 5, roundMs: 4_000 },
  operations: { roundMs: 10_000 },
  events: 1_000_000,
  spanMs: 24 * 3_600_000,
  probes: 100,
};
const QUICK = {
  ingest: { items: 15_000, d1Items: 2_000 },
  observed: { rounds: 3, roundMs: 1_500 },
  operations: { roundMs: 3_000 },
  events: 200_000,
  spanMs: 24 * 3_600_000,
  probes: 20,
};
const PARTS = ["ingest", "observed", "queries", "freshness", "dashboard", "cost"];

run(async () => {
  const args = process.argv.slice(2);
  await prepare(fileURLToPath(import.meta.url), args);
  const quick = args.includes("--quick");
  const size = { ...(quick ? QUICK : FULL), clickhouse: args.includes("--clickhouse") };
  const chosen = PARTS.filter((part) => args.every((arg) => arg.startsWith("--")) || args.includes(part));
  const { bench } = await import("./lib/report.mjs");
  const markdown = await bench({ size, chosen, machine: machine(quick) });
  console.log(`\n${markdown}`);
  if (quick || chosen.length < PARTS.length) return;
  mkdirSync(join(ROOT, "docs"), { recursive: true });
  writeFileSync(join(ROOT, "docs/bench.md"), markdown);
  console.log("written to docs/bench.md");
});

function machine(quick) {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const day = new Date().toISOString().slice(0, 10);
  const size = quick ? ", quick run" : "";
  return `${processors[0].model}, ${processors.length} cores, ${memory} GB; Node ${process.versions.node}; ${day}${size}`;
}
