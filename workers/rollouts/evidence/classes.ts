/** What an invocation is compared with: its like only. Pure. */
import type { EventClass } from "../../api/contract.ts";
import type { RollupDelta } from "../../event/rollup.ts";
import { MAX_CLASSES } from "./limits.ts";

/**
 * Queues and crons have a rhythm and a load of their own. Whatever happens in a
 * Durable Object counts with that, its alarms and sockets included: its state
 * is what both versions share. All else is a request: fetch, rpc, websocket,
 * email, tail, and what there may be tomorrow.
 */
export function classOf(
  delta: Pick<RollupDelta, "event_type" | "entrypoint">,
  objects: ReadonlySet<string>,
): EventClass {
  const { event_type: type, entrypoint } = delta;
  if (type === "queue") return "queue";
  if (type === "scheduled") return "scheduled";
  return type === "alarm" || type === "hibernate" || objects.has(entrypoint) ? "durable_object" : "request";
}

/** Classes of Durable Objects that these deltas tell of and that were not known; bounded. */
export function newObjects(deltas: readonly RollupDelta[], known: ReadonlySet<string>): string[] {
  const names = new Set<string>();
  for (const delta of deltas) {
    const isNew = delta.durable_object === true && delta.entrypoint !== "" && !known.has(delta.entrypoint);
    if (isNew && known.size + names.size < MAX_CLASSES) names.add(delta.entrypoint);
  }
  return [...names];
}
