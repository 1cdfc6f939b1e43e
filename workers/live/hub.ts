/**
 * A live hub: a Durable Object with hibernating WebSockets. One per watched
 * Worker, one for those who watch all of them, one for notifications
 * (`contract.ts`). A shell: it lets sockets in, hands on what they say and what is
 * pushed, and ends what has ended.
 *
 *   viewers   a filter of the query language each    viewers.ts → stream.ts
 *   tails     `wrangler tail`                        tails.ts → trace/
 *   topics    messages as they are published         (notifications)
 *
 * Idle it costs nothing: pings are answered by the runtime, no timer runs, and
 * but for an alarm every few minutes it sleeps while its sockets stay open. What
 * must survive that is in the sockets' attachments.
 */
import { DurableObject } from "cloudflare:workers";
import { LIVE_CLOSE, LIVE_PING, LIVE_PONG } from "../api/contract/live.ts";
import { COUNTERS_NAME } from "../self/contract.ts";
import { rootMessage } from "../util/error-message.ts";
import { type Attachment, credentialTag, sessionTag, tagsOf, tailTag, topicTag } from "./attachment.ts";
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
import { Doorkeeper } from "./doorkeeper.ts";
import { type OpenEntry, openEntry } from "./entry.ts";
import { Filters } from "./filters.ts";
import { Leases } from "./leases.ts";
import { Leaving } from "./leaving.ts";
import {
  ALARM_MS,
  GONE_CHECK_MS,
  hasGone,
  LISTENER_FULL,
  MAX_IP_CHARS,
  MAX_LISTENERS,
  MAX_LISTENERS_EACH,
  MAX_TOPIC_CHARS,
  TRACE_RETURN_MS,
  UNPROVEN_CHARS,
} from "./limits.ts";
import { readPosition } from "./positions.ts";
import { Replays } from "./replays.ts";
import { rateOf } from "./requests.ts";
import { attach, CLOSE, closeSocket, ENDED, sendTo } from "./sockets.ts";
import { Stream } from "./stream.ts";
import { Tails, tailAttachment } from "./tails.ts";
import { type Departed, Departures } from "./trace/departures.ts";
import { Tickets } from "./trace/tickets.ts";
import { Turns } from "./turns.ts";
import { Viewers } from "./viewers.ts";

/** Of `wrangler tail`: named in the answer, or it hangs up. */
const TRACE_PROTOCOL = "trace-v1";

export class LiveHub extends DurableObject<Env> implements LiveHubRpc {
  private readonly filters: Filters;
  private readonly stream: Stream;
  private readonly leases: Leases;
  private readonly viewers: Viewers;
  private readonly tails: Tails;
  private readonly tickets: Tickets;
  private readonly departures: Departures;
  private readonly doorkeeper: Doorkeeper;
  private readonly leaving = new Leaving();
  /** Let in and not there yet: what was promised for them holds. */
  private comingTails = 0;
  private goneCheckedAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(LIVE_PING, LIVE_PONG));
    const now = Date.now();
    const name = ctx.id.name ?? "";
    const script = scriptOfHub(name) ?? null;
    const drop = (socket: WebSocket, code: number, reason: string) => this.drop(socket, code, reason);
    this.filters = new Filters(env.DB);
    this.stream = new Stream({
      filters: this.filters,
      sockets: () => this.viewers.size + this.leaving.size,
      lost: ({ socket }) => drop(socket, CLOSE.goingAway, "The connection failed."),
    });
    const { positions } = this.stream;
    this.leases = new Leases({ env, name, script, began: (shard, at) => positions.begin(shard, at) }, now);
    this.doorkeeper = new Doorkeeper(env.DB);
    this.viewers = new Viewers({
      ...{ script, drop, filters: this.filters },
      catchUp: {
        stream: this.stream,
        turns: new Turns(),
        replays: new Replays({ ingester: (shard) => env.INGESTER.getByName(shard), script: script ?? "" }),
        isOurs: (shard) => this.leases.isOurs(shard),
        shards: () => this.leases.shards,
      },
      watched: () => this.leases.ensure(this.wantsItems, Date.now()),
      mayStay: (who) => this.doorkeeper.mayStay(who),
      waitUntil: (work) => ctx.waitUntil(work),
    });
    this.tails = new Tails({ drop, leaving: () => this.leaving.unproven() });
    this.tickets = new Tickets(ctx.storage.sql);
    this.departures = new Departures(ctx.storage.sql, (id) => ctx.getWebSockets(tailTag(id)).length > 0, now);
    for (const socket of ctx.getWebSockets()) this.wake(socket, now);
  }

  /** One that was here before an eviction. */
  private wake(socket: WebSocket, now: number): void {
    const attachment = socket.deserializeAttachment() as Attachment | null;
    if (attachment === null) return;
    if (socket.readyState !== WebSocket.OPEN) this.leaving.add(socket, attachment.who.credential);
    else if (attachment.kind === "trace") this.tails.add(socket, attachment, now);
    else if (attachment.kind === "viewer" && !this.viewers.wake(socket, attachment))
      this.drop(socket, CLOSE.restart, "Come again, with your cursor.");
  }

  /** `Upgrade: websocket` with what `entranceRequest` says; who may come in has been decided by `api/`. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response("This address speaks WebSocket only.", { status: 426, headers: { upgrade: "websocket" } });
    }
    const entrance = readEntrance(request);
    const now = Date.now();
    if (entrance.kind === "trace") return await this.letTail(entrance.secret, now);
    if (this.isFull(entrance.who, now)) return full();
    return entrance.kind === "topic" ? this.letListen(entrance) : this.letWatch(entrance);
  }

  private letListen({ topic, who }: Entrance & { kind: "topic" }): Response {
    if (topic === "" || topic.length > MAX_TOPIC_CHARS) return new Response("No such topic.", { status: 400 });
    const { client } = this.accept({ kind: "topic", topic, who });
    return new Response(null, { status: 101, webSocket: client });
  }

  private letWatch({ q, rate, who }: Entrance & { kind: "viewer" }): Response {
    const attachment = { kind: "viewer", q: null, rate: rateOf(rate), who, held: true } as const;
    const { client, server } = this.accept(attachment);
    this.viewers.arrive(server, { ...attachment }, q);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Everything from the answer on is sent: the Ingesters know before it. */
  private async letTail(secret: string, now: number): Promise<Response> {
    const ticket = this.tickets.take(secret, now);
    if (ticket === undefined) return new Response("This address is good once, and for a minute only.", { status: 401 });
    const { id, request } = ticket;
    this.comingTails++;
    try {
      await this.leases.ensure(true, now);
      if (!(await this.doorkeeper.mayStay(request.who))) return new Response(ENDED, { status: 401 });
    } finally {
      this.comingTails--;
    }
    if (this.isFull(request.who, now)) return full();
    const attachment = tailAttachment(id, request);
    const { client, server } = this.accept(attachment);
    const departed = this.departures.arrive(id, request, () => this.stream.positions.since(0), now);
    if (departed === undefined) this.tails.add(server, attachment, now);
    else this.tails.add(server, attachment, now, { ...this.since(departed), seconds: TRACE_RETURN_MS / 1_000 });
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": TRACE_PROTOCOL },
    });
  }

  /** What the ring has after a tail's departure, and how many events before it are gone: two positions tell. */
  private since({ cursor = {} }: Departed): { entries: OpenEntry[]; gone: number } {
    const { ring, positions } = this.stream;
    const at = new Map(Object.entries(cursor).flatMap(([shard, text]) => [[shard, readPosition(text)] as const]));
    const missed = ring
      .from(0, Number.POSITIVE_INFINITY)
      .entries.filter(({ shard, id }) => id > (at.get(shard)?.id ?? 0));
    let gone = 0;
    for (const [shard, from] of at) {
      if (from === undefined) continue;
      const first = missed.find((entry) => entry.shard === shard);
      const known = positions.get(shard);
      // What was logged before this object's life may still be pushed.
      const last = known === undefined || known.at === 0 ? 0 : known.through;
      gone += Math.max((first === undefined ? last : first.through - first.rows) - from.through, 0);
    }
    return { entries: missed.map(openEntry), gone };
  }

  private accept(attachment: Attachment): { client: WebSocket; server: WebSocket } {
    const { 0: client, 1: server } = new WebSocketPair();
    // First what may fail: a socket without an attachment would be nobody's.
    server.serializeAttachment(attachment);
    this.ctx.acceptWebSocket(server, tagsOf(attachment));
    this.ctx.waitUntil(this.alarmBy(attachment.who.expiresAt));
    this.tellCounters();
    return { client, server };
  }

  /** How many sockets there are, when that changes and with the alarm: for /metrics. Lost is lost, the next tells it again. */
  private tellCounters(): void {
    const counters = this.env.COUNTERS.getByName(COUNTERS_NAME);
    this.ctx.waitUntil(counters.viewers(this.ctx.id.name ?? "", this.open().length).catch(() => undefined));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const viewer = this.viewers.of(socket);
    if (viewer !== undefined) this.viewers.hear(viewer, message);
    else if (this.tails.attachmentOf(socket) !== undefined) this.tails.hear(socket, message);
    else this.drop(socket, CLOSE.policyViolation, `Nothing but "${LIVE_PING}" is understood here.`);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    const tail = this.tails.attachmentOf(socket);
    if (tail !== undefined && code === CLOSE.normal) this.departures.end(tail.id);
    this.leaving.remove(socket);
    this.forget(socket, "client");
    this.tellCounters();
    // The runtime does not answer a close of a hibernating socket: the other side would wait for it until it gives up.
    closeSocket(socket, CLOSE.normal, "");
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.leaving.remove(socket);
    this.forget(socket, "client");
    this.tellCounters();
    closeSocket(socket, CLOSE.goingAway, "The connection failed.");
  }

  /** All that viewers are sent of it is on its way when this is answered. */
  async push(push: LivePush): Promise<PushAnswer> {
    await this.filters.ready(Date.now());
    const now = Date.now();
    if (now - this.goneCheckedAt > GONE_CHECK_MS) this.dismissGone(now);
    // From here to the rest in one turn: nobody joins or leaves between what viewers and what tails are shown.
    const { open, gap, restMs } = this.stream.push(push, now);
    this.tails.show(open, gap, now);
    if (this.tails.size > 0) this.departures.note(() => this.stream.positions.since(0), now);
    this.filters.refresh(now);
    if (restMs > 0) await scheduler.wait(restMs);
    // Who came meanwhile is answered for; what the answer says to have ended is forgotten in the same turn.
    const answer = this.leases.answer(push.shard, this.isWatched, this.wantsItems, Date.now());
    if (answer.until === 0) this.stream.reset();
    return answer;
  }

  private get wantsItems(): boolean {
    return this.tails.size + this.comingTails > 0;
  }

  private get isWatched(): boolean {
    return this.viewers.size > 0 || this.wantsItems;
  }

  /** Returns to how many sockets they went. One that is gone does not keep the others from hearing. */
  async publish(topic: string, messages: readonly string[]): Promise<number> {
    this.dismissGone(Date.now());
    let reached = 0;
    for (const socket of this.open(topicTag(topic))) {
      if (messages.every((message) => sendTo(socket, message))) reached++;
      else this.drop(socket, CLOSE.goingAway, "The connection failed.");
    }
    return reached;
  }

  /** Its credential was revoked, or its session has ended: it hears no more. Returns how many these were. */
  async dismiss(ended: Partial<Pick<Listener, "credential" | "session">>): Promise<number> {
    const { credential, session } = ended;
    const tags = [
      ...(credential === undefined ? [] : [credentialTag(credential)]),
      ...(session === undefined ? [] : [sessionTag(session)]),
    ];
    const sockets = new Set(tags.flatMap((tag) => this.open(tag)));
    for (const socket of sockets) this.end(socket);
    this.tickets.revoke(ended);
    return sockets.size;
  }

  async createTail(request: TailRequest): Promise<TailTicket | "full"> {
    const now = Date.now();
    // It lies in an attachment later, and no address is longer.
    const clientIp = request.clientIp.slice(0, MAX_IP_CHARS);
    return this.isFull(request.who, now) ? "full" : this.tickets.issue({ ...request, clientIp }, now);
  }

  async endTail(id: string, credential: string): Promise<boolean> {
    if (this.tickets.cancel(id, credential)) return true;
    for (const socket of this.open(tailTag(id))) {
      if (this.tails.attachmentOf(socket)?.who.credential !== credential) continue;
      this.departures.end(id);
      this.drop(socket, CLOSE.normal, "Ended.");
      return true;
    }
    return this.departures.delete(id, credential);
  }

  async listTails(credential: string): Promise<OpenTail[]> {
    return this.tails.list(this.open(credentialTag(credential)));
  }

  /** While anybody listens: leases of quiet Workers are renewed, credentials looked up again. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    this.dismissGone(now);
    await this.checkCredentials(now);
    if (this.isWatched) await this.leases.take(this.wantsItems, now);
    this.tellCounters();
    const ends = this.open().map((socket) => (socket.deserializeAttachment() as Attachment).who.expiresAt ?? Infinity);
    if (ends.length > 0) await this.alarmBy(ends.reduce((a, b) => Math.min(a, b)));
  }

  /** At the latest then, or when it is time to look around. */
  private async alarmBy(end: number | undefined): Promise<void> {
    const now = Date.now();
    const wanted = Math.min(now + ALARM_MS, Math.max(end ?? Infinity, now + 1_000));
    const known = await this.ctx.storage.getAlarm();
    if (known === null || known > wanted) await this.ctx.storage.setAlarm(wanted);
  }

  private async checkCredentials(now: number): Promise<void> {
    const sockets = this.open().map((socket) => ({ socket, to: socket.deserializeAttachment() as Attachment }));
    if (sockets.length === 0) return;
    const standing = await readStanding(
      this.env.DB,
      sockets.map(({ to }) => to.who),
    ).catch((error: unknown) => console.warn(`live: credentials cannot be looked up: ${rootMessage(error)}`));
    for (const { socket, to } of sockets) {
      const end = standing === undefined ? to.who.expiresAt : standing.expiresAt(to.who);
      if ((end ?? Infinity) <= now || standing?.hasEnded(to.who, now) === true) this.end(socket);
      else if (end !== undefined && end !== to.who.expiresAt) this.extend(socket, to, end);
    }
  }

  /** What let it in lasts longer than it did: a session that is used. */
  private extend(socket: WebSocket, to: Attachment, expiresAt: number): void {
    const viewer = this.viewers.of(socket);
    if (viewer !== undefined) viewer.extend(expiresAt);
    else attach(socket, { ...to, who: { ...to.who, expiresAt } });
  }

  /** Closes those that used to ping and do not any more: their messages would pile up for nobody. */
  private dismissGone(now: number): void {
    this.goneCheckedAt = now;
    this.leaving.keep(this.ctx.getWebSockets());
    for (const socket of this.open()) {
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      if (hasGone(pinged, now)) this.drop(socket, CLOSE.goingAway, "No sign of life.");
    }
  }

  private isFull(who: Listener, now: number): boolean {
    const taken = (tag?: string) => {
      const sockets = this.ctx.getWebSockets(tag);
      return sockets.filter((socket) => socket.readyState === WebSocket.OPEN || this.leaving.has(socket)).length;
    };
    const tooMany = () =>
      taken() >= MAX_LISTENERS ||
      taken(credentialTag(who.credential)) >= MAX_LISTENERS_EACH ||
      this.leaving.unproven(who.credential) > UNPROVEN_CHARS;
    if (!tooMany()) return false;
    this.dismissGone(now);
    return tooMany();
  }

  private open(tag?: string): WebSocket[] {
    return this.ctx.getWebSockets(tag).filter((socket) => socket.readyState === WebSocket.OPEN);
  }

  /** What let it in has ended. */
  private end(socket: WebSocket): void {
    const tail = this.tails.attachmentOf(socket);
    if (tail !== undefined) this.departures.end(tail.id);
    this.drop(socket, LIVE_CLOSE.credentialEnded, ENDED);
  }

  private drop(socket: WebSocket, code: number, reason: string): void {
    if (socket.readyState === WebSocket.OPEN) {
      const { who } = socket.deserializeAttachment() as Attachment;
      this.leaving.add(socket, who.credential, this.tails.unprovenOf(socket, Date.now()));
    }
    this.forget(socket, "hub");
    closeSocket(socket, code, reason);
    this.tellCounters();
  }

  /** It may be in the course of a push: who iterates must bear that. */
  private forget(socket: WebSocket, by: "hub" | "client"): void {
    const now = Date.now();
    const tail = this.tails.attachmentOf(socket);
    if (tail === undefined && this.viewers.of(socket) === undefined) return;
    if (tail !== undefined) this.departures.leave(tail.id, this.stream.positions.since(0), by, now);
    this.tails.remove(socket);
    this.viewers.remove(socket);
    if (!this.isWatched) this.leases.linger(now);
  }
}

const full = () => new Response(LISTENER_FULL, { status: 503, headers: { "retry-after": "60" } });
