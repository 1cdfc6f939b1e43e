/** What is known of one destination, as the API and the pages show it. */
import type { DestinationHealth } from "../../api/contract/integrations.ts";
import type { StoredDestination } from "../destinations.ts";
import type { Channel } from "./channel.ts";
import { conditionOf } from "./condition.ts";
import type { Measures } from "./measures.ts";
import type { CourierState } from "./state.ts";

export interface Known {
  state: CourierState;
  row: StoredDestination | undefined;
  own: Channel | undefined;
  via: Channel | undefined;
  deadLetters: number;
  problem: string | null;
  storeError: string | null;
  measures: Measures;
  now: number;
  failoverName: string | null;
}

export function healthOf(known: Known): DestinationHealth {
  const { state, row, own, via, now, measures, problem, storeError, failoverName } = known;
  const { counters, receiver } = state;
  const queued = own?.queued() ?? null;
  const oldestWaiting = own?.oldest() ?? null;
  const paused = row?.state === "paused";
  const standby = row?.standby ?? false;
  const isWaiting = !paused && (own?.gate() ?? 0) > now;
  return {
    ...conditionOf({ now, state, paused, standby, problem, storeError, queued, oldestWaiting, failoverName }),
    delivered: counters.delivered,
    failed: counters.failed,
    droppedByRule: { sampled: counters.sampled, ceiling: counters.ceiling },
    rejectedByReceiver: counters.rejected,
    deadLetters: known.deadLetters,
    lost: counters.lost,
    viaFailover: counters.viaFailover,
    queued,
    oldestWaiting,
    lastDeliveredAt: state.lastDeliveredAt,
    movedAt: state.movedAt,
    lastError: state.lastError,
    nextTryAt: isWaiting ? (own?.gate() ?? null) : null,
    circuit: receiver.breaker.state,
    failedOverSince: state.failedOverSince,
    carriedAt: via === undefined ? null : via.isDrained ? now : state.viaMovedAt,
    backfill: state.backfill,
    ...measures.read(now),
    asOf: now,
  };
}
