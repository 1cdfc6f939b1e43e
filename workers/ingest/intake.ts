/**
 * What happens to one item, whichever way it came in: read it, decide whether
 * it is kept, and put its events, or only its count, into the open group of its
 * Worker. `tail.ts` and `http.ts` hand in items and wait for the groups.
 *
 * Everything that arrives is counted exactly once in the ledger:
 * received = kept + sampled_out + rate_limited + overloaded.
 */
import type { Fate, GroupCommit, Pending } from "./group-commit.ts";
import type { Invocation, ItemDefaults, Surroundings } from "./normalize/normalize.ts";
import { RouteTable } from "./normalize/route.ts";
import type { Policy } from "./policy.ts";
import type { Gate, RateLimiter } from "./rate-limit.ts";
import { isKept } from "./sampling.ts";

/** What lives as long as the isolate. */
export interface Collector {
  commit: GroupCommit;
  limiter: RateLimiter;
  routes: Map<string, RouteTable>;
}

/** Workers with a table of routes. */
const MAX_ROUTE_TABLES = 500;

/** Items of one call in one group, by whether an overload may shed them. */
interface Share {
  sheddable: number;
  essential: number;
}

export interface Tally {
  kept: number;
  dropped: number;
  /** Dropped because there was no room, here or in the Ingester: part of `dropped`. */
  overloaded: number;
}

/** One tail call or one HTTP request. */
export class Intake {
  private readonly collector: Collector;
  private readonly policy: Policy;
  private readonly gate: Gate;
  private readonly around: Surroundings;
  private readonly shares = new Map<Pending, Share>();
  private readonly tally: Tally = { kept: 0, dropped: 0, overloaded: 0 };

  constructor(collector: Collector, policy: Policy, gate: Gate, defaults: ItemDefaults) {
    this.collector = collector;
    this.policy = policy;
    this.gate = gate;
    this.around = { nowMs: gate.nowMs, defaults, routes: (script) => routesOf(collector, script) };
  }

  /** Takes an item in; what is wrong with it otherwise. */
  take(item: unknown): string | undefined {
    const read = this.policy.normalizer.read(item, this.around);
    if ("unreadable" in read) return read.unreadable;
    this.takeInvocation(read);
    return undefined;
  }

  /** Keeps an item that could not be read. */
  takeRaw(item: unknown, reason: string): void {
    const event = this.policy.normalizer.raw(item, reason, this.around);
    const pending = this.collector.commit.open(event.script);
    if (this.collector.commit.hasRoom(false)) {
      pending.group.keepRaw(event);
      this.share(pending).sheddable++;
    } else {
      pending.group.drop(event.time, "overloaded");
      this.share(pending);
      this.tally.dropped++;
      this.tally.overloaded++;
    }
    this.collector.commit.touch(pending);
  }

  private takeInvocation(invocation: Invocation): void {
    const { fields, time } = invocation;
    const { commit } = this.collector;
    const pending = commit.open(fields.script);
    const { group } = pending;
    const share = this.share(pending);
    group.count(fields, time, invocation.duration, invocation.cpuTime);
    if (invocation.truncated) group.truncated(time);
    const reason = this.reasonToDrop(invocation);
    if (reason !== null) this.drop(pending, time, reason);
    else {
      const events = this.policy.normalizer.events(invocation, this.around.nowMs);
      const essential = invocation.failed || events.some((event) => event.level === "error");
      if (commit.hasRoom(essential)) {
        group.keep(fields, events, essential);
        share[essential ? "essential" : "sheddable"]++;
      } else this.drop(pending, time, "overloaded");
    }
    commit.touch(pending);
  }

  private drop(pending: Pending, time: number, reason: "sampled_out" | "rate_limited" | "overloaded"): void {
    pending.group.drop(time, reason);
    this.tally.dropped++;
    if (reason === "overloaded") this.tally.overloaded++;
  }

  /** Sampling first: what it leaves out does not use up the Worker's allowance. Sets the weight of what stays. */
  private reasonToDrop(invocation: Invocation): "sampled_out" | "rate_limited" | null {
    const { fields } = invocation;
    const { mustKeep, sampler, ratePerMinute } = this.policy.worker(fields.script);
    let kept: boolean | undefined;
    const important = () => {
      kept ??= mustKeep(invocation);
      return kept;
    };
    const rate = sampler === null ? 1 : sampler(invocation);
    if (rate < 1 && !important()) {
      if (!isKept(fields.invocation_id, rate)) return "sampled_out";
      fields.sample_weight = 1 / rate;
    }
    return this.collector.limiter.allows(fields.script, ratePerMinute, important, this.gate) ? null : "rate_limited";
  }

  private share(pending: Pending): Share {
    let share = this.shares.get(pending);
    if (share === undefined) {
      share = { sheddable: 0, essential: 0 };
      this.shares.set(pending, share);
    }
    return share;
  }

  /** Sends what this call has put in without waiting for the windows: it brought enough company of its own. */
  hurry(): void {
    for (const pending of this.shares.keys()) this.collector.commit.hurry(pending);
  }

  /** Waits until every group that this call has a share in is durable or given up. */
  async settled(): Promise<Tally> {
    const shares = [...this.shares];
    this.shares.clear();
    const fates = await Promise.all(shares.map(([pending]) => this.collector.commit.settled(pending)));
    shares.forEach(([, share], i) => {
      this.count(share, fates[i] as Fate);
    });
    return this.tally;
  }

  private count({ sheddable, essential }: Share, fate: Fate): void {
    const lost = (fate === "kept" ? 0 : sheddable) + (fate === "lost" ? essential : 0);
    this.tally.kept += sheddable + essential - lost;
    this.tally.dropped += lost;
    this.tally.overloaded += lost;
  }
}

function routesOf({ routes }: Collector, script: string): RouteTable {
  let table = routes.get(script);
  if (table === undefined) {
    if (routes.size >= MAX_ROUTE_TABLES) routes.clear();
    table = new RouteTable();
    routes.set(script, table);
  }
  return table;
}
