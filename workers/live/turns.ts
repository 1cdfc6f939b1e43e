/**
 * Work that many ask for at once and that is dear: a page of it, then whatever
 * else the object has to do, then the next page, in the order in which they asked.
 * So those who come again, by the hundred after a redeploy or on purpose again and
 * again, keep a push waiting for one page and not for all of theirs.
 */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Resolves when it is one's turn. */
  async next(): Promise<void> {
    const turn = this.last;
    this.last = turn.then(() => scheduler.wait(0));
    await turn;
  }
}
