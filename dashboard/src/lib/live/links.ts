/** From the stream to the store: links to Explore and to an invocation, with the same filter. Pure. */
import { type EventRow, writeRef } from "../event-row.ts";
import { addFilter, exploreHref, splitQuery } from "../query-text.ts";

/** What is shown to either side of an event. */
const AROUND_MS = 30_000;

/** The question that the page asks, with its Worker as a part of the filter. */
export const liveQuery = (script: string, q: string): string => (script === "" ? q : addFilter(q, "script", script));

export function exploreBetween(q: string, from: number, to: number): string {
  return exploreHref(q, { from: String(Math.floor(from)), to: String(Math.ceil(to) + 1) });
}

/** Explore at the moment of an event, with the event open. */
export function exploreAt(q: string, row: EventRow): string {
  const event = new URLSearchParams({ event: writeRef(row) });
  return `${exploreBetween(q, row.time - AROUND_MS, row.time + AROUND_MS)}&${event}`;
}

export const invocationAt = (row: EventRow): string =>
  `/invocations/${encodeURIComponent(row.invocation)}?around=${Math.floor(row.time)}`;

/** The Live page that watches what a page shows: the filter part of its query. */
export function watchHref(q: string, script = ""): string {
  const params = new URLSearchParams();
  if (script !== "") params.set("script", script);
  const { filter } = splitQuery(q);
  if (filter !== "") params.set("q", filter);
  return `/live${params.size === 0 ? "" : `?${params}`}`;
}
