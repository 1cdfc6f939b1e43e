/**
 * From the end of an invocation to its event at a viewer, through the tail of a
 * small observed Worker. Requests, answers and viewer are in this process: one
 * clock. An invocation has ended when its answer is here, which is a little after
 * it ended in workerd; the event may even come first, and then counts as 0.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LiveViewer } from "../../test/support/live-viewer.ts";
import { connections, send } from "./http.mjs";
import { readToken } from "./live-viewers.mjs";
import { quantile } from "./numbers.mjs";
import { benchStack } from "./stack.mjs";

const SCRIPT = "bench-marker";
/** Each makes two events: an invocation and a line. */
const INVOCATIONS_PER_S = 100;
const WARM_UPS = 100;
const GIVE_UP_MS = 10_000;

const markerWorker = (port) => ({
  name: SCRIPT,
  compatibilityDate: "2026-11-01",
  modules: [
    {
      type: "ESModule",
      path: "index.js",
      contents: readFileSync(new URL("../workers/marker.mjs", import.meta.url), "utf8"),
    },
  ],
  tails: [{ name: "tailrace", props: { local: true, script: SCRIPT, version: { id: "v1", tag: "v1", message: "" } } }],
  unsafeDirectSockets: [{ host: "127.0.0.1", port }],
});

/** @param {{ probes: number }} size how many invocations */
export async function measureLatency({ probes }) {
  const bench = await benchStack({ workersAt: (port) => [markerWorker(port)] });
  const agent = connections(32);
  const base = `http://127.0.0.1:${Number(new URL(bench.stack.url).port) + 1}`;
  const ended = new Map();
  const seen = new Map();
  const viewer = await LiveViewer.open(bench.stack.url, {
    token: await readToken(bench.api),
    script: SCRIPT,
    onMessage(message) {
      if (message.type !== "events") return;
      const now = performance.now();
      for (const { message: text, attributes } of message.events) if (text === "seen") seen.set(attributes.path, now);
    },
  });
  try {
    await viewer.greeted;
    const started = performance.now();
    const sent = [];
    const total = WARM_UPS + probes;
    for (let n = 0; n < total; n++) {
      await sleep(Math.max(0, started + (n * 1000) / INVOCATIONS_PER_S - performance.now()));
      const path = `/m/${n}`;
      sent.push(send(agent, base + path).then(() => ended.set(path, performance.now())));
    }
    await Promise.all(sent);
    await viewer.until(() => seen.size >= total, GIVE_UP_MS, `all ${total} invocations at the viewer`);
    const waits = Array.from({ length: probes }, (_, n) => {
      const path = `/m/${WARM_UPS + n}`;
      return Math.max(0, seen.get(path) - ended.get(path));
    });
    return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), notShown: viewer.tally.notShown };
  } finally {
    viewer.destroy();
    agent.destroy();
    await bench.stop();
  }
}
