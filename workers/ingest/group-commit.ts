/**
 * Group commit: tail calls that run at the same time in one isolate share one
 * append per Worker. The first item opens a window; what comes meanwhile joins
 * and waits with it, each call under its own `waitUntil`. `intake.ts` puts
 * items in and awaits `settled`; appends go to the Ingester (`append` is handed
 * in). The price is the length of the window, once, in the time to the query.
 *
 * A request may end before its timer fires or its append is answered, and takes
 * both with it. So whoever waits for a group takes it over after a while: the
 * same appends with the same batch ids, which the Ingester counts once.
 */
import { type AppendRequest, type AppendResult, MAX_SHARDS } from "../buffer/contract.ts";
import type { LedgerDelta, RollupDelta } from "../event/rollup.ts";
import { Group } from "./group.ts";
import { SentExemplars } from "./grouping/sent-exemplars.ts";
import { type Shown, type Supply, Viewers } from "./live/viewers.ts";

/** Long enough to gather the calls of a busy isolate, far below what a person notices. */
export const WINDOW_MS = 50;
/** Groups that hold nothing but counts (all sampled out) are in no hurry. */
const COUNTS_WINDOW_MS = 1_000;
/** A group is sent at the first of these, window or not. */
export const MAX_GROUP_EVENTS = 5_000;
export const MAX_GROUP_BYTES = 1_000_000;
/** Dropped ones among them: each may add a value to the distributions of its rollup. */
const MAX_GROUP_ITEMS = 20_000;
/** Attribute names of one group: below what makes a batch share columns, so that only a single item ever does. */
const MAX_GROUP_WIDTH = 300;
/**
 * Not yet durable, all Workers together: above soft only errors are taken,
 * above hard nothing. In memory it is some three times as much, of 128 MB.
 */
export const SOFT_BYTES = 10_000_000;
export const HARD_BYTES = 15_000_000;
/** A call that runs on after its answer has 30 s: half of it for trying. */
const DEADLINE_MS = 15_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
/** Whoever sends a group is taken for gone when nothing has happened for this long. */
const TAKEOVER_MS = 5_000;
const MAX_WATCHERS = 2;
/** Workers remembered. */
const MAX_LANES = 2_000;
/** Counts that wait for the next group of a Worker, as characters of JSON: with a full group they make one append. */
const MAX_WAITING_CHARS = 1_000_000;

/** What became of a group: all kept, only what is essential, or nothing. */
export type Fate = "kept" | "shed" | "lost";

export type Append = (script: string, shard: number, request: AppendRequest) => Promise<AppendResult>;

export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls back after a while; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
  /** 0 ≤ x < 1 */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Groups of one Worker. */
interface Lane {
  open: Pending | undefined;
  /** What the Ingester last asked for. */
  shards: number;
  /** Counts of groups that could not be stored: they go with the next one. */
  waiting: CountsOnly;
}

interface CountsOnly {
  rollups: RollupDelta[];
  ledger: LedgerDelta[];
  /** Of their JSON. */
  chars: number;
}
const noCounts = (): CountsOnly => ({ rollups: [], ledger: [], chars: 0 });

/** A group on its way. */
export interface Pending {
  readonly group: Group;
  readonly lane: Lane;
  /** What those who watch get beside the events. */
  readonly shown: Shown;
  /** Null until it settles. */
  fate: Fate | null;
  readonly done: Promise<Fate>;
  readonly settle: (fate: Fate) => void;
  requests: AppendRequest[] | undefined;
  carried: CountsOnly;
  shedding: boolean;
  bytes: number;
  /** Calls that wait for it. */
  waiting: number;
  dueMs: number;
  /** When an append was last tried, or the group was opened. */
  activeMs: number;
  cancelTimer: () => void;
}

export class GroupCommit {
  private readonly lanes = new Map<string, Lane>();
  private readonly append: Append;
  private readonly clock: Clock;
  private readonly viewers: Viewers;
  private readonly sent = new SentExemplars();
  /** So many lanes are worth looking for idle ones. */
  private forgetAt = MAX_LANES;
  /** Bytes of groups that have not settled. */
  private bytes = 0;

  constructor(append: Append, supply: Supply, clock: Clock = systemClock) {
    this.append = append;
    this.clock = clock;
    this.viewers = new Viewers(supply, clock);
  }

  /** Is there room for an item that may be shed, or for one that must not be? */
  hasRoom(essential: boolean): boolean {
    return this.bytes < (essential ? HARD_BYTES : SOFT_BYTES);
  }

  /** Anything not yet durable beyond what one group holds: a sender that can wait should. */
  get pressed(): boolean {
    return this.bytes > 4 * MAX_GROUP_BYTES;
  }

  /** The group that takes this Worker's items now. Call `touch` after putting something in. */
  open(script: string): Pending {
    const lane = this.lane(script);
    if (lane.open !== undefined) return lane.open;
    const shard = lane.shards > 1 ? Math.floor(this.clock.random() * lane.shards) : 0;
    const { promise, resolve } = Promise.withResolvers<Fate>();
    const pending: Pending = {
      group: new Group(script, shard, lane.shards, this.sent),
      lane,
      shown: { witnesses: this.viewers.witnesses(script), isWhole: true },
      fate: null,
      done: promise,
      settle: resolve,
      requests: undefined,
      carried: noCounts(),
      shedding: false,
      bytes: 0,
      waiting: 0,
      dueMs: Number.POSITIVE_INFINITY,
      activeMs: this.clock.now(),
      cancelTimer: () => {},
    };
    lane.open = pending;
    return pending;
  }

  /** Counts what was put in, sees to it that the group is sent in time, and sends it when it is full. */
  touch(pending: Pending): void {
    const { group } = pending;
    this.bytes += group.bytes - pending.bytes;
    pending.bytes = group.bytes;
    if (isFull(group)) {
      void this.send(pending);
      return;
    }
    const due = this.clock.now() + (group.rows === 0 ? COUNTS_WINDOW_MS : WINDOW_MS);
    if (due >= pending.dueMs) return;
    pending.cancelTimer();
    pending.dueMs = due;
    pending.cancelTimer = this.clock.after(due - this.clock.now(), () => void this.send(pending));
  }

  /** Sends the group now, unless it is on its way. */
  hurry(pending: Pending): void {
    if (pending.lane.open === pending) void this.send(pending);
  }

  /** Resolves when the group is durable, or given up. Takes it over if whoever should send it is gone. */
  async settled(pending: Pending): Promise<Fate> {
    // The first to wait is the one who sends; a few of the others watch over it, since a timer costs.
    const isWatcher = pending.waiting > 0 && pending.waiting <= MAX_WATCHERS;
    pending.waiting++;
    if (!isWatcher) return pending.done;
    for (;;) {
      const quietMs = this.clock.now() - pending.activeMs;
      if (quietMs >= TAKEOVER_MS) {
        await this.send(pending);
        return pending.done;
      }
      const fate = await this.within(TAKEOVER_MS - quietMs, pending.done);
      if (fate !== null) return fate;
    }
  }

  private async within(ms: number, done: Promise<Fate>): Promise<Fate | null> {
    let cancel = () => {};
    const late = new Promise<null>((resolve) => {
      cancel = this.clock.after(ms, () => resolve(null));
    });
    const first = await Promise.race([done, late]);
    cancel();
    return first;
  }

  /** Closes the group and appends it. May run twice for a group: see above. */
  async send(pending: Pending): Promise<void> {
    const { lane, group } = pending;
    if (lane.open === pending) lane.open = undefined;
    pending.cancelTimer();
    if (pending.requests === undefined) {
      pending.carried = lane.waiting;
      lane.waiting = noCounts();
      pending.requests = withCounts(pending.carried, group.requests());
      pending.shown.isWhole = pending.requests.filter(({ rows }) => rows > 0).length <= 1;
    }
    const fate = await this.appendAll(pending, this.clock.now() + DEADLINE_MS).catch((error: unknown) => {
      console.error(`BUG: a group of ${group.rows} events of ${group.script} could not be sent`, error);
      return "lost" as const;
    });
    if (pending.fate !== null) return;
    pending.fate = fate;
    this.bytes -= pending.bytes;
    pending.shown.witnesses.clear();
    if (fate === "lost") keepCounts(pending);
    else group.stored(this.clock.now());
    pending.settle(fate);
  }

  private async appendAll(pending: Pending, deadline: number): Promise<Fate> {
    const { group, lane } = pending;
    let retryMs = FIRST_RETRY_MS;
    let at = 0;
    while (pending.fate === null && pending.requests !== undefined && at < pending.requests.length) {
      const request = pending.requests[at] as AppendRequest;
      pending.activeMs = this.clock.now();
      const result = await this.tryAppend(pending, request);
      if (result?.ok) {
        // A shard that only counts says nothing about how busy the others are.
        if (group.shardOf(request) === group.shard) lane.shards = Math.max(1, Math.min(MAX_SHARDS, result.shards));
        at++;
        continue;
      }
      // Parts that are in are in: only a group of which none is may be cut down.
      if (result !== undefined && at === 0 && !pending.shedding && group.sheddable) {
        pending.shedding = true;
        pending.shown.isWhole = false;
        pending.requests = withCounts(pending.carried, group.essentials());
        continue;
      }
      const wait = result === undefined ? retryMs * (0.5 + this.clock.random()) : result.retryAfterMs;
      if (this.clock.now() + wait > deadline) return at === 0 ? "lost" : "shed";
      await this.clock.sleep(wait);
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
    return pending.shedding ? "shed" : "kept";
  }

  /** Undefined when there was no answer: the same append has to be tried again. */
  private async tryAppend({ group, shown }: Pending, request: AppendRequest): Promise<AppendResult | undefined> {
    const shard = group.shardOf(request);
    try {
      const sent = this.viewers.shown(request, shown);
      const result = await this.append(group.script, shard, sent);
      if (result.ok) await this.viewers.heard(sent, result, shard, shown);
      return result;
    } catch (error) {
      console.warn(`append to ${group.script}#${shard} failed, trying again`, String(error));
      return undefined;
    }
  }

  private lane(script: string): Lane {
    let lane = this.lanes.get(script);
    if (lane === undefined) {
      if (this.lanes.size >= this.forgetAt) this.forgetIdle();
      lane = { open: undefined, shards: 1, waiting: noCounts() };
      this.lanes.set(script, lane);
    }
    return lane;
  }

  private forgetIdle(): void {
    for (const [script, lane] of this.lanes) {
      if (lane.open === undefined && lane.waiting.ledger.length === 0) this.lanes.delete(script);
    }
    // Where most are busy, going through all of them for each new one would take quadratic time.
    this.forgetAt = Math.max(MAX_LANES, 2 * this.lanes.size);
  }
}

function isFull(group: Group): boolean {
  return (
    group.rows >= MAX_GROUP_EVENTS ||
    group.bytes >= MAX_GROUP_BYTES ||
    group.width >= MAX_GROUP_WIDTH ||
    group.items >= MAX_GROUP_ITEMS
  );
}

function withCounts({ rollups, ledger }: CountsOnly, requests: AppendRequest[]): AppendRequest[] {
  const first = requests[0];
  if (first === undefined || ledger.length === 0) return requests;
  const all = { ...first, rollups: [...rollups, ...first.rollups], ledger: [...ledger, ...first.ledger] };
  return [all, ...requests.slice(1)];
}

/** What could not be stored is at least counted, with the next group. */
function keepCounts({ lane, group, carried }: Pending): void {
  for (const { rollups, ledger } of [carried, group.counts()]) {
    const chars = JSON.stringify([rollups, ledger]).length;
    if (lane.waiting.chars + chars > MAX_WAITING_CHARS) {
      console.error(`counts of ${group.script} were lost: too many groups could not be stored`);
      return;
    }
    lane.waiting.rollups.push(...rollups);
    lane.waiting.ledger.push(...ledger);
    lane.waiting.chars += chars;
  }
}
