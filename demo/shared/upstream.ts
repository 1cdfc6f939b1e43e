/**
 * Things outside of the shop (a payment provider, a search index): the demo
 * must run offline, so a call is a wait of a believable length: mostly near
 * the median, now and then several times that.
 */
import { recordUpstream } from "./log.ts";

/** Log-normal spread of a healthy service: p99 is about four times the median. */
const SPREAD = 0.6;

/** One call in four thousand ends as calls over a network now and then do, with the runtime's own words. */
const LOST_SHARE = 1 / 4_000;

export async function callUpstream(service: string, medianMs: number): Promise<number> {
  const ms = medianMs * Math.exp(SPREAD * gaussian());
  await scheduler.wait(ms);
  if (Math.random() < LOST_SHARE) {
    recordUpstream(service, Math.round(ms), false);
    throw new Error("Network connection lost.");
  }
  recordUpstream(service, Math.round(ms), true);
  return ms;
}

/** Box–Muller. */
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
