/**
 * Stacks of the items of one batch, led back to the team's own source and written
 * as V8 writes them, causes included. Protocols that carry a stack as text ask;
 * what cannot be mapped keeps the text that it has.
 */
import type { EventItem, Io } from "../contract.ts";
import type { ResolvedFrame, ResolvedTrace } from "../frames.ts";

/** As many characters as an event's own stack may have (ingest/limits.ts). */
const MAX_CHARS = 16_384;
const MAX_DEPTH = 8;

export type StackTexts = ReadonlyMap<EventItem["event"], string>;

/** Items of the same error share what `Io` knows of it. */
export async function stackTexts(items: readonly EventItem[], io: Pick<Io, "trace">): Promise<StackTexts> {
  const texts = new Map<EventItem["event"], string>();
  for (const { event, invocation, feed } of items) {
    // A trace shows its exceptions beside it.
    const wanted = feed === "traces" ? invocation.events.filter(({ kind }) => kind === "exception") : [event];
    for (const one of wanted) if (one.stack !== undefined && !texts.has(one)) texts.set(one, await textOf(one, io));
  }
  return texts;
}

async function textOf(event: EventItem["event"], io: Pick<Io, "trace">): Promise<string> {
  const { stack = "", name, message, kind } = event;
  // A log's text says more than its error's message.
  const known = kind === "exception" ? { type: name, message } : { type: name };
  try {
    const trace = await io.trace(event.script, event.version_id ?? "", stack, known);
    if (trace.frames.length > 0)
      return write(trace, name, kind === "exception" ? message : undefined).slice(0, MAX_CHARS);
  } catch {
    // A store that is away: the stack as it was thrown is better than none.
  }
  return withHead(stack, name, kind === "exception" ? message : undefined);
}

/** The runtime's stacks have no first line. */
function withHead(stack: string, type: string | undefined, message: string | undefined): string {
  return /^\s*at /.test(stack) ? `${headOf(type, message)}\n${stack}` : stack;
}

function write(trace: ResolvedTrace, type: string | undefined, message: string | undefined): string {
  const lines = [headOf(trace.type || type, trace.message || message)];
  addTrace(trace, "", 0, lines);
  return lines.join("\n");
}

function addTrace(trace: ResolvedTrace, indent: string, depth: number, lines: string[]): void {
  for (const frame of trace.frames) lines.push(`${indent}    at ${place(frame)}`);
  if (trace.omitted > 0) lines.push(`${indent}    ... ${trace.omitted} more`);
  if (depth >= MAX_DEPTH) return;
  const further = indent === "" ? "  " : `${indent}  `;
  for (const [name, part] of [
    ...(trace.cause ? [["cause", trace.cause] as const] : []),
    ...trace.errors.map((e) => ["errors", e] as const),
  ]) {
    lines.push(`${further}[${name}]: ${headOf(part.type, part.message)}`);
    addTrace(part, further, depth + 1, lines);
  }
}

function place(frame: ResolvedFrame): string {
  const at = frame.line > 0 ? `${frame.file}:${frame.line}${frame.column > 0 ? `:${frame.column}` : ""}` : frame.file;
  return frame.function === "" ? at : `${frame.function} (${at})`;
}

function headOf(type: string | undefined, message: string | undefined): string {
  const name = type || "Error";
  return message ? `${name}: ${message}` : name;
}
