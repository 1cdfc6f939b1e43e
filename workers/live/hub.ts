/**
 * A live hub: a Durable Object with hibernating WebSockets. One per watched
 * Worker, one for those who watch all of them, one for notifications
 * (`contract.ts`). A shell: it lets sockets in, hands what they say and what is
 * pushed to the pure parts, and keeps what must survive it in attachments.
 *
 *   viewers      a filter of the query language each      stream.ts, catch-up.ts
 *   topics       messages as they are published           (notifications)
 *
 * Idle it costs nothing: pings are answered by the runtime, no timer runs, and
 * but for an alarm every few minutes it sleeps while its sockets stay open.
 */
import { DurableObject } from "cloudflare:workers";
import { LIVE_ACK_CHARS, LIVE_CLOSE, LIVE_PING, LIVE_PONG, type LiveRequest } from "../api/contract/live.ts";
import { rootMessage } from "../util/error-message.ts";
import { type Attachment, credentialTag, sessionTag, tagsOf, topicTag, type ViewerAttachment } from "./attachment.ts";
import { CatchUp, type CatchUpParts, type Missed } from "./catch-up.ts";
import {
  type Entrance,
  type Listener,
  type LiveHubRpc,
  type LivePush,
  type OpenTail,
  type PushAnswer,
  readEntrance,
  scriptOfHub,
  type TailRequest,
  type TailTicket,
} from "./contract.ts";
import { readStanding } from "./credentials.ts";
import type { ReadFilter } from "./filter.ts";
import { Filters } from "./filters.ts";
import { Leases } from "./leases.ts";
import {
  ALARM_MS,
  DEAR_MESSAGE,
  GONE_CHECK_MS,
  hasGone,
  LISTENER_FULL,
  MAX_LISTENERS,
  MAX_LISTENERS_EACH,
  MAX_TOPIC_CHARS,
  RESUME_GRACE_MS,
} from "./limits.ts";
import { messageText, positionsFrame } from "./render.ts";
import { rateOf, readRequest } from "./requests.ts";
import { Stream } from "./stream.ts";
import { Viewer } from "./viewer.ts";

/** Close codes of RFC 6455, section 7.4.1, and of its registry. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const SERVICE_RESTART = 1012;

export class LiveHub extends DurableObject<Env> implements LiveHubRpc {
  private readonly filters: Filters;
  private readonly stream: Stream;
  private readonly leases: Leases;
  private readonly script: string | null;
  private readonly viewers = new Map<WebSocket, Viewer>();
  private readonly isEvents: boolean;
  private goneCheckedAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(LIVE_PING, LIVE_PONG));
    const name = ctx.id.name ?? "";
    const script = scriptOfHub(name);
    this.isEvents = script !== undefined;
    this.script = script ?? null;
    this.filters = new Filters(env.DB);
    this.stream = new Stream({
      filters: this.filters,
      sockets: () => this.viewers.size,
      lost: (viewer) => this.drop(viewer.socket, GOING_AWAY, "It does not take anything any more."),
    });
    const now = Date.now();
    this.leases = new Leases(
      { env, name, script: this.script, began: (shard, at) => this.stream.positions.begin(shard, at) },
      now,
    );
    this.wake(now);
  }

  /** After an eviction: who was here before. */
  private wake(now: number): void {
    for (const socket of this.ctx.getWebSockets()) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment?.kind !== "viewer") continue;
      if (attachment.held) {
        // What it waited for was in memory.
        dismiss(socket, SERVICE_RESTART, "Come again, with your cursor.");
        continue;
      }
      const viewer = new Viewer(socket, attachment, false);
      this.viewers.set(socket, viewer);
      const read = attachment.q === null ? undefined : this.filters.peek(attachment.q, now);
      if (read?.ok === true) this.stream.audiences.join(viewer, read.filter, now);
    }
  }

  /** `Upgrade: websocket` with what `entranceRequest` says; who may listen has been decided by `api/`. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("This address speaks WebSocket only.", { status: 426, headers: { upgrade: "websocket" } });
    }
    const entrance = readEntrance(request);
    if (entrance.kind === "trace") return new Response("Not served.", { status: 404 });
    const now = Date.now();
    const { who } = entrance;
    if (this.isFull(who)) this.dismissGone(now);
    if (this.isFull(who)) return new Response(LISTENER_FULL, { status: 503, headers: { "retry-after": "60" } });
    if (entrance.kind === "topic") return await this.letListen(entrance.topic, who);
    return await this.letWatch(entrance);
  }

  private async letListen(topic: string, who: Listener): Promise<Response> {
    if (topic === "" || topic.length > MAX_TOPIC_CHARS) return new Response("No such topic.", { status: 400 });
    const { client } = this.accept({ kind: "topic", topic, who });
    await this.setAlarm();
    return new Response(null, { status: 101, webSocket: client });
  }

  private async letWatch({ q, rate, who }: Entrance & { kind: "viewer" }): Promise<Response> {
    const attachment: ViewerAttachment = { kind: "viewer", q: null, rate: rateOf(rate), who, held: true };
    const { client, server } = this.accept(attachment);
    const viewer = new Viewer(server, attachment, true);
    this.viewers.set(server, viewer);
    const from = this.stream.ring.end;
    this.inTurn(viewer, () => this.begin(viewer, q, from));
    await this.setAlarm();
    return new Response(null, { status: 101, webSocket: client });
  }

  private accept(attachment: Attachment): { client: WebSocket; server: WebSocket } {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, tagsOf(attachment));
    server.serializeAttachment(attachment);
    return { client, server };
  }

  /** A new viewer: the Ingesters are told, its filter is made ready, what it missed is sent, then it is one of the others. */
  private async begin(viewer: Viewer, q: string, from: number): Promise<void> {
    const [read] = await Promise.all([this.filters.open(q, Date.now()), this.leases.ensure(false, Date.now())]);
    if (viewer.isGone) return;
    if (read.ok) this.adopt(viewer, read, q, undefined);
    else this.complain(viewer, read);
    const now = Date.now();
    const at = this.stream.positions.since(0);
    if (Object.keys(at).length > 0) viewer.send(positionsFrame(now, at));
    await viewer.speaks(RESUME_GRACE_MS);
    if (viewer.attachment.held && !viewer.hasResumed) {
      await new CatchUp(this.catchUpParts, viewer, { cursor: {}, since: 0 }, now).fromRing(from);
      this.join(viewer);
    }
  }

  private adopt(viewer: Viewer, { filter }: ReadFilter & { ok: true }, q: string, rate: number | undefined): void {
    const { attachment } = viewer;
    attachment.q = q;
    if (rate !== undefined) attachment.rate = rateOf(rate);
    viewer.save();
    if (!attachment.held) this.stream.audiences.join(viewer, filter, Date.now());
    viewer.send(messageText({ type: "ready", now: Date.now(), script: this.script, q, rate: attachment.rate }));
  }

  private complain(viewer: Viewer, { error }: ReadFilter & { ok: false }): void {
    const { code, message } = error;
    const details = "details" in error ? { details: error.details } : {};
    viewer.send(messageText({ type: "problem", now: Date.now(), code, message, ...details }));
  }

  /** From now on it gets what is pushed. */
  private join(viewer: Viewer): void {
    if (viewer.isGone) return;
    const { attachment } = viewer;
    attachment.held = false;
    viewer.save();
    const now = Date.now();
    const read = attachment.q === null ? undefined : this.filters.peek(attachment.q, now);
    if (read?.ok === true) this.stream.audiences.join(viewer, read.filter, now);
  }

  /** What a viewer asks for is done in its order. */
  private inTurn(viewer: Viewer, work: () => Promise<void>): void {
    viewer.work = viewer.work.then(async () => {
      if (viewer.isGone) return;
      try {
        await work();
      } catch (error) {
        console.error(`live: a viewer's request failed: ${rootMessage(error)}`);
        this.drop(viewer.socket, 1011, "This went wrong here. Come again.");
      }
    });
    this.ctx.waitUntil(viewer.work);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const viewer = this.viewers.get(socket);
    if (viewer === undefined) {
      dismiss(socket, POLICY_VIOLATION, `Nothing but "${LIVE_PING}" is understood here.`);
      return;
    }
    const read = readRequest(message);
    if (!read.ok) this.drop(socket, LIVE_CLOSE.badMessage, read.reason);
    else if (viewer.talk.allows(read.request.type === "ack" ? 1 : DEAR_MESSAGE, Date.now()))
      this.answer(viewer, read.request);
    else this.drop(socket, LIVE_CLOSE.badMessage, "Too many messages.");
  }

  private answer(viewer: Viewer, request: LiveRequest): void {
    if (request.type === "ack") this.acknowledge(viewer, request.chars);
    else if (request.type === "filter") this.inTurn(viewer, () => this.refilter(viewer, request.q, request.rate));
    else {
      viewer.hasResumed = true;
      viewer.spoke();
      this.inTurn(viewer, () => this.resume(viewer, request));
    }
  }

  private acknowledge(viewer: Viewer, chars: number): void {
    if (!viewer.acknowledge(chars, LIVE_ACK_CHARS)) {
      this.drop(viewer.socket, LIVE_CLOSE.badMessage, "It has read more than was sent.");
      return;
    }
    const { window, positions } = this.stream;
    const isAlive = viewer.tell(window, Date.now(), (change, most) => positions.since(change, most));
    if (!isAlive) this.drop(viewer.socket, GOING_AWAY, "The connection failed.");
  }

  private async refilter(viewer: Viewer, q: string, rate: number | undefined): Promise<void> {
    const read = await this.filters.open(q, Date.now());
    if (viewer.isGone) return;
    if (read.ok) this.adopt(viewer, read, q, rate);
    else this.complain(viewer, read);
  }

  private async resume(viewer: Viewer, missed: Missed): Promise<void> {
    this.stream.audiences.leave(viewer);
    viewer.attachment.held = true;
    viewer.save();
    const gone = await new CatchUp(this.catchUpParts, viewer, missed, Date.now()).run();
    if (viewer.isGone) return;
    viewer.send(messageText({ type: "resumed", now: Date.now(), gone }));
    this.join(viewer);
  }

  private get catchUpParts(): CatchUpParts {
    return {
      stream: this.stream,
      ingester: (shard) => this.env.INGESTER.getByName(shard),
      isOurs: (shard) => this.leases.isOurs(shard),
      shards: () => this.leases.shards,
      scriptOf: () => this.script ?? "",
    };
  }

  async push(push: LivePush): Promise<PushAnswer> {
    const unresolved = this.filters.unresolved();
    if (unresolved.length > 0) await Promise.all(unresolved.map((filter) => this.filters.resolve(filter, Date.now())));
    const now = Date.now();
    if (now - this.goneCheckedAt > GONE_CHECK_MS) this.dismissGone(now);
    this.stream.push(push, now);
    this.filters.refresh(now);
    const answer = this.leases.answer(push.shard, this.viewers.size > 0, false, now);
    if (answer.until === 0) this.stream.reset();
    return answer;
  }

  /** Returns to how many sockets they went. One that is gone does not keep the others from hearing. */
  async publish(topic: string, messages: readonly string[]): Promise<number> {
    this.dismissGone(Date.now());
    let reached = 0;
    for (const socket of this.ctx.getWebSockets(topicTag(topic))) {
      if (socket.readyState === WebSocket.OPEN && sendAll(socket, messages)) reached++;
    }
    return reached;
  }

  /** Its credential was revoked, or its session has ended: it hears no more. Returns how many these were. */
  async dismiss({ credential, session }: Partial<Pick<Listener, "credential" | "session">>): Promise<number> {
    const tags = [
      ...(credential === undefined ? [] : [credentialTag(credential)]),
      ...(session === undefined ? [] : [sessionTag(session)]),
    ];
    const sockets = new Set(tags.flatMap((tag) => this.open(tag)));
    for (const socket of sockets) this.drop(socket, LIVE_CLOSE.credentialEnded, "Log in again, or use another token.");
    return sockets.size;
  }

  async createTail(_request: TailRequest): Promise<TailTicket | "full"> {
    return "full";
  }

  async endTail(_id: string, _credential: string): Promise<boolean> {
    return false;
  }

  async listTails(credential: string): Promise<OpenTail[]> {
    return this.open(credentialTag(credential)).flatMap((socket) => {
      const attachment = socket.deserializeAttachment() as Attachment;
      if (attachment.kind !== "trace") return [];
      const { expiresAt } = attachment.who;
      return [{ id: attachment.id, ...(expiresAt === undefined ? {} : { expiresAt }) }];
    });
  }

  private isFull({ credential }: Listener): boolean {
    return this.open().length >= MAX_LISTENERS || this.open(credentialTag(credential)).length >= MAX_LISTENERS_EACH;
  }

  private open(tag?: string): WebSocket[] {
    return this.ctx.getWebSockets(tag).filter((socket) => socket.readyState === WebSocket.OPEN);
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.forget(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.drop(socket, GOING_AWAY, "The connection failed.");
  }

  /** While anybody listens: leases of quiet Workers are renewed, credentials looked up again. */
  override async alarm(): Promise<void> {
    const sockets = this.open();
    if (sockets.length === 0) return;
    const now = Date.now();
    this.dismissGone(now);
    await this.checkCredentials(sockets, now);
    if (this.isEvents && this.viewers.size > 0) await this.leases.take(false, now);
    if (this.open().length > 0) await this.setAlarm();
  }

  private async setAlarm(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
  }

  private async checkCredentials(sockets: readonly WebSocket[], now: number): Promise<void> {
    const attachments = new Map(sockets.map((socket) => [socket, socket.deserializeAttachment() as Attachment]));
    try {
      const standing = await readStanding(
        this.env.DB,
        [...attachments.values()].map(({ who }) => who),
      );
      for (const [socket, { who }] of attachments) {
        if (standing.hasEnded(who, now))
          this.drop(socket, LIVE_CLOSE.credentialEnded, "Log in again, or use another token.");
      }
    } catch (error) {
      console.warn(`live: credentials cannot be looked up: ${rootMessage(error)}`);
    }
  }

  /** Closes those that used to ping and do not any more: their messages would pile up for nobody. */
  private dismissGone(now: number): void {
    this.goneCheckedAt = now;
    for (const socket of this.ctx.getWebSockets()) {
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      if (hasGone(pinged, now)) this.drop(socket, GOING_AWAY, "No sign of life.");
    }
  }

  private drop(socket: WebSocket, code: number, reason: string): void {
    this.forget(socket);
    dismiss(socket, code, reason);
  }

  private forget(socket: WebSocket): void {
    const viewer = this.viewers.get(socket);
    if (viewer === undefined) return;
    this.viewers.delete(socket);
    this.stream.audiences.leave(viewer);
    viewer.leave();
    if (this.viewers.size === 0) this.leases.linger(Date.now());
  }
}

function sendAll(socket: WebSocket, messages: readonly string[]): boolean {
  try {
    for (const message of messages) socket.send(message);
    return true;
  } catch {
    dismiss(socket, GOING_AWAY, "The connection failed.");
    return false;
  }
}

function dismiss(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}
