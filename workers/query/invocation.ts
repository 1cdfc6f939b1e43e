/**
 * One invocation with all its events in order. The catalog's Bloom filters on
 * the id leave one or two segments to read, wherever in time it lies; `around`
 * spares asking them. `api/` calls it.
 */
import type { EventJson, InvocationAnswer } from "../api/contract.ts";
import { CORE_BY_PHYSICAL } from "../event/columns.ts";
import { compileFilter } from "./compile.ts";
import { EventSink } from "./events.ts";
import { fieldOf } from "./language/ast.ts";
import { formatTimeUs } from "./language/time.ts";
import { AROUND_MS, CLOCK_SKEW_MS, MAX_INVOCATION_EVENTS } from "./limits.ts";
import type { Plan } from "./plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult } from "./run.ts";
import type { Cell } from "./table.ts";

/** `around`: ms since the epoch. An id that is nowhere gives no events. */
export async function readInvocation(
  env: QueryEnv,
  id: string,
  { around }: { around?: number | undefined },
  options: QueryOptions,
): Promise<QueryResult<InvocationAnswer>> {
  return asResult(async () => {
    const field = fieldOf("invocation_id", 0);
    const filter = compileFilter({ kind: "equals", field, value: { text: id, quoted: true } });
    const plan: Plan = { filter, range: rangeAround(around, options.now), after: [] };
    const time = fieldOf("time", 0);
    const sort = [{ name: "time", field: time, descending: false }];
    const sink = new EventSink({ limit: MAX_INVOCATION_EVENTS, sort });
    const { completeness } = await execute(env, plan, sink, options);
    const events = sink.events().map(toJson);
    return { id, events: events.sort((a, b) => a.seq - b.seq), completeness };
  });
}

function rangeAround(around: number | undefined, now: number): Plan["range"] {
  if (around === undefined) return { from: 0, to: (now + CLOCK_SKEW_MS) * 1_000 };
  return { from: (around - AROUND_MS) * 1_000, to: (around + AROUND_MS) * 1_000 };
}

function toJson(cells: ReadonlyMap<string, Cell>): EventJson {
  const event: Record<string, unknown> = {};
  // No prototype: an attribute may be called `__proto__`.
  const attributes: EventJson["attributes"] = Object.create(null);
  for (const [physical, value] of cells) {
    const core = CORE_BY_PHYSICAL.get(physical);
    if (core !== undefined) event[core.name] = core.type === "time" ? formatTimeUs(Number(value)) : value;
    else if (value !== null) attributes[physical] = value;
  }
  return { ...event, attributes } as EventJson;
}
