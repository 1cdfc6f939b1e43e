/**
 * What a trace item says beside its context, logs and exceptions → attributes of
 * the invocation's own event. `normalize.ts` hands in; requests, which are most
 * of them, have a file of their own (`request.ts`).
 */
import type { EventInfo } from "./event-info.ts";
import type { AttributeCollector } from "./flatten.ts";
import { type Fields, isFields, text } from "./item.ts";

/** What kinds of invocations other than fetch say about themselves. */
export function addEventDetails({ type, event }: EventInfo, out: AttributeCollector): void {
  if (event === null) return;
  switch (type) {
    case "rpc":
      out.add("rpc.method", event.rpcMethod);
      break;
    case "queue":
      out.add("messaging.destination.name", event.queue);
      out.add("messaging.batch.message_count", event.batchSize);
      break;
    case "scheduled":
      out.add("faas.cron", event.cron);
      out.add("faas.time", isoTime(event.scheduledTime));
      break;
    case "alarm":
      out.add("faas.time", isoTime(event.scheduledTime));
      break;
    case "email":
      out.add("email.from", event.mailFrom);
      out.add("email.to", event.rcptTo);
      out.add("email.size", event.rawSize);
      break;
    case "websocket":
      addWebSocket(event.getWebSocketEvent, out);
      break;
    default:
      out.add("event", { ...event });
  }
}

function addWebSocket(inner: unknown, out: AttributeCollector): void {
  if (!isFields(inner)) return;
  out.add("websocket.event", inner.webSocketEventType);
  out.add("websocket.close.code", inner.code);
  out.add("websocket.close.clean", inner.wasClean);
}

function isoTime(value: unknown): unknown {
  if (typeof value !== "number") return value;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? value : time.toISOString();
}

export function addItemDetails(item: Fields, truncated: boolean, out: AttributeCollector): void {
  const model = text(item.executionModel);
  if (model !== undefined) out.add("cloudflare.execution_model", model);
  if (truncated) out.set("cloudflare.truncated", true);
  out.add("cloudflare.dispatch_namespace", item.dispatchNamespace);
  out.add("cloudflare.script_tags", item.scriptTags);
  out.add("cloudflare.tail", item.tailAttributes);
  out.add("cloudflare.preview", item.preview);
  for (const key in item) if (!KNOWN_FIELDS.has(key)) out.add(`item.${key}`, item[key]);
}

/** Read elsewhere; a field that the platform adds one day is kept as an attribute. */
const KNOWN_FIELDS = new Set(
  `event eventTimestamp logs exceptions diagnosticsChannelEvents scriptName entrypoint scriptVersion dispatchNamespace
  scriptTags tailAttributes preview durableObjectId outcome executionModel truncated cpuTime wallTime invocationId`.split(
    /\s+/,
  ),
);
