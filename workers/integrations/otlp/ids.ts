/**
 * Trace and span ids. Where a request came without a trace context, they are made
 * of the invocation's id: the same at every try, and the same for its spans and
 * logs, so that a receiver shows them together.
 */
import type { EventItem, Invocation } from "../contract.ts";

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_16 = /^[0-9a-f]{16}$/;
const ZEROS = /^0+$/;

const valid = (pattern: RegExp, id: string | undefined): id is string =>
  id !== undefined && pattern.test(id) && !ZEROS.test(id);

const traceIdIn = (id: string | undefined): string | undefined => (valid(HEX_32, id) ? id : undefined);
const spanIdIn = (id: string | undefined): string | undefined => (valid(HEX_16, id) ? id : undefined);

export function traceIdOf({ event, invocation, id }: EventItem): string {
  return traceIdIn(event.trace_id) ?? traceIdIn(invocation.id) ?? traceIdIn(id) ?? "";
}

/** Of the span that stands for the invocation: its random part. */
export function invocationSpanId(invocation: Invocation): string {
  const root = invocation.events[0];
  const own = root?.kind === "invocation" ? spanIdIn(root.span_id) : undefined;
  return own ?? spanIdIn(invocation.id.slice(-16)) ?? spanIdIn(invocation.id.slice(0, 16)) ?? "";
}

/** The span that a log belongs to. */
export const spanIdOfLog = (item: EventItem): string =>
  spanIdIn(item.event.span_id) ?? invocationSpanId(item.invocation);

export function spanIdOfSpan({ event, invocation, id }: EventItem): string {
  if (event.kind === "invocation") return spanIdIn(event.span_id) ?? invocationSpanId(invocation);
  // The end of an item's id: its beginning is the time, which others share.
  return spanIdIn(event.span_id) ?? spanIdIn(id.slice(-16)) ?? spanIdIn(id.slice(0, 16)) ?? "";
}

/** "" for the root of a trace. */
export function parentOfSpan({ event, invocation }: EventItem, spanId: string): string {
  const parent = spanIdIn(event.parent_span_id);
  if (parent !== undefined || event.kind === "invocation") return parent === spanId ? "" : (parent ?? "");
  const root = invocationSpanId(invocation);
  return root === spanId ? "" : root;
}
