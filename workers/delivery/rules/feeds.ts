/**
 * Which feed an event belongs to. `items.ts` and the preview ask, so that what is
 * shown is what will be sent. Pure.
 *
 * errors: what was thrown, Errors that were logged, and invocations that failed
 * with neither to explain it. A logged Error is one item: of errors where these
 * are sent, else of logs.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Kind } from "../../event/event.ts";
import { isFailure } from "../../event/failure.ts";

/** What of an event decides. */
export interface Classed {
  kind: Kind;
  outcome?: string;
  status?: number;
  fingerprint?: string;
  name?: string;
  stack?: string;
}

export type EventFeed = Exclude<Feed, "notices">;

/** An Error given to console.error: an issue here, with a type or a stack. A logged text is neither. */
const isLoggedError = (event: Classed): boolean =>
  event.kind === "log" && event.fingerprint !== undefined && (event.name !== undefined || event.stack !== undefined);

/** It explains why its invocation failed. */
export const tellsError = (event: Classed): boolean => event.kind === "exception" || isLoggedError(event);

/** @param explained an event of the same invocation `tellsError` */
export function isFailedInvocation(event: Classed, explained: boolean): boolean {
  if (event.kind !== "invocation" || !isFailure(event.outcome, event.status)) return false;
  // Grouping made it an issue of its own (an isolate that died), whatever was thrown before.
  return !explained || event.fingerprint !== undefined;
}

/**
 * An invocation may be of two feeds: an error, and a trace.
 * @param has which feeds are sent
 */
export function logFeedOf(event: Classed, has: { errors: boolean; logs: boolean }): EventFeed | undefined {
  if (has.errors && isLoggedError(event)) return "errors";
  return has.logs ? "logs" : undefined;
}
