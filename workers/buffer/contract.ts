/**
 * What the Ingester (a Durable Object, one per shard of a Worker's events)
 * offers over RPC. Callers: `ingest/` appends; `query/` and `api/` read what is
 * not sealed yet; the cron and tests seal.
 */
import type { IssueDelta } from "../errors/delta.ts";
import type { LedgerDelta, RollupDelta } from "../event/rollup.ts";
import type { Lease, ReplayAnswer, ReplayRequest, ShardPosition } from "../live/contract.ts";

export interface AppendRequest {
  script: string;
  /** Random; a retry of the same append carries the same id and counts once. */
  batchId: string;
  /** `BatchBuilder.encode()`; empty when only the ledger has news. */
  batch: string;
  rows: number;
  /** Microseconds since the epoch; 0 when `rows` is 0. */
  minTime: number;
  maxTime: number;
  rollups: RollupDelta[];
  ledger: LedgerDelta[];
  /** What the batch's errors add to issues; they reach D1 within seconds (`errors/issues/`). */
  issues?: IssueDelta[];
  /** True when the batch holds nothing but what must not be shed (errors). An overloaded Ingester still takes it. */
  essential: boolean;
  /** Over how many Ingesters the caller spreads this Worker's events at present; 1 unless told otherwise. */
  spread?: number;
  /** Leases that the caller has heard of, so that every shard of a watched Worker learns of them. */
  leases?: Lease[];
  /** JSON of `LiveExtras`: passed on to whoever watches, never stored. */
  extras?: string;
}

export type AppendResult =
  /**
   * Durable. `shards`: over how many Ingesters this Worker's events should be spread from now on.
   * `leases`: who watches, if anybody. `supply`: somebody wants extras, and the append came without:
   * they are awaited for a moment (`IngesterRpc.supply`).
   */
  | { ok: true; shards: number; leases?: Lease[]; supply?: boolean }
  /** Nothing was kept: shed what is not essential, and send the rest again. */
  | { ok: false; reason: "overloaded"; retryAfterMs: number };

export interface UnsealedRequest {
  /** Microseconds, half-open `[from, to)`. */
  from: number;
  to: number;
  /** Batches with a log id at or below this are already known to the caller (its cache). */
  afterId?: number;
}

export interface UnsealedBatch {
  /** Position in this shard's log: ascending, never reused. */
  id: number;
  rows: number;
  minTime: number;
  maxTime: number;
  batch: string;
}

export interface UnsealedAnswer {
  batches: UnsealedBatch[];
  /** True when there were more bytes than one answer may carry: ask again from the last id. */
  more: boolean;
}

export interface UnsealedRollups {
  /**
   * One entry per log row, so that the caller can leave out what D1 has (`id <= sealed_through`).
   * JSON of `RollupDelta[]` and `LedgerDelta[]`: parsed by who asks, not by the one thread of the Ingester.
   */
  entries: {
    id: number;
    /** When it arrived, ms since the epoch. */
    at: number;
    rollups: string;
    ledger: string;
  }[];
  /** True when there was more than one answer may carry: ask again from the last id. */
  more: boolean;
  /** The last id that this log ever gave; ids are consecutive, so who remembers where it was knows what it missed. */
  through: number;
}

export interface UnsealedRollupsRequest {
  afterId?: number;
  /**
   * The caller comes again every few seconds with the last id it has: what is sealed in between is held in memory for
   * it, within bounds (`follower.ts`). There is one such caller, the Worker's guard.
   */
  follow?: true;
}

export interface ReadLogRequest {
  /** Who reads: a destination. */
  reader: string;
  /** The last entry that the reader has. */
  afterId: number;
  /** Of text; at least one entry comes, and no more than READ_LOG_BYTES. 0: nothing is read, only how much waits. */
  maxBytes: number;
  /** Leaves out entries that surely hold neither exceptions nor failed invocations. */
  errorsOnly: boolean;
}

export interface LoggedBatch {
  id: number;
  rows: number;
  batch: string;
}

export interface ReadLogAnswer {
  /** The oldest entry that the log still has, or will have. When it is beyond the next one asked for, `batches` is empty: those before it were sealed, or never existed. */
  firstId: number;
  /** In order; entries without events are left out. */
  batches: LoggedBatch[];
  /** Up to here all there is was in this answer, or left out as asked. */
  through: number;
  more: boolean;
  /** Events after `through` that may be wanted. */
  waiting: number;
  /** ms: of the first event after `afterId` that may be wanted; null when there is none. */
  oldest: number | null;
  /** 0 to 1 and beyond: how busy this Ingester is with appends, and those that share its thread. */
  use: number;
  /** So busy that the reader is asked to come again later: nothing was read. */
  isBusy: boolean;
}

export interface IngesterStatus {
  shard: string;
  script: string;
  unsealedRows: number;
  unsealedBytes: number;
  /** Age of the oldest unsealed batch, ms. */
  oldestMs: number;
  /** Consecutive failures of sealing, and the last message. */
  sealFailures: number;
  lastError?: string;
  /** Batches set aside because they could not be decoded. */
  quarantined: number;
  /** Consecutive failures of bringing issues to D1. */
  flushFailures: number;
  /** When a chunk last left the log in this life of the object, ms; absent: none has yet. */
  sealedAt?: number;
  /** How long issues have been due and are not in D1, ms; absent: none are due. */
  issuesWaitingMs?: number;
}

export type SealResult = { ok: true } | { ok: false; error: string };

export interface IngesterRpc {
  append(request: AppendRequest): Promise<AppendResult>;
  unsealed(request: UnsealedRequest): Promise<UnsealedAnswer>;
  unsealedRollups(request?: UnsealedRollupsRequest): Promise<UnsealedRollups>;
  /** What is in the log, for who delivers it (`delivery/source/`). Whoever reads is told of what comes. */
  readLog(request: ReadLogRequest): Promise<ReadLogAnswer>;
  /** Seals all there is now; resolves when it is in the catalog, or when a store refused (nothing is lost then). */
  seal(): Promise<SealResult>;
  /** Brings all issue deltas to D1 now, and does what follows; false when D1 did not take them (nothing is lost then). */
  flushIssues(): Promise<boolean>;
  status(): Promise<IngesterStatus>;
  /** A hub has viewers for this Worker: push to it until the lease ends. Answers where the log is. */
  watch(lease: Lease): Promise<ShardPosition>;
  /** The extras of an append that came without them. Too late, or unknown: nothing happens. */
  supply(batchId: string, extras: string): Promise<void>;
  /** What is left in the log for viewers who come again. */
  replay(request: ReplayRequest): Promise<ReplayAnswer>;
}

/** Ingesters of one Worker at most: 25,000 events/s each (pressure.ts), and every query asks all of them. */
export const MAX_SHARDS = 16;

/** Durable Object name of a shard: `script` or `script#n`. A `#` of the script's own is doubled, so no two shards share a name. */
export function shardName(script: string, shard: number): string {
  const name = script.replaceAll("#", "##");
  return shard === 0 ? name : `${name}#${shard}`;
}
