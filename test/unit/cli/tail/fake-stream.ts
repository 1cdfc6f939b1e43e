/** A clock to turn, and sockets that a test plays the platform on. */
import type { Connect, LiveSocket, SocketListener } from "../../../../cli/tail/connection.ts";
import type { Timers } from "../../../../cli/tail/timers.ts";
import type { LiveMessage, LiveRequest } from "../../../../workers/api/contract.ts";

export class FakeClock implements Timers {
  #now = 1_000_000;
  #waiting: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== timer);
    };
  }

  /** Runs what is due on the way, in its order. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  /** Timers that would keep the process alive. */
  get waiting(): number {
    return this.#waiting.length;
  }
}

export class FakeSocket implements LiveSocket {
  readonly said: string[] = [];
  readonly done: string[] = [];
  readonly #listener: SocketListener;

  constructor(listener: SocketListener) {
    this.#listener = listener;
  }

  send(text: string): void {
    this.said.push(text);
  }
  close(): void {
    this.done.push("close");
  }
  destroy(): void {
    this.done.push("destroy");
  }
  pause(): void {
    this.done.push("pause");
  }
  resume(): void {
    this.done.push("resume");
  }

  /** What the command said, of one type. */
  requests<T extends LiveRequest["type"]>(type: T): Extract<LiveRequest, { type: T }>[] {
    const all = this.said.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text) as LiveRequest);
    return all.filter((request): request is Extract<LiveRequest, { type: T }> => request.type === type);
  }

  open(): void {
    this.#listener.opened();
  }
  hears(message: LiveMessage | string): string {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.#listener.heard(text);
    return text;
  }
  ends(end: Parameters<SocketListener["ended"]>[0]): void {
    this.#listener.ended(end);
  }
  breaks(code = 1006, reason = ""): void {
    this.ends({ tag: "closed", code, reason });
  }
}

export class FakePlatform {
  readonly sockets: FakeSocket[] = [];
  readonly connect: Connect = (listener) => {
    const socket = new FakeSocket(listener);
    this.sockets.push(socket);
    return socket;
  };

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody connected");
    return socket;
  }
}

export const ready = (now: number, q = ""): LiveMessage => ({ type: "ready", now, script: null, q, rate: 500 });

export const events = (now: number, at: Record<string, string>, messages: readonly string[]): LiveMessage => ({
  type: "events",
  now,
  at,
  matched: messages.length,
  events: messages.map((message, seq) => ({
    time: "2026-11-21T04:33:20.206000Z",
    kind: "log",
    script: "shop",
    invocation_id: "i",
    seq,
    sample_weight: 1,
    message,
    attributes: {},
  })),
});
