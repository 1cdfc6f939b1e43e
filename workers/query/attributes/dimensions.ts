/**
 * Which columns are compared: what an invocation came with, not what became of
 * it. Excluded are what the fingerprint is made of or implies (message, stack,
 * outcome, status, time it took), ids of single invocations, and names of
 * versions beside their id.
 */
import { CORE_BY_PHYSICAL, ISSUE_COLUMN, OVERFLOW_COLUMN } from "../../event/columns.ts";
import { fieldOf } from "../language/ast.ts";

/** The same on all events of an invocation. */
export const DIMENSIONS: ReadonlySet<string> = new Set(
  ["version_id", "entrypoint", "event_type", "method", "route", "colo", "country", "durable_object_id"].map(
    (name) => fieldOf(name, 0).physical,
  ),
);

/** What an error says of itself, and what Tailrace says of an event. */
const IMPLIED = /^(?:error|err|exception|cause|tailrace|log|code)[._]|^(?:error|err|exception|cause|stack|level)$/i;
/** The route and the path say it too, and more often the same. */
const WHOLE_URL = "url.full";
/** Ids of one invocation, and what contains them. */
const IDS = /(?:^|[._-])(?:trace|span|request|invocation|ray)[._-]?id$|^traceparent$/i;

/** An answer of 500 that nothing explains is grouped by where it came from. */
const OF_ANSWERS: ReadonlySet<string> = new Set(
  ["method", "route", "url.path"].map((name) => fieldOf(name, 0).physical),
);

/** For issues of this kind. */
export const comparedFor = (kind: string) => (column: string) =>
  isCompared(column) && !(kind === "http" && OF_ANSWERS.has(column));

function isCompared(column: string): boolean {
  if (column === OVERFLOW_COLUMN || column === ISSUE_COLUMN) return false;
  if (column === WHOLE_URL) return false;
  if (CORE_BY_PHYSICAL.has(column)) return DIMENSIONS.has(column);
  return !IMPLIED.test(column) && !IDS.test(column);
}
