/**
 * Fields and attributes of an event → attributes of a record, by the names of the
 * OpenTelemetry semantic conventions, and of Cloudflare's own tracing for what is
 * Cloudflare's. `logs.ts` and `spans.ts` add what only they have.
 */
import { COLLISION_PREFIX } from "../../event/columns.ts";
import type { AttributeValue, TailraceEvent } from "../../event/event.ts";
import type { EventItem } from "../contract.ts";
import { type AnyValue, Attributes } from "./records.ts";

const FIELDS: readonly (readonly [string, keyof TailraceEvent])[] = [
  ["faas.invocation_id", "invocation_id"],
  ["cloudflare.handler_type", "event_type"],
  ["cloudflare.outcome", "outcome"],
  ["cloudflare.entrypoint", "entrypoint"],
  ["cloudflare.ray_id", "ray_id"],
  ["cloudflare.colo", "colo"],
  ["cloudflare.durable_object.id", "durable_object_id"],
  ["cloudflare.cpu_time_ms", "cpu_time"],
  ["geo.country.iso_code", "country"],
  ["http.request.method", "method"],
  ["http.route", "route"],
  ["http.response.status_code", "status"],
  ["tailrace.fingerprint", "fingerprint"],
];

/** What `FIELDS`, `logs.ts`, `spans.ts` and `withItem` write: an attribute of the same name steps aside. */
const RESERVED = new Set([
  ...FIELDS.map(([name]) => name),
  "log.record.uid",
  "faas.trigger",
  "tailrace.seq",
  "tailrace.sample_weight",
  "tailrace.name",
  "tailrace.duration_ms",
  "SampleRate",
  "error.type",
  "exception.type",
  "exception.message",
  "exception.stacktrace",
  "url.scheme",
]);
/** The conventions give these as lists: a header may come more than once. */
const HEADERS = /^http\.(request|response)\.header\./;

const TRIGGERS = new Map([
  ["fetch", "http"],
  ["queue", "pubsub"],
  ["scheduled", "timer"],
  ["alarm", "timer"],
]);

export interface AttributeOptions {
  /** Name under which the receiver wants to know how many events a kept one stands for. */
  weight: string;
}

/** Everything that logs and spans have in common. */
export function attributesOf({ event, id }: EventItem, { weight }: AttributeOptions): Attributes {
  const out = new Attributes();
  out.add("log.record.uid", id);
  const fields = event as unknown as Record<string, string | number | undefined>;
  for (const [name, field] of FIELDS) out.add(name, fields[field]);
  if (event.event_type !== undefined) out.add("faas.trigger", TRIGGERS.get(event.event_type) ?? "other");
  // Time stands still in a Worker between two waits: only this tells what was first.
  out.add("tailrace.seq", event.seq);
  if (event.sample_weight !== 1) out.add(weight, event.sample_weight);
  addOwn(event.attributes, out);
  return out;
}

function addOwn(attributes: TailraceEvent["attributes"], out: Attributes): void {
  if (attributes === undefined) return;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value === undefined) continue;
    out.add(RESERVED.has(name) ? aside(name, attributes) : name, anyValueOf(name, value));
  }
}

function anyValueOf(name: string, value: AttributeValue): AnyValue {
  if (typeof value === "string") return HEADERS.test(name) ? [value] : value;
  // A dead letter that somebody edited may hold anything.
  return typeof value === "object" ? JSON.stringify(value) : value;
}

function aside(name: string, attributes: object): string {
  let free = COLLISION_PREFIX + name;
  while (Object.hasOwn(attributes, free)) free = COLLISION_PREFIX + free;
  return free;
}
