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
const FIRST_VIEWERS = 20;
/** A newcomer is held for a moment, in case that it asks for what it missed. */
const JOINED_MS = 2_000;
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
    // Some viewers first, who come while there is something to come to: code, ring and what was decoded are not what a viewer weighs.
    for (let n = 0; n < 2; n++) {
      await viewers.open(FIRST_VIEWERS, { script: SCRIPT });
      await someEvents(bench.api);
    }
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

/** So that the hub has had work with all of its viewers, who by then are no newcomers. */
async function someEvents(api) {
  await sleep(JOINED_MS);
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
