/**
 * OTLP's JSON (proto3 JSON with OTLP's exceptions: ids in hex, enums as numbers,
 * 64-bit integers as text). Written as text piece by piece: building objects for
 * JSON.stringify takes twice as long. Texts are made well formed: half a surrogate
 * pair is no UTF-8, and strict receivers would refuse the whole batch.
 */

import { type AnyValue, type Attributes, isInt, type LogRecord, type ResourceGroup, type Span } from "./records.ts";
import { SCOPE_NAME, SCOPE_VERSION } from "./scope.ts";

const SCOPE = `{"name":${text(SCOPE_NAME)},"version":${text(SCOPE_VERSION)}}`;

export const encodeLogsJson = (groups: readonly ResourceGroup<LogRecord>[]): Uint8Array<ArrayBuffer> =>
  encode(groups, "Logs", "logRecords", logRecord);

export const encodeTracesJson = (groups: readonly ResourceGroup<Span>[]): Uint8Array<ArrayBuffer> =>
  encode(groups, "Spans", "spans", span);

function encode<T>(
  groups: readonly ResourceGroup<T>[],
  kind: "Logs" | "Spans",
  list: string,
  write: (record: T) => string,
): Uint8Array<ArrayBuffer> {
  let out = `{"resource${kind}":[`;
  let first = true;
  for (const { resource, records } of groups) {
    out += `${first ? "" : ","}{"resource":{"attributes":${attributes(resource)}},"scope${kind}":[{"scope":${SCOPE},"${list}":[`;
    for (let i = 0; i < records.length; i++) out += (i > 0 ? "," : "") + write(records[i] as T);
    out += "]}]}";
    first = false;
  }
  return new TextEncoder().encode(`${out}]}`) as Uint8Array<ArrayBuffer>;
}

function logRecord(record: LogRecord): string {
  const time = nanos(record.time);
  let out = `{"timeUnixNano":"${time}","observedTimeUnixNano":"${time}"`;
  if (record.severity > 0) out += `,"severityNumber":${record.severity}`;
  if (record.severityText !== "") out += `,"severityText":${text(record.severityText)}`;
  out += `,"body":{"stringValue":${text(record.body)}},"attributes":${attributes(record.attributes)}`;
  if (record.traceId !== "") out += `,"traceId":"${record.traceId}"`;
  if (record.spanId !== "") out += `,"spanId":"${record.spanId}"`;
  return `${out}}`;
}

function span(record: Span): string {
  let out = `{"traceId":"${record.traceId}","spanId":"${record.spanId}"`;
  if (record.parentSpanId !== "") out += `,"parentSpanId":"${record.parentSpanId}"`;
  out += `,"name":${text(record.name)},"kind":${record.kind}`;
  out += `,"startTimeUnixNano":"${nanos(record.start)}","endTimeUnixNano":"${nanos(record.end)}"`;
  out += `,"attributes":${attributes(record.attributes)}`;
  if (record.events.length > 0) {
    const events = record.events.map(
      (event) =>
        `{"timeUnixNano":"${nanos(event.time)}","name":${text(event.name)},"attributes":${attributes(event.attributes)}}`,
    );
    out += `,"events":[${events.join(",")}]`;
  }
  if (record.status > 0) {
    const message = record.statusMessage === "" ? "" : `"message":${text(record.statusMessage)},`;
    out += `,"status":{${message}"code":${record.status}}`;
  }
  return `${out}}`;
}

function attributes({ names, values }: Attributes): string {
  let out = "[";
  for (let i = 0; i < names.length; i++)
    out += (i > 0 ? "," : "") + opening(names[i] as string) + anyValue(values[i] as AnyValue);
  return `${out}]`;
}

/** Names come again and again; a Worker that makes names out of ids fills the map up, then it starts anew. */
const openings = new Map<string, string>();
const MAX_OPENINGS = 5_000;

function opening(name: string): string {
  let found = openings.get(name);
  if (found === undefined) {
    if (openings.size >= MAX_OPENINGS) openings.clear();
    found = `{"key":${text(name)},"value":`;
    openings.set(name, found);
  }
  return found;
}

/** Closes the attribute, too. */
function anyValue(value: AnyValue): string {
  if (typeof value === "string") return `{"stringValue":${text(value)}}}`;
  if (typeof value === "boolean") return `{"boolValue":${value}}}`;
  if (typeof value === "number") {
    if (isInt(value)) return `{"intValue":"${value}"}}`;
    return `{"doubleValue":${Object.is(value, -0) ? "-0.0" : Number.isFinite(value) ? value : `"${value}"`}}}`;
  }
  return `{"arrayValue":{"values":[${value.map((one) => `{"stringValue":${text(one)}}`).join(",")}]}}}`;
}

const nanos = (micros: number): string => (micros === 0 ? "0" : `${micros}000`);

function text(value: string): string {
  return JSON.stringify(value.toWellFormed());
}
