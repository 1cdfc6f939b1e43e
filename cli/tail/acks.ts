/**
 * Tells the platform how much of the stream has been read, so that it knows
 * whether this viewer keeps up. Read is what stdout has taken: while that is
 * full nothing is told, the platform sends no more events than it has room for,
 * counts the others, and says how many they were.
 */
import { LIVE_ACK_CHARS, LIVE_ACK_MS } from "../../workers/api/contract.ts";
import type { Timers } from "./timers.ts";

export class Acks {
  readonly #send: (chars: number) => void;
  readonly #timers: Timers;
  #read = 0;
  #told = 0;
  #isHeld = false;
  #cancel: (() => void) | undefined;

  /** @param send told the characters of all messages of this connection */
  constructor(send: (chars: number) => void, timers: Timers) {
    this.#send = send;
    this.#timers = timers;
  }

  read(chars: number): void {
    this.#read += chars;
    if (this.#isHeld) return;
    if (this.#read - this.#told >= LIVE_ACK_CHARS) this.#tell();
    else this.#cancel ??= this.#timers.after(LIVE_ACK_MS, () => this.#tell());
  }

  hold(): void {
    this.#isHeld = true;
    this.stop();
  }

  release(): void {
    this.#isHeld = false;
    if (this.#read > this.#told) this.#tell();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tell(): void {
    this.stop();
    this.#told = this.#read;
    this.#send(this.#read);
  }
}
