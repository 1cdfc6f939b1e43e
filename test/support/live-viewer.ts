/**
 * A viewer of the live stream, for tests and loads: speaks the contract
 * (workers/api/contract/live.ts), acknowledges what it has read, and adds up what
 * it was sent and told. `onMessage` sees every message; nothing else is kept.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import {
  LIVE_ACK_CHARS,
  LIVE_ACK_MS,
  LIVE_PONG,
  type LiveCursor,
  type LiveMessage,
  type LiveRequest,
} from "../../workers/api/contract/live.ts";
import { readFrame } from "./live-frames.ts";

/** A hub under load on two cores still answers an upgrade. */
const OPEN_DEADLINE_MS = 20_000;

export interface ViewerOptions {
  token: string;
  /** null: all Workers. */
  script: string | null;
  q?: string;
  rate?: number;
  /** False: never says what it has read. */
  acks?: boolean;
  /** Where another viewer was: said as soon as the socket is open. */
  resume?: { cursor: LiveCursor; since: number };
  headers?: Record<string, string>;
  onMessage?: (message: LiveMessage, viewer: LiveViewer) => void;
}

export interface Tally {
  frames: number;
  chars: number;
  events: number;
  matched: number;
  notShown: number;
  errorsNotShown: number;
  unchecked: number;
  gone: number;
  problems: number;
  /** Messages that do not add up in themselves; must stay empty. */
  wrong: string[];
}

export class LiveViewer {
  readonly tally: Tally = {
    ...{ frames: 0, chars: 0, events: 0, matched: 0, notShown: 0, errorsNotShown: 0, unchecked: 0, gone: 0 },
    problems: 0,
    wrong: [],
  };
  /** Where it is: what it resumed with, and what it has heard since. */
  readonly cursor: LiveCursor;
  /** Server time of the last message. */
  since = 0;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The first thing it hears: that it listens, or what is wrong with its filter. */
  readonly greeted: Promise<LiveMessage>;
  isOpen = false;
  readonly #socket: WebSocket;
  readonly #options: ViewerOptions;
  #greet: (message: LiveMessage) => void = () => {};
  #acked = 0;
  #ackTimer: NodeJS.Timeout | undefined;

  private constructor(url: string, options: ViewerOptions) {
    const { token, script, q = "", rate, headers } = options;
    const params = new URLSearchParams({ ...(script === null ? {} : { script }), q });
    if (rate !== undefined) params.set("rate", String(rate));
    this.#options = options;
    this.cursor = { ...options.resume?.cursor };
    this.#socket = new WebSocket(
      `${url.replace(/^http/, "ws").replace("localhost", "127.0.0.1")}/api/v1/live?${params}`,
      {
        headers: { authorization: `Bearer ${token}`, ...headers },
        perMessageDeflate: false,
        skipUTF8Validation: true,
        handshakeTimeout: OPEN_DEADLINE_MS,
      },
    );
    this.#socket.once("open", () => {
      this.isOpen = true;
      if (options.resume) this.say({ type: "resume", ...options.resume });
    });
    this.#socket.on("message", (data: Buffer) => this.#read(data));
    // An error is followed by "close".
    this.#socket.on("error", () => {});
    this.greeted = new Promise((resolve) => {
      this.#greet = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once("close", (code, reason) => {
        this.isOpen = false;
        clearTimeout(this.#ackTimer);
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Once the socket is open; rejects with the answer when there is no upgrade. */
  static async open(url: string, options: ViewerOptions): Promise<LiveViewer> {
    const viewer = new LiveViewer(url, options);
    await new Promise<void>((resolve, reject) => {
      viewer.#socket.once("open", resolve);
      viewer.#socket.once("unexpected-response", (request, response) => {
        reject(new Error(`no upgrade: ${response.statusCode}`));
        request.destroy();
      });
      viewer.#socket.once("error", reject);
    });
    return viewer;
  }

  say(request: LiveRequest): void {
    this.#socket.send(JSON.stringify(request));
  }

  /** Anything at all. */
  sayRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** The process behind it stands still: bytes stay in TCP's buffers, nothing is acknowledged. */
  pause(): void {
    this.#socket.pause();
  }

  goOn(): void {
    this.#socket.resume();
  }

  /** Gone without a word: no close frame, the connection cut. */
  destroy(): void {
    this.#socket.terminate();
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  /** Waits for a condition on what it has heard; fails with the tally when the deadline has passed. */
  async until(accept: (tally: Tally) => boolean, deadlineMs: number, what = "what was awaited"): Promise<Tally> {
    const end = Date.now() + deadlineMs;
    while (!accept(this.tally)) {
      if (Date.now() > end) throw new Error(`not ${what} within ${deadlineMs} ms: ${JSON.stringify(this.tally)}`);
      await sleep(20);
    }
    return this.tally;
  }

  /** The next message of a type that comes from now on. */
  async next<T extends LiveMessage["type"]>(
    type: T,
    deadlineMs = OPEN_DEADLINE_MS,
  ): Promise<LiveMessage & { type: T }> {
    const signal = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const [data] = (await once(this.#socket, "message", { signal })) as [Buffer];
      const { message } = readFrame(data);
      if (message.type === type) return message as LiveMessage & { type: T };
    }
  }

  #read(data: Buffer): void {
    if (data.length === LIVE_PONG.length && data.toString() === LIVE_PONG) return;
    const { message, chars } = readFrame(data);
    this.tally.frames++;
    this.tally.chars += chars;
    this.since = message.now;
    this.#greet(message);
    this.#count(message);
    this.#options.onMessage?.(message, this);
    if (this.#options.acks !== false) this.#acknowledge();
  }

  #count(message: LiveMessage): void {
    const { tally } = this;
    if (message.type === "problem") tally.problems++;
    if (message.type === "resumed") tally.gone += message.gone;
    if (message.type !== "events") return;
    const { events, matched, notShown, unchecked = 0 } = message;
    Object.assign(this.cursor, message.at);
    tally.events += events.length;
    tally.matched += matched;
    tally.unchecked += unchecked;
    tally.notShown += notShown?.events ?? 0;
    tally.errorsNotShown += notShown?.errors ?? 0;
    const kinds = Object.values(notShown?.kinds ?? {}).reduce((sum, n) => sum + n, 0);
    if (matched !== events.length + (notShown?.events ?? 0) || kinds !== (notShown?.events ?? 0)) {
      tally.wrong.push(`${events.length} events of ${matched}, not shown ${JSON.stringify(notShown)}`);
    }
  }

  #acknowledge(): void {
    if (this.tally.chars - this.#acked >= LIVE_ACK_CHARS) this.#ack();
    else this.#ackTimer ??= setTimeout(() => this.#ack(), LIVE_ACK_MS).unref();
  }

  #ack(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (!this.isOpen || this.#acked === this.tally.chars) return;
    this.#acked = this.tally.chars;
    this.say({ type: "ack", chars: this.#acked });
  }
}
