/**
 * One read for all who want the same at the same time: a thousand invocations
 * that fail in the same code read its block once.
 *
 * Inside workerd a read belongs to the request that began it, and may never
 * answer when that has ended. So nobody waits for another's read for long, and
 * reads for himself then.
 */
import { within } from "../../util/within.ts";

/** R2 answers in some tens of milliseconds. */
const TRUST_MS = 250;

export class SharedReads<T> {
  private readonly underWay = new Map<number, { work: Promise<T>; since: number }>();

  async get(key: number, read: () => Promise<T>): Promise<T> {
    const other = this.underWay.get(key);
    if (other !== undefined && Date.now() - other.since < TRUST_MS) {
      const settled = other.work.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      const answer = await within(TRUST_MS, undefined, settled).catch(() => undefined);
      if (answer === undefined) return read();
      // What fails for one fails for all: a thousand more reads do not help a store that is down.
      if ("error" in answer) throw answer.error;
      return answer.value;
    }
    const mine = { work: read(), since: Date.now() };
    this.underWay.set(key, mine);
    try {
      return await mine.work;
    } finally {
      if (this.underWay.get(key) === mine) this.underWay.delete(key);
    }
  }
}
