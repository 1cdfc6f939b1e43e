/**
 * Asks Ingesters for what is new, all at once, each for as long as the look
 * lasts. One that hangs is not asked again on top: its answer is waited for by
 * later looks, and given up after ABANDON_MS.
 */
import type { IngesterRpc, UnsealedRollups } from "../../buffer/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { ABANDON_MS } from "./limits.ts";

export type Answer = { shard: string; afterId: number } & (
  | { ok: true; page: UnsealedRollups }
  | { ok: false; error: string }
);

interface Asked {
  afterId: number;
  at: number;
  answer: Promise<Answer>;
}

export class Puller {
  private readonly asked = new Map<string, Asked>();

  constructor(private readonly ingester: (shard: string) => Pick<IngesterRpc, "unsealedRollups">) {}

  /** Never rejects. `late`: settles when nobody waits any longer. */
  async ask(shard: string, afterId: number, now: number, late: Promise<void>): Promise<Answer> {
    let asked = this.asked.get(shard);
    if (asked === undefined || asked.afterId !== afterId || now - asked.at > ABANDON_MS || now < asked.at) {
      asked = { afterId, at: now, answer: this.call(shard, afterId) };
      this.asked.set(shard, asked);
    }
    const mine = asked;
    const tooLate = late.then((): Answer => ({ shard, afterId, ok: false, error: "no answer in time" }));
    const done = mine.answer.then((answer) => {
      if (this.asked.get(shard) === mine) this.asked.delete(shard);
      return answer;
    });
    return Promise.race([done, tooLate]);
  }

  private async call(shard: string, afterId: number): Promise<Answer> {
    try {
      return { shard, afterId, ok: true, page: await this.ingester(shard).unsealedRollups({ afterId, follow: true }) };
    } catch (error) {
      return { shard, afterId, ok: false, error: rootMessage(error) };
    }
  }
}
