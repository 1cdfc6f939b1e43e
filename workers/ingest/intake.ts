/**
 * What happens to one item, whichever way it came in: read it, decide whether
 * it is kept, and put its events, or only its count, into the open group of its
 * Worker. `tail.ts` and `http.ts` hand in items and wait for the groups.
 *
 * Everything that arrives is counted exactly once in the ledger:
 * received = kept + sampled_out + rate_limited + overloaded.
 */
import type { OwnFields } from "../event/event.ts";
import type { Fate, GroupCommit, Pending } from "./group-commit.ts";
import type { Affected } from "./grouping/deltas.ts";
import type { Found, Grouper } from "./grouping/grouper.ts";
import { type Occurrence, occurrencesOf } from "./grouping/occurrences.ts";
import { userOf } from "./grouping/users.ts";
import type { Waits } from "./grouping/waits.ts";
import type { Invocation, ItemDefaults, Surroundings, Suspect } from "./normalize/normalize.ts";
import { RouteTable } from "./normalize/route.ts";
import type { Policy } from "./policy.ts";
import type { Gate, RateLimiter } from "./rate-limit.ts";
import { isKept } from "./sampling.ts";

/** What lives as long as the isolate. */
export interface Collector {
  commit: GroupCommit;
  limiter: RateLimiter;
  grouper: Grouper;
  waits: Waits;
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
  /** Invocations whose errors wait for a source map. */
  private held: Promise<void>[] = [];
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
    this.share(pending);
    group.count(fields, time, invocation.duration, invocation.cpuTime);
    if (invocation.truncated) group.truncated(time);
    const reason = this.reasonToDrop(invocation);
    if (reason !== null) this.drop(pending, time, reason);
    else if (!this.holdsBack(invocation)) return;
    commit.touch(pending);
  }

  /** Makes its events, and keeps them unless a source map is read first: then they follow in a moment. */
  private holdsBack(invocation: Invocation): boolean {
    const { grouper, waits } = this.collector;
    const suspects: Suspect[] = [];
    const events = this.policy.normalizer.events(invocation, this.around.nowMs, suspects);
    const found = { fields: invocation.fields, events, occurrences: errorsIn(invocation, events, suspects) };
    const ready = found.occurrences.length === 0 ? undefined : grouper.prepare(found, this.gate.waitUntil);
    const wait = ready === undefined ? undefined : waits.begin(ready, found, () => grouper.tooLate());
    if (wait === undefined) this.keep(invocation, found);
    else this.held.push(wait.then(() => this.keepHeld(invocation, found)));
    return wait !== undefined;
  }

  private keepHeld(invocation: Invocation, found: Found): void {
    try {
      this.keep(invocation, found);
    } catch (error) {
      this.takeRaw(invocation.item, String(error));
    }
  }

  private keep(invocation: Invocation, found: Found): void {
    const { commit, grouper } = this.collector;
    const { fields, events, occurrences } = found;
    const pending = commit.open(fields.script);
    const { group } = pending;
    const share = this.share(pending);
    const essential = invocation.failed || tellsOfError(found);
    if (commit.hasRoom(essential)) {
      const errors = occurrences.length === 0 ? [] : grouper.group(found, this.policy.grouping.rules);
      group.keep(fields, events, essential);
      pending.shown.witnesses.add(invocation, found, this.policy.redactor);
      if (errors.length > 0) group.addErrors(fields, errors, this.affectedBy(invocation, found), this.gate.nowMs);
      share[essential ? "essential" : "sheddable"]++;
    } else this.drop(pending, invocation.time, "overloaded");
    commit.touch(pending);
  }

  private affectedBy({ item, fields }: Invocation, { events }: Found): Affected {
    return {
      user: userOf(events, this.policy.grouping.users),
      replayable: item.invocationId === fields.invocation_id,
    };
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

  /** Waits until nothing is held back any more: a few hundred ms at most. Who brings many items should. */
  async prepared(): Promise<void> {
    const held = this.held;
    this.held = [];
    if (held.length > 0) await Promise.all(held);
  }

  /** Waits until every group that this call has a share in is durable or given up. */
  async settled(): Promise<Tally> {
    while (this.shares.size > 0 || this.held.length > 0) {
      const shares = [...this.shares];
      this.shares.clear();
      const settling = shares.map(([pending]) => this.collector.commit.settled(pending));
      // What was held back meanwhile has a share in a group of its own: the next turn.
      await this.prepared();
      const fates = await Promise.all(settling);
      shares.forEach(([, share], i) => {
        this.count(share, fates[i] as Fate);
      });
    }
    return this.tally;
  }

  private count({ sheddable, essential }: Share, fate: Fate): void {
    const lost = (fate === "kept" ? 0 : sheddable) + (fate === "lost" ? essential : 0);
    this.tally.kept += sheddable + essential - lost;
    this.tally.dropped += lost;
    this.tally.overloaded += lost;
  }
}

let complained = false;

/** Nothing about errors may cost their events. */
function errorsIn(invocation: Invocation, events: readonly OwnFields[], suspects: readonly Suspect[]): Occurrence[] {
  try {
    return occurrencesOf(invocation, events, suspects);
  } catch (error) {
    if (!complained) console.error("BUG: an invocation could not be looked through for errors; it is kept", error);
    complained = true;
    return [];
  }
}

/** Of an error that somebody should hear of: noise may be shed. */
function tellsOfError({ events, occurrences }: Found): boolean {
  return occurrences.some(({ kind }) => kind !== "noise") || events.some(({ level }) => level === "error");
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
