/**
 * The socket of the Live page: GET /api/v1/live (workers/api/contract/live.ts).
 * Connects, says what it has read, notices when nothing comes any more, comes
 * back by itself with back-off and asks for what it missed. What it hears goes
 * to `state/live-feed.ts`; what state it is in is always said.
 */
import {
  LIVE_ACK_CHARS,
  LIVE_ACK_MS,
  LIVE_CLOSE,
  LIVE_PING,
  LIVE_PING_MS,
  LIVE_PONG,
  type LiveCursor,
  type LiveMessage,
  type LiveRequest,
} from "../../../workers/api/contract.ts";
import type { ApiFailure } from "../api/client.ts";
import { backOffMs } from "../lib/back-off.ts";
import { advance, isHeard } from "../lib/live/cursor.ts";

/** A ping without an answer for this long: the connection is dead, whatever it says of itself. */
const SILENCE_MS = 15_000;
/** A connection that lived this long was a good one: the next failure is a first. */
const GOOD_MS = 30_000;
/** A socket that neither opens nor fails. */
const CONNECT_MS = 15_000;

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  /** `until`: ms, when the next try is made. */
  | { state: "waiting"; until: number; reason: string }
  /** Comes back only when somebody does something about it. */
  | { state: "ended"; reason: string };

export type EventsMessage = Extract<LiveMessage, { type: "events" }>;
export type ReadyMessage = Extract<LiveMessage, { type: "ready" }>;

export interface StreamHandlers {
  connection(now: Connection): void;
  ready(message: ReadyMessage): void;
  /** `since`: server's ms of the message before. */
  events(message: EventsMessage, chars: number, since: number): void;
  /** What came between two connections has been sent, but for `gone` events since `since`. */
  resumed(gone: number, since: number, now: number): void;
  problem(failure: { code: string; message: string; details?: unknown }): void;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface StreamWorld {
  open(url: string): SocketLike;
  /** Why a connection is refused, as plain HTTP says it: a browser does not show a script the answer to a WebSocket. Undefined: it would be taken. */
  ask(url: string): Promise<ApiFailure | undefined>;
  now(): number;
  random(): number;
  /** Nobody looks: timers come late, so what is read is said at once. */
  hidden(): boolean;
}

export class LiveStream {
  private readonly world: StreamWorld;
  private readonly handlers: StreamHandlers;
  private readonly script: string;
  private q: string;
  /** The filter that the server took last, and one that it did not take. */
  private taken: string | undefined;
  private refused: string | undefined;

  private socket: SocketLike | undefined;
  /** Heard up to here without a gap: where to go on from after a break. */
  private readonly cursor: LiveCursor = {};
  /** Server's ms of the last message; 0 before the first. */
  private since = 0;
  /** While a resume is being answered: positions and time that hold only once it has been. */
  private ahead: { cursor: LiveCursor; since: number } | undefined;
  private readChars = 0;
  private ackedChars = 0;
  private ackedAt = 0;
  private failures = 0;
  private openedAt = 0;
  private pingedAt = 0;
  private closed = false;
  private ackTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private connectTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly pingTimer: ReturnType<typeof setInterval>;

  constructor(target: { script: string; q: string }, handlers: StreamHandlers, world: StreamWorld) {
    this.script = target.script;
    this.q = target.q;
    this.handlers = handlers;
    this.world = world;
    this.pingTimer = setInterval(() => this.ping(), LIVE_PING_MS);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.pingTimer);
    clearTimeout(this.retryTimer);
    this.drop();
  }

  /** Nobody looks any more; `retry` goes on where it ended. */
  leave(): void {
    clearTimeout(this.retryTimer);
    this.drop();
  }

  /** On the open socket; the answer is `ready`, or `problem`. Without one, what the next connection begins with. */
  filter(q: string): void {
    this.q = q;
    if (this.socket !== undefined && this.openedAt > 0) this.say({ type: "filter", q });
    else this.retry();
  }

  /** Now, and not only after the wait. */
  retry(): void {
    if (this.closed || this.socket !== undefined) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  private urlOf(q: string): string {
    const params = new URLSearchParams();
    if (this.script !== "") params.set("script", this.script);
    if (q !== "") params.set("q", q);
    return `/api/v1/live${params.size === 0 ? "" : `?${params}`}`;
  }

  private connect(): void {
    this.handlers.connection({ state: "connecting" });
    this.openedAt = 0;
    this.readChars = 0;
    this.ackedChars = 0;
    this.pingedAt = 0;
    const asked = this.q === this.refused ? (this.taken ?? this.q) : this.q;
    const socket = this.world.open(this.urlOf(asked));
    this.socket = socket;
    this.connectTimer = setTimeout(() => this.lost(socket, "it does not answer"), CONNECT_MS);
    socket.onopen = () => {
      if (this.socket !== socket) return;
      clearTimeout(this.connectTimer);
      this.openedAt = this.world.now();
      if (this.since > 0) {
        this.ahead = { cursor: {}, since: this.since };
        this.say({ type: "resume", cursor: this.cursor, since: this.since });
      }
      // It was changed while the connection was being made.
      if (this.q !== asked && this.q !== this.refused) this.say({ type: "filter", q: this.q });
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (this.socket === socket) this.hear(String(event.data));
    };
    socket.onclose = (event: { code: number; reason: string }) => {
      if (this.socket === socket) this.lost(socket, event.reason, event.code);
    };
  }

  private hear(text: string): void {
    this.pingedAt = 0;
    if (text === LIVE_PONG) return;
    this.readChars += text.length;
    this.take(JSON.parse(text) as LiveMessage, text.length);
    this.ackSoon();
  }

  private take(message: LiveMessage, chars: number): void {
    const { ahead } = this;
    const since = ahead?.since ?? this.since;
    if (typeof message.now === "number") {
      if (ahead === undefined) this.since = message.now;
      else ahead.since = message.now;
    }
    switch (message.type) {
      case "ready":
        this.taken = message.q;
        this.handlers.connection({ state: "live" });
        this.handlers.ready(message);
        break;
      case "events":
        if (ahead !== undefined && message.matched === 0) advance(ahead.cursor, message.at);
        else {
          if (isHeard(this.cursor, message.at)) break;
          advance(this.cursor, message.at);
        }
        this.handlers.events(message, chars, since === 0 ? message.now : since);
        break;
      case "resumed":
        this.handlers.resumed(message.gone, this.since, message.now);
        this.settle();
        break;
      case "problem":
        this.refused = this.q;
        // It waits for a better filter, and brings nothing as long as it has had none.
        if (this.taken === undefined) this.handlers.connection({ state: "live" });
        this.handlers.problem(message);
        break;
    }
  }

  /** The resume has been answered: from here on all positions count. */
  private settle(): void {
    if (this.ahead === undefined) return;
    advance(this.cursor, this.ahead.cursor);
    this.since = this.ahead.since;
    this.ahead = undefined;
  }

  /** The connection is over, or as good as: says so, finds out why, and comes again. */
  private lost(socket: SocketLike, reason: string, code = 0): void {
    const opened = this.openedAt;
    this.drop();
    if (this.closed) return;
    const good = opened > 0 && this.world.now() - opened > GOOD_MS;
    this.failures = good ? 0 : this.failures + 1;
    // A cursor that the server does not take must not be handed in for ever.
    if (code === LIVE_CLOSE.badMessage) this.since = 0;
    const until = this.world.now() + backOffMs(this.failures, this.world.random());
    const why = reason || (opened > 0 ? "the connection broke" : "it does not answer");
    this.handlers.connection({ state: "waiting", until, reason: why });
    this.retryTimer = setTimeout(() => this.connect(), until - this.world.now());
    if (opened === 0 || code === LIVE_CLOSE.credentialEnded) void this.findOut(socket);
  }

  private async findOut(lost: SocketLike): Promise<void> {
    const failure = await this.world.ask(this.urlOf(this.q));
    // Who is not logged in any more is at the log-in page by now (api/client.ts).
    if (failure === undefined || failure.status === 0 || this.closed) return;
    if (this.socket !== undefined && this.socket !== lost) return;
    if (failure.status < 400 || failure.status >= 500 || failure.status === 429) return;
    clearTimeout(this.retryTimer);
    this.drop();
    this.handlers.connection({ state: "ended", reason: failure.message });
    this.handlers.problem(failure);
  }

  /** Lets go of the socket without waiting for its farewell. */
  private drop(): void {
    const socket = this.socket;
    this.socket = undefined;
    this.openedAt = 0;
    this.ahead = undefined;
    clearTimeout(this.connectTimer);
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private ping(): void {
    if (this.socket === undefined || this.openedAt === 0) return;
    const now = this.world.now();
    if (this.pingedAt > 0 && now - this.pingedAt >= SILENCE_MS) {
      this.lost(this.socket, "nothing came for a while");
      return;
    }
    this.pingedAt = now;
    this.socket.send(LIVE_PING);
  }

  private ackSoon(): void {
    const now = this.world.now();
    if (this.world.hidden() || this.readChars - this.ackedChars >= LIVE_ACK_CHARS || now - this.ackedAt >= LIVE_ACK_MS)
      this.ack(now);
    else this.ackTimer ??= setTimeout(() => this.ack(this.world.now()), LIVE_ACK_MS - (now - this.ackedAt));
  }

  private ack(now: number): void {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    this.ackedAt = now;
    if (this.ackedChars === this.readChars) return;
    this.ackedChars = this.readChars;
    this.say({ type: "ack", chars: this.readChars });
  }

  private say(request: LiveRequest): void {
    this.socket?.send(JSON.stringify(request));
  }
}
