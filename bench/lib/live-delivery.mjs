/**
 * Events per second that one hub delivers, all its viewers together: a steady
 * stream of one Worker's events, everyone with the same filter and a rate that
 * takes all of it; counted by the viewers, from what they have read.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { bodies } from "../items.mjs";
import { startViewers } from "./live-viewers.mjs";
import { benchStack } from "./stack.mjs";

const SCRIPT = "storefront";
/** Viewers and events per second of the stream: what is wanted of the hub grows, and in the end there are many. */
const SWEEP = [
  { viewers: 20, rate: 1_000 },
  { viewers: 100, rate: 1_000 },
  { viewers: 200, rate: 1_000 },
  { viewers: 400, rate: 1_000 },
  { viewers: 1_000, rate: 100 },
];
/** The most that a viewer may ask for. */
const VIEWER_RATE = 5_000;
const BODY_EVERY_MS = 50;
const SETTLE_MS = 1_000;
const EVENTS_PER_ITEM = 2.5;

/** @param {{ forMs: number }} size */
export async function measureDelivery({ forMs }) {
  const bench = await benchStack();
  const viewers = await startViewers(bench);
  try {
    const steps = [];
    for (const step of SWEEP) steps.push(await deliver(bench, viewers, step, forMs));
    const best = steps.reduce((a, b) => (b.delivered > a.delivered ? b : a));
    return { ...best, steps };
  } finally {
    viewers.stop();
    await bench.stop();
  }
}

async function deliver(bench, viewers, { viewers: count, rate }, forMs) {
  await viewers.open(count, { script: SCRIPT, rate: VIEWER_RATE });
  const stream = startStream(bench.api, rate, forMs + 4 * SETTLE_MS);
  try {
    await sleep(SETTLE_MS);
    const before = await viewers.tally();
    await sleep(forMs);
    const after = await viewers.tally();
    const seconds = (after.at - before.at) / 1000;
    const matched = after.matched - before.matched;
    return {
      viewers: count,
      offered: count * rate,
      delivered: (after.events - before.events) / seconds,
      shown: matched === 0 ? 0 : (after.events - before.events) / matched,
      bytes: (after.chars - before.chars) / seconds,
      frames: (after.frames - before.frames) / seconds,
    };
  } finally {
    await stream.stop();
    await viewers.close();
  }
}

/** Small bodies at a steady pace; one that is late is not made up for. */
function startStream(api, rate, spanMs) {
  const perBody = Math.max(1, Math.round((rate / EVENTS_PER_ITEM / 1000) * BODY_EVERY_MS));
  const count = Math.ceil(spanMs / BODY_EVERY_MS) * perBody;
  const source = bodies({ seed: 7, count, perBody, from: Date.now(), spanMs, script: SCRIPT });
  const open = new Set();
  const timer = setInterval(() => {
    const { value: load } = source.next();
    if (load === undefined) return;
    const sending = api.ingest(load.body).finally(() => open.delete(sending));
    open.add(sending);
  }, BODY_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}
