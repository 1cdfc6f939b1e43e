/** How much waits in a channel, since when and until when, as its lanes know it: what the page shows (health.ts). Pure. */
import type { Channel } from "./channel.ts";

/** Of every lane it is known how much waits. */
export function isCounted({ lanes }: Channel): boolean {
  return [...lanes.values()].every(({ beyond }) => beyond !== null);
}

/** Events that wait and may match, as far as is known. */
export function queuedIn({ lanes }: Channel): number | null {
  let sum = 0;
  let known = 0;
  for (const lane of lanes.values()) {
    if (lane.beyond === null && lane.items === 0) continue;
    known += 1;
    sum += lane.waitingItems + lane.flying + (lane.beyond ?? 0);
  }
  if (known === 0 && lanes.size > 0) return null;
  return sum;
}

/** ms since the epoch of the oldest event that waits; a back-fill is old by its nature. */
export function oldestIn({ lanes }: Channel): number | null {
  let oldest: number | null = null;
  for (const lane of lanes.values()) {
    const at = lane.isLive ? lane.oldest : null;
    if (at !== null && (oldest === null || at < oldest)) oldest = at;
  }
  return oldest;
}

/** ms since the epoch: all that was read waits until then, and is meant to; null when something may go, or nothing is there. */
export function dueAt(channel: Channel, now: number): number | null {
  if (channel.storeError !== null || channel.gate() > now) return null;
  const { lanes, terms } = channel;
  let soonest: number | null = null;
  for (const lane of lanes.values()) {
    if (lane.flying > 0) return null;
    const at = lane.waitingItems > 0 ? lane.sendAt(terms) : null;
    if (at !== null && (soonest === null || at < soonest)) soonest = at;
  }
  return soonest !== null && soonest > now ? soonest : null;
}
