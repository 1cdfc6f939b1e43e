/**
 * What an idle viewer weighs. Two figures that mean different things: the
 * JavaScript heap of the platform's isolate after a garbage collection (what the
 * hub itself keeps, against a Durable Object's 128 MB), seen through the
 * inspector; and the resident memory of workerd per open socket, which is the
 * runtime's: connection, Miniflare's front, the Worker between, and the hub.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bodies } from "../items.mjs";
import { Inspector } from "./inspector.mjs";
import { startViewers } from "./live-viewers.mjs";
import { benchStack, freePort } from "./stack.mjs";

const SCRIPT = "storefront";
/** workerd takes a Durable Object out of memory some 10 s after its last work. */
const HIBERNATED_MS = 13_000;

/** @param {{ idle: number }} size how many viewers */
export async function measureMemory({ idle }) {
  const inspectorPort = await freePort();
  const bench = await benchStack({ inspectorPort });
  const viewers = await startViewers(bench);
  const inspector = await Inspector.open(inspectorPort);
  const look = async () => ({
    heap: await inspector.heapBytes(() => bench.api.call("GET", "/healthz")),
    rss: rssBytes(bench.stack.pids()),
  });
  try {
    // One viewer and some events first: code and caches are not what a viewer weighs.
    await viewers.open(1, { script: SCRIPT });
    await someEvents(bench.api);
    const before = await look();
    await viewers.open(idle, { script: SCRIPT });
    await someEvents(bench.api);
    const awake = await look();
    await sleep(HIBERNATED_MS);
    const hibernated = await look();
    const own = idle / 2;
    await viewers.open(own, { script: SCRIPT, q: "@user.id:u-#" });
    await someEvents(bench.api);
    const filtered = await look();
    const each = (key, now) => (now[key] - before[key]) / idle;
    return {
      idle,
      heapOfOwnFilter: (filtered.heap - awake.heap) / own,
      heapAwake: each("heap", awake),
      heapHibernated: each("heap", hibernated),
      rss: each("rss", hibernated),
    };
  } finally {
    inspector.close();
    viewers.stop();
    await bench.stop();
  }
}

/** So that the hub has had work with all of its viewers. */
async function someEvents(api) {
  for (const { body } of bodies({ seed: 3, count: 50, perBody: 10, from: Date.now(), spanMs: 1_000, script: SCRIPT })) {
    await api.ingest(body);
  }
  await sleep(1_000);
}

/** NaN where there is no /proc. */
function rssBytes(pids) {
  try {
    const kib = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]));
    return kib.reduce((sum, one) => sum + one, 0) * 1024;
  } catch {
    return Number.NaN;
  }
}
