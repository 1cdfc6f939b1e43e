/**
 * Tells the queue of deliveries that this shard has something new, while there
 * are destinations. `ingester.ts` says what was appended; the queue's consumer
 * (`delivery/nudges.ts`) passes it on to the Couriers, who read the log.
 * What may not be told yet waits for the next append, or for the Ingester's alarm
 * (`dueAt`): a timer would keep the object awake, and billed, as long as events come.
 *
 * Nothing depends on a nudge: one that is lost is made good within a minute by
 * the Couriers' own look at D1. So no append waits for one, or fails by it.
 */
import type { Nudge } from "../delivery/contract.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { NUDGE_ERRORS_MS, NUDGE_MS, NUDGE_TIMEOUT_MS } from "./limits.ts";
import type { Meta } from "./meta.ts";

export interface NudgerParts {
  meta: Meta;
  shard: string;
  script: () => string;
  send: (nudge: Nudge) => Promise<unknown>;
  /** There may be a new `dueAt`. */
  due: () => void;
  now?: () => number;
}

export class Nudger {
  private forwards: boolean;
  /** Of the last one. */
  private sentAt = Number.NEGATIVE_INFINITY;
  /** What was appended since then. */
  private waits: "nothing" | "events" | "errors" = "nothing";
  private isSending = false;
  private readonly now: () => number;

  constructor(private readonly parts: NudgerParts) {
    this.now = parts.now ?? Date.now;
    this.forwards = parts.meta.get("forwards") === "1";
  }

  /** ms; undefined while there is nothing to tell, or it is being told. */
  get dueAt(): number | undefined {
    if (!this.forwards || this.waits === "nothing" || this.isSending) return undefined;
    return this.sentAt + (this.waits === "errors" ? NUDGE_ERRORS_MS : NUDGE_MS);
  }

  /** D1 said, or somebody reads: whether there are destinations. Kept over an eviction. */
  learn(forwards: boolean): void {
    if (forwards === this.forwards) return;
    this.forwards = forwards;
    this.parts.meta.set("forwards", forwards ? "1" : "");
    void this.run();
  }

  /** Something is in the log. A shard that is new hears of destinations only after its first events: they are remembered. */
  note(errors: boolean): void {
    if (this.waits !== "errors") this.waits = errors ? "errors" : "events";
    void this.run();
  }

  /** Tells what is due. Never rejects. */
  async run(): Promise<void> {
    const { dueAt } = this;
    if (dueAt !== undefined && dueAt <= this.now()) await this.send();
    this.parts.due();
  }

  private async send(): Promise<void> {
    const nudge: Nudge = {
      kind: "log",
      shard: this.parts.shard,
      script: this.parts.script(),
      errors: this.waits === "errors",
    };
    this.waits = "nothing";
    this.sentAt = this.now();
    this.isSending = true;
    try {
      await within(NUDGE_TIMEOUT_MS, "queue", this.parts.send(nudge));
    } catch (error) {
      console.warn(`a nudge of ${this.parts.shard} was lost: ${rootMessage(error)}`);
    }
    this.isSending = false;
  }
}
