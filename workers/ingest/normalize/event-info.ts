/**
 * The `event` of a trace item → what kind of invocation it was. The shapes are
 * those that workerd makes (test/fixtures/trace-items); one that it does not
 * make yet is called by its first key, and kept.
 */

import { clip, MAX_FIELD_CHARS } from "../limits.ts";
import { type Fields, isFields, text } from "./item.ts";

export interface EventInfo {
  /** `event_type` of all its events. */
  type: string;
  /** Method, cron, queue … */
  name?: string;
  /** What the invocation's event says, unless it is a fetch. */
  title: string;
  event: Fields | null;
}

/** Undefined for something that is no event at all. */
export function readEventInfo(event: unknown): EventInfo | undefined {
  if (event === null || event === undefined) return { type: "unknown", title: "unknown", event: null };
  if (!isFields(event)) return undefined;
  if (event.request !== undefined) return { type: "fetch", title: "fetch", event };
  if (event.rpcMethod !== undefined) return named("rpc", text(event.rpcMethod), event);
  if (event.getWebSocketEvent !== undefined) return named("websocket", webSocketName(event.getWebSocketEvent), event);
  if (event.queue !== undefined) return named("queue", text(event.queue), event);
  if (event.cron !== undefined) return named("scheduled", text(event.cron), event);
  if (event.scheduledTime !== undefined) return named("alarm", undefined, event);
  if (event.consumedEvents !== undefined) return named("tail", undefined, event);
  if (event.mailFrom !== undefined || event.rawSize !== undefined) return named("email", undefined, event);
  if (event.reason !== undefined) return named("hibernate", text(event.reason), event);
  return named(kindOf(event), undefined, event);
}

function named(type: string, name: string | undefined, event: Fields): EventInfo {
  return { type, name, title: name === undefined ? type : `${type} ${name}`, event };
}

const webSocketName = (inner: unknown) => (isFields(inner) ? text(inner.webSocketEventType) : undefined);

/** `ConnectEventInfo`, `CustomEventInfo`: told apart by class when live. As JSON they are `{}`. */
function kindOf(event: Fields): string {
  const tag = Object.prototype.toString.call(event).slice(8, -1);
  if (tag.endsWith("EventInfo")) return tag.slice(0, -"EventInfo".length).toLowerCase() || "unknown";
  for (const key in event) return key === "" ? "unknown" : clip(key, MAX_FIELD_CHARS);
  return "unknown";
}
