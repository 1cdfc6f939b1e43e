/**
 * Notices a connection that is open on this side only (a laptop that slept, a
 * NAT that forgot): a ping now and then, to which something must come back.
 */
import { LIVE_PING_MS } from "../../workers/api/contract.ts";
import type { Timers } from "./timers.ts";

/** From the open socket to the first word. */
const FIRST_WORD_MS = 15_000;
/** From a ping to any word. */
const ANSWER_MS = 10_000;

export class Heartbeat {
  readonly #on: { ping: () => void; dead: () => void };
  readonly #timers: Timers;
  #isHeld = false;
  #cancelPing: (() => void) | undefined;
  #cancelDeadline: (() => void) | undefined;

  constructor(on: { ping: () => void; dead: () => void }, timers: Timers) {
    this.#on = on;
    this.#timers = timers;
  }

  start(): void {
    this.#expect(FIRST_WORD_MS);
    this.#schedule();
  }

  heard(): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
  }

  /** Nothing is being read, so nothing can be heard. */
  hold(): void {
    this.#isHeld = true;
    this.heard();
  }

  release(): void {
    this.#isHeld = false;
  }

  stop(): void {
    this.heard();
    this.#cancelPing?.();
    this.#cancelPing = undefined;
  }

  #schedule(): void {
    this.#cancelPing = this.#timers.after(LIVE_PING_MS, () => {
      this.#on.ping();
      this.#expect(ANSWER_MS);
      this.#schedule();
    });
  }

  #expect(ms: number): void {
    if (this.#isHeld || this.#cancelDeadline !== undefined) return;
    this.#cancelDeadline = this.#timers.after(ms, () => {
      this.stop();
      this.#on.dead();
    });
  }
}
