/**
 * Characters sent to one that never says what it has read. Nobody knows how much of
 * it is still on its way, so with time it is taken to have been read: wrangler
 * hangs up by itself when its ping is not answered within 10 s, and the answer
 * stands in line behind what was sent. Only one whose process was stopped reads
 * nothing and stays. Pure; `tails.ts` adds up and sends away.
 */
import { UNPROVEN_HALF_MS } from "./limits.ts";

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
