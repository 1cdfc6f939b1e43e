/**
 * Who, where and what around: tags, user, request, contexts and what else the
 * event and its invocation carry. Values are as they are stored, which is
 * redacted. `event.ts` and `transaction.ts` put them into payloads. Pure.
 */
import type { AttributeValue } from "../../event/event.ts";
import { type Budget, MAX_NAME, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS } from "./limits.ts";
import type { Attributes, Subject } from "./subject.ts";
import { clip, oneLine } from "./text.ts";

/** What redaction leaves (ingest/redact/): no address, no person. */
const REDACTED = "REDACTED";
const HEADER = "http.request.header.";
/** Names that teams and SDKs give to the user's id. The event's own come first. */
const USER_IDS = ["user.id", "enduser.id", "userId", "user_id", "usr.id"] as const;
/** Attributes that have a place of their own in the payload. */
const PLACED = new Set<string>([
  ...["url.full", "url.path", "server.address", "client.address", "user_agent.original", "user.email", "user.name"],
  ...["geo.locality.name", "error.message", ...USER_IDS],
]);

export function tagsOf({ event, item, head }: Subject, trimmed: string): Record<string, string> {
  const tags: Record<string, string> = {};
  let count = 0;
  const set = (name: string, value: string | number | undefined) => {
    if (value === undefined || value === "") return;
    const key = name.replace(/[^\w.:-]/g, "_").slice(0, MAX_TAG_KEY);
    const text = oneLine(String(value), MAX_TAG_VALUE);
    if (key === "" || text === "" || (!Object.hasOwn(tags, key) && ++count > MAX_TAGS)) return;
    define(tags, key, text);
  };
  if (trimmed !== "") set("tailrace.trimmed", trimmed);
  set("worker", event.script);
  set("version", event.version_id);
  set("version.tag", event.version_tag);
  set("colo", event.colo);
  set("outcome", event.outcome);
  set("entrypoint", event.entrypoint);
  set("trigger", event.event_type);
  set("http.status_code", event.status ?? head?.status);
  for (const [name, value] of Object.entries(item.tags)) set(name, value);
  return tags;
}

export function userOf({ own, around, item, event }: Subject): Record<string, unknown> | undefined {
  const user: Record<string, unknown> = {};
  const found = (names: readonly string[]) => lookUp(names, [own, around, ...logsOf(item.invocation.events)]);
  set(user, "id", found(USER_IDS));
  set(user, "email", found(["user.email"]));
  set(user, "username", found(["user.name"]));
  const address = found(["client.address"]);
  // Part of one, or a hash of it, is none to Sentry.
  if (address !== undefined && /^[\da-f]*[.:][\da-f.:]+$/i.test(address)) set(user, "ip_address", address);
  const geo: Record<string, unknown> = {};
  set(geo, "country_code", event.country);
  set(geo, "city", text(around["geo.locality.name"]));
  if (Object.keys(geo).length > 0) user.geo = geo;
  return Object.keys(user).length > 0 ? user : undefined;
}

/** Logs may name the user; of an invocation with thousands the first few do. */
const MAX_LOGS_ASKED = 20;

function* logsOf(events: readonly { attributes?: Attributes }[]): Generator<Attributes> {
  for (const { attributes } of events.slice(0, MAX_LOGS_ASKED)) if (attributes !== undefined) yield attributes;
}

function lookUp(names: readonly string[], places: Iterable<Attributes>): string | undefined {
  for (const attributes of places) {
    for (const name of names) {
      const value = text(attributes[name]);
      if (value !== undefined && !value.includes(REDACTED)) return value;
    }
  }
  return undefined;
}

export function requestOf({ around, event }: Subject, budget: Budget): Record<string, unknown> | undefined {
  const full = text(around["url.full"]);
  if (full === undefined && event.event_type !== "fetch") return undefined;
  const request: Record<string, unknown> = {};
  if (full !== undefined) {
    const [url, query] = split(full);
    request.url = clip(url, budget.message);
    if (query !== "") request.query_string = clip(query, budget.message);
  }
  set(request, "method", event.method);
  const headers: Record<string, string> = {};
  let count = 0;
  for (const name of Object.keys(around)) {
    if (!name.startsWith(HEADER) || ++count > budget.attributes) continue;
    define(headers, clip(name.slice(HEADER.length), MAX_NAME), clip(String(around[name]), budget.attribute));
  }
  const agent = text(around["user_agent.original"]);
  if (agent !== undefined) headers["user-agent"] = clip(agent, budget.attribute);
  const host = text(around["server.address"]);
  if (host !== undefined) headers.host = clip(host, budget.attribute);
  if (Object.keys(headers).length > 0) request.headers = headers;
  return request;
}

function split(url: string): [string, string] {
  const hash = url.indexOf("#");
  const whole = hash < 0 ? url : url.slice(0, hash);
  const question = whole.indexOf("?");
  return question < 0 ? [whole, ""] : [whole.slice(0, question), whole.slice(question + 1)];
}

/** `links`: Tailrace's pages about it. */
export function contextsOf(subject: Subject, links: Record<string, string | undefined>) {
  const { event, head, item } = subject;
  const contexts: Record<string, Record<string, unknown>> = {
    trace: traceOf(subject),
    runtime: { type: "runtime", name: "cloudflare" },
    cloud_resource: compact({
      type: "cloud_resource",
      "cloud.provider": "cloudflare",
      "cloud.platform": "cloudflare.workers",
      "cloud.region": event.colo,
      "faas.name": event.script,
      "faas.version": event.version_id,
    }),
    invocation: compact({
      type: "invocation",
      id: item.invocation.id,
      trigger: event.event_type,
      outcome: event.outcome,
      entrypoint: event.entrypoint,
      ray_id: event.ray_id,
      durable_object_id: event.durable_object_id,
      duration_ms: head?.duration,
      cpu_time_ms: head?.cpu_time,
      sample_weight: event.sample_weight === 1 ? undefined : event.sample_weight,
    }),
  };
  const status = event.status ?? head?.status;
  if (status !== undefined) contexts.response = { type: "response", status_code: status };
  const pages = compact({ type: "tailrace", ...links, fingerprint: event.fingerprint });
  if (Object.keys(pages).length > 1) contexts.tailrace = pages;
  return contexts;
}

export function traceOf({ traceId, spanId, parentSpanId, event, head }: Subject): Record<string, unknown> {
  return compact({
    type: "trace",
    trace_id: traceId,
    span_id: spanId,
    parent_span_id: parentSpanId,
    op: opOf(event.event_type),
    status: statusOf(event.outcome, event.status ?? head?.status),
    origin: "auto.faas.tailrace",
  });
}

/** As Sentry's own SDKs name what started it. */
function opOf(eventType: string | undefined): string {
  if (eventType === "fetch") return "http.server";
  if (eventType === "rpc") return "rpc.server";
  if (eventType === "queue") return "queue.process";
  if (eventType === "scheduled") return "faas.cron";
  return `faas.${eventType ?? "invocation"}`;
}

/** Sentry's span status, which are gRPC's. */
export function statusOf(outcome: string | undefined, status: number | undefined): string {
  if (status !== undefined && status >= 400) {
    if (status === 401) return "unauthenticated";
    if (status === 403) return "permission_denied";
    if (status === 404) return "not_found";
    if (status === 429) return "resource_exhausted";
    if (status < 500) return "invalid_argument";
    return status === 503 ? "unavailable" : "internal_error";
  }
  if (outcome === "canceled" || outcome === "responseStreamDisconnected") return "cancelled";
  if (outcome === "exceededWallTime") return "deadline_exceeded";
  if (outcome === "exceededCpu" || outcome === "exceededMemory") return "resource_exhausted";
  return outcome === undefined || outcome === "ok" || outcome === "unknown" ? "ok" : "internal_error";
}

/** What the event and its invocation carry beside all that; the event's own first. */
export function extraOf({ own, around }: Subject, budget: Budget): Record<string, AttributeValue> | undefined {
  const extra: Record<string, AttributeValue> = {};
  let count = 0;
  for (const attributes of [own, around]) {
    for (const name of Object.keys(attributes)) {
      if (name.startsWith(HEADER) || PLACED.has(name) || Object.hasOwn(extra, name)) continue;
      if (++count > budget.attributes) return extra;
      const value = attributes[name] as AttributeValue;
      define(extra, clip(name, MAX_NAME), typeof value === "string" ? clip(value, budget.attribute) : value);
    }
  }
  return count > 0 ? extra : undefined;
}

const text = (value: AttributeValue | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : String(value);

function set(into: Record<string, unknown>, name: string, value: string | undefined): void {
  if (value !== undefined && value !== "") into[name] = clip(value, MAX_NAME);
}

/** An attribute may be called `__proto__`. */
function define<V>(into: Record<string, V>, name: string, value: V): void {
  if (name === "__proto__") Object.defineProperty(into, name, { value, enumerable: true, configurable: true });
  else into[name] = value;
}

function compact(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined || value === "") continue;
    kept[name] = typeof value === "string" ? clip(value, MAX_NAME) : value;
  }
  return kept;
}
