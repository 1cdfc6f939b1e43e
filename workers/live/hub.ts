/**
 * The live hub: a Durable Object with hibernating WebSockets. Who publishes
 * hands over messages for a topic; every socket that listens to it gets them.
 * Nothing is kept: a viewer that was away reads the table that the messages come
 * from. Topic so far: `notifications` (errors/issues/notify.ts publishes).
 *
 * Viewers only listen. To keep the connection open through whatever lies
 * between, they may send `ping` every PING_MS; the runtime answers `pong` without
 * waking the object.
 */
import { DurableObject } from "cloudflare:workers";
import {
  hasGone,
  LISTENER_FULL,
  MAX_LISTENERS,
  MAX_LISTENERS_EACH,
  MAX_LISTENING_MS,
  MAX_TAG_CHARS,
  MAX_TOPIC_CHARS,
  PING,
  PONG,
} from "./limits.ts";

interface Attachment {
  topic: string;
  /** ms. */
  since: number;
}

/** Who listens: what limits its number, and what ends it when it ends. */
export interface Listener {
  /** A token, with the sessions that it opened; or a person. */
  credential: string;
  /** Hash of the session; without it, none. */
  session?: string;
}

const credentialTag = (credential: string) => `credential ${credential}`.slice(0, MAX_TAG_CHARS);
const sessionTag = (session: string) => `session ${session}`.slice(0, MAX_TAG_CHARS);

/** Close codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

export class LiveHub extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** `Upgrade: websocket` with `?topic=&credential=&session=`; who may listen has been decided by `api/`. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("This address speaks WebSocket only.", { status: 426, headers: { upgrade: "websocket" } });
    }
    const params = new URL(request.url).searchParams;
    const topic = params.get("topic") ?? "";
    const credential = credentialTag(params.get("credential") ?? "");
    const session = params.get("session") ?? "";
    if (topic === "" || topic.length > MAX_TOPIC_CHARS) return new Response("No such topic.", { status: 400 });
    const now = Date.now();
    if (this.isFull(credential)) this.dismissGone(now);
    if (this.isFull(credential)) {
      return new Response(LISTENER_FULL, { status: 503, headers: { "retry-after": "60" } });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [topic, credential, ...(session === "" ? [] : [sessionTag(session)])]);
    server.serializeAttachment({ topic, since: now } satisfies Attachment);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Returns to how many sockets they went. One that is gone does not keep the others from hearing. */
  async publish(topic: string, messages: readonly string[]): Promise<number> {
    this.dismissGone(Date.now());
    let reached = 0;
    for (const socket of this.ctx.getWebSockets(topic)) {
      if (socket.readyState === WebSocket.OPEN && sendAll(socket, messages)) reached++;
    }
    return reached;
  }

  /** Its credential was revoked, or its session has ended: it hears no more. Returns how many these were. */
  async dismiss({ credential, session }: Partial<Listener>): Promise<number> {
    const tags = [
      ...(credential === undefined ? [] : [credentialTag(credential)]),
      ...(session === undefined ? [] : [sessionTag(session)]),
    ];
    const sockets = tags.flatMap((tag) => this.open(tag));
    for (const socket of sockets) dismiss(socket);
    return sockets.length;
  }

  private isFull(credential: string): boolean {
    return this.open().length >= MAX_LISTENERS || this.open(credential).length >= MAX_LISTENERS_EACH;
  }

  private open(tag?: string): WebSocket[] {
    return this.ctx.getWebSockets(tag).filter((socket) => socket.readyState === WebSocket.OPEN);
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(POLICY_VIOLATION, `Nothing but "${PING}" is understood here.`);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    dismiss(socket);
  }

  /**
   * Closes those that used to ping and do not any more: their messages would pile
   * up for nobody. And those that have listened for long, before they hear more.
   */
  private dismissGone(now: number): number {
    let gone = 0;
    for (const socket of this.ctx.getWebSockets()) {
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      const { since } = socket.deserializeAttachment() as Attachment;
      if (!hasGone(pinged, now) && now - since <= MAX_LISTENING_MS) continue;
      dismiss(socket);
      gone++;
    }
    return gone;
  }
}

function sendAll(socket: WebSocket, messages: readonly string[]): boolean {
  try {
    for (const message of messages) socket.send(message);
    return true;
  } catch {
    dismiss(socket);
    return false;
  }
}

function dismiss(socket: WebSocket): void {
  try {
    socket.close(GOING_AWAY, "No sign of life, or time to come again.");
  } catch {
    // It is closed already.
  }
}
