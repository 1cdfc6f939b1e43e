/** The live tail over real sockets: how soon, at what cost for ingest, how much one hub delivers, what a viewer weighs. */
import { measureDelivery } from "./live-delivery.mjs";
import { measureIngestWatched } from "./live-ingest.mjs";
import { measureLatency } from "./live-latency.mjs";
import { measureMemory } from "./live-memory.mjs";

/** @param {{ probes: number, ingest: { items: number, turns: number }, delivery: { forMs: number }, idle: number }} size */
export async function measureLive(size) {
  return {
    latency: await attempt("latency", () => measureLatency(size)),
    ingest: await attempt("ingest", () => measureIngestWatched(size.ingest)),
    delivery: await attempt("delivery", () => measureDelivery(size.delivery)),
    memory: await attempt("memory", () => measureMemory(size)),
  };
}

/** One that fails does not take the others with it; the bench ends with a failure, and nothing is written down. */
async function attempt(name, work) {
  try {
    return await work();
  } catch (error) {
    console.error(`\nlive: ${name} was not measured: ${error.stack}`);
    process.exitCode = 1;
    return undefined;
  }
}
