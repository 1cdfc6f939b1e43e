/**
 * The order in which people read the events of a message of the live stream, for
 * the Live page and `tailrace tail`: an invocation's own event first, what it
 * did after it by time. They are stored by kind (logs, then what came over
 * diagnostics channels, then exceptions), so times would run backwards. Pure.
 */
import type { EventJson } from "../contract.ts";

/** Without its Z, a time with fewer digits is the beginning of one with more, and so before it. */
const timeOf = (event: EventJson): string => event.time.slice(0, -1);

function compare(a: EventJson, b: EventJson): number {
  const own = Number(b.kind === "invocation") - Number(a.kind === "invocation");
  if (own !== 0) return own;
  const [at, bt] = [timeOf(a), timeOf(b)];
  return at < bt ? -1 : at > bt ? 1 : a.seq - b.seq;
}

/** Invocations stay in the order in which they came: their events come together. */
export function inReadingOrder(events: readonly EventJson[]): EventJson[] {
  const ordered: EventJson[] = [];
  for (let from = 0; from < events.length; ) {
    const id = events[from]?.invocation_id;
    let to = from + 1;
    while (to < events.length && events[to]?.invocation_id === id) to++;
    ordered.push(...events.slice(from, to).sort(compare));
    from = to;
  }
  return ordered;
}
