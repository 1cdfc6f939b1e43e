/**
 * Whether another destination carries what this one does not take. It begins when
 * the circuit is open (or only a person can mend it), or when items wait long
 * although they are tried: slow, half broken, rate limited. It ends when the
 * destination has caught up. Who only has much to catch up on, after a pause or an
 * outage, moves on, no item waits long once it was read, and needs no failover. Pure.
 */
import { FAILBACK_LAG_MS, FAILOVER_OPEN_MS, FAILOVER_WAIT_MS } from "./limits.ts";

export interface Sight {
  now: number;
  circuit: "closed" | "open" | "half-open";
  /** ms: since when the circuit is not closed. */
  openedAt: number | null;
  /** Only a person can mend it. */
  held: boolean;
  /** How long the oldest item that was read waits for its turn, ms; 0 when none does. */
  waitedMs: number;
  /** Age of what waits, by the events' own time, ms; 0 when nothing does. */
  behindMs: number;
  failedOver: boolean;
}

export function failover(sight: Sight): boolean {
  const { now, circuit, openedAt, held, waitedMs, behindMs, failedOver } = sight;
  if (failedOver) return held || circuit !== "closed" || behindMs >= FAILBACK_LAG_MS;
  if (waitedMs === 0) return false;
  const isOpen = circuit !== "closed" && openedAt !== null && now - openedAt >= FAILOVER_OPEN_MS;
  return held || isOpen || waitedMs >= FAILOVER_WAIT_MS;
}
