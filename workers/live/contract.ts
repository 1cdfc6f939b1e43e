/**
 * What passes between the stages when somebody watches. One hub (a `LiveHub`)
 * per watched Worker, and one for those who watch all of them.
 *
 *   viewer ──ws──▶ hub ──watch(lease)──▶ Ingester ──answer──▶ Collector
 *   Collector ──append(+ extras)──▶ Ingester ──push──▶ hub ──ws──▶ viewer
 *
 * A lease is all that an Ingester knows of viewers: where to push, until when.
 * Without one nothing is pushed, made or kept: a Worker that nobody watches costs
 * nothing. The shapes of what viewers say and hear are api/contract/live.ts.
 *
 *   entry       one append in an Ingester's log
 *   position    an entry's place, and the events ever logged up to it
 *   gap         events between two positions that were not pushed
 *   gone        the same for who comes again: only the store has them by now
 *   audience    viewers with the same filter and rate
 *   not shown   matched, and left out: above the rate, or the viewer is slow
 *   unchecked   nobody compared them with the filter: gaps, or too dear
 *   tally       counts of these by kind, so that what was heard adds up
 */

/** The hub of notifications. */
export const NOTIFICATIONS_HUB = "hub";

/** Durable Object name of the hub of a Worker's events; null: of all Workers'. */
export const tailHub = (script: string | null): string => (script === null ? "tails" : `tail ${script}`);

const OF_WORKER = "tail ";

/** Inverse of `tailHub`; undefined for the name of any other hub. */
export function scriptOfHub(name: string): string | null | undefined {
  if (name === tailHub(null)) return null;
  return name.startsWith(OF_WORKER) ? name.slice(OF_WORKER.length) : undefined;
}

/** How long Ingesters push without hearing from the hub again: its answer to a push renews it, and its alarm does. */
export const LEASE_MS = 10 * 60_000;

/** Where an Ingester pushes, as long as it holds. */
export interface Lease {
  /** Name of the hub. */
  hub: string;
  /** ms since the epoch; over when it is past. */
  until: number;
  /** Somebody wants whole trace items (`wrangler tail`): `LiveExtras.items`. */
  items: boolean;
}

/** What the Collector adds to an append only while a lease says so. It is passed on, never stored. Times and texts are redacted. */
export interface LiveExtras {
  /** JSON text of redacted trace items, stacks mapped, by invocation id. */
  items?: Record<string, string>;
  /** Source-mapped stack texts, by `<invocation id>.<seq>`. */
  stacks?: Record<string, string>;
}

/** One entry of an Ingester's log. */
export interface LiveEntry {
  /** Position in the shard's log: ascending, never reused. */
  id: number;
  /** Events that the shard has ever logged, this entry's included: two of these tell how many events lie between. */
  through: number;
  rows: number;
  /** Arrival, ms. */
  at: number;
  /** `BatchBuilder.encode()`. */
  batch: string;
  /** JSON of `LiveExtras`, items last; "" for none. Items only if the lease wants them. */
  extras: string;
}

export interface LivePush {
  script: string;
  /** Name of the Ingester. */
  shard: string;
  /** In the order of the log. */
  entries: LiveEntry[];
  /** Events logged before these, since the last push that arrived, which are not pushed: there was no room for them to wait. */
  missed: number;
}

/** Renews the lease, or ends it: nobody watches when `until` is 0. */
export interface PushAnswer {
  until: number;
  items: boolean;
}

/** The last entry of a shard's log when it was asked; zeros before there is one. */
export interface ShardPosition {
  id: number;
  through: number;
}

/** What an Ingester still has in its log. */
export interface ReplayRequest {
  /** Entries after this id. */
  afterId: number;
  maxBytes: number;
}
export interface ReplayAnswer {
  /** In order; without extras. */
  entries: LiveEntry[];
  /** There are more: ask again from the last id. */
  more: boolean;
  /** `through` of what was sealed last: events up to there are not in the log any more. */
  sealedThrough: number;
}

/** How the credential of a token begins; its id follows. */
export const TOKEN_CREDENTIAL = "token ";

/** Who listens: what limits its number, and what ends it when it ends. */
export interface Listener {
  /** A token, with the sessions that it opened; or a person. */
  credential: string;
  /** Hash of the session; without it, none. */
  session?: string;
  /** ms: when what let it in ends. */
  expiresAt?: number;
}

/** How `api/` hands a WebSocket to a hub; who may come in has been decided. */
export type Entrance =
  /** Messages of a topic (notifications). */
  | { kind: "topic"; topic: string; who: Listener }
  /** Events, by a filter of the query language (api/contract/live.ts). */
  | { kind: "viewer"; script: string | null; q: string; rate?: number; who: Listener }
  /** Trace items for `wrangler tail`: the secret is good once. */
  | { kind: "trace"; secret: string };

/** `POST …/tails` of Cloudflare's API: kept until its socket comes, then in the socket's attachment. */
export interface TailRequest {
  script: string;
  /** As `wrangler tail` sends them, checked (`live/trace/filters.ts`). */
  filters: readonly TailFilter[];
  /** Of who asks: what `client_ip: self` stands for. */
  clientIp: string;
  who: Listener;
}
export type TailFilter =
  | { sampling_rate: number }
  | { outcome: string[] }
  | { method: string[] }
  | { header: { key: string; query?: string } }
  | { client_ip: string[] }
  | { query: string }
  | { scriptVersion: string };
export interface TailTicket {
  id: string;
  /** For the socket's URL: single use, gone after TICKET_MS. */
  secret: string;
  /** ms: when what let it in ends; else a time that is only said (`trace/limits.ts`). */
  expiresAt: number;
}

export interface OpenTail {
  id: string;
  /** ms: when what let it in ends, if it does. */
  expiresAt?: number;
}

export interface LiveHubRpc {
  push(push: LivePush): Promise<PushAnswer>;
  publish(topic: string, messages: readonly string[]): Promise<number>;
  dismiss(who: Partial<Pick<Listener, "credential" | "session">>): Promise<number>;
  /** "full": too many watch already. */
  createTail(request: TailRequest): Promise<TailTicket | "full">;
  /** Ends a tail of this credential; false when there is none. */
  endTail(id: string, credential: string): Promise<boolean>;
  /** Open tails of a credential. */
  listTails(credential: string): Promise<OpenTail[]>;
}

const ENTRANCE = "entrance";

export function entranceRequest(entrance: Entrance, headers: Record<string, string> = {}): Request {
  const params = new URLSearchParams({ [ENTRANCE]: JSON.stringify(entrance) });
  return new Request(`https://live/?${params}`, { headers: { ...headers, upgrade: "websocket" } });
}

/** Throws on anything but what `entranceRequest` made: only `api/` can call a hub. */
export function readEntrance(request: Request): Entrance {
  return JSON.parse(new URL(request.url).searchParams.get(ENTRANCE) ?? "null") as Entrance;
}
