/**
 * Where this viewer is in the stream: per Ingester, what it has heard last. It
 * is handed in after a reconnect. Until the platform has answered that
 * (`resumed`), the positions of where the stream stands now do not count yet:
 * a connection that breaks in mid-replay must ask for the rest again. Pure.
 */
import type { LiveCursor } from "../../workers/api/contract.ts";

/** What a message to the platform may hold, less the rest of the message. With more Ingesters than fit, those that were heard last count. */
const MAX_CHARS = 60_000;
/** More would not fit either. */
const MAX_POSITIONS = 5_000;
/** Of quotes, colon and comma around a name and a position. */
const AROUND_CHARS = 6;

export class Cursor {
  /** Those that were heard last come last. */
  readonly #at: Map<string, string> = new Map();
  /** ms, server's clock; undefined: nothing was heard and nothing is asked for. */
  #since: number | undefined;
  #isResuming = false;
  readonly #later: { at: LiveCursor; now: number }[] = [];

  /** @param since ms: what happened from then on is asked for at the first connection */
  constructor(since?: number) {
    this.#since = since;
  }

  /** What to hand in on a new connection; undefined: there is nothing to go on from. */
  resume(): { cursor: LiveCursor; since: number } | undefined {
    this.#later.length = 0;
    this.#isResuming = this.#since !== undefined;
    return this.#since === undefined ? undefined : { cursor: this.#latest(), since: this.#since };
  }

  /** Everything in the message has been heard before. */
  hasPassed(at: LiveCursor): boolean {
    const positions = Object.entries(at);
    return positions.length > 0 && positions.every(([name, position]) => order(this.#at.get(name)) >= order(position));
  }

  /** @param isEmpty the message brought and counted no event: in a replay, it only says where the stream stands */
  add(at: LiveCursor, now: number, isEmpty: boolean): void {
    if (!this.#isResuming) this.#take(at, now);
    else if (isEmpty) this.#later.push({ at, now });
    else this.#take(at, this.#since ?? now);
  }

  /** A message without a position. */
  heardAt(now: number): void {
    if (!this.#isResuming) this.#since = now;
  }

  resumed(now: number): void {
    this.#isResuming = false;
    for (const { at, now: then } of this.#later.splice(0)) this.#take(at, then);
    this.#since = now;
  }

  #take(at: LiveCursor, now: number): void {
    for (const [name, position] of Object.entries(at)) {
      if (order(position) < order(this.#at.get(name))) continue;
      this.#at.delete(name);
      this.#at.set(name, position);
      if (this.#at.size > MAX_POSITIONS) this.#at.delete(this.#at.keys().next().value as string);
    }
    this.#since = now;
  }

  #latest(): LiveCursor {
    const latest: [string, string][] = [];
    let chars = 0;
    for (const [name, position] of [...this.#at].reverse()) {
      chars += name.length + position.length + AROUND_CHARS;
      if (chars > MAX_CHARS) break;
      latest.push([name, position]);
    }
    return Object.fromEntries(latest);
  }
}

/** A position is `<id>.<through>`; ids ascend. */
const order = (position: string | undefined): number => (position === undefined ? -1 : Number.parseInt(position, 10));
