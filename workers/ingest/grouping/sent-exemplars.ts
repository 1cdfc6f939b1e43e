/**
 * Which stacks this isolate has delivered lately: most of a delta is the stack of
 * its exemplar, and one a minute is enough. In memory only: who has forgotten
 * sends it again.
 */

const REMEMBERED_MS = 60_000;
/** Some 100 bytes each. */
const MAX_REMEMBERED = 10_000;

export class SentExemplars {
  private readonly at = new Map<string, number>();

  has(key: string, nowMs: number): boolean {
    const at = this.at.get(key);
    return at !== undefined && nowMs - at < REMEMBERED_MS;
  }

  add(key: string, nowMs: number): void {
    if (this.at.size >= MAX_REMEMBERED) this.at.clear();
    this.at.set(key, nowMs);
  }
}
