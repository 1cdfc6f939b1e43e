/**
 * A sample of invocations whose size need not be known beforehand: those whose
 * id hashes below a threshold, which is halved whenever there are too many. What
 * is in it depends on the id alone, so all events of an invocation are in or out,
 * wherever they lie, and the sample is as good as drawn at random.
 */
const ALL = 2 ** 32;

export class HashSample {
  private threshold = ALL;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  wants(hash: number): boolean {
    return hash < this.threshold;
  }

  /** The part of all that is in it. */
  get fraction(): number {
    return this.threshold / ALL;
  }

  /** Takes out what is too much. Of rows that are `fixed`, none. True when the threshold fell. */
  shrink(rows: Map<string, { hash: number; ofIssue?: boolean }>, fixed = 0): boolean {
    const before = this.threshold;
    while (rows.size - fixed > this.most) {
      this.threshold /= 2;
      this.settle(rows);
    }
    return this.threshold < before;
  }

  /** Takes out what was let in before the threshold fell: batches are looked at side by side. */
  settle(rows: Map<string, { hash: number; ofIssue?: boolean }>): void {
    for (const [id, { hash, ofIssue }] of rows) if (ofIssue !== true && hash >= this.threshold) rows.delete(id);
  }
}
