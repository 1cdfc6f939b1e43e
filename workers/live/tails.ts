/**
 * Viewers that speak the protocol of `wrangler tail`: trace items, one a message,
 * by filters of its own. They see what is pushed as all others do, but say nothing
 * of what they have read. So each has a rate of items and characters; beyond it
 * failures come first and the rest is a fair sample, and it is told in notices. What
 * was sent to all of them and may still be on its way is bounded, too: the one
 * with the most is sent away then, comes again by itself within seconds, and goes
 * on where it was (`trace/departures.ts`).
 */
import { rootMessage } from "../util/error-message.ts";
import { hash32 } from "../util/hash.ts";
import type { TraceAttachment } from "./attachment.ts";
import type { OpenTail, TailFilter, TailRequest } from "./contract.ts";
import type { OpenEntry } from "./entry.ts";
import { TRACE_CHARS_PER_S, TRACE_ITEMS_PER_S, TRACE_NOTICE_MS } from "./limits.ts";
import { Talk } from "./requests.ts";
import { attach, CLOSE, sendTo } from "./sockets.ts";
import { addTally, emptyTally, isEmpty, type Tally } from "./tally.ts";
import { Bucket } from "./thinning.ts";
import { compileBlocker } from "./trace/filters.ts";
import { type TraceItem, traceItems, withBlocker } from "./trace/items.ts";
import { overloadNotice, overloadStopNotice } from "./trace/notice.ts";
import { Room, Unproven } from "./unproven.ts";

/** What it says is an object with one flag. */
const MAX_MESSAGE_CHARS = 1_024;
const HASHES = 2 ** 32;

interface Missed {
  entries: readonly OpenEntry[];
  seconds: number;
  /** Events before these that are nowhere here any more. */
  gone: number;
}
const NOTHING: Missed = { entries: [], seconds: 0, gone: 0 };

type Blocker = (item: TraceItem) => TailFilter | undefined;

/** An entry's items, and which of them a set of filters lets through. */
interface Items {
  entry: OpenEntry;
  items: TraceItem[];
  matched: Map<string, TraceItem[]>;
}

class Tail {
  readonly talk = new Talk();
  readonly key: string;
  readonly blocker: Blocker;
  readonly items: Bucket;
  readonly chars: Bucket;
  readonly unproven = new Unproven();
  /** When it was told last that it does not see everything, ms. */
  toldAt = 0;

  constructor(
    readonly socket: WebSocket,
    readonly attachment: TraceAttachment,
    now: number,
    /** Seconds that it missed. */
    seconds: number,
  ) {
    const { filters, clientIp } = attachment.request;
    this.key = JSON.stringify([filters, clientIp]);
    this.blocker = compileBlocker(filters, clientIp);
    this.items = new Bucket(TRACE_ITEMS_PER_S, now, TRACE_ITEMS_PER_S * (1 + seconds));
    this.chars = new Bucket(TRACE_CHARS_PER_S, now, TRACE_CHARS_PER_S * (1 + Math.min(seconds, 5)));
  }

  /** False: its socket is dead. */
  send(text: string, now: number): boolean {
    this.unproven.add(text.length, now);
    return sendTo(this.socket, text);
  }
}

export interface TailsParts {
  /** Characters that those may not have read who were sent away. */
  leaving(): number;
  /** Sent away; it may come again. */
  drop(socket: WebSocket, code: number, reason: string): void;
}

export class Tails {
  private readonly bySocket = new Map<WebSocket, Tail>();
  private readonly room = new Room();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: TailsParts) {}

  get size(): number {
    return this.bySocket.size;
  }

  attachmentOf(socket: WebSocket): TraceAttachment | undefined {
    return this.bySocket.get(socket)?.attachment;
  }

  /** Those of `sockets` that are tails, as the API tells of them. */
  list(sockets: readonly WebSocket[]): OpenTail[] {
    return sockets.flatMap((socket) => {
      const tail = this.attachmentOf(socket);
      if (tail === undefined) return [];
      const { expiresAt } = tail.who;
      return [{ id: tail.id, ...(expiresAt === undefined ? {} : { expiresAt }) }];
    });
  }

  unprovenOf(socket: WebSocket, now: number): number {
    return this.bySocket.get(socket)?.unproven.at(now) ?? 0;
  }

  /** `missed`: what to begin with, of so many seconds. */
  add(socket: WebSocket, attachment: TraceAttachment, now: number, missed = NOTHING): void {
    const tail = new Tail(socket, attachment, now, missed.seconds);
    this.bySocket.set(socket, tail);
    this.measure(now);
    if (missed.entries.length > 0) this.showTo(tail, missed.entries.map(itemsOf), now);
    if (missed.gone > 0) this.hide(tail, { ...emptyTally(), unchecked: missed.gone }, now);
    if (attachment.isOverloaded === true) this.later();
  }

  remove(socket: WebSocket): void {
    this.bySocket.delete(socket);
  }

  hear(socket: WebSocket, message: string | ArrayBuffer): void {
    const tail = this.bySocket.get(socket);
    if (tail === undefined) return;
    const isSmall = typeof message === "string" && message.length <= MAX_MESSAGE_CHARS;
    if (!isSmall || !tail.talk.allows(1, Date.now())) {
      this.parts.drop(socket, CLOSE.policyViolation, 'Nothing but {"debug":false} is understood here.');
      return;
    }
    const { attachment } = tail;
    const isDebug = /"debug"\s*:\s*true/.test(message);
    if (isDebug === (attachment.isDebug === true)) return;
    attachment.isDebug = isDebug;
    attach(socket, attachment);
  }

  /** What has been pushed. `gap`: events that did not come. */
  show(open: readonly OpenEntry[], gap: number, now: number): void {
    if (this.bySocket.size === 0) return;
    this.measure(now);
    const entries = open.map(itemsOf);
    const lost = open.reduce((sum, { batch, raw }) => sum + (batch === undefined ? raw.rows : 0), gap);
    for (const tail of this.bySocket.values()) {
      try {
        this.showTo(tail, entries, now);
      } catch (error) {
        console.error(`BUG: trace items cannot be shown: ${rootMessage(error)}`);
        const unchecked = open.reduce((sum, { raw }) => sum + raw.rows, gap);
        this.hide(tail, { ...emptyTally(), unchecked }, now);
        continue;
      }
      if (lost > 0) this.hide(tail, { ...emptyTally(), unchecked: lost }, now);
    }
    if (this.room.isShort) this.sendAway(now);
  }

  private showTo(tail: Tail, entries: readonly Items[], now: number): void {
    const matched = entries.map((e) => matchedOf(e, tail));
    const shown = this.thin(tail, matched, now);
    const hidden = emptyTally();
    for (const [k, items] of matched.entries()) {
      const left = new Set<string>();
      for (const item of items) {
        if (!shown.has(item) || !this.send(tail, item.text(), now)) left.add(item.invocationId);
      }
      if (left.size > 0) addTally(hidden, tallyOf((entries[k] as Items).entry, left));
      if (tail.attachment.isDebug === true) this.explain(tail, entries[k] as Items, now);
    }
    if (!isEmpty(hidden)) this.hide(tail, hidden, now);
  }

  private thin(tail: Tail, matched: readonly TraceItem[][], now: number): Set<TraceItem> {
    const all = matched.flat();
    const failed = all.filter((item) => item.failed).length;
    const shares = tail.items.shares(failed, all.length - failed, now);
    const shown = new Set<TraceItem>();
    for (const wanted of [true, false]) {
      const below = (wanted ? shares.errors : shares.others) * HASHES;
      for (const item of all) {
        if (shown.size >= shares.most) break;
        if (item.failed === wanted && hash32(item.invocationId) < below) shown.add(item);
      }
    }
    tail.items.spend(shown.size);
    return shown;
  }

  /** False: it was not sent, since there is no room or no connection. */
  private send(tail: Tail, text: string, now: number): boolean {
    if (tail.chars.shares(0, text.length, now).most < text.length) return false;
    if (!this.room.takes(text.length, tail.unproven.at(now))) return false;
    tail.chars.spend(text.length);
    if (tail.send(text, now)) return true;
    this.parts.drop(tail.socket, CLOSE.goingAway, "The connection failed.");
    return false;
  }

  /** With `debug`, Cloudflare's tail says of what it leaves out by which filter. */
  private explain(tail: Tail, { items }: Items, now: number): void {
    for (const item of items) {
      const filter = tail.blocker(item);
      if (filter !== undefined) this.send(tail, withBlocker(item, filter), now);
    }
  }

  private hide(tail: Tail, hidden: Tally, now: number): void {
    const { attachment } = tail;
    attachment.notShown ??= emptyTally();
    addTally(attachment.notShown, hidden);
    attachment.isOverloaded = true;
    if (now - tail.toldAt >= TRACE_NOTICE_MS) this.tell(tail, now, overloadNotice);
    else attach(tail.socket, attachment);
    this.later();
  }

  /** The count, and from now on it begins anew. */
  private tell(tail: Tail, now: number, notice: typeof overloadNotice): void {
    const { socket, attachment } = tail;
    const { script } = attachment.request;
    const text = notice(script, attachment.notShown ?? emptyTally(), now);
    delete attachment.notShown;
    tail.toldAt = now;
    attach(socket, attachment);
    tail.send(text, now);
  }

  /** Only while somebody is to be told something: no timer runs while nothing happens. */
  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const now = Date.now();
      for (const tail of this.bySocket.values()) this.tellRest(tail, now);
    }, TRACE_NOTICE_MS);
  }

  /** Overloaded until nothing was left out for a while. */
  private tellRest(tail: Tail, now: number): void {
    const { attachment } = tail;
    if (attachment.isOverloaded !== true) return;
    if (attachment.notShown !== undefined) {
      this.tell(tail, now, overloadNotice);
      this.later();
      return;
    }
    delete attachment.isOverloaded;
    this.tell(tail, now, overloadStopNotice);
  }

  private measure(now: number): void {
    let unproven = this.parts.leaving();
    for (const tail of this.bySocket.values()) unproven += tail.unproven.at(now);
    this.room.measure(unproven, this.bySocket.size);
  }

  /** The one with the most, which comes again if it reads. What it was not shown until now it is told. */
  private sendAway(now: number): void {
    let most: Tail | undefined;
    for (const tail of this.bySocket.values()) {
      if (most === undefined || tail.unproven.at(now) > most.unproven.at(now)) most = tail;
    }
    if (most === undefined) return;
    if (most.attachment.notShown !== undefined) this.tell(most, now, overloadNotice);
    this.parts.drop(most.socket, CLOSE.restart, "Much was sent; come again and go on from here.");
  }
}

const itemsOf = (entry: OpenEntry): Items => ({
  entry,
  items: entry.batch === undefined ? [] : traceItems(entry.batch, entry.extras),
  matched: new Map(),
});

/** Compared once for all tails with the same filters. */
function matchedOf({ items, matched }: Items, { key, blocker }: Tail): TraceItem[] {
  let found = matched.get(key);
  if (found === undefined) {
    found = items.filter((item) => blocker(item) === undefined);
    matched.set(key, found);
  }
  return found;
}

/** Of the events of some invocations. */
function tallyOf(entry: OpenEntry, invocations: ReadonlySet<string>): Tally {
  const mask = new Uint8Array(entry.batch?.rows ?? 0);
  for (let row = 0; row < mask.length; row++) if (invocations.has(entry.invocation(row))) mask[row] = 1;
  return entry.tally(mask);
}

/** What a tail is let in with. */
export const tailAttachment = (id: string, request: TailRequest): TraceAttachment => ({
  kind: "trace",
  id,
  request,
  who: request.who,
});
