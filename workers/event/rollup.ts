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
  /** Invocations of a Durable Object: the entrypoint is its class. */
  durable_object?: true;
  /**
   * Of those with outcome `exceededMemory`: `[colo, ms, weight, victims, …]`, by the moment at which they ended.
   * An isolate that runs out of memory fails all that it has in flight at one moment.
   */
  deaths?: (string | number)[];
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

interface RollupState extends Omit<RollupDelta, "duration" | "cpu" | "deaths"> {
  duration: Sketch;
  cpu: Sketch;
  deaths?: Map<string, Death>;
}

interface Death {
  colo: string;
  /** ms since the epoch. */
  at: number;
  weight: number;
  victims: number;
}

/** Victims of one death end within some ms of each other; isolates that die apart are told apart by it. */
const DEATH_STEP_MS = 10;
/** Without a duration nobody knows when it ended: those that began in the same second are taken together. */
const BLURRED_STEP_MS = 1_000;
/** Deaths of one delta, which covers some tens of ms of arrival; what is beyond counts as failures of their own. */
const MAX_DEATHS = 200;
const DEATH_BYTES = 40;

/** What a rollup needs to know of an invocation. */
type Counted = Pick<
  TailraceEvent,
  | "script"
  | "version_id"
  | "version_tag"
  | "version_message"
  | "entrypoint"
  | "event_type"
  | "outcome"
  | "status"
  | "sample_weight"
  | "colo"
  | "durable_object_id"
>;

/** JSON of a rollup beside its texts: names of fields, numbers, two distributions of a few values. */
const ROLLUP_BYTES = 350;

export class RollupBuilder {
  /** Rough size of what `build` makes, as JSON. */
  bytes = 0;
  private readonly states = new Map<string, RollupState>();
  /** Most invocations are like the one before: saves making the key. */
  private last: RollupState | undefined;

  /** Counts invocation events; ignores every other kind. */
  add(event: TailraceEvent): void {
    if (event.kind === "invocation") this.count(event, event.time, event.duration, event.cpu_time);
  }

  /** `time` in µs, `duration` and `cpuTime` in ms. */
  count(fields: Counted, time: number, duration: number | undefined, cpuTime: number | undefined): void {
    const state = this.stateOf(fields, Math.floor(time / MINUTE_US) * 60);
    const weight = fields.sample_weight;
    state.requests += weight;
    if (isFailure(fields.outcome, fields.status)) state.errors += weight;
    const outcome = fields.outcome ?? "unknown";
    const before = state.outcomes[outcome];
    if (before === undefined) this.bytes += outcome.length + 8;
    state.outcomes[outcome] = (before ?? 0) + weight;
    if (fields.durable_object_id !== undefined) state.durable_object = true;
    if (outcome === "exceededMemory") this.addDeath(state, fields, time, duration);
    const cls = statusClass(fields.status);
    state.statuses[cls] = (state.statuses[cls] ?? 0) + weight;
    if (duration !== undefined) state.duration.add(duration, weight);
    if (cpuTime !== undefined) state.cpu.add(cpuTime, weight);
  }

  private addDeath(state: RollupState, fields: Counted, time: number, duration: number | undefined): void {
    const step = duration === undefined ? BLURRED_STEP_MS : DEATH_STEP_MS;
    const at = Math.round((time / 1000 + (duration ?? 0)) / step) * step;
    const colo = fields.colo ?? "";
    state.deaths ??= new Map();
    const key = `${colo}\0${at}`;
    let death = state.deaths.get(key);
    if (death === undefined) {
      if (state.deaths.size >= MAX_DEATHS) return;
      death = { colo, at, weight: 0, victims: 0 };
      state.deaths.set(key, death);
      this.bytes += DEATH_BYTES + colo.length;
    }
    death.weight += fields.sample_weight;
    death.victims += 1;
  }

  private stateOf(fields: Counted, minute: number): RollupState {
    const version = fields.version_id ?? "";
    const entrypoint = fields.entrypoint ?? "";
    const type = fields.event_type ?? "";
    const { last } = this;
    if (
      last !== undefined &&
      last.minute === minute &&
      last.script === fields.script &&
      last.version_id === version &&
      last.entrypoint === entrypoint &&
      last.event_type === type
    ) {
      return last;
    }
    const key = `${minute}\0${fields.script}\0${version}\0${entrypoint}\0${type}`;
    let state = this.states.get(key);
    if (state === undefined) {
      state = {
        minute,
        script: fields.script,
        version_id: version,
        version_tag: fields.version_tag ?? "",
        version_message: fields.version_message ?? "",
        entrypoint,
        event_type: type,
        requests: 0,
        errors: 0,
        // No prototype: an outcome may be called `constructor`.
        outcomes: Object.create(null),
        statuses: {},
        duration: new Sketch(),
        cpu: new Sketch(),
      };
      this.states.set(key, state);
      this.bytes += ROLLUP_BYTES + key.length + state.version_tag.length + state.version_message.length;
    }
    this.last = state;
    return state;
  }

  build(): RollupDelta[] {
    return [...this.states.values()].map(({ deaths, ...s }) => ({
      ...s,
      outcomes: { ...s.outcomes },
      duration: s.duration.encode(),
      cpu: s.cpu.encode(),
      ...(deaths === undefined
        ? {}
        : { deaths: [...deaths.values()].flatMap((d) => [d.colo, d.at, d.weight, d.victims]) }),
    }));
  }
}
