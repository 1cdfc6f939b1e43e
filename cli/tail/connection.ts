/**
 * One connection to the live stream: texts made messages, pings, and how much
 * of it has been read. `socket.ts` makes the socket, `session.ts` says what
 * comes after it.
 */
import { LIVE_PING, LIVE_PONG, type LiveMessage, type LiveRequest } from "../../workers/api/contract.ts";
import type { CliFailure } from "../failure.ts";
import { Acks } from "./acks.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Timers } from "./timers.ts";

export interface LiveSocket {
  send(text: string): void;
  /** Ends it in order; nothing more is heard of it. */
  close(): void;
  /** Cuts it off; nothing more is heard of it. */
  destroy(): void;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
}
export type SocketEnd =
  /** `retry` false: it would end in the same way again. */
  | { tag: "refused"; failure: CliFailure; retry: boolean; retryAfterMs?: number }
  | { tag: "unreachable"; why: string }
  | { tag: "closed"; code: number; reason: string };
export interface SocketListener {
  opened(): void;
  heard(text: string): void;
  /** Once, whether it opened or not. */
  ended(end: SocketEnd): void;
}
export type Connect = (listener: SocketListener) => LiveSocket;

interface ConnectionListener {
  opened(): void;
  heard(message: LiveMessage): void;
  ended(end: SocketEnd): void;
}

export class Connection {
  readonly #socket: LiveSocket;
  readonly #acks: Acks;
  readonly #heartbeat: Heartbeat;
  readonly #listener: ConnectionListener;
  #isOver = false;

  constructor(connect: Connect, timers: Timers, listener: ConnectionListener) {
    this.#listener = listener;
    this.#acks = new Acks((chars) => this.say({ type: "ack", chars }), timers);
    this.#heartbeat = new Heartbeat(
      {
        ping: () => this.#socket.send(LIVE_PING),
        dead: () => this.#drop("nothing comes through any more"),
      },
      timers,
    );
    this.#socket = connect({
      opened: () => {
        this.#heartbeat.start();
        listener.opened();
      },
      heard: (text) => this.#heard(text),
      ended: (end) => {
        if (this.#isOver) return;
        this.#stop();
        listener.ended(end);
      },
    });
  }

  say(request: LiveRequest): void {
    this.#socket.send(JSON.stringify(request));
  }

  hold(): void {
    this.#acks.hold();
    this.#heartbeat.hold();
    this.#socket.pause();
  }

  release(): void {
    this.#socket.resume();
    this.#heartbeat.release();
    this.#acks.release();
  }

  close(): void {
    this.#stop();
    this.#socket.close();
  }

  destroy(): void {
    this.#stop();
    this.#socket.destroy();
  }

  #stop(): void {
    this.#isOver = true;
    this.#acks.stop();
    this.#heartbeat.stop();
  }

  #heard(text: string): void {
    this.#heartbeat.heard();
    if (text === LIVE_PONG) return;
    const message = readMessage(text);
    if (message === undefined) {
      this.#drop("it says what is no message of the live stream");
      return;
    }
    this.#listener.heard(message);
    if (!this.#isOver) this.#acks.read(text.length);
  }

  #drop(why: string): void {
    this.destroy();
    this.#listener.ended({ tag: "unreachable", why });
  }
}

function readMessage(text: string): LiveMessage | undefined {
  try {
    const message = JSON.parse(text) as LiveMessage | null;
    return typeof message?.type === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
