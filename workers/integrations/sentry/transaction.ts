/**
 * An item of the feed `traces` → Sentry's transaction: the invocation with its
 * spans in one payload, which is how Sentry takes them. A span's own item is done
 * with its invocation's; one whose invocation is not known is a transaction of
 * its own. Pure.
 */
import { contextsOf, extraOf, requestOf, statusOf, tagsOf, userOf } from "./describe.ts";
import { type Budget, MAX_NAME, MAX_TRANSACTION } from "./limits.ts";
import type { SentryEvent, Span } from "./protocol.ts";
import { SDK } from "./sdk.ts";
import { type Subject, spanOf, transactionOf } from "./subject.ts";
import { clip, endOf, oneLine, seconds } from "./text.ts";

/** Spans of one transaction at most, for each attribute that the budget allows: Sentry takes 1,000. */
const SPANS_PER_ATTRIBUTE = 10;

/** Told of by the transaction of its invocation. */
export const isPartOfAnother = ({ event, head }: Subject): boolean => event.kind === "span" && head !== undefined;

export function transactionPayload(subject: Subject, baseUrl: string, budget: Budget): SentryEvent {
  const { event, item, settings, release } = subject;
  const request = requestOf(subject, budget);
  const user = userOf(subject);
  const extra = extraOf(subject, budget);
  const spans = event.kind === "span" ? [] : spansOf(subject, budget);
  const link =
    baseUrl === "" ? undefined : `${baseUrl}/invocations/${encodeURIComponent(item.invocation.id.toWellFormed())}`;
  const contexts = contextsOf(subject, { invocation: link });
  if (event.sample_weight > 1) contexts.trace = { ...contexts.trace, client_sample_rate: 1 / event.sample_weight };
  return {
    event_id: subject.eventId,
    type: "transaction",
    start_timestamp: seconds(event.time),
    timestamp: endOf(event),
    platform: "javascript",
    transaction: oneLine(event.kind === "span" ? (event.name ?? "span") : transactionOf(subject), MAX_TRANSACTION),
    transaction_info: { source: event.route === undefined ? "custom" : "route" },
    ...(release === undefined ? {} : { release }),
    environment: settings.environment,
    ...(request === undefined ? {} : { request }),
    ...(user === undefined ? {} : { user }),
    tags: tagsOf(subject, budget.name),
    contexts,
    ...(extra === undefined ? {} : { extra }),
    spans,
    sdk: SDK,
  };
}

function spansOf({ item, traceId, spanId }: Subject, budget: Budget): Span[] {
  const spans: Span[] = [];
  for (const each of item.invocation.events) {
    if (each.kind !== "span") continue;
    if (spans.length >= budget.attributes * SPANS_PER_ATTRIBUTE) break;
    const name = clip(each.name ?? each.message ?? "span", MAX_NAME);
    spans.push({
      trace_id: traceId,
      span_id: spanOf(each.span_id, `${each.invocation_id}${each.seq}`),
      parent_span_id:
        spanOf(each.parent_span_id, "") === spanOf(undefined, "") ? spanId : (each.parent_span_id as string),
      op: "default",
      description: name,
      start_timestamp: seconds(each.time),
      timestamp: endOf(each),
      status: statusOf(each.outcome, undefined),
    });
  }
  return spans;
}
