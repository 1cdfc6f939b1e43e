/**
 * The run loop of one Courier: takes over what the row of D1 says, lets its
 * channels read and send, looks at failover and back-fill, writes the health. The
 * alarm calls `run`; it goes on while there is something to do, and returns when all
 * that is left is to wait, so that a destination that is down costs no more than a
 * probe now and then. Whoever tells it of a change may fail to: it looks at its row
 * once a minute, and empties itself when that is gone.
 */
import type { BackfillRequest, DestinationHealth } from "../../api/contract/integrations.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { Nudge } from "../contract.ts";
import type { StoredDestination } from "../destinations.ts";
import { lookAtBackfill } from "./back-fill.ts";
import { holdMs } from "./backoff.ts";
import { chooseAnew, start, stop } from "./beginnings.ts";
import { Bell } from "./bell.ts";
import type { Book } from "./book.ts";
import { Carrying } from "./carrying.ts";
import { Channel } from "./channel.ts";
import { healthOf } from "./health.ts";
import { Letters } from "./letters.ts";
import { HEALTH_GAP_MS, HEALTH_MS, IDLE_RUN_MS, ROW_MS, RUN_MS, STORE_RETRY_MS, SWEEP_MS } from "./limits.ts";
import { Measures } from "./measures.ts";
import type { Dependencies, Receiver } from "./needs.ts";
import type { Office } from "./office.ts";
import { type CourierState, newReceiver } from "./state.ts";

export class Engine {
  readonly state: CourierState;
  readonly letters: Letters;
  private row: StoredDestination | undefined;
  private own: Channel | undefined;
  private readonly carrying: Carrying;
  private readonly bell = new Bell();
  private readonly office: Office;
  private isRunning = false;
  private isGone = false;
  /** Somebody said that the row has changed. */
  private isStale = true;
  /** ms: when the row is read, whatever anybody says. */
  private nextRow = 0;
  private nextSweep = 0;
  private toldAt = 0;
  private lastCondition: DestinationHealth["condition"] | undefined;
  /** It cannot be tried: no such integration, a secret that does not open. */
  private problem: string | null = null;
  /** A store of ours did not answer, or did not take what is to be remembered. */
  private loopError: string | null = null;
  /** What is in memory is not what is on disk. */
  private broken: unknown;
  private retryAt = 0;
  /** Runs in a row that failed. */
  private failures = 0;
  /** When the alarm goes off. */
  private planned: number | null = null;
  /** What was said and not looked at yet. */
  private readonly heard = new Map<string, Nudge>();

  /** @param vacate empties the storage: there is no such destination any more */
  constructor(
    readonly id: string,
    private readonly deps: Dependencies,
    private readonly book: Book,
    private readonly vacate: () => Promise<void>,
  ) {
    this.state = book.readState(deps.now());
    this.office = {
      ...{ id, deps, book, state: this.state, measures: new Measures(), started: 0 },
      ring: () => this.bell.ring(),
      isGone: () => this.isGone,
      breaks: (error) => {
        this.broken = error;
      },
    };
    this.letters = new Letters(this.office);
    this.carrying = new Carrying(this.office);
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

  /** The destination that carries for it was changed. Its own tries stay as they are. */
  refreshFailover(): void {
    this.carrying.changed();
    if (this.isRunning) this.bell.ring();
    else this.wake(this.deps.now());
  }

  retryNow(): void {
    this.own?.retryNow();
    this.carrying.channel?.retryNow();
    this.state.receiver = { ...newReceiver(), deliveredAt: this.state.receiver.deliveredAt };
    this.retryAt = 0;
    this.nextSweep = 0;
    this.wakeUp();
  }

  /** Also events from before it was made; what live cursors had their turn with is left out. One after the other. */
  backfill(request: BackfillRequest): void {
    this.state.backfillNext = request;
    this.book.writeState(this.state);
    this.wakeUp();
  }

  /** What is under way writes nothing any more. */
  remove(): void {
    this.isGone = true;
    this.bell.ring();
  }

  /** So that its health can be told before it ran for the first time. Throws when D1 is away. */
  async known(): Promise<void> {
    this.row ??= await this.deps.readDestination(this.id);
    this.office.measures.before(this.row?.health?.minutes ?? []);
  }

  health(): DestinationHealth {
    const { channel: via, name: failoverName } = this.carrying;
    return healthOf({
      ...{ state: this.state, row: this.row, own: this.own, via, deadLetters: this.book.dead.total },
      ...{ problem: this.problem, storeError: this.loopError ?? this.own?.storeError ?? null },
      ...{ measures: this.office.measures, now: this.deps.now(), failoverName },
    });
  }

  async run(): Promise<void> {
    this.planned = null;
    if (this.isRunning) return;
    this.isRunning = true;
    const { started } = this.office;
    try {
      await this.loop();
    } catch (error) {
      this.failed(error);
    }
    await this.drain();
    if (this.broken !== undefined) this.recall();
    this.isRunning = false;
    if (this.isGone) return;
    if (this.row === undefined && !this.isStale) {
      await this.vacate();
      return;
    }
    await this.tellHealth();
    this.plan(this.office.started === started);
  }

  // The loop

  private async loop(): Promise<void> {
    if (this.deps.now() < this.retryAt) return;
    const until = this.deps.now() + RUN_MS;
    while (!this.isGone) {
      await this.lookAtRow();
      const { own, row } = this;
      if (row === undefined || own === undefined) return;
      const now = this.deps.now();
      if (row.standby) this.heard.clear();
      else {
        if (now >= this.nextSweep) await this.sweep(own, row, now);
        this.hear(own);
      }
      if (!this.isActive(row) || now > until) return;
      await this.carrying.look(own, row, now);
      await lookAtBackfill(this.office, own);
      own.step();
      this.carrying.step();
      if (this.broken !== undefined) throw this.broken;
      this.loopError = null;
      if (this.busy === 0) {
        this.failures = 0;
        return;
      }
      void this.tellHealth();
      await this.bell.rung();
    }
  }

  private isActive = (row: StoredDestination) => row.state !== "paused" && !row.standby && this.problem === null;

  private get busy(): number {
    return (this.own?.busy ?? 0) + (this.carrying.channel?.busy ?? 0);
  }

  /** What is under way ends: its receiver's answer is not thrown away. */
  private async drain(): Promise<void> {
    while (!this.isGone && this.busy > 0) await this.bell.rung();
  }

  private failed(error: unknown): void {
    this.loopError = rootMessage(error);
    this.failures += 1;
    // What could not be remembered was sent: not again and again.
    const waitMs = this.broken === undefined ? STORE_RETRY_MS : holdMs(this.failures, this.deps.random());
    this.retryAt = this.deps.now() + waitMs;
    console.error(`delivery: the courier of ${this.id} failed, and tries again: ${this.loopError}`);
  }

  /** Disk knows better than memory: all is read again. */
  private recall(): void {
    this.broken = undefined;
    this.own = undefined;
    this.carrying.channel = undefined;
    this.isStale = true;
    Object.assign(this.state, this.book.readState(this.deps.now()));
  }

  private wakeUp(): void {
    if (this.isRunning) this.bell.ring();
    else this.plan(false);
  }

  /** When it is to run next. @param wasIdle the run that ended began nothing: none follows it at once */
  private plan(wasIdle: boolean): void {
    const now = this.deps.now();
    const { row, own } = this;
    const times: (number | null | undefined)[] = [this.isStale ? now : this.nextRow];
    if (row !== undefined && own !== undefined && this.isActive(row)) {
      times.push(this.nextSweep, own.wakeAt(now), this.carrying.wakeAt(own, row, now));
      if (this.state.movedAt > this.toldAt) times.push(this.toldAt + HEALTH_MS);
      if (this.heard.size > 0 && Math.min(own.gate(), this.carrying.gate()) <= now) times.push(now);
    }
    const soonest = Math.min(...times.filter((at) => at !== null && at !== undefined));
    this.wake(Math.max(now + (wasIdle ? IDLE_RUN_MS : 0), this.retryAt, soonest));
  }

  /** Setting an alarm is a row: not where the one that is set will do. */
  private wake(at: number): void {
    const now = this.deps.now();
    if (this.planned === at || (this.planned !== null && this.planned <= now && at <= now)) return;
    this.planned = at;
    this.deps.wake(at);
  }

  // What the row says

  private async lookAtRow(): Promise<void> {
    const now = this.deps.now();
    if (!this.isStale && this.row !== undefined && this.own !== undefined && now < this.nextRow) return;
    const wasTold = this.isStale;
    this.isStale = false;
    this.nextRow = now + SWEEP_MS;
    try {
      const row = await within(ROW_MS, "D1", this.deps.readDestination(this.id));
      const isSame = row !== undefined && row.revision === this.row?.revision;
      if (isSame && !wasTold && this.problem === null && this.own !== undefined) return;
      await this.drain();
      this.row = row;
      if (row !== undefined && !this.isGone) await this.takeOver(row);
    } catch (error) {
      // Nobody said that it is another: what is known goes on.
      if (!wasTold && this.row !== undefined && this.own !== undefined && this.problem === null) return;
      this.isStale = true;
      throw error;
    }
  }

  private async takeOver(row: StoredDestination): Promise<void> {
    this.office.measures.before(row.health?.minutes ?? []);
    const opened = await this.deps.open(row);
    this.problem = opened.ok ? null : opened.failure.message;
    if (!opened.ok) return;
    await this.takeOverReceiver(row, opened.receiver);
    this.carrying.takeOver(row);
  }

  private async takeOverReceiver(row: StoredDestination, receiver: Receiver): Promise<void> {
    const { office, state } = this;
    const rules = this.deps.rules(receiver.integration, row);
    if (this.own === undefined) this.own = new Channel("own", office, receiver, rules);
    else this.own.reset(receiver, rules);
    // Who stands by has no cursors: nothing is kept for it.
    if (row.standby) stop(office, this.own);
    else if (!state.started) await start(office, row, this.own);
    else if (state.revision !== row.revision) await chooseAnew(office, row, this.own);
  }

  // News

  /** What nudges said: lanes have something, or are new. */
  private hear(own: Channel): void {
    const { channel: via } = this.carrying;
    for (const nudge of this.heard.values()) {
      tell(own, nudge);
      if (via !== undefined) tell(via, nudge);
    }
    this.heard.clear();
  }

  /** What D1 knows to be new: a nudge may have been lost. */
  private async sweep(own: Channel, row: StoredDestination, now: number): Promise<void> {
    this.nextSweep = now + SWEEP_MS;
    if (!this.state.started) return;
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
    if (row.state === "paused" || own.gate() > now || own.mayStray(now)) await own.peek();
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
    // What an eviction would forget: how much waits.
    if (this.row !== undefined) this.row = { ...this.row, health };
  }
}

function tell(channel: Channel, nudge: Nudge): void {
  const wasIdle = channel.isDrained;
  if (nudge.kind === "notices") channel.news("notices", "");
  else if (channel.rules.takesEvents && channel.rules.wants(nudge.script)) {
    const { shard, script } = nudge;
    if (!channel.news("log", shard)) channel.beginAt("log", shard, script, 0);
  } else return;
  // Work that comes after a quiet time gives it as long as any other.
  if (wasIdle) channel.moved();
}

/** Shards that are heard of before there is a look at them; the sweep finds what was left out. */
const MAX_HEARD = 10_000;
