/**
 * One invocation with all its events in order. Ids of our own begin with their
 * time, so it is looked for there first (or `around` the time that the caller
 * knows); anywhere else the first and last id that the catalog knows of each
 * segment leave one or two to read. `api/` calls it.
 */
import type { EventJson, InvocationAnswer } from "../api/contract.ts";
import { toJson } from "./event-json.ts";
import { EventSink } from "./events.ts";
import { compileFilter } from "./filter/compile.ts";
import { IssueLookup } from "./issues.ts";
import { fieldOf } from "./language/ast.ts";
import { AROUND_MS, CLOCK_SKEW_MS, MAX_ID_AGE_MS, MAX_INVOCATION_EVENTS } from "./limits.ts";
import type { TimeRange } from "./plan.ts";
import { asResult, execute, type QueryEnv, type QueryOptions, type QueryResult } from "./run.ts";

/** `around`: ms since the epoch. An id that is nowhere gives no events. */
export async function readInvocation(
  env: QueryEnv,
  id: string,
  { around }: { around?: number | undefined },
  options: QueryOptions,
): Promise<QueryResult<InvocationAnswer>> {
  return asResult(async () => {
    const near = around ?? timeOfId(id, options.now);
    if (near !== undefined) {
      const answer = await search(env, id, rangeAround(near), rangeAround(near), options);
      if (answer.events.length > 0 || around !== undefined) return answer;
    }
    const always = { from: 0, to: (options.now + CLOCK_SKEW_MS) * 1_000 };
    // Where in time is not known: how complete the last hour is says the most.
    return search(env, id, always, rangeAround(options.now), options);
  });
}

async function search(
  env: QueryEnv,
  id: string,
  range: TimeRange,
  ledger: TimeRange,
  options: QueryOptions,
): Promise<InvocationAnswer> {
  const field = fieldOf("invocation_id", 0);
  const filter = compileFilter({ kind: "equals", field, value: { text: id, quoted: true } });
  const sort = [{ name: "time", field: fieldOf("time", 0), descending: false }];
  const sink = new EventSink({ limit: MAX_INVOCATION_EVENTS, sort });
  const { completeness } = await execute(env, { filter, range, after: [] }, sink, { ...options, ledger });
  const events = sink.events().map(toJson);
  await addIssues(env.DB, events);
  return { id, events: events.sort((a, b) => a.seq - b.seq), completeness };
}

/** From an error to its issue: one look-up for all. */
async function addIssues(db: D1Database, events: EventJson[]): Promise<void> {
  const carried = events.flatMap((e) => (typeof e.fingerprint === "string" ? [e.fingerprint] : []));
  if (carried.length === 0) return;
  const issueOf = await new IssueLookup(db).find(new Set(carried));
  for (const event of events) {
    const issue = issueOf.get(String(event.fingerprint));
    if (issue !== undefined) event.issue = issue;
  }
}

function rangeAround(ms: number): TimeRange {
  return { from: (ms - AROUND_MS) * 1_000, to: (ms + AROUND_MS) * 1_000 };
}

/** Ids made by `ingest/` begin with the time in ms, 16 hex digits; others hardly ever do. */
function timeOfId(id: string, now: number): number | undefined {
  const ms = /^[0-9a-f]{32}$/.test(id) ? Number.parseInt(id.slice(0, 16), 16) : Number.NaN;
  return ms > now - MAX_ID_AGE_MS && ms < now + AROUND_MS ? ms : undefined;
}
