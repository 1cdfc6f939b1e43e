/** A filter that the platform does not understand, with a caret under the place. Pure. */
import { type CliFailure, usageFailure } from "../failure.ts";
import { safeLine } from "../safe-text.ts";

/** Either side of the place; a filter may be longer than a line. */
const CONTEXT_CHARS = 60;

export function filterFailure(q: string, message: string, details?: unknown): CliFailure {
  const said = `the filter is not understood: ${safeLine(message)}`;
  const position = positionIn(details);
  if (position === undefined || position > q.length) return usageFailure(said);
  const from = Math.max(0, position - CONTEXT_CHARS);
  const before = safeLine(q.slice(from, position));
  const after = safeLine(q.slice(position, position + CONTEXT_CHARS));
  const lead = from > 0 ? "…" : "";
  const tail = position + CONTEXT_CHARS < q.length ? "…" : "";
  return usageFailure(`${said}\n  ${lead}${before}${after}${tail}\n  ${" ".repeat(lead.length + before.length)}^`);
}

function positionIn(details: unknown): number | undefined {
  if (typeof details !== "object" || details === null || !("position" in details)) return undefined;
  const { position } = details;
  return typeof position === "number" && Number.isInteger(position) && position >= 0 ? position : undefined;
}
