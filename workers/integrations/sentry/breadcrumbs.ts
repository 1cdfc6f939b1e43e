/** What the invocation logged before the error → breadcrumbs, the oldest first. `event.ts` asks. Pure. */
import type { TailraceEvent } from "../../event/event.ts";
import type { Budget } from "./limits.ts";
import type { Breadcrumb } from "./protocol.ts";
import { levelOf } from "./subject.ts";
import { clip, seconds } from "./text.ts";

export function breadcrumbsOf(
  event: TailraceEvent,
  events: readonly TailraceEvent[],
  { breadcrumbs, breadcrumb }: Budget,
): Breadcrumb[] {
  const found: Breadcrumb[] = [];
  // From the error back: an invocation may have thousands.
  for (let i = events.length - 1; i >= 0 && found.length < breadcrumbs; i--) {
    const each = events[i] as TailraceEvent;
    if (each === event || !isBefore(each, event)) continue;
    if (each.kind !== "log" && each.kind !== "exception") continue;
    found.push(crumbOf(each, breadcrumb));
  }
  return found.reverse();
}

/** Exceptions come behind all logs in `seq`: between the two only time tells. An invocation has its time from its beginning, and failed at its end. */
function isBefore(each: TailraceEvent, event: TailraceEvent): boolean {
  if (event.kind === "invocation") return true;
  return each.time === event.time ? each.seq < event.seq : each.time < event.time;
}

function crumbOf({ time, kind, level, message, name }: TailraceEvent, limit: number): Breadcrumb {
  const isError = kind === "exception";
  return {
    timestamp: seconds(time),
    type: isError ? "error" : "default",
    category: isError ? "exception" : "console",
    level: levelOf(level),
    message: clip(isError && name ? `${name}: ${message ?? ""}` : (message ?? ""), limit),
  };
}
