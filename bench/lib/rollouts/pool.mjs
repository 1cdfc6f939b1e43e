/** Simulates with two threads: each takes every other batch of runs. */
import { availableParallelism } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { simulate, summaryOf } from "./simulate.mjs";

const MAX_THREADS = 2;
const BATCH = 250;

/**
 * @param {{ scenario: import("./traffic.mjs").Scenario, runs: number, rules?: number }[]} jobs
 * @returns {Promise<ReturnType<typeof summaryOf>[][]>} by job, by rule
 */
export async function simulateAll(jobs, { seed, threads = Math.min(MAX_THREADS, availableParallelism()) }) {
  const batches = jobs.flatMap(({ scenario, runs, rules }, job) =>
    Array.from({ length: Math.ceil(runs / BATCH) }, (_, n) => ({
      job,
      scenario,
      runs: { seed, from: n * BATCH, to: Math.min(runs, (n + 1) * BATCH), rules },
    })),
  );
  const parts = jobs.map(() => []);
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const own = batches.filter((_, n) => n % threads === thread);
      return work(own, ({ job, from, outcomes }) => parts[job].push({ from, outcomes }));
    }),
  );
  return parts.map((found) => joined(found.sort((a, b) => a.from - b.from).map(({ outcomes }) => outcomes)));
}

function work(batches, onResult) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { batches } });
    worker.on("message", onResult);
    worker.on("error", reject);
    worker.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`a thread of the simulation ended with ${code}`)),
    );
  });
}

/** One summary per rule. */
function joined(parts) {
  return parts[0].map(({ label }, rule) => {
    const ends = Uint8Array.from(parts.flatMap((part) => [...part[rule].ends]));
    const seconds = Float64Array.from(parts.flatMap((part) => [...part[rule].seconds]));
    return summaryOf({ label, ends, seconds });
  });
}

if (parentPort !== null && workerData?.batches !== undefined) {
  for (const { job, scenario, runs } of workerData.batches) {
    parentPort.postMessage({ job, from: runs.from, outcomes: simulate(scenario, runs) });
  }
}
