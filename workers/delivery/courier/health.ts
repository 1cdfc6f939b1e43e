/** What is known of one destination, as the API and the pages show it. */
import type { DestinationHealth } from "../../api/contract/integrations.ts";
import type { StoredDestination } from "../destinations.ts";
import { dueAt, isCounted, oldestIn, queuedIn } from "./backlog.ts";
import type { Channel } from "./channel.ts";
import { conditionOf } from "./condition.ts";
import type { Measures } from "./measures.ts";
import { type CourierState, gateOf } from "./state.ts";

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
  // After an eviction nothing was read yet: what was known before is what is known.
  const isKnown = own !== undefined && isCounted(own);
  const queued = (isKnown ? queuedIn(own) : (row?.health?.queued ?? (own && queuedIn(own)))) ?? null;
  const oldestWaiting = (isKnown ? oldestIn(own) : (row?.health?.oldestWaiting ?? (own && oldestIn(own)))) ?? null;
  const paused = row?.state === "paused";
  const standby = row?.standby ?? false;
  const gate = gateOf(receiver);
  const isWaiting = !paused && gate > now;
  return {
    ...conditionOf({
      now,
      state,
      paused,
      standby,
      problem,
      storeError,
      queued,
      oldestWaiting,
      lingerMs: own?.lingerMs ?? 0,
      failoverName,
      deadLetters: known.deadLetters,
    }),
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
    dueAt: own === undefined ? null : dueAt(own, now),
    lastError: state.lastError,
    nextTryAt: isWaiting ? gate : null,
    circuit: receiver.breaker.state,
    failedOverSince: state.failedOverSince,
    carriedAt: via === undefined ? null : via.isDrained ? now : state.viaMovedAt,
    backfill: state.backfill,
    ...measures.read(now),
    asOf: now,
  };
}
