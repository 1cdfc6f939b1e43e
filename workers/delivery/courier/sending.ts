/**
 * Sends batches: what the circuit allows now, a full batch or a probe, is cut out of
 * the lanes' windows and handed to the integration; what comes back goes to
 * `settling.ts`. A batch is not waited for by the channel's step: several are under
 * way at once, and each rings when it ended.
 */
import type { Failure, SendResult } from "../../integrations/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { cut } from "./batcher.ts";
import { allows, probing } from "./breaker.ts";
import type { Channel } from "./channel.ts";
import { PROBE_ITEMS, SEND_MS } from "./limits.ts";
import { settle } from "./settling.ts";
import type { Slot } from "./slot.ts";

/** Slots of a lane that one probe begins after the one before: one item cannot fail them all. */
const PROBE_STRIDE = 16;
const PROBE_PLACES = 4;

export class Sending {
  /** Batches that are under way. */
  sends = 0;

  constructor(private readonly channel: Channel) {}

  /** Starts one batch. @returns whether there was one to start */
  start(now: number): boolean {
    const slots = this.nextBatch(now);
    if (slots.length === 0) return false;
    void this.send(slots);
    return true;
  }

  private nextBatch(now: number): Slot[] {
    const { channel } = this;
    const { hold, breaker, probes } = channel.health;
    const { integration } = channel.receiver;
    const allowed =
      hold === null ? allows(breaker, now, this.sends) : now >= channel.gate() && this.sends === 0 ? "probe" : "wait";
    if (allowed === "wait") return [];
    const lanes = [...channel.lanes.values()];
    const common = { terms: channel.terms, now, turn: channel.turn++ };
    if (allowed === "send")
      return cut(lanes, { ...common, limits: integration.limits, fullOnly: channel.isReading && this.sends > 0 });
    const items = hold === null ? Math.min(PROBE_ITEMS, integration.limits.items) : 1;
    // Where items in a row were refused, the newest tells whether it is they, or the receiver.
    const newest = hold !== null && probes % 2 === 0 ? Number.MAX_SAFE_INTEGER : 0;
    const skip = hold === null ? (probes % PROBE_PLACES) * PROBE_STRIDE : newest;
    const slots = cut(lanes, { ...common, limits: { ...integration.limits, items }, fullOnly: false, skip });
    if (slots.length > 0)
      channel.health = { ...channel.health, probes: probes + 1, breaker: hold === null ? probing(breaker) : breaker };
    return slots;
  }

  private async send(slots: readonly Slot[]): Promise<void> {
    const { office, receiver } = this.channel;
    const { integration, values, io } = receiver;
    this.sends += 1;
    office.started += 1;
    const started = office.deps.now();
    let result: SendResult;
    try {
      const items = slots.map(({ item }) => item);
      result = await within(SEND_MS, undefined, integration.send(values, items, io));
    } catch (error) {
      result = { outcomes: slots.map(() => ({ again: thrown(error) })), requests: 1 };
    }
    this.sends -= 1;
    // Removed meanwhile: its storage is gone, and nobody asks any more.
    try {
      if (!office.isGone()) settle(this.channel, slots, result, office.deps.now() - started);
    } catch (error) {
      office.breaks(error);
    }
    office.ring();
  }
}

/** `send` does not throw for what a receiver does: our own bucket is away, it took too long, or it has a bug. */
function thrown(error: unknown): Failure {
  return { kind: "unreachable", status: 0, message: rootMessage(error) };
}
