/** Viewers of a hub, and pushes as an Ingester makes them. */
import { env } from "cloudflare:workers";
import type { LiveMessage, LiveRequest } from "../../../workers/api/contract/live.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import {
  type Entrance,
  entranceRequest,
  type LiveEntry,
  type LivePush,
  tailHub,
} from "../../../workers/live/contract.ts";
import type { LiveHub } from "../../../workers/live/hub.ts";
import { appendOf, invocation, until } from "../buffer/support.ts";

export type Hub = DurableObjectStub<LiveHub>;
export const hubOf = (script: string | null): Hub => env.LIVE.getByName(tailHub(script));

type EventsMessage = LiveMessage & { type: "events" };

export class TestViewer {
  readonly messages: LiveMessage[] = [];
  readonly closed: Promise<number>;
  chars = 0;
  /** Says what it has read after each message, as a good viewer does. */
  acks = true;

  constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.addEventListener("close", (event) => resolve(event.code)));
    socket.addEventListener("message", ({ data }) => {
      const text = String(data);
      if (text === "pong") return;
      this.chars += text.length;
      this.messages.push(JSON.parse(text) as LiveMessage);
      if (this.acks) this.ack();
    });
    socket.accept();
  }

  ack(): void {
    this.say({ type: "ack", chars: this.chars });
  }

  say(request: LiveRequest): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  of<T extends LiveMessage["type"]>(type: T): (LiveMessage & { type: T })[] {
    return this.messages.filter((m): m is LiveMessage & { type: T } => m.type === type);
  }

  get frames(): EventsMessage[] {
    return this.of("events");
  }

  get events() {
    return this.frames.flatMap((m) => m.events);
  }

  get matched(): number {
    return this.frames.reduce((sum, m) => sum + m.matched, 0);
  }

  get notShown(): number {
    return this.frames.reduce((sum, m) => sum + (m.notShown?.events ?? 0), 0);
  }

  get unchecked(): number {
    return this.frames.reduce((sum, m) => sum + (m.unchecked ?? 0), 0);
  }

  /** What it would come again with. */
  get cursor(): Record<string, string> {
    return Object.assign({}, ...this.frames.map((m) => m.at));
  }

  async hears(type: LiveMessage["type"], count = 1): Promise<void> {
    await until(async () => this.of(type).length >= count);
  }
}

type ViewerEntrance = Extract<Entrance, { kind: "viewer" }>;

export async function knock(hub: Hub, entrance: Partial<ViewerEntrance> = {}): Promise<Response> {
  const all = { kind: "viewer", script: null, q: "", who: { credential: "token tester" }, ...entrance } as const;
  return await hub.fetch(entranceRequest(all));
}

export async function connect(hub: Hub, entrance: Partial<ViewerEntrance> = {}): Promise<TestViewer> {
  const { webSocket, status } = await knock(hub, entrance);
  if (webSocket === null) throw new Error(`no socket: ${status}`);
  return new TestViewer(webSocket);
}

/** One that hears what is pushed from now on. */
export async function watch(hub: Hub, entrance: Partial<ViewerEntrance> = {}): Promise<TestViewer> {
  const viewer = await connect(hub, entrance);
  // Asking for what it missed ends the wait for it.
  viewer.say({ type: "resume", cursor: {}, since: Date.now() + 60_000 });
  await viewer.hears("resumed");
  return viewer;
}

/** A shard's log, as far as a hub sees it. */
export class Shard {
  private id = 0;
  private through = 0;

  constructor(
    readonly script: string,
    readonly shard = script,
  ) {}

  entry(events: TailraceEvent[], extras = ""): LiveEntry {
    const { batch, rows } = appendOf(this.script, events);
    this.through += rows;
    return { id: ++this.id, through: this.through, rows, at: Date.now(), batch, extras };
  }

  /** One entry with so many invocations. */
  some(count: number, more: (k: number) => Partial<TailraceEvent> = () => ({})): LiveEntry {
    return this.entry(Array.from({ length: count }, (_, k) => invocation(this.script, undefined, more(k))));
  }

  push(entries: LiveEntry[], missed = 0): LivePush {
    return { script: this.script, shard: this.shard, entries, missed };
  }
}
