/**
 * The event: one wide record for everything a Worker does.
 *
 * `ingest/` makes events out of tail items; `batch-builder.ts` packs them into columns
 * for the Ingester; `columns.ts` says how each field is called on disk and in
 * queries. Every event carries the context of its invocation (script, version,
 * route, status …) so that one filter works on every kind; the columns
 * are dictionary-coded, so the repetition costs next to nothing.
 */

export const KINDS = ["invocation", "log", "exception", "span", "raw"] as const;

/** `raw` is an item that could not be read: kept whole in the attribute `tailrace.raw`. */
export type Kind = (typeof KINDS)[number];

/** An attribute is a scalar; nested objects are flattened (`user.id`), arrays become JSON text. */
export type AttributeValue = string | number | boolean;

export interface TailraceEvent {
  /** Microseconds since the Unix epoch. */
  time: number;
  kind: Kind;
  /** Name of the observed Worker. */
  script: string;
  /** Shared by all events of one invocation; 32 hex digits. */
  invocation_id: string;
  /** Position within the invocation: 0 is the invocation itself. */
  seq: number;
  /** How many real events this one stands for; 1 unless sampled. */
  sample_weight: number;

  entrypoint?: string;
  version_id?: string;
  version_tag?: string;
  version_message?: string;
  /** fetch, rpc, scheduled, alarm, queue, email, websocket, tail, connect, custom, unknown … */
  event_type?: string;
  outcome?: string;
  /** debug, info, log, warn, error; exceptions are `error`. */
  level?: string;
  /** Log text, exception message, or `GET /route` for an invocation. */
  message?: string;
  /** Exception type, span name, queue / cron / RPC method name. */
  name?: string;
  trace_id?: string;
  span_id?: string;
  parent_span_id?: string;
  ray_id?: string;
  /** Wall time of an invocation or span, milliseconds. */
  duration?: number;
  /** Milliseconds. */
  cpu_time?: number;
  method?: string;
  /** Path with its variable parts replaced: `/products/:id`. */
  route?: string;
  status?: number;
  colo?: string;
  country?: string;
  durable_object_id?: string;
  fingerprint?: string;
  stack?: string;

  attributes?: Record<string, AttributeValue>;
}

/** What all events of one invocation have in common: stored once per invocation in a batch. */
export const INVOCATION_FIELDS = [
  "script",
  "invocation_id",
  "sample_weight",
  "entrypoint",
  "version_id",
  "version_tag",
  "version_message",
  "event_type",
  "outcome",
  "trace_id",
  "ray_id",
  "method",
  "route",
  "status",
  "colo",
  "country",
  "durable_object_id",
] as const satisfies readonly (keyof TailraceEvent)[];

export type InvocationFields = Pick<TailraceEvent, (typeof INVOCATION_FIELDS)[number]>;
/** Attributes as two lists of one length: cheaper to make and to walk than objects of ever-changing shape. */
export interface AttributeList {
  readonly names: readonly string[];
  readonly values: readonly AttributeValue[];
}

/** What an event has of its own. The first of two attributes with the same name counts. */
export type OwnFields = Omit<TailraceEvent, keyof InvocationFields | "attributes"> & { attributes?: AttributeList };

export function listAttributes(attributes: Record<string, AttributeValue>): AttributeList {
  const names = Object.keys(attributes);
  return { names, values: names.map((name) => attributes[name] as AttributeValue) };
}
