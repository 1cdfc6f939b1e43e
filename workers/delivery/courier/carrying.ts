/**
 * A second channel that carries to the failover what the destination does not
 * take. Its cursors are copies; they stay when it ends, so that one that fails over
 * again sends nothing a second time. Whether it is to carry is `failover.ts`' word.
 */
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import type { StoredDestination } from "../destinations.ts";
import { Channel, type Office } from "./channel.ts";
import { failover, viaLanes } from "./failover.ts";
import { ROW_MS, SWEEP_MS } from "./limits.ts";
import { isHalfBroken } from "./quality.ts";
import { newReceiver } from "./state.ts";

export class Carrying {
  channel: Channel | undefined;
  /** Name of the destination that carries. */
  name: string | null = null;
  /** It ends as soon as nothing of it is under way. */
  private ends = false;
  private nextLook = 0;

  constructor(private readonly office: Office) {}

  /** The destination's row was read anew: rules may be others, and so may the failover. What it has carried is on disk. */
  takeOver(row: StoredDestination): void {
    const { state } = this.office;
    this.channel = undefined;
    this.nextLook = 0;
    if (row.failoverTo === null || row.failoverTo !== state.viaId) this.forget();
  }

  async look(own: Channel, row: StoredDestination, now: number): Promise<void> {
    const isOn = this.office.state.failedOverSince !== null;
    const wanted = row.failoverTo !== null && this.isWanted(own, now, isOn);
    this.ends = !wanted;
    if (!wanted) {
      if (isOn && (this.channel?.busy ?? 0) === 0) this.end();
      return;
    }
    if (now < this.nextLook) return;
    this.nextLook = now + SWEEP_MS;
    try {
      await this.open(own, row, now);
    } catch (error) {
      // The destination itself goes on meanwhile.
      console.warn(`delivery: the failover of ${row.id} cannot be opened: ${rootMessage(error)}`);
    }
  }

  step(): void {
    if (!this.ends) this.channel?.step();
  }

  private isWanted(own: Channel, now: number, failedOver: boolean): boolean {
    const { breaker, hold, quality } = this.office.state.receiver;
    return failover({
      ...{ now, circuit: breaker.state, openedAt: breaker.openedAt, held: hold !== null, failedOver },
      halfBroken: isHalfBroken(quality, now, failedOver),
      ...{ waitedMs: own.waitedMs(now), behindMs: own.behindMs(now) },
    });
  }

  private async open(own: Channel, row: StoredDestination, now: number): Promise<void> {
    const { deps, state, book } = this.office;
    if (row.failoverTo === null) return;
    const other = await within(ROW_MS, "D1", deps.readDestination(row.failoverTo));
    if (other === undefined || other.state === "paused") return;
    const opened = await deps.open(other);
    if (!opened.ok) return;
    this.name = other.name;
    const rules = deps.rules(opened.receiver.integration, row);
    const { channel } = this;
    if (channel !== undefined) {
      if (channel.receiver.revision !== other.revision && channel.busy === 0) channel.reset(opened.receiver, rules);
      return;
    }
    if (state.failedOverSince === null) {
      const lanes = [...own.lanes.values()].map((lane) => lane.state());
      book.transaction(() => {
        state.failedOverSince = now;
        state.viaMovedAt = now;
        state.viaId = other.id;
        state.via = newReceiver();
        const begins = viaLanes(lanes, book.readLanes("via"));
        book.dropLanes("via");
        for (const lane of begins) book.writeLane("via", lane);
        book.writeState(state);
      });
    }
    this.channel = new Channel("via", this.office, opened.receiver, rules);
  }

  private end(): void {
    const { state, book } = this.office;
    this.channel = undefined;
    this.name = null;
    if (state.failedOverSince === null) return;
    state.failedOverSince = null;
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
