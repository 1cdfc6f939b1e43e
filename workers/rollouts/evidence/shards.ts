/** Which Ingesters a Worker has: D1's list, kept for some seconds, and for longer when D1 does not answer. */
import { shardName } from "../../buffer/contract.ts";
import { listShards } from "../../store/catalog.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { LOOK_TIMEOUT_MS, SHARDS_MS, STALE_SHARDS_MS } from "./limits.ts";

export class ShardList {
  private names: readonly string[] | undefined;
  private readAt = Number.NEGATIVE_INFINITY;
  private problem = "";

  constructor(private readonly db: () => D1Database) {}

  /** Without any list nothing can be asked; "" when there is one. */
  doubt(): string {
    return this.names === undefined ? `The list of Ingesters cannot be read: ${this.problem}` : "";
  }

  /** What an old list may lack. Which version an invocation is of has no say in which Ingester gets it. */
  note(now: number): string {
    if (this.names === undefined || this.names.length === 0 || now - this.readAt <= STALE_SHARDS_MS) return "";
    return `The list of Ingesters is old (${this.problem}): what a newer one got is missing, of both versions alike.`;
  }

  async read(script: string, now: number): Promise<readonly string[]> {
    if (now - this.readAt < SHARDS_MS && now >= this.readAt) return this.names ?? [];
    try {
      const rows = await within(LOOK_TIMEOUT_MS / 2, "D1", listShards(this.db(), { scripts: [script] }));
      this.names = rows.map(({ shard }) => shard);
      // A Worker that nobody has heard of has no Ingester yet: look again soon.
      this.readAt = rows.length === 0 ? Number.NEGATIVE_INFINITY : now;
    } catch (error) {
      this.problem = rootMessage(error);
    }
    return this.names ?? [];
  }

  forget(): void {
    this.names = undefined;
    this.readAt = Number.NEGATIVE_INFINITY;
  }
}

/** For people: which of a Worker's Ingesters it is. */
export function nameOf(shard: string, script: string): string {
  const first = shardName(script, 0);
  return shard === first ? "Ingester 1" : `Ingester ${Number(shard.slice(first.length + 1)) + 1}`;
}
