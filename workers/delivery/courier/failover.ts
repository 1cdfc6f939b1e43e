/**
 * Whether another destination carries what this one does not take. It begins when
 * the circuit is open (or only a person can mend it), or when items wait long
 * although they are tried: slow, half broken, rate limited. It ends when the
 * destination has caught up. Who only has much to catch up on, after a pause or an
 * outage, moves on, no item waits long once it was read, and needs no failover. Pure.
 */
import { type LaneState, laneKey } from "./lane.ts";
import { FAILBACK_LAG_MS, FAILOVER_OPEN_MS, FAILOVER_WAIT_MS } from "./limits.ts";

export interface Sight {
  now: number;
  circuit: "closed" | "open" | "half-open";
  /** ms: since when the circuit is not closed. */
  openedAt: number | null;
  /** Only a person can mend it. */
  held: boolean;
  /** It fails or is late too often, whatever the circuit says (quality.ts). */
  halfBroken: boolean;
  /** How long the oldest item that was read waits for its turn, ms; 0 when none does. */
  waitedMs: number;
  /** Age of what waits, by the events' own time, ms; 0 when nothing does; infinite when it is not known yet. */
  behindMs: number;
  failedOver: boolean;
}

export function failover(sight: Sight): boolean {
  const { now, circuit, openedAt, held, halfBroken, waitedMs, behindMs, failedOver } = sight;
  if (failedOver) return held || halfBroken || circuit !== "closed" || behindMs >= FAILBACK_LAG_MS;
  // Its next items will fare no better.
  if (halfBroken) return true;
  if (waitedMs === 0) return false;
  const isOpen = circuit !== "closed" && openedAt !== null && now - openedAt >= FAILOVER_OPEN_MS;
  return held || isOpen || waitedMs >= FAILOVER_WAIT_MS;
}

/** Where the other begins: at the destination's own cursors, or where it was when it carried before, whichever is further on. A back-fill waits. */
export function viaLanes(own: readonly LaneState[], before: readonly LaneState[]): LaneState[] {
  const known = new Map(before.map((lane) => [laneKey(lane.kind, lane.shard), lane]));
  return own
    .filter(({ kind }) => kind === "log" || kind === "notices")
    .map((lane) => {
      const kept = known.get(laneKey(lane.kind, lane.shard));
      if (kept === undefined || isBeyond(lane, kept)) return lane;
      // What either of them has beyond the cursor is not sent to the other once more.
      return isBeyond(kept, lane) ? kept : { ...kept, ahead: new Set([...kept.ahead, ...lane.ahead]) };
    });
}

function isBeyond({ position: a }: LaneState, { position: b }: LaneState): boolean {
  return a.through > b.through || (a.through === b.through && a.offset > b.offset);
}
