/**
 * The shop under load, observed by Tailrace and by a tail handler that does
 * nothing, in turns. Here the tail shares the core with the shop; elsewhere it
 * runs beside it, so this is the worst case.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { connections, loops, send } from "./http.mjs";
import { median, seconds } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

/** Fewer wait for the shop's own upstreams and leave the core idle, which flatters any observer; these use over 80 % of it. */
const CONNECTIONS = 200;
const PATHS = ["/", "/api/products", "/api/products/KI-1001", "/api/search?q=wool", "/api/cart"];
/** Linux counts CPU time of a process in hundredths of a second. */
const MS_PER_TICK = 10;

const entry = (file) => fileURLToPath(new URL(`../workers/${file}`, import.meta.url));

/** A closed loop for `forMs`: requests, requests per second, and workerd's CPU-ms per request. */
async function load({ stack }, forMs) {
  const agent = connections(CONNECTIONS);
  const base = stack.shopUrl.replace("localhost", "127.0.0.1");
  const started = performance.now();
  const cpuBefore = cpuMs(stack.pids());
  let requests = 0;
  await loops(CONNECTIONS, async (n) => {
    if (performance.now() - started > forMs) return false;
    await send(agent, base + PATHS[n % PATHS.length]);
    requests++;
    return true;
  });
  agent.destroy();
  return { rate: requests / seconds(started), cpu: (cpuMs(stack.pids()) - cpuBefore) / requests };
}

/** NaN where there is no /proc. */
function cpuMs(pids) {
  try {
    const ticks = pids.map((pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
      return Number(fields[11]) + Number(fields[12]);
    });
    return ticks.reduce((sum, one) => sum + one, 0) * MS_PER_TICK;
  } catch {
    return Number.NaN;
  }
}

/** @param {{ rounds: number, roundMs: number }} size */
export async function measureObserved({ rounds, roundMs }) {
  const observed = await benchStack({ demo: true });
  const empty = await benchStack({ demo: true, entry: entry("empty-tail.ts") }).catch(async (error) => {
    await observed.stop();
    throw error;
  });
  try {
    const runs = { observed: [], empty: [] };
    // The first round warms up.
    for (let round = -1; round < rounds; round++) {
      const a = await load(observed, roundMs);
      const b = await load(empty, roundMs);
      if (round < 0) continue;
      runs.observed.push(a);
      runs.empty.push(b);
    }
    const of = (which, key) => median(runs[which].map((run) => run[key]));
    return {
      observed: of("observed", "rate"),
      empty: of("empty", "rate"),
      cpuObserved: of("observed", "cpu"),
      cpuEmpty: of("empty", "cpu"),
    };
  } finally {
    await empty.stop();
    await observed.stop();
  }
}

/**
 * Priced operations of the platform while the shop is under load.
 * @param {{ roundMs: number }} size
 */
export async function measureOperations({ roundMs }) {
  const bench = await benchStack({ demo: true, entry: entry("counting.ts") });
  try {
    const counts = () => bench.api.call("GET", "/__counts");
    await counts();
    const started = performance.now();
    await load(bench, roundMs);
    await bench.api.seal();
    const took = seconds(started);
    const { rows } = await bench.api.query("* | stats count(), count_distinct(script)", "-1h");
    return { ...(await counts()), seconds: took, events: rows[0][0], scripts: rows[0][1] };
  } finally {
    await bench.stop();
  }
}
