/**
 * OTLP's shapes as both encoders take them: what `logs.ts` and `spans.ts` make of
 * items, before it is JSON or protobuf. Times are µs since the epoch (the wire has
 * nanoseconds); ids are hex.
 */
import type { AttributeValue } from "../../event/event.ts";

/** The conventions want lists for some (headers of requests). */
export type AnyValue = AttributeValue | readonly string[];

/** Two lists of one length: cheaper to make and to walk than pairs. Each name once. */
export class Attributes {
  readonly names: string[] = [];
  readonly values: AnyValue[] = [];

  add(name: string, value: AnyValue | undefined): void {
    if (value === undefined || value === "") return;
    this.names.push(name);
    this.values.push(value);
  }
}

export interface LogRecord {
  time: number;
  /** SeverityNumber, 1 to 24; 0 where nobody said. */
  severity: number;
  severityText: string;
  body: string;
  attributes: Attributes;
  /** 32 hex digits, or "". */
  traceId: string;
  /** 16 hex digits, or "". */
  spanId: string;
}

export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export const STATUS_ERROR = 2;

export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  start: number;
  end: number;
  attributes: Attributes;
  events: SpanEvent[];
  /** 0 unset, 2 error. */
  status: number;
  statusMessage: string;
}
export interface SpanEvent {
  time: number;
  name: string;
  attributes: Attributes;
}

/** Records of one resource: a version of a Worker. */
export interface ResourceGroup<T> {
  resource: Attributes;
  records: T[];
}

export type Signal = "logs" | "traces";

/** Whatever a trace item said: never before the epoch, no fractions of a µs. */
export const wholeMicros = (time: number): number =>
  time > 0 && time < Number.MAX_SAFE_INTEGER ? Math.round(time) : 0;

/** int64 on the wire, otherwise a double: -0 keeps its sign as one. */
export const isInt = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);
