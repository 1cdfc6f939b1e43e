/** Items of the feed traces → spans: an invocation is a server span (a queue's a consumer), what lies below it is internal. */
import { isFailure } from "../../event/failure.ts";
import type { EventItem } from "../contract.ts";
import { failureText } from "../sending/failure-text.ts";
import type { StackTexts } from "../sending/stack-text.ts";
import { type AttributeOptions, attributesOf } from "./attributes.ts";
import { parentOfSpan, spanIdOfSpan, traceIdOf } from "./ids.ts";
import { Attributes, SPAN_KIND, type Span, type SpanEvent, STATUS_ERROR, wholeMicros } from "./records.ts";

/** One invocation throws once; the rest comes from waitUntil. */
const MAX_EVENTS = 8;
const US_PER_MS = 1_000;

export function spanOf(item: EventItem, stacks: StackTexts, options: AttributeOptions): Span {
  const { event, invocation } = item;
  const isInvocation = event.kind === "invocation";
  const thrown = isInvocation ? invocation.events.filter(({ kind }) => kind === "exception").slice(0, MAX_EVENTS) : [];
  const failed = isInvocation ? isFailure(event.outcome, event.status) || thrown.length > 0 : event.level === "error";
  const attributes = attributesOf(item, options);
  if (isInvocation) addScheme(event.attributes?.["url.full"], attributes);
  if (failed) attributes.add("error.type", errorType(item, thrown));
  const spanId = spanIdOfSpan(item);
  const start = wholeMicros(event.time);
  return {
    traceId: traceIdOf(item),
    spanId,
    parentSpanId: parentOfSpan(item, spanId),
    name: nameOf(item),
    kind: kindOf(item),
    start,
    end: wholeMicros(start + Math.max(0, event.duration ?? 0) * US_PER_MS) || start,
    attributes,
    events: thrown.map((exception) => exceptionEvent(exception, stacks)),
    status: failed ? STATUS_ERROR : 0,
    statusMessage: failed && isInvocation ? (thrown[0]?.message ?? failureText(event)) : "",
  };
}

/** `GET /products/:id`, as the conventions for HTTP servers want it; what else ran by what it says of itself. */
function nameOf({ event }: EventItem): string {
  if (event.kind === "invocation" && event.event_type === "fetch") {
    const method = event.method === undefined || event.method === "_OTHER" ? "HTTP" : event.method;
    return event.route === undefined ? method : `${method} ${event.route}`;
  }
  const text = event.kind === "span" ? event.name || event.message : event.message || event.name;
  return text || event.event_type || event.kind;
}

function kindOf({ event }: EventItem): number {
  if (event.kind !== "invocation") return SPAN_KIND.internal;
  return event.event_type === "queue" ? SPAN_KIND.consumer : SPAN_KIND.server;
}

function errorType({ event }: EventItem, thrown: readonly EventItem["event"][]): string {
  const type = thrown[0]?.name;
  if (type !== undefined && type !== "") return type;
  if (event.outcome !== undefined && event.outcome !== "ok") return event.outcome;
  return event.status === undefined ? "_OTHER" : String(event.status);
}

function addScheme(url: unknown, out: Attributes): void {
  if (typeof url !== "string") return;
  const end = url.indexOf("://");
  if (end > 0) out.add("url.scheme", url.slice(0, end));
}

function exceptionEvent(exception: EventItem["event"], stacks: StackTexts): SpanEvent {
  const attributes = new Attributes();
  attributes.add("exception.type", exception.name);
  attributes.add("exception.message", exception.message);
  attributes.add("exception.stacktrace", stacks.get(exception) ?? exception.stack);
  return { time: wholeMicros(exception.time), name: "exception", attributes };
}
