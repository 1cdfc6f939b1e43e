/**
 * OTLP's JSON: proto3 JSON with OTLP's exceptions (ids in hex, enums as numbers),
 * 64-bit integers as text. Texts are made well formed: half a surrogate pair is no
 * UTF-8, and strict receivers would refuse the whole batch.
 */
import { type AnyValue, type Attributes, isInt, type LogRecord, type ResourceGroup, type Span } from "./records.ts";
import { SCOPE_NAME, SCOPE_VERSION } from "./scope.ts";

const SCOPE = { name: SCOPE_NAME, version: SCOPE_VERSION };

export function encodeLogsJson(groups: readonly ResourceGroup<LogRecord>[]): Uint8Array<ArrayBuffer> {
  return encode({
    resourceLogs: groups.map(({ resource, records }) => ({
      resource: { attributes: keyValues(resource) },
      scopeLogs: [{ scope: SCOPE, logRecords: records.map(logRecord) }],
    })),
  });
}

export function encodeTracesJson(groups: readonly ResourceGroup<Span>[]): Uint8Array<ArrayBuffer> {
  return encode({
    resourceSpans: groups.map(({ resource, records }) => ({
      resource: { attributes: keyValues(resource) },
      scopeSpans: [{ scope: SCOPE, spans: records.map(span) }],
    })),
  });
}

const encode = (request: object): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(request)) as Uint8Array<ArrayBuffer>;

function logRecord(record: LogRecord) {
  const time = nanos(record.time);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: record.severity || undefined,
    severityText: textOrNothing(record.severityText),
    body: { stringValue: record.body.toWellFormed() },
    attributes: keyValues(record.attributes),
    traceId: record.traceId || undefined,
    spanId: record.spanId || undefined,
  };
}

function span(record: Span) {
  return {
    traceId: record.traceId,
    spanId: record.spanId,
    parentSpanId: record.parentSpanId || undefined,
    name: record.name.toWellFormed(),
    kind: record.kind,
    startTimeUnixNano: nanos(record.start),
    endTimeUnixNano: nanos(record.end),
    attributes: keyValues(record.attributes),
    events: record.events.map(({ time, name, attributes }) => ({
      timeUnixNano: nanos(time),
      name,
      attributes: keyValues(attributes),
    })),
    status: record.status === 0 ? undefined : { message: textOrNothing(record.statusMessage), code: record.status },
  };
}

function keyValues({ names, values }: Attributes) {
  return names.map((name, i) => ({ key: name.toWellFormed(), value: anyValue(values[i] as AnyValue) }));
}

function anyValue(value: AnyValue) {
  if (typeof value === "string") return { stringValue: value.toWellFormed() };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return isInt(value) ? { intValue: String(value) } : { doubleValue: double(value) };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one.toWellFormed() })) } };
}

/** What a JSON number cannot be is text, as proto3 has it. */
function double(value: number): number | string {
  return Object.is(value, -0) ? "-0" : Number.isFinite(value) ? value : String(value);
}

const nanos = (micros: number): string => (micros === 0 ? "0" : `${micros}000`);
const textOrNothing = (text: string): string | undefined => (text === "" ? undefined : text.toWellFormed());
