/**
 * The Ingester: a Durable Object that keeps the events of one shard of a Worker
 * from the moment they are acknowledged until they lie in a segment.
 *
 * `ingest/` appends; `query/` and `store/counts/` read what is unsealed;
 * the alarm seals (`sealer.ts`) into R2 and D1. What is kept in memory can be
 * lost at any time: the log in SQLite is the truth, and an append is answered
 * only when its row is on disk (the output gate of Durable Objects).
 */
import { DurableObject } from "cloudflare:workers";
import type { Nudge } from "../delivery/contract.ts";
import type { Lease, LiveHubRpc, ReplayAnswer, ReplayRequest, ShardPosition } from "../live/contract.ts";
import type { GuardRpc } from "../rollouts/contract.ts";
import { flushCounts } from "../self/count.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { Aftermath } from "./aftermath.ts";
import type {
  AppendRequest,
  AppendResult,
  IngesterRpc,
  IngesterStatus,
  ReadLogAnswer,
  ReadLogRequest,
  SealResult,
  UnsealedAnswer,
  UnsealedRequest,
  UnsealedRollups,
  UnsealedRollupsRequest,
} from "./contract.ts";
import { countAppend, countFlush, countPush, countRefused, countSealed, countSealFailure } from "./counting.ts";
import { Follower } from "./follower.ts";
import { IssueFlush } from "./issue-flush.ts";
import { Leases } from "./leases.ts";
import {
  ALARM_STEP_MS,
  ANSWER_BYTES,
  CHUNKS_PER_ALARM,
  MAX_APPEND_BYTES,
  RETRY_AFTER_MS,
  ROLLUP_ANSWER_BYTES,
  SEAL_AGE_MS,
  TELL_TIMEOUT_MS,
} from "./limits.ts";
import { LogReader } from "./log-reader.ts";
import { Meta } from "./meta.ts";
import { Nudger } from "./nudger.ts";
import { OpenMark } from "./open-mark.ts";
import { admits, Meter, wantedShards } from "./pressure.ts";
import { PushQueue } from "./push-queue.ts";
import { Readers } from "./readers.ts";
import { replay, replaySince } from "./replay.ts";
import { Sealer, type Stores } from "./sealer.ts";
import { SplitWatch } from "./split-watch.ts";
import { entryBytes, Log, type LogEntry } from "./write-ahead-log.ts";

export class Ingester extends DurableObject<Env> implements IngesterRpc {
  /** Tests replace these to make a store fail. */
  stores: Stores = this.env;
  hub: (name: string) => Pick<LiveHubRpc, "push"> = (name) => this.env.LIVE.getByName(name);
  queue: Pick<Queue<Nudge>, "send"> = this.env.DELIVERY;
  guard: (script: string) => Pick<GuardRpc, "noticed"> = (script) => this.env.ROLLOUTS.getByName(script);
  private readonly shard: string;
  private script: string;
  private readonly meta: Meta;
  private readonly log: Log;
  private readonly mark: OpenMark;
  private readonly sealer: Sealer;
  private readonly flush: IssueFlush;
  private readonly aftermath: Aftermath;
  private readonly leases: Leases;
  private readonly live: PushQueue;
  private readonly splits = new SplitWatch((version) => {
    return within(TELL_TIMEOUT_MS, "guard", this.guard(this.script).noticed(this.script, version));
  });
  private readonly follower = new Follower();
  private readonly reader: LogReader;
  private readonly nudger: Nudger;
  private readonly meter = new Meter(Date.now());
  private readonly readers = new Readers();
  /** When the alarm goes off, ms; undefined when none is set. */
  private alarmAt: number | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const shard = ctx.id.name;
    if (shard === undefined) throw new Error("BUG: an Ingester must be made by name");
    this.shard = shard;
    const { sql } = ctx.storage;
    this.meta = new Meta(sql);
    this.script = this.meta.get("script");
    this.log = new Log(sql, this.meta, Date.now());
    this.reader = new LogReader(sql, this.log);
    this.nudger = new Nudger({
      ...{ meta: this.meta, shard, script: () => this.script },
      send: (nudge) => this.queue.send(nudge),
      due: () => this.plan(),
    });
    this.mark = new OpenMark(
      () => this.stores.DB,
      shard,
      this.meta,
      ({ leases, forwards }) => {
        if (leases.length > 0) this.live.adopt(leases);
        this.nudger.learn(forwards);
      },
    );
    this.aftermath = new Aftermath(() => ({ ...env, ...this.stores }));
    this.flush = new IssueFlush({
      log: this.log,
      sql,
      atomically: (work) => this.atomically(work),
      d1: () => this.stores.DB,
      shard,
      script: () => this.script,
      flushed: (result) => {
        this.aftermath.note(result);
        countFlush(env, this.script, true);
      },
      failed: () => countFlush(env, this.script, false),
    });
    this.sealer = new Sealer({
      log: this.log,
      mark: this.mark,
      atomically: (work) => this.atomically(work),
      stores: () => this.stores,
      shard,
      shardId: ctx.id.toString().slice(0, 16),
      script: () => this.script,
      flushIssues: (throughId) => this.flush.ensure(throughId),
      follower: this.follower,
      sealed: (segments) => countSealed(env, this.script, segments),
      failed: () => countSealFailure(env, this.script),
      committed: ({ forwards }) => this.nudger.learn(forwards),
    });
    const script = () => this.script;
    this.leases = new Leases(this.meta, script);
    this.live = new PushQueue({
      ...{ leases: this.leases, shard, script },
      hub: (name) => ({
        push: (push) => {
          countPush(env, this.script, push.entries);
          return this.hub(name).push(push);
        },
      }),
      since: (at) => replaySince(this.log, at),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.alarmAt = (await ctx.storage.getAlarm()) ?? undefined;
      this.plan();
    });
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const now = Date.now();
    this.checkScript(request.script);
    this.live.hear(request);
    const shards = wantedShards(request.spread ?? 1, this.meter.use());
    if (!this.log.has(request.batchId)) {
      if (!admits(this.log, request)) {
        countRefused(this.env, request.script);
        return { ok: false, reason: "overloaded", retryAfterMs: RETRY_AFTER_MS };
      }
      const bytes = this.write(request, now);
      this.meter.add(now, request.rows, bytes);
      this.readers.appended(now, request.rows, bytes);
      countAppend(this.env, request, bytes, now);
    }
    if (!this.mark.isSet && !this.log.isEmpty) await this.announce();
    return { ok: true, shards, ...this.live.answer(request) };
  }

  async unsealed({ from, to, afterId = 0 }: UnsealedRequest): Promise<UnsealedAnswer> {
    const { entries, more } = this.log.page(afterId, ANSWER_BYTES, { from, to });
    const batches = entries.map(({ id, rows, minTime, maxTime, batch }) => ({ id, rows, minTime, maxTime, batch }));
    return { batches, more };
  }

  async unsealedRollups({ afterId = 0, follow }: UnsealedRollupsRequest = {}): Promise<UnsealedRollups> {
    const missed = follow === true ? this.follower.visit(afterId, Date.now()) : [];
    const { entries, ...page } = this.log.countsPage(afterId, ROLLUP_ANSWER_BYTES - this.follower.size);
    return { ...page, entries: [...missed, ...entries] };
  }

  async readLog(request: ReadLogRequest): Promise<ReadLogAnswer> {
    const now = Date.now();
    const use = this.readers.use(now);
    // Only to know how much waits: somebody who is told of nothing.
    if (request.maxBytes === 0) return { ...this.reader.none(request), use, isBusy: false };
    this.nudger.learn(true);
    const isBusy = this.readers.putsOff(request.reader, now);
    return { ...(isBusy ? this.reader.none(request) : this.reader.read(request)), use, isBusy };
  }

  async seal(): Promise<SealResult> {
    if (!this.mark.isSet && !this.log.isEmpty) await this.announce();
    this.log.closeChunk();
    const ok = await this.sealer.run(this.log.chunks.length - 1);
    this.plan();
    return ok ? { ok } : { ok, error: this.sealer.lastError ?? "" };
  }

  async watch(lease: Lease): Promise<ShardPosition> {
    this.leases.watch(lease, Date.now());
    const { through, nextId } = this.log;
    return through === 0 ? { id: 0, through } : { id: nextId - 1, through };
  }

  async supply(batchId: string, extras: string): Promise<void> {
    this.live.supply(batchId, extras);
  }

  async replay(request: ReplayRequest): Promise<ReplayAnswer> {
    return replay(this.log, request);
  }

  async status(): Promise<IngesterStatus> {
    flushCounts(this.env);
    const { log, sealer } = this;
    const oldestAt = log.oldestAt;
    const lastError = sealer.lastError ?? this.flush.lastError;
    const now = Date.now();
    return {
      shard: this.shard,
      script: this.script,
      unsealedRows: log.rows,
      unsealedBytes: log.bytes,
      oldestMs: oldestAt === undefined ? 0 : Math.max(now - oldestAt, 0),
      sealFailures: sealer.failures,
      ...(lastError === undefined ? {} : { lastError }),
      quarantined: log.quarantined,
      flushFailures: this.flush.failures,
      ...(sealer.sealedAt === undefined ? {} : { sealedAt: sealer.sealedAt }),
      issuesWaitingMs: this.flush.waitingMs(now),
    };
  }

  override async alarm(): Promise<void> {
    this.alarmAt = undefined;
    if (!this.mark.isSet && !this.log.isEmpty) await this.announce();
    const open = this.log.chunks.at(-1);
    if (open !== undefined && open.appends > 0 && open.oldestAt + SEAL_AGE_MS <= Date.now()) this.log.closeChunk();
    await this.flushUntil(this.sealer.run(CHUNKS_PER_ALARM));
    flushCounts(this.env);
    this.plan();
  }

  /** Flushes issues when they are due, also while `sealing`, or what follows from a flush, takes its time: there is only one alarm. */
  private async flushUntil(sealing: Promise<unknown>): Promise<void> {
    let working = 0;
    const during = (work: Promise<unknown>) => {
      working += 1;
      return work.finally(() => {
        working -= 1;
      });
    };
    let done = during(sealing);
    const isDue = (at: number | undefined) => at !== undefined && at <= Date.now();
    for (;;) {
      if (isDue(this.flush.dueAt)) await this.flush.run();
      else if (isDue(this.aftermath.dueAt)) done = Promise.all([done, during(this.aftermath.run())]);
      else if (isDue(this.nudger.dueAt)) done = Promise.all([done, during(this.nudger.run())]);
      else if (working === 0) return;
      else await Promise.race([done, scheduler.wait(ALARM_STEP_MS)]);
    }
  }

  /** Flushes all issue deltas now and does what follows from them; resolves when D1 has them, or did not take them. */
  async flushIssues(): Promise<boolean> {
    const ok = await this.flush.run();
    await this.aftermath.run();
    this.plan();
    return ok;
  }

  /** Returns the bytes that it added to the log. */
  private write(request: AppendRequest, now: number): number {
    const entry: LogEntry = {
      batchId: request.batchId,
      at: now,
      rows: request.rows,
      minTime: request.minTime,
      maxTime: request.maxTime,
      batch: request.batch,
      rollups: JSON.stringify(request.rollups),
      ledger: JSON.stringify(request.ledger),
      issues: request.issues === undefined || request.issues.length === 0 ? "" : JSON.stringify(request.issues),
    };
    const bytes = entryBytes(entry);
    if (bytes > MAX_APPEND_BYTES) throw new Error(`BUG: an append of ${bytes} bytes, of ${MAX_APPEND_BYTES} at most`);
    const id = this.log.nextId;
    // Rows of a long entry and a new chunk's table are written all or not at all.
    this.atomically(() => this.log.append(entry));
    this.flush.note(request, id, now);
    this.splits.see(request, now);
    if (request.rows > 0) this.nudger.note((request.issues?.length ?? 0) > 0);
    this.live.add(request, () => ({ id, through: this.log.through, at: now }));
    this.plan();
    return bytes;
  }

  /**
   * What `work` writes is on disk all or not at all. When it fails (a full disk)
   * memory may say what the disk does not: the object is started anew from disk.
   */
  private atomically(work: () => void): void {
    try {
      this.ctx.storage.transactionSync(work);
    } catch (error) {
      this.ctx.abort(`the log could not be written: ${rootMessage(error)}`);
      throw error;
    }
  }

  private async announce(): Promise<void> {
    await this.mark.ensure(this.script, () => this.log.nextId);
    this.plan();
  }

  private checkScript(script: string): void {
    if (script === this.script) return;
    if (this.script !== "") throw new Error(`BUG: shard ${this.shard} of ${this.script} was sent events of ${script}`);
    this.script = script;
    this.meta.set("script", script);
  }

  /** Makes sure that an alarm comes when there is something to do. */
  private plan(): void {
    const wanted = [this.sealAt(), this.flush.dueAt, this.aftermath.dueAt, this.nudger.dueAt].filter(
      (at) => at !== undefined,
    );
    if (wanted.length === 0) return;
    const due = Math.max(Math.min(...wanted), Date.now());
    if (this.alarmAt !== undefined && this.alarmAt <= due) return;
    this.alarmAt = due;
    // Not awaited: the output gate holds every answer back until it is on disk.
    this.ctx.storage.setAlarm(due);
  }

  /** When there is something to seal or to announce; undefined while the log is empty. */
  private sealAt(): number | undefined {
    const oldestAt = this.log.oldestAt;
    if (oldestAt === undefined) return undefined;
    const seal = Math.max(this.log.chunks.length > 1 ? 0 : oldestAt + SEAL_AGE_MS, this.sealer.retryAt);
    return Math.min(seal, this.mark.retryAt ?? seal);
  }
}
