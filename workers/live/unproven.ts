/**
 * Characters sent to one that never says what it has read. Nobody knows how much of
 * it is still on its way, so with time it is taken to have been read: wrangler
 * hangs up by itself when its ping is not answered within 10 s, and the answer
 * stands in line behind what was sent. Only one whose process was stopped reads
 * nothing and stays. Pure; `tails.ts` adds up and sends away.
 */
import { UNPROVEN_CHARS, UNPROVEN_HALF_MS, UNPROVEN_OWN_CHARS } from "./limits.ts";

export class Unproven {
  private chars = 0;
  private since = 0;

  add(chars: number, now: number): void {
    this.chars = this.at(now) + chars;
  }

  at(now: number): number {
    this.chars *= 0.5 ** (Math.max(now - this.since, 0) / UNPROVEN_HALF_MS);
    this.since = now;
    return this.chars;
  }
}

/** What may be sent to all tails of a hub: asked before each message. */
export class Room {
  private left = 0;
  private own = 0;
  /** Something did not fit: somebody has to go. */
  isShort = false;

  /** Before a push: what all of them together may not have read, those included that were sent away. */
  measure(unproven: number, tails: number): void {
    this.left = UNPROVEN_CHARS - unproven;
    this.own = UNPROVEN_OWN_CHARS / Math.max(tails, 1);
    this.isShort = false;
  }

  /** One that reads is not kept waiting by those that do not: a part is everyone's own. */
  takes(chars: number, unproven: number): boolean {
    if (chars > this.left && unproven + chars > this.own) {
      this.isShort = true;
      return false;
    }
    this.left -= chars;
    return true;
  }
}
