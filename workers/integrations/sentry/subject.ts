/**
 * What is known of the item that is sent: the event, its invocation's own event,
 * and the ids by which Sentry ties events, logs and transactions together. The
 * other files of this folder make their parts of it. Pure.
 */
import type { AttributeValue, TailraceEvent } from "../../event/event.ts";
import { hash32 } from "../../util/hash.ts";
import type { EventItem } from "../contract.ts";
import { MAX_RELEASE } from "./limits.ts";
import type { Level } from "./protocol.ts";
import type { Settings } from "./settings.ts";
import { oneLine } from "./text.ts";

export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface Subject {
  item: EventItem;
  event: TailraceEvent;
  /** The event of the invocation itself, where it is known. */
  head: TailraceEvent | undefined;
  /** Of the event. */
  own: Attributes;
  /** Of the invocation: request, user, place. */
  around: Attributes;
  settings: Settings;
  eventId: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  release: string | undefined;
}

const NOTHING: Attributes = {};

export function subjectOf(item: EventItem, settings: Settings): Subject {
  const { event, invocation } = item;
  const first = invocation.events[0];
  const head = first?.kind === "invocation" ? first : invocation.events.find(({ kind }) => kind === "invocation");
  // Every invocation is a trace of its own where the request did not bring one: its events, logs and transaction belong together.
  const traceId = idOf(event.trace_id ?? head?.trace_id ?? event.invocation_id);
  const spanId = spanOf(head?.span_id ?? event.span_id, event.invocation_id);
  return {
    item,
    event,
    head,
    own: event.attributes ?? NOTHING,
    around: head?.attributes ?? NOTHING,
    settings,
    eventId: idOf(item.id),
    traceId,
    spanId,
    parentSpanId: HEX_16.test(head?.parent_span_id ?? "") ? head?.parent_span_id : undefined,
    release: releaseOf(event, settings),
  };
}

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_16 = /^[0-9a-f]{16}$/;
const NO_ID = /^0+$/;

/** 32 hex digits, also of something that is none. */
export function idOf(text: string): string {
  if (HEX_32.test(text) && !NO_ID.test(text)) return text;
  return [1, 2, 3, 4].map((seed) => hash32(text, seed).toString(16).padStart(8, "0")).join("");
}

export function spanOf(spanId: string | undefined, invocationId: string): string {
  if (spanId !== undefined && HEX_16.test(spanId) && !NO_ID.test(spanId)) return spanId;
  return idOf(invocationId).slice(16);
}

/** Sentry's releases belong to the whole organization: a tag alone would be shared between Workers. */
function releaseOf({ script, version_id: id, version_tag: tag }: TailraceEvent, { release }: Settings) {
  const name = release === "tag" && tag ? `${script}@${tag}` : id;
  if (name === undefined || name === "") return undefined;
  const clean = oneLine(name, MAX_RELEASE).replace(/[\\/]/g, "-");
  return clean === "." || clean === ".." ? undefined : clean;
}

export function levelOf(level: string | undefined): Level {
  if (level === "error" || level === "debug") return level;
  return level === "warn" ? "warning" : "info";
}

/** `GET /products/:id`, `queue orders`: what Sentry calls the transaction. */
export function transactionOf({ event, head }: Subject): string {
  if (event.method !== undefined && event.route !== undefined) return `${event.method} ${event.route}`;
  return head?.message || event.event_type || event.script;
}
