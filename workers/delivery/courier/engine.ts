/**
 * The run loop of one Courier: takes over what the row of D1 says, starts cursors,
 * lets its channels read and send, decides about the failover, writes the health.
 * The alarm calls `run`; it goes on while there is something to do, and returns
 * when all that is left is to wait, so that a destination that is down costs no
 * more than a probe now and then.
 */
import type {
  BackfillRequest,
  DeadLetterSelection,
  DeadLettersChanged,
  DestinationHealth,
} from "../../api/contract/integrations.ts";
import { rootMessage } from "../../util/error-message.ts";
import type { Nudge } from "../contract.ts";
import type { StoredDestination } from "../destinations.ts";
import { lookAtBackfill } from "./back-fill.ts";
import { chooseAnew, start, stop } from "./beginnings.ts";
import { Bell } from "./bell.ts";
import type { Book } from "./book.ts";
import { Channel, type Office } from "./channel.ts";
import type { Dependencies, Receiver, Rules } from "./desk.ts";
import { failover, viaLanes } from "./failover.ts";
import { healthOf } from "./health.ts";
import { FAILOVER_LOOK_MS, HEALTH_GAP_MS, HEALTH_MS, PAUSED_MS, RUN_MS, STORE_RETRY_MS, SWEEP_MS } from "./limits.ts";
import { Measures } from "./measures.ts";
import { isHalfBroken } from "./quality.ts";
import { replay } from "./replay.ts";
import { type CourierState, newReceiver } from "./state.ts";

export class Engine {
  readonly state: CourierState;
  row: StoredDestination | undefined;
  own: Channel | undefined;
  private via: Channel | undefined;
  private viaName: string | null = null;
  private readonly bell = new Bell();
  private readonly office: Office;
  private isRunning = false;
  private isGone = false;
  /** The row may have changed. */
  private isStale = true;
  private nextSweep = 0;
  private toldAt = 0;
  private nextVia = 0;
  /** It ends as soon as nothing of it is under way. */
  private viaEnds = false;
  private lastCondition: DestinationHealth["condition"] | undefined;
  /** It cannot be tried: no such integration, a secret that does not open. */
  private problem: string | null = null;
  /** D1 is away: the row could not be read. */
  private loopError: string | null = null;
  private retryAt = 0;
  /** What is being done with dead letters: one thing at a time. */
  private letters: Promise<void> = Promise.resolve();
  /** What was said before it was known what the destination wants. */
  private readonly heard = new Map<string, Nudge>();

  constructor(
    readonly id: string,
    private readonly deps: Dependencies,
    private readonly book: Book,
  ) {
    this.state = book.readState(deps.now());
    this.office = {
      ...{ id, deps, book, state: this.state, measures: new Measures() },
      ring: () => this.bell.ring(),
      isGone: () => this.isGone,
    };
  }

  nudge(nudges: readonly Nudge[]): void {
    for (const nudge of nudges) {
      const key = nudge.kind === "log" ? `log:${nudge.shard}` : "notices";
      if (this.heard.size < MAX_HEARD) this.heard.set(key, nudge);
    }
    this.wakeUp();
  }

  refresh(): void {
    this.isStale = true;
    this.retryNow();
  }

  retryNow(): void {
    this.own?.retryNow();
    this.via?.retryNow();
    this.state.receiver = { ...newReceiver(), deliveredAt: this.state.receiver.deliveredAt };
    this.retryAt = 0;
    this.nextSweep = 0;
    this.wakeUp();
  }

  /** Its storage is emptied by who calls; what is under way writes nothing any more. */
  remove(): void {
    this.isGone = true;
    this.bell.ring();
  }

  /** So that its health can be told before it ran for the first time. Throws when D1 is away. */
  async known(): Promise<void> {
    this.row ??= await this.deps.readDestination(this.id);
    this.office.measures.before(this.row?.health?.minutes ?? []);
  }

  /** One after the other: what two people replay at once is sent once, and what is edited or discarded is not under way. */
  replay(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return this.withLetters(async () => {
      const row = await this.deps.readDestination(this.id);
      const opened = row === undefined ? undefined : await this.deps.open(row);
      if (opened === undefined || !opened.ok) return { changed: 0, refused: 0 };
      const answer = await replay(this.book.dead, opened.receiver, selection, () => this.deps.now());
      if (this.isGone) return answer;
      this.state.counters.delivered += answer.changed;
      if (answer.changed > 0) this.state.lastDeliveredAt = this.deps.now();
      this.book.writeState(this.state);
      this.deps.count("tailrace_delivery_items_total", "delivered", answer.changed);
      return answer;
    });
  }

  async discard(selection: DeadLetterSelection): Promise<DeadLettersChanged> {
    return this.withLetters(async () => ({ changed: this.book.dead.discard(selection), refused: 0 }));
  }

  async editDeadLetter(id: number, item: string): Promise<boolean> {
    return this.withLetters(async () => this.book.dead.edit(id, item));
  }

  private withLetters<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.letters.then(work);
    this.letters = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  health(): DestinationHealth {
    return healthOf({
      ...{ state: this.state, row: this.row, own: this.own, via: this.via, deadLetters: this.book.dead.total },
      ...{ problem: this.problem, storeError: this.loopError ?? this.own?.storeError ?? null },
      ...{ measures: this.office.measures, now: this.deps.now(), failoverName: this.viaName },
    });
  }

  async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      await this.loop();
    } catch (error) {
      this.loopError = rootMessage(error);
      this.retryAt = this.deps.now() + STORE_RETRY_MS;
      console.error(`delivery: the courier of ${this.id} failed, and tries again: ${this.loopError}`);
    }
    await this.drain();
    this.isRunning = false;
    if (this.isGone) return;
    await this.tellHealth();
    this.plan();
  }

  /** Also events from before it was made; what live cursors had their turn with is left out. One after the other. */
  backfill(request: BackfillRequest): void {
    this.state.backfillNext = request;
    this.book.writeState(this.state);
    this.wakeUp();
  }

  // The loop

  private async loop(): Promise<void> {
    const until = this.deps.now() + RUN_MS;
    if (this.deps.now() < this.retryAt) return;
    while (!this.isGone) {
      if (this.isStale || this.row === undefined) {
        await this.drain();
        await this.takeOver();
      }
      this.loopError = null;
      const { own, row } = this;
      if (row === undefined || own === undefined) return;
      const now = this.deps.now();
      if (now >= this.nextSweep) await this.sweep(now);
      if (!row.standby) this.hear();
      if (row.state === "paused" || row.standby || this.problem !== null || now > until) return;
      await this.lookAtFailover(now);
      await lookAtBackfill(this.office, own);
      own.step();
      if (!this.viaEnds) this.via?.step();
      if (own.busy + (this.via?.busy ?? 0) === 0) return;
      await this.tellHealth();
      await this.bell.rung();
    }
  }

  /** What is under way ends: its receiver's answer is not thrown away. */
  private async drain(): Promise<void> {
    while (!this.isGone && (this.own?.busy ?? 0) + (this.via?.busy ?? 0) > 0) await this.bell.rung();
  }

  private wakeUp(): void {
    if (this.isRunning) this.bell.ring();
    else this.plan();
  }

  /** When it is to run next. */
  private plan(): void {
    const now = this.deps.now();
    const { row, own } = this;
    if (this.isStale) this.deps.wake(Math.max(now, this.retryAt));
    else if (row === undefined) this.deps.wake(null);
    else if (row.state === "paused") this.deps.wake(now + PAUSED_MS);
    else {
      const times = [Math.max(this.nextSweep, now), own?.wakeAt(now), this.via?.wakeAt(now)];
      if (this.state.movedAt > this.toldAt) times.push(this.toldAt + HEALTH_MS);
      if (this.heard.size > 0 && (own?.gate() ?? 0) <= now) times.push(now);
      if (row.failoverTo !== null && this.via === undefined && (own?.pending ?? 0) > 0)
        times.push(now + FAILOVER_LOOK_MS);
      const soonest = Math.min(...times.filter((at) => at !== null && at !== undefined));
      this.deps.wake(Math.max(now, this.retryAt, soonest));
    }
  }

  // What the row says

  private async takeOver(): Promise<void> {
    this.isStale = false;
    try {
      const row = await this.deps.readDestination(this.id);
      this.row = row;
      if (row === undefined) return;
      this.office.measures.before(row.health?.minutes ?? []);
      const opened = await this.deps.open(row);
      this.problem = opened.ok ? null : opened.failure.message;
      if (opened.ok) await this.takeOverReceiver(row, opened.receiver);
    } catch (error) {
      this.isStale = true;
      throw error;
    }
  }

  private async takeOverReceiver(row: StoredDestination, receiver: Receiver): Promise<void> {
    const rules = this.deps.rules(receiver.integration, row);
    if (this.own === undefined) this.own = new Channel("own", this.office, receiver, rules);
    else this.own.reset(receiver, rules);
    // Who stands by has no cursors: nothing is kept for it.
    if (row.standby) stop(this.office, this.own);
    else if (!this.state.started) await start(this.office, row, this.own);
    else if (this.state.revision !== row.revision) await chooseAnew(this.office, row, this.own);
    const keepsVia = row.failoverTo !== null && row.failoverTo === this.state.viaId;
    // Its cursors are on disk: the channel is made anew, by the rules as they are now.
    this.via = undefined;
    if (!keepsVia) this.forgetVia();
  }

  // News

  /** What nudges said: lanes have something, or are new. */
  private hear(): void {
    for (const nudge of this.heard.values()) {
      for (const channel of this.channels()) this.tell(channel, nudge);
    }
    this.heard.clear();
  }

  private tell(channel: Channel, nudge: Nudge): void {
    const wasIdle = channel.isDrained;
    if (nudge.kind === "notices") channel.news("notices", "");
    else if (channel.rules.takesEvents && channel.rules.wants(nudge.script)) {
      const { shard, script } = nudge;
      if (!channel.news("log", shard)) channel.beginAt("log", shard, script, 0);
    } else return;
    // Work that comes after a quiet time gives it as long as any other.
    if (wasIdle) channel.moved();
  }

  /** What D1 knows to be new: a nudge may have been lost. */
  private async sweep(now: number): Promise<void> {
    this.nextSweep = now + SWEEP_MS;
    const { own, row } = this;
    if (own === undefined || row === undefined || row.standby || !this.state.started) return;
    const known = new Map<string, number>();
    for (const lane of own.lanes.values()) if (lane.kind === "log") known.set(lane.shard, lane.next.through);
    if (own.rules.takesEvents) {
      const found = await this.deps.sources.withNews(known);
      for (const { shard, script } of found)
        this.heard.set(`log:${shard}`, { kind: "log", shard, script, errors: false });
    }
    if (own.rules.takesNotices) this.heard.set("notices", { kind: "notices" });
    const backfill = own.lanes.get("backfill");
    if (backfill !== undefined && backfill.position.through > 0)
      await this.deps.sources.endBackfill(backfill.position.through);
    if (this.problem !== null) this.isStale = true;
    if (row.state === "paused" || own.gate() > now) await own.peek();
  }

  // Failover

  private async lookAtFailover(now: number): Promise<void> {
    const { own, row, state } = this;
    if (own === undefined || row === undefined) return;
    const isOn = state.failedOverSince !== null;
    const { breaker, hold } = state.receiver;
    const wanted =
      row.failoverTo !== null &&
      failover({
        ...{ now, circuit: breaker.state, openedAt: breaker.openedAt, held: hold !== null, failedOver: isOn },
        halfBroken: isHalfBroken(state.receiver.quality, now, isOn),
        ...{ waitedMs: own.waitedMs(now), behindMs: own.behindMs(now) },
      });
    this.viaEnds = !wanted;
    if (!wanted) {
      if (isOn && (this.via?.busy ?? 0) === 0) this.endVia();
      return;
    }
    if (this.via === undefined || now >= this.nextVia) await this.openVia(now);
  }

  private async openVia(now: number): Promise<void> {
    const { own, row, state, book } = this;
    if (own === undefined || row?.failoverTo == null) return;
    this.nextVia = now + SWEEP_MS;
    const other = await this.deps.readDestination(row.failoverTo);
    const opened = other === undefined || other.state === "paused" ? undefined : await this.deps.open(other);
    if (other === undefined || opened === undefined || !opened.ok) return;
    this.viaName = other.name;
    const rules: Rules = this.deps.rules(opened.receiver.integration, row);
    if (this.via !== undefined) {
      if (this.via.receiver.revision !== other.revision && this.via.busy === 0) this.via.reset(opened.receiver, rules);
      return;
    }
    if (state.failedOverSince === null) {
      book.transaction(() => {
        state.failedOverSince = now;
        state.viaMovedAt = now;
        state.viaId = other.id;
        state.via = newReceiver();
        const before = book.readLanes("via");
        book.dropLanes("via");
        for (const lane of viaLanes(
          [...own.lanes.values()].map((each) => each.state()),
          before,
        ))
          book.writeLane("via", lane);
        book.writeState(state);
      });
    }
    this.via = new Channel("via", this.office, opened.receiver, rules);
  }

  /** How far it was is kept: should it carry again, nothing comes to it a second time. */
  private endVia(): void {
    const { state, book } = this;
    this.via = undefined;
    this.viaName = null;
    if (state.failedOverSince === null) return;
    state.failedOverSince = null;
    book.writeState(state);
  }

  /** Another destination takes over from now on, or none. */
  private forgetVia(): void {
    const { state, book } = this;
    this.endVia();
    if (state.viaId === null) return;
    book.transaction(() => {
      state.viaId = null;
      book.dropLanes("via");
      book.writeState(state);
    });
  }

  // Health

  /** Soon when the condition changed, else seldom: D1 bills by the row. */
  private async tellHealth(): Promise<void> {
    if (this.row === undefined) return;
    const now = this.deps.now();
    const health = this.health();
    const gap = health.condition === this.lastCondition ? HEALTH_MS : HEALTH_GAP_MS;
    if (now - this.toldAt < gap) return;
    this.toldAt = now;
    this.lastCondition = health.condition;
    await this.deps.writeHealth(health);
  }

  private *channels(): Generator<Channel> {
    if (this.own !== undefined) yield this.own;
    if (this.via !== undefined) yield this.via;
  }
}

/** Shards that are heard of before there is a look at them; the sweep finds what was left out. */
const MAX_HEARD = 10_000;
