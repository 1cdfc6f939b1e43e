/**
 * Minute rollups and the ledger: what the Collector counts while it makes
 * events, so that charts need not read them. They travel with the batch, lie in
 * the write-ahead log beside it, and reach D1 in the same transaction that
 * records its segment: counted once, however often a seal is tried.
 */

import type { TailraceEvent } from "./event.ts";
import { isFailure, statusClass } from "./failure.ts";
import { Sketch, type WireSketch } from "./sketch.ts";

export const MINUTE_US = 60_000_000;

/** Invocations of one minute and one combination of keys. Counts are weighted. */
export interface RollupDelta {
  /** Start of the minute, seconds since the epoch. */
  minute: number;
  script: string;
  version_id: string;
  version_tag: string;
  version_message: string;
  entrypoint: string;
  event_type: string;
  requests: number;
  /** Failures as `isFailure` has them. */
  errors: number;
  outcomes: Record<string, number>;
  /** 2xx … 5xx, none. */
  statuses: Record<string, number>;
  /** Milliseconds. */
  duration: WireSketch;
  /** Milliseconds. */
  cpu: WireSketch;
}

export const LEDGER_REASONS = [
  /** Trace items that arrived. */
  "received",
  /** Trace items kept (real count, not weighted). */
  "kept",
  "sampled_out",
  "rate_limited",
  /** Dropped because the Ingester or the Collector's buffer was full. */
  "overloaded",
  /** Items of which the platform had cut logs away; they are kept. */
  "truncated",
  /** Items that could not be read; they are kept raw. */
  "unreadable",
  /** Events written. */
  "events",
] as const;
export type LedgerReason = (typeof LEDGER_REASONS)[number];

export interface LedgerDelta {
  /** Seconds since the epoch, whole minutes, by the item's own time. */
  minute: number;
  script: string;
  counts: Partial<Record<LedgerReason, number>>;
}

interface RollupState extends Omit<RollupDelta, "duration" | "cpu"> {
  duration: Sketch;
  cpu: Sketch;
}

export class RollupBuilder {
  private readonly states = new Map<string, RollupState>();

  /** Counts invocation events; ignores every other kind. */
  add(event: TailraceEvent): void {
    if (event.kind !== "invocation") return;
    const minute = Math.floor(event.time / MINUTE_US) * 60;
    const key = `${minute}\0${event.script}\0${event.version_id ?? ""}\0${event.entrypoint ?? ""}\0${event.event_type ?? ""}`;
    let state = this.states.get(key);
    if (state === undefined) {
      state = {
        minute,
        script: event.script,
        version_id: event.version_id ?? "",
        version_tag: event.version_tag ?? "",
        version_message: event.version_message ?? "",
        entrypoint: event.entrypoint ?? "",
        event_type: event.event_type ?? "",
        requests: 0,
        errors: 0,
        outcomes: {},
        statuses: {},
        duration: new Sketch(),
        cpu: new Sketch(),
      };
      this.states.set(key, state);
    }
    const weight = event.sample_weight;
    state.requests += weight;
    if (isFailure(event.outcome, event.status)) state.errors += weight;
    const outcome = event.outcome ?? "unknown";
    state.outcomes[outcome] = (state.outcomes[outcome] ?? 0) + weight;
    const cls = statusClass(event.status);
    state.statuses[cls] = (state.statuses[cls] ?? 0) + weight;
    if (event.duration !== undefined) state.duration.add(event.duration, weight);
    if (event.cpu_time !== undefined) state.cpu.add(event.cpu_time, weight);
  }

  build(): RollupDelta[] {
    return [...this.states.values()].map((s) => ({ ...s, duration: s.duration.encode(), cpu: s.cpu.encode() }));
  }
}
