/** What the invocation logged before the error → breadcrumbs, the oldest first. `event.ts` asks. Pure. */
import type { AttributeValue, TailraceEvent } from "../../event/event.ts";
import { type Budget, MAX_NAME } from "./limits.ts";
import type { Breadcrumb } from "./protocol.ts";
import { levelOf } from "./subject.ts";
import { clip, seconds } from "./text.ts";

/** Logs that are looked at for one error, from it back: what comes of them is a hundred at most. */
const MAX_LOOKED_AT = 500;

export function breadcrumbsOf(
  event: TailraceEvent,
  events: readonly TailraceEvent[],
  budget: Pick<Budget, "breadcrumbs" | "breadcrumb" | "data">,
): Breadcrumb[] {
  const found: TailraceEvent[] = [];
  for (let i = events.length - 1; i >= 0 && found.length < MAX_LOOKED_AT; i--) {
    const each = events[i] as TailraceEvent;
    if (each === event || (each.kind !== "log" && each.kind !== "exception")) continue;
    if (isBefore(each, event)) found.push(each);
  }
  // Diagnostics come behind all console calls in `seq`, whenever they were: between the two only time tells.
  found.sort((a, b) => b.time - a.time || b.seq - a.seq);
  return found
    .slice(0, budget.breadcrumbs)
    .reverse()
    .map((each) => crumbOf(each, budget));
}

/** An invocation has its time from its beginning, and failed at its end. */
function isBefore(each: TailraceEvent, event: TailraceEvent): boolean {
  if (event.kind === "invocation") return true;
  return each.time === event.time ? each.seq < event.seq : each.time < event.time;
}

function crumbOf(
  { time, kind, level, message, name, attributes }: TailraceEvent,
  { breadcrumb, data: limit }: Pick<Budget, "breadcrumb" | "data">,
): Breadcrumb {
  const isError = kind === "exception";
  const data = dataOf(attributes, limit, breadcrumb);
  return {
    timestamp: seconds(time),
    type: isError ? "error" : "default",
    category: isError ? "exception" : "console",
    level: levelOf(level),
    message: clip(isError && name ? `${name}: ${message ?? ""}` : (message ?? ""), breadcrumb),
    ...(data === undefined ? {} : { data }),
  };
}

/** Fields of a structured log: the first few. */
function dataOf(
  attributes: Record<string, AttributeValue> | undefined,
  limit: number,
  chars: number,
): Record<string, AttributeValue> | undefined {
  if (attributes === undefined || limit === 0) return undefined;
  const fields = Object.keys(attributes)
    .slice(0, limit)
    .map((name): [string, AttributeValue] => {
      const value = attributes[name] as AttributeValue;
      return [clip(name, MAX_NAME), typeof value === "string" ? clip(value, Math.min(chars, MAX_NAME)) : value];
    });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
