/**
 * Whether a text is an item that can be sent. Dead letters are edited by people, and
 * integrations rely on the types of what they are handed: what is wrong is said when
 * it is stored, and looked for once more before it is sent. What a field means is the
 * receiver's affair, and so are fields that nobody knows. Pure.
 */
import { FEEDS } from "../../api/contract/integrations.ts";
import { KINDS, type Kind, type TailraceEvent } from "../../event/event.ts";
import type { EventItem, Item, NoticeItem } from "../../integrations/contract.ts";
import { NOTICES } from "../rules/rules.ts";

export type ReadItem = { ok: true; item: Item } | { ok: false; problem: string };

/** Kinds of events that may be items of a feed, as `rules/items.ts` makes them. */
const KINDS_OF: Readonly<Record<EventItem["feed"], readonly Kind[]>> = {
  errors: ["exception", "log", "raw", "invocation"],
  logs: ["log", "raw"],
  traces: ["invocation", "span"],
};

/** What it must be; null when it is. */
type Check = (value: unknown) => string | null;
type Fields<T> = Readonly<Record<keyof T, Check>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** JSON has larger numbers than we: they are read as Infinity. */
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const must =
  (what: string, is: (value: unknown) => boolean): Check =>
  (value) =>
    is(value) ? null : what;
const may =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value);
const oneOf = (names: readonly string[]) =>
  must(`one of ${names.join(", ")}`, (value) => names.includes(value as string));

const text = must("a text", (value) => typeof value === "string");
const name = must("a text that is not empty", (value) => typeof value === "string" && value !== "");
const number = must("a number", isNumber);
const count = must("a whole number from 0 on", (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const id = must("32 hex digits", (value) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value));
const microseconds = must(
  "whole microseconds since 1970",
  (value) => Number.isSafeInteger(value) && (value as number) > 0,
);
const texts = must(
  "an object of texts",
  (value) => isRecord(value) && Object.values(value).every((one) => typeof one === "string"),
);
const attributes = must(
  "an object of texts, numbers, true and false",
  (value) => isRecord(value) && Object.values(value).every((one) => isNumber(one) || isScalar(one)),
);
const isScalar = (value: unknown) => typeof value === "string" || typeof value === "boolean";
const object = must("an object", isRecord);

const EVENT: Fields<TailraceEvent> = {
  ...{ time: microseconds, kind: oneOf(KINDS), script: name, invocation_id: id, seq: count },
  sample_weight: must("a number above 0", (value) => isNumber(value) && value > 0),
  ...{ entrypoint: may(text), version_id: may(text), version_tag: may(text), version_message: may(text) },
  ...{ event_type: may(text), outcome: may(text), level: may(text), message: may(text), name: may(text) },
  ...{ trace_id: may(text), span_id: may(text), parent_span_id: may(text), ray_id: may(text) },
  ...{ duration: may(number), cpu_time: may(number), status: may(number) },
  ...{ method: may(text), route: may(text), colo: may(text), country: may(text), durable_object_id: may(text) },
  ...{ fingerprint: may(text), stack: may(text), attributes: may(attributes) },
};
const NOTICE: Fields<NoticeItem["notice"]> = {
  ...{ id: count, at: count, kind: oneOf(Object.keys(NOTICES)) },
  ...{ issueId: count, script: name, detail: object },
};
const DETAIL: Fields<NoticeItem["notice"]["detail"]> = {
  ...{ type: text, title: text, culprit: text, version: object },
  ...{ rolloutId: may(text), count: may(number), firstSeen: may(number) },
};
const VERSION: Fields<NoticeItem["notice"]["detail"]["version"]> = { id: text, tag: text, message: text };

export function readItem(json: string): ReadItem {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { ok: false, problem: "It is not JSON." };
  }
  const problem = wrongItem(value);
  return problem === null ? { ok: true, item: value as Item } : { ok: false, problem };
}

function wrongItem(item: unknown): string | null {
  if (!isRecord(item)) return "It must be an object.";
  const wrong = wrongIn(item, { id, tags: texts, feed: oneOf(FEEDS) }, "");
  if (wrong !== null) return wrong;
  return item.feed === "notices" ? wrongNotice(item) : wrongEventItem(item, item.feed as EventItem["feed"]);
}

function wrongNotice({ notice }: Record<string, unknown>): string | null {
  if (!isRecord(notice)) return "notice must be an object.";
  const wrong = wrongIn(notice, NOTICE, "notice.");
  if (wrong !== null) return wrong;
  const detail = notice.detail as Record<string, unknown>;
  return (
    wrongIn(detail, DETAIL, "notice.detail.") ??
    wrongIn(detail.version as Record<string, unknown>, VERSION, "notice.detail.version.")
  );
}

function wrongEventItem({ event, invocation }: Record<string, unknown>, feed: EventItem["feed"]): string | null {
  if (!isRecord(event)) return "event must be an object.";
  const wrong = wrongIn(event, { ...EVENT, kind: oneOf(KINDS_OF[feed]) }, "event.");
  if (wrong !== null) return wrong;
  if (!isRecord(invocation)) return "invocation must be an object.";
  const around = wrongIn(invocation, { script: name, id, events: must("a list", Array.isArray) }, "invocation.");
  if (around !== null) return around;
  for (const [i, one] of (invocation.events as unknown[]).entries()) {
    const of = `invocation.events[${i}]`;
    const other = isRecord(one) ? wrongIn(one, EVENT, `${of}.`) : `${of} must be an object.`;
    if (other !== null) return other;
  }
  return null;
}

function wrongIn(value: Record<string, unknown>, fields: Readonly<Record<string, Check>>, of: string): string | null {
  for (const [field, check] of Object.entries(fields)) {
    const what = check(Object.hasOwn(value, field) ? value[field] : undefined);
    if (what !== null) return `${of}${field} must be ${what}.`;
  }
  return null;
}
