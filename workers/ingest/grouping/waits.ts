/**
 * Invocations that are held back while a source map of their errors is read. A
 * moment's wait gives an error its true fingerprint from the start; the event
 * matters more, so waiting is bounded by time, count and bytes, all of an
 * isolate together. `intake.ts` begins waits.
 */
import type { Clock } from "../group-commit.ts";
import type { Found } from "./grouper.ts";

/** Of one invocation. Reading D1 and a few ranges of R2 takes a tenth of a second; a person waits for events a second. */
export const MAX_WAIT_MS = 400;
const MAX_WAITS = 5_000;
const MAX_BYTES = 8_000_000;
/** A wait whose request was killed never ends: after this it is not counted any more. */
const ABANDONED_MS = 10 * MAX_WAIT_MS;
/** An event beside its texts, an attribute: objects, numbers. */
const EVENT_BYTES = 300;
const ATTRIBUTE_BYTES = 60;

interface Wait {
  since: number;
  bytes: number;
}

export class Waits {
  private readonly waits = new Set<Wait>();
  private bytes = 0;
  private readonly clock: Pick<Clock, "now" | "after">;

  constructor(clock: Pick<Clock, "now" | "after">) {
    this.clock = clock;
  }

  /** Resolves when `ready` does, or it took too long: then `late` is called. Undefined where there is no room to wait. */
  begin(ready: Promise<unknown>, found: Found, late: () => void): Promise<void> | undefined {
    const wait = { since: this.clock.now(), bytes: bytesOf(found) };
    if (!this.hasRoom(wait.bytes)) this.forgetAbandoned(wait.since);
    if (!this.hasRoom(wait.bytes)) return undefined;
    this.waits.add(wait);
    this.bytes += wait.bytes;
    return this.until(ready, late).finally(() => this.end(wait));
  }

  private hasRoom(bytes: number): boolean {
    return this.waits.size < MAX_WAITS && this.bytes + bytes <= MAX_BYTES;
  }

  private async until(ready: Promise<unknown>, late: () => void): Promise<void> {
    let cancel = () => {};
    const over = new Promise<"late">((resolve) => {
      cancel = this.clock.after(MAX_WAIT_MS, () => resolve("late"));
    });
    const first = await Promise.race([ready, over]);
    cancel();
    if (first === "late") late();
  }

  private end(wait: Wait): void {
    if (this.waits.delete(wait)) this.bytes -= wait.bytes;
  }

  private forgetAbandoned(now: number): void {
    for (const wait of this.waits) if (now - wait.since > ABANDONED_MS) this.end(wait);
  }
}

function bytesOf({ events }: Found): number {
  let bytes = 0;
  for (const { message, stack, attributes } of events) {
    bytes += EVENT_BYTES + (message?.length ?? 0) + (stack?.length ?? 0);
    if (attributes === undefined) continue;
    bytes += attributes.names.length * ATTRIBUTE_BYTES;
    for (const value of attributes.values) if (typeof value === "string") bytes += value.length;
  }
  return bytes;
}
