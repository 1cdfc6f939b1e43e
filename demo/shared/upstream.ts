/**
 * Things outside of the shop (a payment provider, a search index): the demo
 * must run offline, so a call is a wait of a believable length: mostly near
 * the median, now and then several times that.
 */
import { recordUpstream } from "./log.ts";

/** Log-normal spread of a healthy service: p99 is about four times the median. */
const SPREAD = 0.6;

export async function callUpstream(service: string, medianMs: number): Promise<number> {
  const ms = medianMs * Math.exp(SPREAD * gaussian());
  await scheduler.wait(ms);
  recordUpstream(service, Math.round(ms), true);
  return ms;
}

/** Box–Muller. */
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
