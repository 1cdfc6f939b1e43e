/** An item that a receiver finds too large, made small: its long texts are cut, and it says so. */
import type { AttributeValue } from "../../event/event.ts";
import type { EventItem } from "../contract.ts";

const MAX_TEXT_CHARS = 4_096;
const MAX_VALUE_CHARS = 512;
const MAX_ATTRIBUTES = 64;

export function trimmed(item: EventItem): EventItem {
  const { event } = item;
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(event.attributes ?? {}).slice(0, MAX_ATTRIBUTES)) {
    attributes[name] = typeof value === "string" ? cut(value, MAX_VALUE_CHARS) : value;
  }
  attributes["tailrace.trimmed"] = true;
  const small = { ...event, attributes };
  if (event.message !== undefined) small.message = cut(event.message, MAX_TEXT_CHARS);
  if (event.stack !== undefined) small.stack = cut(event.stack, MAX_TEXT_CHARS);
  return { ...item, event: small };
}

const cut = (text: string, chars: number): string => (text.length > chars ? `${text.slice(0, chars)}…` : text);
