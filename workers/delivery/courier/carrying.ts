/**
 * A second channel that carries to the failover what the destination does not
 * take. Its cursors are copies; they stay when it ends, so that one that fails over
 * again sends nothing a second time. Whether it is to carry is `failover.ts`' word.
 * The failover's own row is read once a minute, and when somebody says that it is
 * another: from then on nothing begins by the values of before, and one that is
 * paused, gone, or does not open carries nothing.
 */
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { StoredDestination } from "../destinations.ts";
import { Channel } from "./channel.ts";
import { failover, viaLanes } from "./failover.ts";
import { laneKey } from "./lane.ts";
import { FAILOVER_LOOK_MS, ROW_MS, STORE_RETRY_MS, SWEEP_MS } from "./limits.ts";
import type { Receiver, Rules } from "./needs.ts";
import type { Office } from "./office.ts";
import { isHalfBroken } from "./quality.ts";
import { newReceiver } from "./state.ts";

export class Carrying {
  channel: Channel | undefined;
  /** Name of the destination that carries. */
  name: string | null = null;
  /** It ends as soon as nothing of it is under way. */
  private ends = false;
  /** Other values, as soon as nothing is under way by those of before. */
  private next: { receiver: Receiver; rules: Rules } | undefined;
  /** Somebody said that the failover's row has changed. */
  private isStale = false;
  private nextLook = 0;

  constructor(private readonly office: Office) {}

  /** Why nothing is carried although it is wanted. */
  get problem(): string | null {
    return this.office.state.viaProblem;
  }

  /** The destination's row was read anew: rules may be others, and so may the failover. What it has carried is on disk. */
  takeOver(row: StoredDestination): void {
    const { state } = this.office;
    this.channel = undefined;
    this.next = undefined;
    this.nextLook = 0;
    if (row.failoverTo === null || row.failoverTo !== state.viaId) this.forget();
  }

  /** The failover's row was changed. */
  changed(): void {
    this.isStale = true;
    this.nextLook = 0;
  }

  async look(own: Channel, row: StoredDestination, now: number): Promise<void> {
    const isOn = this.office.state.failedOverSince !== null;
    const wanted = row.failoverTo !== null && this.isWanted(own, now, isOn);
    this.ends = !wanted;
    if (!wanted) {
      if (!this.isBusy) this.end();
      return;
    }
    if (now >= this.nextLook) {
      const { isStale } = this;
      this.nextLook = now + SWEEP_MS;
      // Before the row is read: what is said meanwhile is of the next look.
      this.isStale = false;
      try {
        await this.open(own, row, { now, isStale });
      } catch (error) {
        // The destination itself goes on meanwhile, and so does the failover, unless somebody said that it is another.
        this.isStale ||= isStale;
        this.nextLook = now + STORE_RETRY_MS;
        console.warn(`delivery: the failover of ${row.id} cannot be opened: ${rootMessage(error)}`);
      }
    }
    this.turnOver();
  }

  step(): void {
    if (!this.isHeld) this.channel?.step();
  }

  /** ms since the epoch: nothing is sent before. */
  gate(): number {
    return this.channel === undefined || this.isHeld ? Number.POSITIVE_INFINITY : this.channel.gate();
  }

  /** ms since the epoch: when it wants to go on. */
  wakeAt(own: Channel, row: StoredDestination, now: number): number | null {
    if (row.failoverTo === null) return null;
    if (this.channel === undefined && this.problem === null) return own.pending > 0 ? now + FAILOVER_LOOK_MS : null;
    if (this.next !== undefined) return now;
    if (this.isHeld) return this.ends ? null : this.nextLook;
    return this.channel?.wakeAt(now) ?? null;
  }

  /** Nothing more begins. */
  private get isHeld(): boolean {
    return this.ends || this.isStale || this.next !== undefined || this.problem !== null;
  }

  private get isBusy(): boolean {
    return (this.channel?.busy ?? 0) > 0;
  }

  private isWanted(own: Channel, now: number, failedOver: boolean): boolean {
    const { breaker, hold, quality } = this.office.state.receiver;
    return failover({
      ...{ now, circuit: breaker.state, openedAt: breaker.openedAt, held: hold !== null, failedOver },
      halfBroken: isHalfBroken(quality, now, failedOver),
      ...{ waitedMs: own.waitedMs(now), behindMs: own.behindMs(now) },
    });
  }

  private async open(
    own: Channel,
    row: StoredDestination,
    { now, isStale }: { now: number; isStale: boolean },
  ): Promise<void> {
    const { deps } = this.office;
    if (row.failoverTo === null) return;
    const other = await within(ROW_MS, "D1", deps.readDestination(row.failoverTo));
    if (other === undefined) return this.cannot("Its failover is gone: it carries nothing.");
    this.name = other.name;
    if (other.state === "paused") return this.cannot(`Its failover ${other.name} is paused: it carries nothing.`);
    const opened = await deps.open(other);
    if (!opened.ok) return this.cannot(`Its failover ${other.name} carries nothing: ${opened.failure.message}`);
    const { receiver } = opened;
    const rules = deps.rules(receiver.integration, row);
    const isNew = isStale || this.problem !== null;
    this.cannot(null);
    if (this.channel === undefined) {
      this.begin(own, other.id, now);
      this.channel = new Channel("via", this.office, receiver, rules);
      if (isNew) this.channel.retryNow();
    } else if (this.channel.receiver.revision === receiver.revision) this.next = undefined;
    else this.next = { receiver, rules };
  }

  /** Nothing is under way: what waited for that. */
  private turnOver(): void {
    const { channel, next } = this;
    if (channel === undefined || this.isBusy) return;
    if (this.problem !== null) {
      this.channel = undefined;
      this.next = undefined;
    } else if (next !== undefined) {
      channel.reset(next.receiver, next.rules);
      // What the values of before came to says nothing of these.
      channel.retryNow();
      this.next = undefined;
    }
  }

  private begin(own: Channel, id: string, now: number): void {
    const { state, book } = this.office;
    const before = book.readLanes("via");
    const lanes = viaLanes(
      [...own.lanes.values()].map((lane) => lane.state()),
      before,
    );
    if (state.failedOverSince !== null) {
      // It goes on where it was; Workers that came meanwhile have no cursor yet.
      const known = new Set(before.map(({ kind, shard }) => laneKey(kind, shard)));
      for (const lane of lanes) if (!known.has(laneKey(lane.kind, lane.shard))) book.writeLane("via", lane);
      return;
    }
    book.transaction(() => {
      state.failedOverSince = now;
      state.viaMovedAt = now;
      state.viaId = id;
      state.via = newReceiver();
      book.dropLanes("via");
      for (const lane of lanes) book.writeLane("via", lane);
      book.writeState(state);
    });
  }

  /** It stays on disk: its health is asked of one that was evicted, too. */
  private cannot(problem: string | null): void {
    const { state, book } = this.office;
    if (state.viaProblem === problem) return;
    state.viaProblem = problem;
    book.writeState(state);
  }

  private end(): void {
    const { state, book } = this.office;
    this.channel = undefined;
    this.next = undefined;
    this.name = null;
    if (state.failedOverSince === null && state.viaProblem === null) return;
    state.failedOverSince = null;
    state.viaProblem = null;
    book.writeState(state);
  }

  /** Another destination takes over from now on, or none. */
  private forget(): void {
    const { state, book } = this.office;
    this.end();
    if (state.viaId === null) return;
    book.transaction(() => {
      state.viaId = null;
      book.dropLanes("via");
      book.writeState(state);
    });
  }
}
