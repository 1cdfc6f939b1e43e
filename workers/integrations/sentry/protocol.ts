/**
 * Sentry's event and log payloads, as far as they are used here.
 * https://develop.sentry.dev/sdk/foundations/envelopes/event-payloads/
 */

export type Level = "fatal" | "error" | "warning" | "info" | "debug";

export interface Frame {
  function?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  in_app: boolean;
  pre_context?: readonly string[];
  context_line?: string;
  post_context?: readonly string[];
}

export interface Mechanism {
  type: string;
  handled: boolean;
  exception_id?: number;
  parent_id?: number;
  source?: string;
  is_exception_group?: true;
}

export interface Exception {
  type: string;
  value: string;
  mechanism: Mechanism;
  stacktrace?: { frames: readonly Frame[] };
}

export interface Breadcrumb {
  timestamp: number;
  type: "default" | "error";
  category: string;
  level: Level;
  message: string;
  data?: Record<string, string | number | boolean>;
}

export interface Span {
  trace_id: string;
  span_id: string;
  parent_span_id: string;
  op: string;
  description: string;
  start_timestamp: number;
  timestamp: number;
  status: string;
}

export interface SentryEvent {
  event_id: string;
  type?: "transaction";
  timestamp: number;
  start_timestamp?: number;
  platform: string;
  level?: Level;
  logger?: string;
  transaction?: string;
  transaction_info?: { source: "route" | "custom" };
  release?: string;
  environment: string;
  fingerprint?: readonly string[];
  logentry?: { formatted: string };
  exception?: { values: readonly Exception[] };
  breadcrumbs?: { values: readonly Breadcrumb[] };
  request?: Record<string, unknown>;
  user?: Record<string, unknown>;
  tags: Record<string, string>;
  contexts: Record<string, Record<string, unknown>>;
  extra?: Record<string, string | number | boolean>;
  spans?: readonly Span[];
  sdk: { name: string; version: string; settings: { infer_ip: "never" } };
}

export interface LogAttribute {
  value: string | number | boolean;
  type: "string" | "integer" | "double" | "boolean";
}
export interface SentryLog {
  timestamp: number;
  trace_id: string;
  span_id: string;
  level: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  severity_number: number;
  body: string;
  attributes: Record<string, LogAttribute>;
}
