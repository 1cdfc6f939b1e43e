/**
 * Whether who has just come may stay: `api/` let it in a moment ago, or a ticket
 * did within the last minute, and meanwhile a token may have been revoked that
 * this hub was not told of, since it had nobody to send away. Asked once the hub is
 * registered (`leases.ts`): either revoking finds the hub, or this finds what was
 * revoked. `hub.ts` asks.
 */
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { Listener } from "./contract.ts";
import { readStanding, type Standing } from "./credentials.ts";
import { STANDING_TIMEOUT_MS } from "./limits.ts";

export class Doorkeeper {
  private waiting: Listener[] = [];
  private next: Promise<Standing | undefined> | undefined;
  private asking: Promise<unknown> = Promise.resolve();

  constructor(private readonly db: D1Database) {}

  /** Hundreds come at once after a redeploy: while D1 is asked for some, all others share the next question. D1 that is away sends nobody away. */
  async mayStay(who: Listener): Promise<boolean> {
    this.waiting.push(who);
    this.next ??= this.asking.then(() => this.ask());
    const standing = await this.next;
    return standing?.hasEnded(who, Date.now()) !== true;
  }

  private ask(): Promise<Standing | undefined> {
    const listeners = this.waiting;
    this.waiting = [];
    this.next = undefined;
    const asked = within(STANDING_TIMEOUT_MS, "D1", readStanding(this.db, listeners)).catch((error: unknown) => {
      console.warn(`live: credentials cannot be looked up: ${rootMessage(error)}`);
      return undefined;
    });
    this.asking = asked;
    return asked;
  }
}
