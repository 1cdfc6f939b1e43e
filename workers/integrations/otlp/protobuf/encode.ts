/** OTLP's export requests in protobuf. Field numbers are those of opentelemetry-proto 1.x (logs, trace, common, resource v1). */
import { type AnyValue, type Attributes, isInt, type LogRecord, type ResourceGroup, type Span } from "../records.ts";
import { SCOPE_NAME, SCOPE_VERSION } from "../scope.ts";
import { ProtobufWriter } from "./writer.ts";

/** Guessed, so that the buffer seldom grows. */
const BYTES_PER_RECORD = 1_024;

export const encodeLogsProtobuf = (groups: readonly ResourceGroup<LogRecord>[]): Uint8Array<ArrayBuffer> =>
  encode(groups, writeLogRecord);

export const encodeTracesProtobuf = (groups: readonly ResourceGroup<Span>[]): Uint8Array<ArrayBuffer> =>
  encode(groups, writeSpan);

/** Logs and traces have the same envelope, down to the field numbers. */
function encode<T>(
  groups: readonly ResourceGroup<T>[],
  write: (writer: ProtobufWriter, record: T) => void,
): Uint8Array<ArrayBuffer> {
  const records = groups.reduce((sum, group) => sum + group.records.length, 0);
  const out = new ProtobufWriter(records * BYTES_PER_RECORD);
  for (const group of groups) {
    const whole = out.open(1);
    const resource = out.open(1);
    writeAttributes(out, 1, group.resource);
    out.close(resource);
    const scoped = out.open(2);
    const scope = out.open(1);
    out.string(1, SCOPE_NAME);
    out.string(2, SCOPE_VERSION);
    out.close(scope);
    for (const record of group.records) {
      const start = out.open(2);
      write(out, record);
      out.close(start);
    }
    out.close(scoped);
    out.close(whole);
  }
  return out.finish();
}

function writeLogRecord(out: ProtobufWriter, record: LogRecord): void {
  out.nanos(1, record.time);
  if (record.severity > 0) out.uint(2, record.severity);
  if (record.severityText !== "") out.string(3, record.severityText);
  const body = out.open(5);
  out.string(1, record.body);
  out.close(body);
  writeAttributes(out, 6, record.attributes);
  if (record.traceId !== "") out.hex(9, record.traceId);
  if (record.spanId !== "") out.hex(10, record.spanId);
  out.nanos(11, record.time);
}

function writeSpan(out: ProtobufWriter, record: Span): void {
  out.hex(1, record.traceId);
  out.hex(2, record.spanId);
  if (record.parentSpanId !== "") out.hex(4, record.parentSpanId);
  out.string(5, record.name);
  out.uint(6, record.kind);
  out.nanos(7, record.start);
  out.nanos(8, record.end);
  writeAttributes(out, 9, record.attributes);
  for (const event of record.events) {
    const start = out.open(11);
    out.nanos(1, event.time);
    out.string(2, event.name);
    writeAttributes(out, 3, event.attributes);
    out.close(start);
  }
  if (record.status === 0) return;
  const status = out.open(15);
  if (record.statusMessage !== "") out.string(2, record.statusMessage);
  out.uint(3, record.status);
  out.close(status);
}

function writeAttributes(out: ProtobufWriter, field: number, { names, values }: Attributes): void {
  for (let i = 0; i < names.length; i++) {
    const pair = out.open(field);
    out.raw(nameField(names[i] as string));
    const value = out.open(2);
    writeValue(out, values[i] as AnyValue);
    out.close(value);
    out.close(pair);
  }
}

function writeValue(out: ProtobufWriter, value: AnyValue): void {
  if (typeof value === "string") out.string(1, value);
  else if (typeof value === "boolean") out.bool(2, value);
  else if (typeof value === "number") isInt(value) ? out.int(3, value) : out.double(4, value);
  else {
    const list = out.open(5);
    for (const one of value) {
      const element = out.open(1);
      out.string(1, one);
      out.close(element);
    }
    out.close(list);
  }
}

/** Names come again and again; a Worker that makes names out of ids fills the map up, then it starts anew. */
const nameFields = new Map<string, Uint8Array>();
const MAX_NAMES = 5_000;

function nameField(name: string): Uint8Array {
  let found = nameFields.get(name);
  if (found === undefined) {
    if (nameFields.size >= MAX_NAMES) nameFields.clear();
    const writer = new ProtobufWriter();
    writer.string(1, name);
    found = writer.finish().slice();
    nameFields.set(name, found);
  }
  return found;
}
