/**
 * The live stream. GET /api/v1/live?script&q&rate with `Upgrade: websocket`,
 * scope `read`; a browser with its session and from our own origin. `script`:
 * one Worker, all without it. `q`: the filter part of the query language.
 * Both sides send JSON text, one message a frame, except for PING and PONG.
 *
 * Every event of a Worker that matches is either in `events` or in `notShown`,
 * so what a viewer has heard adds up: the sum of `matched` is the number of
 * events sent plus those not shown. What nobody could compare with the filter
 * (`unchecked`), and what a `gap` reports, comes on top.
 */
import type { Kind } from "../../event/event.ts";
import type { EventJson } from "../contract.ts";

/** A viewer may say PING; the answer is PONG, and costs nothing. Every LIVE_PING_MS keeps proxies from closing the connection. */
export const LIVE_PING = "ping";
export const LIVE_PONG = "pong";
export const LIVE_PING_MS = 30_000;

/** Events/s that one viewer is shown when it does not say, and at most. */
export const LIVE_RATE = 500;
export const LIVE_MAX_RATE = 5_000;

/** Characters of messages after which a viewer tells what it has read; at the latest this long after a message: with a thousand viewers no more than LIVE_ACK_CHARS are on their way to one, and who waits for more stands still. */
export const LIVE_ACK_CHARS = 32_768;
export const LIVE_ACK_MS = 250;

/**
 * Where a viewer is: per Ingester, what it has heard last. Opaque. A viewer adds
 * up the `at` of all messages, later ones replacing earlier ones of the same name,
 * and hands the sum in when it comes again. A message whose every position it
 * has passed already is one that it heard before.
 */
export type LiveCursor = Record<string, string>;

/** What a viewer says. */
export type LiveRequest =
  /** Another filter or rate from now on; the connection stays. Answered with `ready`, or `problem`: then the old one holds. */
  | { type: "filter"; q: string; rate?: number }
  /** First thing after a reconnect: what was missed, as far as it is still there. `since`: ms, server time of the last message. */
  | { type: "resume"; cursor: LiveCursor; since: number }
  /** Characters of all messages read so far. Who does not say so is taken to be slow. */
  | { type: "ack"; chars: number };

export interface NotShown {
  events: number;
  /** Of these, at level error or of invocations that failed. */
  errors: number;
  kinds: Partial<Record<Kind, number>>;
}

/** What a viewer hears. `now`: server's clock, ms. */
export type LiveMessage =
  | { type: "ready"; now: number; script: string | null; q: string; rate: number }
  | {
      type: "events";
      now: number;
      at: LiveCursor;
      /** In the order in which they were stored; an invocation's events together. `mapped_stack` beside `stack` where there is a source map. */
      events: EventJson[];
      /** Events that the filter matched: those here and those not shown. */
      matched: number;
      notShown?: NotShown;
      /** Of most of them. rate: more than it asked for. slow: more than it has read. size: more at one moment than is sent at once, or one that is too long. */
      because?: "rate" | "slow" | "size";
      /** Events that were not compared with the filter: there were more than could be looked at. */
      unchecked?: number;
    }
  /** A resume has been answered: what was still there has been sent. `gone`: events of the Worker, matching or not, that are only in the store by now. */
  | { type: "resumed"; now: number; gone: number }
  /** The filter is not understood (`position`, `expected` as in QueryAnswer's errors), or the message is not. */
  | { type: "problem"; now: number; code: string; message: string; details?: unknown };

/** Close codes beside those of RFC 6455. */
export const LIVE_CLOSE = {
  /** What let it in has ended: log in again, or use another token. */
  credentialEnded: 4001,
  /** Said something that is no LiveRequest, or too much. */
  badMessage: 4002,
} as const;
