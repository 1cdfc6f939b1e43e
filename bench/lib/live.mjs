/** The live tail over real sockets: how soon, at what cost for ingest, how much one hub delivers, what a viewer weighs. */
import { measureDelivery } from "./live-delivery.mjs";
import { measureIngestWatched } from "./live-ingest.mjs";
import { measureLatency } from "./live-latency.mjs";
import { measureMemory } from "./live-memory.mjs";

/** @param {{ probes: number, ingest: { items: number, turns: number }, delivery: { forMs: number }, idle: number }} size */
export async function measureLive(size) {
  return {
    latency: await measureLatency(size),
    ingest: await measureIngestWatched(size.ingest),
    delivery: await measureDelivery(size.delivery),
    memory: await measureMemory(size),
  };
}
