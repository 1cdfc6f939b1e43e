/**
 * What Ingesters still have in their logs, asked for viewers who come again
 * (`catch-up.ts`). After a redeploy all of them come at once, and from the same
 * place: they share one question and one answer, and the entries in it.
 */
import type { IngesterRpc } from "../buffer/contract.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import { REPLAY_PAGE_BYTES, REPLAY_TIMEOUT_MS, REPLAYS_KEPT, REPLAYS_MS } from "./limits.ts";
import type { Received } from "./ring.ts";

export interface Replayed {
  entries: Received[];
  more: boolean;
  sealedThrough: number;
}

export interface ReplaysParts {
  /** By the name of the shard. */
  ingester(shard: string): Pick<IngesterRpc, "replay">;
  /** Of the Worker whose hub this is; "" in the hub of all. */
  script: string;
}

export class Replays {
  private readonly asked = new Map<string, { at: number; answer: Promise<Replayed | undefined> }>();

  constructor(private readonly parts: ReplaysParts) {}

  /** Undefined when the Ingester does not answer. What it logs later is pushed: an answer that is a moment old leaves nothing out. */
  async ask(shard: string, afterId: number, now: number): Promise<Replayed | undefined> {
    const key = `${afterId} ${shard}`;
    const known = this.asked.get(key);
    if (known !== undefined && now - known.at < REPLAYS_MS) return await known.answer;
    const answer = this.read(shard, afterId);
    this.asked.delete(key);
    this.asked.set(key, { at: now, answer });
    if (this.asked.size > REPLAYS_KEPT) this.asked.delete(this.asked.keys().next().value as string);
    return await answer;
  }

  private async read(shard: string, afterId: number): Promise<Replayed | undefined> {
    try {
      const asked = this.parts.ingester(shard).replay({ afterId, maxBytes: REPLAY_PAGE_BYTES });
      const { entries, more, sealedThrough } = await within(REPLAY_TIMEOUT_MS, shard, asked);
      const { script } = this.parts;
      return { entries: entries.map((entry) => ({ ...entry, shard, script })), more, sealedThrough };
    } catch (error) {
      console.warn(`live: what viewers missed cannot be read: ${rootMessage(error)}`);
      return undefined;
    }
  }
}
