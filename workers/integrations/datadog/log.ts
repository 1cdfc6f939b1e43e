/**
 * Items → entries of Datadog's log intake. Reserved attributes (`message`, `status`,
 * `service`, `ddtags` …) and the standard ones (`http.*`, `error.*`, `duration` in
 * nanoseconds) are what Datadog's pages are built on; everything else keeps its name.
 * https://docs.datadoghq.com/standard-attributes/
 */
import { COLLISION_PREFIX } from "../../event/columns.ts";
import type { AttributeValue } from "../../event/event.ts";
import type { EventItem } from "../contract.ts";
import { failureText } from "../sending/failure-text.ts";
import type { StackTexts } from "../sending/stack-text.ts";

const STATUS = new Map([
  ["trace", "debug"],
  ["debug", "debug"],
  ["log", "info"],
  ["info", "info"],
  ["notice", "notice"],
  ["warn", "warn"],
  ["warning", "warn"],
  ["error", "error"],
  ["critical", "critical"],
  ["alert", "alert"],
  ["fatal", "emergency"],
  ["emergency", "emergency"],
]);

/** What is filled in below, or means something to Datadog: a Worker's attribute of the same name steps aside. */
const RESERVED = new Set(
  `message status service host hostname source ddsource ddtags timestamp date trace_id span_id duration logger
  dd http error faas cloudflare tailrace http.method http.status_code http.route http.url http.url_details
  http.url_details.path http.url_details.host http.useragent error.kind error.message error.stack faas.name
  faas.invocation_id faas.trigger tailrace.uid tailrace.kind tailrace.seq tailrace.fingerprint`.split(/\s+/),
);
const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;

export interface LogOptions {
  environment: string;
  service: string;
}

export function logOf(item: EventItem, stacks: StackTexts, options: LogOptions): Record<string, unknown> {
  const { event, invocation, id } = item;
  const { attributes = {} } = event;
  const traceId = event.trace_id ?? invocation.id;
  const isError = event.kind === "exception" || event.stack !== undefined;
  return {
    ...own(attributes),
    message: messageOf(item),
    status: item.feed === "errors" && event.kind !== "log" ? "error" : (STATUS.get(event.level ?? "") ?? "info"),
    service: options.service || event.script,
    ddsource: "cloudflare",
    ddtags: tagsOf(item, options),
    // Not `hostname`: there is none, and the intake would make one of the sender's.
    timestamp: Math.floor(event.time / US_PER_MS),
    trace_id: traceId,
    ...(event.span_id !== undefined && { span_id: event.span_id }),
    duration: event.duration === undefined ? undefined : Math.round(event.duration * NS_PER_MS),
    http: httpOf(item),
    error: isError
      ? { kind: event.name, message: errorMessage(item), stack: stacks.get(event) ?? event.stack }
      : undefined,
    faas: { name: event.script, invocation_id: invocation.id, trigger: event.event_type },
    cloudflare: {
      ...{ outcome: event.outcome, entrypoint: event.entrypoint, colo: event.colo, ray_id: event.ray_id },
      ...{ durable_object_id: event.durable_object_id, cpu_time_ms: event.cpu_time, country: event.country },
    },
    tailrace: {
      ...{ uid: id, kind: event.kind, seq: event.seq, fingerprint: event.fingerprint },
      sample_weight: event.sample_weight === 1 ? undefined : event.sample_weight,
    },
  };
}

function messageOf({ event, feed }: EventItem): string {
  if (event.kind === "invocation" && feed === "errors") return failureText(event);
  if (event.kind === "exception")
    return event.name ? `${event.name}: ${event.message ?? ""}` : (event.message ?? "Error");
  if (event.kind === "invocation")
    return `${event.message ?? "Invocation"} ${event.status ?? event.outcome ?? ""}`.trim();
  return event.message || event.name || event.kind;
}

/** Of a logged Error the text around it is the message; its own is an attribute. */
const errorMessage = ({ event }: EventItem) =>
  event.kind === "exception" ? event.message : event.attributes?.["error.message"];

function httpOf({ event }: EventItem): Record<string, unknown> | undefined {
  if (event.method === undefined && event.status === undefined) return undefined;
  const at = event.attributes ?? {};
  return {
    method: event.method,
    status_code: event.status,
    route: event.route,
    url: at["url.full"],
    url_details: at["url.path"] === undefined ? undefined : { path: at["url.path"], host: at["server.address"] },
    useragent: at["user_agent.original"],
  };
}

/** `a.b` and `a` may both be there: names stay flat, as they were logged. */
function own(attributes: Readonly<Record<string, AttributeValue>>): Record<string, AttributeValue> {
  const out: Record<string, AttributeValue> = Object.create(null);
  for (const name of Object.keys(attributes)) {
    out[RESERVED.has(name) ? COLLISION_PREFIX + name : name] = attributes[name] as AttributeValue;
  }
  return out;
}

export function tagsOf({ event, tags }: Pick<EventItem, "event" | "tags">, { environment }: LogOptions): string {
  return tagText({
    env: environment,
    version: event.version_tag || event.version_id || "",
    version_id: event.version_id ?? "",
    worker: event.script,
    outcome: event.outcome ?? "",
    colo: event.colo ?? "",
    ...tags,
  });
}

/** Commas part tags: within one they would make two. Datadog cuts at 200 characters. */
export function tagText(tags: Readonly<Record<string, string>>): string {
  return tagList(tags).join(",");
}

const MAX_TAG_CHARS = 200;

export function tagList(tags: Readonly<Record<string, string>>): string[] {
  const clean = (text: string) => text.replace(/[,\s]+/g, "_");
  return Object.entries(tags)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${clean(name).replaceAll(":", "_")}:${clean(value)}`.slice(0, MAX_TAG_CHARS));
}
