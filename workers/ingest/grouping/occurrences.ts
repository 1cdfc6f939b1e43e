/**
 * An invocation → its occurrences: which of its events are errors, of which
 * kind, and what they say. `intake.ts` hands in, `grouper.ts` finds out where
 * each belongs. An invocation that died, was left by its client, or answered
 * 5xx with nothing else to explain it, is one by its own event. Pure.
 */
import { type Classified, classify } from "../../errors/grouping/classify.ts";
import { isDeath } from "../../errors/grouping/noise.ts";
import { parseStack } from "../../errors/stack/parse.ts";
import type { ErrorTrace } from "../../errors/trace.ts";
import type { OwnFields } from "../../event/event.ts";
import type { Invocation, Suspect } from "../normalize/normalize.ts";
import type { Known } from "./grouper.ts";

export interface Occurrence extends Classified {
  /** Gets the fingerprint. */
  event: OwnFields;
  /** Of the Error itself where there is one. */
  message: string;
  /** Frames, perhaps with causes; without a first line that says type and message again, so that equal stacks are equal texts. */
  stack: string | undefined;
  /** Where that was parsed already. */
  trace?: ErrorTrace;
  /** Where `grouper.ts` has met the stack before. */
  known?: Known;
}

/** `events`: as `Normalizer.events` made them; `suspects`: which of them tell of errors. */
export function occurrencesOf(
  invocation: Invocation,
  events: readonly OwnFields[],
  suspects: readonly Suspect[],
): Occurrence[] {
  const { fields } = invocation;
  const found: Occurrence[] = [];
  let explained = false;
  const { event_type: eventType, outcome, status } = fields;
  for (const suspect of exceptionsFirst(suspects)) {
    const { event, source } = suspect;
    const { hasError, type, message, trace } = saidBy(suspect);
    const said = { source, type, message, hasError, level: event.level, eventType, outcome, status, explained };
    const kind = classify(said);
    if (kind === null) continue;
    if (hasError) explained = true;
    found.push({ ...kind, event, message, stack: withoutHead(event.stack, type, message), trace });
  }
  if (outcome !== "ok" || (status ?? 0) >= 500) {
    // An isolate that died did so whatever was thrown before, unless the runtime threw it because of that.
    if (isDeath(outcome)) explained = found.some(({ kind }) => kind === "death");
    const kind = classify({ source: "invocation", eventType, outcome, status, explained });
    if (kind !== null) found.push({ ...kind, event: events[0] as OwnFields, message: "", stack: undefined });
  }
  return found;
}

/** A logged text with a stack in it tells type and message only once it is parsed. */
function saidBy({
  event,
  error,
}: Suspect): Pick<Occurrence, "message" | "trace"> & { hasError: boolean; type?: string } {
  if (error === undefined) return { hasError: false, message: event.message ?? "" };
  if (error.message !== undefined || event.stack === undefined) {
    return { hasError: true, type: error.type, message: error.message ?? "" };
  }
  const trace = parseStack(event.stack, { type: error.type });
  return { hasError: true, type: error.type ?? trace.type ?? undefined, message: trace.message ?? "", trace };
}

function withoutHead(stack: string | undefined, type: string | undefined, message: string): string | undefined {
  if (stack === undefined || type === undefined || !stack.startsWith(type)) return stack;
  const head = message === "" ? `${type}\n` : `${type}: ${message}\n`;
  return stack.startsWith(head) ? stack.slice(head.length) : stack;
}

/** What was thrown explains what was logged about it, not the other way round. */
function exceptionsFirst(suspects: readonly Suspect[]): readonly Suspect[] {
  if (suspects.length < 2) return suspects;
  return [...suspects.filter((s) => s.source === "exception"), ...suspects.filter((s) => s.source === "log")];
}
