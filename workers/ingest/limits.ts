/**
 * What bounds one event and one item. Tail items hold at most 256 KiB of logs
 * (the platform cuts there); items that arrive over HTTP may hold anything.
 * Lengths are in characters: at most three bytes of UTF-8 each.
 */

/** Log text and exception messages. Longer ones are dumps; the start tells what they are. */
export const MAX_MESSAGE_CHARS = 32_768;
/** Some 200 frames. */
export const MAX_STACK_CHARS = 16_384;
/** One attribute's value. */
export const MAX_VALUE_CHARS = 8_192;
/** One attribute's name: it becomes a column's name. */
export const MAX_KEY_CHARS = 128;
/** Attributes of one event. Wide events have some hundred; more is a map used as a record. */
export const MAX_ATTRIBUTES = 256;
/** Levels of nesting that become dotted names; what lies deeper is kept as JSON text. */
export const MAX_DEPTH = 5;
/** Names, ids, versions, outcomes: whatever is a column of its own. */
export const MAX_FIELD_CHARS = 256;
/** Outcomes are keys of the rollups. */
export const MAX_OUTCOME_CHARS = 64;
/** Names of Workers are part of object keys and of Durable Object names. */
export const MAX_SCRIPT_CHARS = 255;
/** Events of one item: 256 KiB of logs hold fewer, HTTP items could hold more. */
export const MAX_EVENTS_PER_ITEM = 2_000;
/** Text of one item, all events together: twice what the platform lets through. */
export const MAX_ITEM_CHARS = 512 * 1024;
/** An item that could not be read is kept up to here. */
export const MAX_RAW_CHARS = 8_192;
/** Custom (`x-…`) request headers kept beside the well-known ones. */
export const MAX_CUSTOM_HEADERS = 16;

/** 2001-09-09. Earlier times are seconds that were taken for milliseconds, or no times at all. */
export const MIN_TIME_MS = 1_000_000_000_000;
/** Clocks may run ahead, but not by more than a day. */
export const MAX_AHEAD_MS = 24 * 3_600_000;

/** The script of items that do not say where they come from. */
export const UNKNOWN_SCRIPT = "unknown";

/** Cuts at a limit without leaving half a surrogate pair. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 2);
  const whole = last >= 0xd800 && last <= 0xdbff ? limit - 2 : limit - 1;
  return `${text.slice(0, whole)}…`;
}
