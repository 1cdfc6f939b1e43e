/**
 * One look at the live stream, over as many connections as it takes: connects,
 * goes on where the last connection ended, drops what it heard twice, and gives
 * up only where trying again cannot help (a refused token, a filter that is not
 * understood). `socket.ts` makes the connections, `commands/tail.ts` listens.
 */
import { LIVE_CLOSE, type LiveMessage } from "../../workers/api/contract.ts";
import { CliFailure } from "../failure.ts";
import { safeLine } from "../safe-text.ts";
import { reconnectAfterMs } from "./back-off.ts";
import { type Connect, Connection, type SocketEnd } from "./connection.ts";
import { Cursor } from "./cursor.ts";
import { filterFailure } from "./filter-failure.ts";
import type { Timers } from "./timers.ts";

export type Ready = Extract<LiveMessage, { type: "ready" }>;
export type Events = Extract<LiveMessage, { type: "events" }>;
export interface SessionListener {
  /** @param isAgain it was connected before */
  connected(ready: Ready, isAgain: boolean): void;
  events(message: Events): void;
  /** What was asked for of the past has come; `gone` events of it are not there any more. */
  resumed(gone: number): void;
  lost(why: string, waitMs: number): void;
  problem(message: string): void;
  failed(failure: CliFailure): void;
}
export interface SessionOptions {
  connect: Connect;
  listener: SessionListener;
  timers: Timers;
  /** 0..1 */
  random: () => number;
  q: string;
  /** How far back to begin. */
  sinceMs?: number | undefined;
}

/** A connection that held this long was a good one: the next wait is short again. */
const GOOD_MS = 5_000;

const CREDENTIAL_ENDED = "The token has been revoked or has expired. Put another one into TAILRACE_TOKEN.";
const NOT_UNDERSTOOD = "Tailrace did not understand this command; are they of one version?";

export class LiveSession {
  readonly #options: SessionOptions;
  readonly #cursor: Cursor;
  #connection: Connection | undefined;
  #failures = 0;
  #readyAt: number | undefined;
  #wasReady = false;
  #isHeld = false;
  #isOver = false;
  #cancelWait: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { sinceMs, timers } = options;
    this.#cursor = new Cursor(sinceMs === undefined ? undefined : timers.now() - sinceMs);
  }

  start(): void {
    const { connect, timers } = this.#options;
    this.#readyAt = undefined;
    const connection = new Connection(connect, timers, {
      opened: () => {
        const resume = this.#cursor.resume();
        if (resume !== undefined) connection.say({ type: "resume", ...resume });
      },
      heard: (message) => this.#heard(message),
      ended: (end) => this.#ended(end),
    });
    this.#connection = connection;
    if (this.#isHeld) connection.hold();
  }

  /** No more is read, nor told as read, until `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#connection?.hold();
  }

  release(): void {
    this.#isHeld = false;
    this.#connection?.release();
  }

  end(): void {
    this.#isOver = true;
    this.#cancelWait?.();
    this.#connection?.close();
  }

  #heard(message: LiveMessage): void {
    if (this.#isOver) return;
    const { listener } = this.#options;
    switch (message.type) {
      case "ready":
        this.#cursor.heardAt(message.now);
        this.#readyAt = this.#options.timers.now();
        listener.connected(message, this.#wasReady);
        this.#wasReady = true;
        return;
      case "events":
        if (this.#cursor.hasPassed(message.at)) return;
        this.#cursor.add(message.at, message.now, message.matched === 0 && message.unchecked === undefined);
        listener.events(message);
        return;
      case "resumed":
        this.#cursor.resumed(message.now);
        listener.resumed(message.gone);
        return;
      case "problem":
        this.#problem(message);
    }
  }

  #problem({ code, message, details }: Extract<LiveMessage, { type: "problem" }>): void {
    if (this.#readyAt !== undefined) this.#options.listener.problem(message);
    else if (code !== "unavailable") this.#fail(filterFailure(this.#options.q, message, details));
    else {
      this.#connection?.destroy();
      this.#tryAgain(safeLine(message));
    }
  }

  #ended(end: SocketEnd): void {
    if (this.#isOver) return;
    if (end.tag === "unreachable") this.#tryAgain(end.why);
    else if (end.tag === "refused" && end.retry) this.#tryAgain(end.failure.message, end.retryAfterMs);
    else if (end.tag === "refused") this.#fail(end.failure);
    else if (end.code === LIVE_CLOSE.credentialEnded) this.#fail(new CliFailure(CREDENTIAL_ENDED));
    else if (end.code === LIVE_CLOSE.badMessage) this.#fail(new CliFailure(`${NOT_UNDERSTOOD} (${closeReason(end)})`));
    else this.#tryAgain(closeReason(end));
  }

  #tryAgain(why: string, retryAfterMs?: number): void {
    const { timers, random, listener } = this.#options;
    if (this.#readyAt !== undefined && timers.now() - this.#readyAt >= GOOD_MS) this.#failures = 0;
    const waitMs = reconnectAfterMs(this.#failures++, random(), retryAfterMs);
    this.#connection = undefined;
    this.#cancelWait = timers.after(waitMs, () => this.start());
    listener.lost(why, waitMs);
  }

  #fail(failure: CliFailure): void {
    this.end();
    this.#options.listener.failed(failure);
  }
}

/** RFC 6455, 7.4.1. */
const CLOSE_CODES: Record<number, string> = {
  1000: "closed by Tailrace",
  1001: "Tailrace is going away",
  1006: "it broke off",
  1011: "Tailrace failed",
  1012: "Tailrace is being restarted",
  1013: "Tailrace is overloaded",
};

function closeReason({ code, reason }: { code: number; reason: string }): string {
  return [CLOSE_CODES[code] ?? `closed with ${code}`, safeLine(reason)].filter(Boolean).join(": ");
}
