/**
 * What an integration is: data for the marketplace, and the functions that speak
 * its protocol. One file per integration in `catalog/`; `delivery/` calls them.
 * Integrations know events, not where they are stored, and reach the network only
 * through `Io.request`, which guards it (`delivery/egress/`).
 */

import type { CatalogEntry, Feed, NoticeKind } from "../api/contract/integrations.ts";
import type { Notification } from "../api/contract.ts";
import type { TailraceEvent } from "../event/event.ts";
import type { ResolvedFrame, ResolvedTrace } from "./frames.ts";

/** What is known of one invocation, in the order of `seq`: context for each of its items, whether they are sent or not. */
export interface Invocation {
  script: string;
  /** 32 hex digits. */
  id: string;
  events: readonly TailraceEvent[];
}

/** What is sent: the unit of sampling, of success and failure, of a dead letter. */
export type Item = EventItem | NoticeItem;

interface ItemBase {
  /** 32 hex digits, made of what the item is (invocation and `seq`; number of the notification): the same at every try. */
  id: string;
  /** Extra tags of the destination's rules. */
  tags: Readonly<Record<string, string>>;
}
export interface EventItem extends ItemBase {
  feed: Exclude<Feed, "notices">;
  event: TailraceEvent;
  invocation: Invocation;
}
export interface NoticeItem extends ItemBase {
  feed: "notices";
  notice: Notification & { kind: NoticeKind };
}

export type FailureKind =
  /** No connection, or cut off in the middle. */
  | "unreachable"
  /** Nobody knows whether it was taken. */
  | "timeout"
  /** 401, 403: the credential is not accepted. */
  | "unauthorized"
  /** 404, 405, 410, a redirect: nobody takes it at this address. */
  | "misplaced"
  | "rate_limited"
  /** 5xx. */
  | "unavailable"
  /** 2xx, but the answer is not one that this protocol gives. */
  | "lying"
  /** 400, 413, 422 …: this content will never be taken. */
  | "refused"
  /** Our own guard: private address, no https, bad URL. */
  | "blocked";

export interface Failure {
  kind: FailureKind;
  /** Plain words, what to do; never a credential (`Io` masks answers, too). */
  message: string;
  /** HTTP status; 0 when there was none. */
  status: number;
  /** How long the receiver asks to wait. */
  retryAfterMs?: number;
  /** The message ends with what to do (`sending/advice.ts`). */
  advised?: true;
  /** It is about items of this kind alone, as the limit of one category is: they wait, others go on. */
  only?: Feed;
}

export type ItemOutcome =
  | "delivered"
  /** Never will be taken as it is: a dead letter. Only where the receiver spoke of this item alone; of a batch, send its halves first. */
  | { refused: Failure }
  /** Not taken, or unknown: tried again. */
  | { again: Failure };

export interface SendResult {
  /** As many as there were items, in their order. */
  outcomes: readonly ItemOutcome[];
  /** The receiver took it and asks to hold back from now on, ms. */
  holdMs?: number;
  /** Taken, but the receiver says that it threw some away without saying which (OTLP's partial success). */
  rejectedByReceiver?: { count: number; message: string };
  requests: number;
}

export interface OutgoingRequest {
  url: string;
  /** POST unless told otherwise. */
  method?: "GET" | "POST" | "PUT" | "DELETE";
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** ms; 10,000 unless told otherwise, 30,000 at most. */
  timeoutMs?: number;
  /** Bytes of the answer that are read; 64 KB unless told otherwise. */
  maxResponseBytes?: number;
}
export type OutgoingAnswer =
  | { ok: true; status: number; headers: Headers; bytes: Uint8Array; text: string; cut: boolean }
  | { ok: false; failure: Failure };

/** What an integration may reach. */
export interface Io {
  /** Follows no redirect, never throws. */
  request(request: OutgoingRequest): Promise<OutgoingAnswer>;
  /** Puts an object under the exports prefix of the team's own bucket; throws when R2 does. */
  putObject(key: string, body: Uint8Array<ArrayBuffer> | string, contentType: string): Promise<void>;
  /** Id of the destination whose items these are; of a failover, of the one that it carries for. */
  source: string;
  /** ms since the epoch. */
  now(): number;
  /** Stack text of one version → frames, mapped where maps are, outermost last (as V8 prints them), with lines of source around. */
  frames(script: string, version: string, stack: string): Promise<ResolvedFrame[]>;
  /** The same with the error's causes and parts; `known`: what the event says of it beside its stack. Shared between callers: not to be changed. */
  trace(
    script: string,
    version: string,
    stack: string,
    known?: { type?: string | undefined; message?: string | undefined },
  ): Promise<ResolvedTrace>;
  /** Number of the issue that a fingerprint belongs to; null when there is none yet. */
  issueOf(fingerprint: string): Promise<number | null>;
  /** Where people reach Tailrace's pages, without a slash at the end; "" when nobody has opened it yet. */
  baseUrl: string;
}

/** Values of the fields, secrets opened: held in memory only. Absent fields have their default. */
export type Values = Readonly<Record<string, string>>;

/** What one call of `send` may be handed. `delivery/` cuts batches by it. */
export interface BatchLimits {
  items: number;
  /** Rough bytes of the items' text: the integration itself keeps to the exact limit of its protocol. */
  bytes: number;
}

/** How long a batch may grow: until its oldest item has waited so long, or until it holds so much. */
export interface Linger {
  ms: number;
  /** Rough bytes. */
  bytes: number;
}

export type TestResult = { ok: true; message: string } | { ok: false; failure: Failure };

export interface Destination extends CatalogEntry {
  role: "destination";
  limits: BatchLimits;
  /** Items of one Worker must reach the receiver in their order: one batch at a time for each. */
  ordered: boolean;
  /** Where few large batches are worth more than quick ones, as files are. Each holds items of one source alone then. */
  linger?(values: Values): Linger;
  /** What is wrong with the values beyond what `fields` say: field → what to do. Pure. */
  check?(values: Values): Record<string, string>;
  /** A real round trip that leaves something recognisable, or nothing, at the receiver. */
  test(values: Values, io: Io): Promise<TestResult>;
  /** Never throws for what a receiver does. */
  send(values: Values, items: readonly Item[], io: Io): Promise<SendResult>;
}

/** Credentials that are written into Workers as secrets. */
export interface Resource extends CatalogEntry {
  role: "resource";
  check?(values: Values): Record<string, string>;
  test(values: Values, io: Io): Promise<TestResult>;
  /** What there is to choose from for a field (databases of an organization …), once the credential is there. */
  options?(
    field: string,
    values: Values,
    io: Io,
  ): Promise<{ ok: true; options: string[] } | { ok: false; failure: Failure }>;
  /** The secrets to write: name → value. With `rotate` new ones are made where the service can. */
  obtain(
    values: Values,
    io: Io,
    rotate: boolean,
  ): Promise<{ ok: true; secrets: Record<string, string> } | { ok: false; failure: Failure }>;
  /** Lines of code that use them. */
  usage(values: Values): { install: string; code: string };
}

export type Integration = Destination | Resource;
