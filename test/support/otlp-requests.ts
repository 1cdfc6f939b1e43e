/**
 * Bodies of OTLP/HTTP requests, decoded with the official definitions (generated
 * from opentelemetry-proto, as @opentelemetry/otlp-transformer carries them), to
 * one shape for both encodings. What no definition knows is an error.
 */
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import type { ReceivedRequest } from "./hostile-receiver.ts";

interface Message {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  toObject(message: object, options: object): Record<string, unknown>;
  fromObject(object: object): object;
  verify(object: object): string | null;
}
const { opentelemetry } = createRequire(import.meta.url)("@opentelemetry/otlp-transformer/build/src/generated/root");
const COLLECTOR = opentelemetry.proto.collector;
const MESSAGES: Record<"logs" | "traces", { request: Message; response: Message }> = {
  logs: { request: COLLECTOR.logs.v1.ExportLogsServiceRequest, response: COLLECTOR.logs.v1.ExportLogsServiceResponse },
  traces: {
    request: COLLECTOR.trace.v1.ExportTraceServiceRequest,
    response: COLLECTOR.trace.v1.ExportTraceServiceResponse,
  },
};

export interface DecodedValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values: DecodedValue[] };
}
export interface DecodedAttribute {
  key: string;
  value: DecodedValue;
}
export interface DecodedRecord {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  severityNumber?: number;
  severityText?: string;
  body?: DecodedValue;
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  status?: { code?: number; message?: string };
  events?: { name: string; timeUnixNano: string; attributes: DecodedAttribute[] }[];
  attributes: DecodedAttribute[];
}
export interface DecodedGroup {
  resource: DecodedAttribute[];
  scope: { name: string; version: string };
  records: DecodedRecord[];
}

export function decodeOtlp(signal: "logs" | "traces", encoding: "protobuf" | "json", body: Uint8Array): DecodedGroup[] {
  const { request } = MESSAGES[signal];
  const message = encoding === "protobuf" ? request.decode(body) : fromJson(request, body);
  // Written again it must be as long: nothing was skipped as unknown.
  if (encoding === "protobuf" && request.encode(message).finish().length !== body.length) {
    throw new Error("the body holds fields that the official definitions do not know");
  }
  const whole = request.toObject(message, { longs: String, bytes: Array });
  const resources = (whole[signal === "logs" ? "resourceLogs" : "resourceSpans"] ?? []) as Record<string, unknown>[];
  return resources.map((group) => {
    const scopes = group[signal === "logs" ? "scopeLogs" : "scopeSpans"] as Record<string, unknown>[];
    if (scopes.length !== 1) throw new Error(`a resource with ${scopes.length} scopes`);
    const records = (scopes[0]?.[signal === "logs" ? "logRecords" : "spans"] ?? []) as Record<string, unknown>[];
    return {
      resource: ((group.resource as { attributes?: DecodedAttribute[] }).attributes ?? []) as DecodedAttribute[],
      scope: scopes[0]?.scope as DecodedGroup["scope"],
      records: records.map(withHexIds),
    };
  });
}

export function decodeRequest({ path, headers, body }: ReceivedRequest): DecodedGroup[] {
  const signal = path.endsWith("/v1/logs") ? "logs" : "traces";
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  return decodeOtlp(signal, headers["content-type"] === "application/json" ? "json" : "protobuf", plain);
}

export function encodeResponse(signal: "logs" | "traces", response: object): Uint8Array {
  const message = MESSAGES[signal].response;
  return message.encode(message.fromObject(response)).finish();
}

/** OTLP's JSON differs from protobuf's in its ids: hex, where protobufjs expects base64. */
function fromJson(request: Message, body: Uint8Array): object {
  const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body), (key, inner) =>
    /^(trace|span|parentSpan)Id$/.test(key) ? [...Buffer.from(inner, "hex")] : inner,
  );
  return request.fromObject(value);
}

function withHexIds(record: Record<string, unknown>): DecodedRecord {
  const out = { attributes: [], ...record } as Record<string, unknown>;
  for (const key of ["traceId", "spanId", "parentSpanId"]) {
    const bytes = out[key] as number[] | undefined;
    if (bytes === undefined || bytes.length === 0) delete out[key];
    else out[key] = Buffer.from(bytes).toString("hex");
  }
  return out as unknown as DecodedRecord;
}

/** Attributes as an object; a name that is there twice is an error. */
export function attributesOf(attributes: readonly DecodedAttribute[]): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null);
  for (const { key, value } of attributes) {
    if (key in out) throw new Error(`attribute ${key} is there twice`);
    out[key] = plain(value);
  }
  return out;
}

function plain(value: DecodedValue): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue;
}
