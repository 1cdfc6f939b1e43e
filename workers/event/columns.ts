/**
 * The one map of field names: how a field is called in code (`name`), on disk
 * (`physical`, the OpenTelemetry or Cloudflare tracing name where there is
 * one), and what a user may type (`aliases`, besides `name` and `physical`).
 *
 * Used by `batch-builder.ts` and `store/` to write columns and by `query/` to resolve
 * what a user typed. Anything that is not in here is an attribute.
 */
import type { TailraceEvent } from "./event.ts";

export type ColumnType = "string" | "number" | "boolean" | "time";

export interface CoreColumn {
  name: Exclude<keyof TailraceEvent, "attributes">;
  physical: string;
  aliases: readonly string[];
  type: ColumnType;
  unit?: "ms" | "us" | "events";
  doc: string;
}

export const CORE_COLUMNS: readonly CoreColumn[] = [
  { name: "time", physical: "time", aliases: ["timestamp", "_time"], type: "time", doc: "When it happened." },
  { name: "kind", physical: "kind", aliases: [], type: "string", doc: "invocation, log, exception, span or raw." },
  {
    name: "script",
    physical: "faas.name",
    aliases: ["worker", "service.name"],
    type: "string",
    doc: "The observed Worker.",
  },
  {
    name: "invocation_id",
    physical: "faas.invocation_id",
    aliases: ["invocation"],
    type: "string",
    doc: "Shared by all events of one invocation.",
  },
  { name: "seq", physical: "seq", aliases: [], type: "number", doc: "Position within the invocation." },
  {
    name: "sample_weight",
    physical: "sample_weight",
    aliases: ["weight"],
    type: "number",
    unit: "events",
    doc: "How many events this one stands for.",
  },
  {
    name: "entrypoint",
    physical: "cloudflare.entrypoint",
    aliases: [],
    type: "string",
    doc: "Named entrypoint or Durable Object class.",
  },
  {
    name: "version_id",
    physical: "cloudflare.script_version.id",
    aliases: ["version", "faas.version"],
    type: "string",
    doc: "Worker version id.",
  },
  {
    name: "version_tag",
    physical: "cloudflare.script_version.tag",
    aliases: ["tag"],
    type: "string",
    doc: "Worker version tag.",
  },
  {
    name: "version_message",
    physical: "cloudflare.script_version.message",
    aliases: [],
    type: "string",
    doc: "Worker version message.",
  },
  {
    name: "event_type",
    physical: "cloudflare.handler_type",
    aliases: ["trigger", "faas.trigger"],
    type: "string",
    doc: "fetch, rpc, scheduled, alarm, queue, email, websocket …",
  },
  { name: "outcome", physical: "cloudflare.outcome", aliases: [], type: "string", doc: "How the invocation ended." },
  {
    name: "level",
    physical: "severity_text",
    aliases: ["severity"],
    type: "string",
    doc: "debug, info, log, warn or error.",
  },
  {
    name: "message",
    physical: "message",
    aliases: ["msg", "body", "exception.message"],
    type: "string",
    doc: "Log text or exception message.",
  },
  {
    name: "name",
    physical: "name",
    aliases: ["exception.type"],
    type: "string",
    doc: "Exception type, span, queue, cron or RPC method name.",
  },
  { name: "trace_id", physical: "trace_id", aliases: ["trace"], type: "string", doc: "W3C trace id." },
  { name: "span_id", physical: "span_id", aliases: ["span"], type: "string", doc: "Span id." },
  { name: "parent_span_id", physical: "parent_span_id", aliases: ["parent"], type: "string", doc: "Parent span id." },
  { name: "ray_id", physical: "cloudflare.ray_id", aliases: ["ray"], type: "string", doc: "Cloudflare ray id." },
  {
    name: "duration",
    physical: "duration_ms",
    aliases: ["wall_time", "cloudflare.wall_time_ms"],
    type: "number",
    unit: "ms",
    doc: "Wall time.",
  },
  {
    name: "cpu_time",
    physical: "cloudflare.cpu_time_ms",
    aliases: ["cpu"],
    type: "number",
    unit: "ms",
    doc: "CPU time.",
  },
  { name: "method", physical: "http.request.method", aliases: [], type: "string", doc: "HTTP method." },
  { name: "route", physical: "http.route", aliases: [], type: "string", doc: "Path with its variable parts replaced." },
  {
    name: "status",
    physical: "http.response.status_code",
    aliases: ["status_code"],
    type: "number",
    doc: "HTTP status.",
  },
  { name: "colo", physical: "cloudflare.colo", aliases: [], type: "string", doc: "Cloudflare location." },
  {
    name: "country",
    physical: "geo.country.code",
    aliases: ["geo.country.iso_code"],
    type: "string",
    doc: "Client country.",
  },
  {
    name: "durable_object_id",
    physical: "cloudflare.durable_object.id",
    aliases: ["do_id"],
    type: "string",
    doc: "Durable Object id.",
  },
  {
    name: "fingerprint",
    physical: "tailrace.fingerprint",
    aliases: [],
    type: "string",
    doc: "Issue fingerprint.",
  },
  { name: "stack", physical: "exception.stacktrace", aliases: ["stacktrace"], type: "string", doc: "Stack text." },
];

/** Attributes with a name too long to type. Alias → physical attribute name. A Map: attributes may be called `constructor`. */
export const ATTRIBUTE_ALIASES: ReadonlyMap<string, string> = new Map([
  ["url", "url.full"],
  ["path", "url.path"],
  ["host", "server.address"],
  ["ua", "user_agent.original"],
  ["user_agent", "user_agent.original"],
  ["ip", "client.address"],
  ["asn", "cloudflare.asn"],
  ["city", "geo.locality.name"],
]);

/**
 * No column of any batch: the issue that an event's fingerprint leads to at
 * present, looked up when it is asked for (query/issues.ts). Issues are merged
 * and split, events are not written again.
 */
export const ISSUE_COLUMN = "tailrace.issue";
export const ISSUE = "issue";

/** Rare attributes of a segment share this JSON column (see store/FORMAT.md). */
export const OVERFLOW_COLUMN = "attributes";

/**
 * Of sealed segments only, never of a query: the entry of the log that a row came from, counted from the first of
 * its chunk. Who delivers goes by it from the log to what was sealed of it (`delivery/source/`).
 */
export const ENTRY_COLUMN = "tailrace.entry";

/** An attribute whose name equals (ignoring case) a core column's gets this prefix on disk. */
export const COLLISION_PREFIX = "attr.";

const physicalLower = new Set([
  ...CORE_COLUMNS.map((c) => c.physical.toLowerCase()),
  OVERFLOW_COLUMN,
  ISSUE_COLUMN,
  ENTRY_COLUMN,
]);

/** On-disk and in-batch column name of an attribute. */
export function attributeColumn(key: string): string {
  return physicalLower.has(key.toLowerCase()) ? COLLISION_PREFIX + key : key;
}

const byTyped = new Map<string, CoreColumn>();
for (const c of CORE_COLUMNS) for (const n of [c.name, c.physical, ...c.aliases]) byTyped.set(n, c);

export const CORE_BY_PHYSICAL: ReadonlyMap<string, CoreColumn> = new Map(CORE_COLUMNS.map((c) => [c.physical, c]));

/** Whether a column of a batch or segment is an attribute under its own name. */
export function isAttribute(physical: string): boolean {
  return !CORE_BY_PHYSICAL.has(physical) && physical !== OVERFLOW_COLUMN && physical !== ENTRY_COLUMN;
}

export interface ResolvedColumn {
  /** Name of the column in batches and segments. */
  physical: string;
  /** Undefined for attributes: their type depends on the data. */
  core?: CoreColumn;
}

/**
 * What a user typed → the column. `attributes.x` or `@x` always means the
 * attribute, also where a core field has the same name.
 */
export function resolveColumn(typed: string): ResolvedColumn {
  if (typed.startsWith("attributes.")) return { physical: attributeColumn(typed.slice("attributes.".length)) };
  if (typed.startsWith("@")) return { physical: attributeColumn(typed.slice(1)) };
  const core = byTyped.get(typed);
  if (core) return { physical: core.physical, core };
  if (typed === ISSUE) return { physical: ISSUE_COLUMN };
  return { physical: attributeColumn(ATTRIBUTE_ALIASES.get(typed) ?? typed) };
}

/** What to type for an attribute's column: the inverse of `resolveColumn`. An `@` is needed where the name alone means something else. */
export function typedAttribute(physical: string): string {
  const bare = resolveColumn(physical);
  return bare.core === undefined && bare.physical === physical ? physical : `@${physical}`;
}
