/** Items of the feeds logs and errors → log records. Exceptions follow the conventions for exceptions in logs. */
import type { EventItem } from "../contract.ts";
import { failureText } from "../sending/failure-text.ts";
import type { StackTexts } from "../sending/stack-text.ts";
import { type AttributeOptions, attributesOf } from "./attributes.ts";
import { spanIdOfLog, traceIdOf } from "./ids.ts";
import { type Attributes, type LogRecord, wholeMicros } from "./records.ts";
import { SEVERITY_ERROR, severityOf } from "./severity.ts";

export function logRecordOf(item: EventItem, stacks: StackTexts, options: AttributeOptions): LogRecord {
  const { event, feed } = item;
  const attributes = attributesOf(item, options);
  addKind(item, stacks, attributes);
  return {
    time: wholeMicros(event.time),
    severity: feed === "errors" && event.kind !== "log" ? SEVERITY_ERROR : severityOf(event.level),
    severityText: event.level ?? (feed === "errors" ? "error" : ""),
    body: bodyOf(item),
    attributes,
    traceId: traceIdOf(item),
    spanId: spanIdOfLog(item),
  };
}

function bodyOf({ event, feed }: EventItem): string {
  if (feed === "errors" && event.kind === "invocation") return failureText(event);
  return event.message || event.name || event.kind;
}

function addKind({ event }: EventItem, stacks: StackTexts, out: Attributes): void {
  if (event.kind === "invocation") {
    out.add("tailrace.duration_ms", event.duration);
    out.add("error.type", event.outcome === "ok" ? String(event.status ?? "") : event.outcome);
    return;
  }
  const isException = event.kind === "exception";
  if (isException || event.stack !== undefined) {
    out.add("exception.type", event.name);
    out.add("exception.message", isException ? event.message : undefined);
    out.add("exception.stacktrace", stacks.get(event) ?? event.stack);
  } else out.add("tailrace.name", event.name);
}
