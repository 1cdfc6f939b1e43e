/** What a Courier must remember besides its cursors: one JSON row, written in the transaction that moves them. */
import type { BackfillRequest, DestinationHealth, DestinationRules } from "../../api/contract/integrations.ts";
import type { Failure } from "../../integrations/contract.ts";
import type { Position } from "../contract.ts";
import type { CeilingState } from "../rules/ceiling.ts";
import { MAX_CEILING_MINUTES } from "../rules/limits.ts";
import { type Breaker, CLOSED } from "./breaker.ts";
import type { Span } from "./loading.ts";
import type { Quality } from "./quality.ts";
import type { Waits } from "./slot.ts";

export interface Hold {
  since: number;
  tries: number;
  /** ms: when it is tried next. */
  until: number;
  failure: Failure;
}

/** How one receiver is: the destination's own, or its failover's. */
export interface ReceiverState {
  breaker: Breaker;
  hold: Hold | null;
  refusedInRow: number;
  deliveredAt: number;
  quality: Quality;
  /** Kinds of items that it does not want now. */
  waits: Waits;
  /** Counts probes: each begins elsewhere. */
  probes: number;
}

export interface Counters {
  delivered: number;
  failed: number;
  sampled: number;
  ceiling: number;
  rejected: number;
  lost: number;
  viaFailover: number;
  /** Dead letters that were dropped, because there were too many. */
  deadDropped: number;
}

export interface CourierState {
  /** Cursors are set. */
  started: boolean;
  /** Revision of the row by which it works. */
  revision: number;
  /** … and its rules: what they wanted has a cursor, or is new. */
  chosen: DestinationRules | null;
  counters: Counters;
  receiver: ReceiverState;
  via: ReceiverState;
  lastDeliveredAt: number | null;
  lastError: DestinationHealth["lastError"];
  failedOverSince: number | null;
  /** Which destination carries it. */
  viaId: string | null;
  /** Why that carries nothing although it is wanted. */
  viaProblem: string | null;
  backfill: DestinationHealth["backfill"];
  /** What the listed segments are read for, also where nobody asked (beginnings.ts). */
  span: Span | null;
  /** Up to where lanes were read beyond their windows, for kinds that may be sent (strays.ts). */
  scouts: Record<string, Position>;
  /** Number of the last notice that a back-fill sends. */
  noticesTo: number;
  /** Asked for, and not begun. */
  backfillNext: BackfillRequest | null;
  /** ms: events from then on have had their turn, or have it now. */
  coveredFrom: number;
  /** What the ceiling has let through up to the cursors (rules/ceiling.ts). */
  ceiling: CeilingState;
  movedAt: number;
  /** … and those of its failover, since it carries. */
  viaMovedAt: number;
}

export const newReceiver = (): ReceiverState => ({
  ...{ breaker: CLOSED, hold: null, refusedInRow: 0, deliveredAt: 0, probes: 0, quality: [], waits: {} },
});

export function newState(now: number): CourierState {
  return {
    started: false,
    revision: 0,
    chosen: null,
    counters: {
      ...{ delivered: 0, failed: 0, sampled: 0, ceiling: 0 },
      ...{ rejected: 0, lost: 0, viaFailover: 0, deadDropped: 0 },
    },
    receiver: newReceiver(),
    via: newReceiver(),
    lastDeliveredAt: null,
    lastError: null,
    failedOverSince: null,
    viaId: null,
    viaProblem: null,
    backfill: null,
    span: null,
    scouts: {},
    noticesTo: 0,
    backfillNext: null,
    coveredFrom: now,
    ceiling: [],
    movedAt: now,
    viaMovedAt: now,
  };
}

/** What is stored, also by an earlier release: what later ones added is as in a new one. */
export function readState(json: string | undefined, now: number): CourierState {
  const fresh = newState(now);
  if (json === undefined) return fresh;
  const stored = JSON.parse(json) as Partial<CourierState>;
  const { receiver, via, counters } = stored;
  return {
    ...fresh,
    ...stored,
    counters: { ...fresh.counters, ...counters },
    receiver: withDefaults(receiver),
    via: withDefaults(via),
  };
}

function withDefaults(stored: Partial<ReceiverState> | undefined): ReceiverState {
  return { ...newReceiver(), ...stored, breaker: { ...CLOSED, ...stored?.breaker } };
}

/** The cursor passed what the ceiling had counted: minute → items. */
export function ceilingPassed(before: CeilingState, passed: ReadonlyMap<number, number>): CeilingState {
  const counts = new Map(before);
  for (const [minute, n] of passed) counts.set(minute, (counts.get(minute) ?? 0) + n);
  return [...counts].sort(([a], [b]) => a - b).slice(-MAX_CEILING_MINUTES);
}

/** ms: nothing is sent before. */
export const gateOf = ({ hold, breaker }: ReceiverState): number => Math.max(hold?.until ?? 0, breaker.until);
