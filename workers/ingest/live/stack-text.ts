/**
 * A trace that source maps were asked about → text as V8 prints it, with the
 * team's own files, lines and functions:
 *
 *         at Cart.add (src/cart/cart.ts:12:5)
 *       [cause]: RangeError: no such card
 *           at find (src/cards/find.ts:7:3)
 *
 * Causes and parts as in `normalize/error-text.ts`. Pure. For those who watch
 * live; the store keeps what came.
 */
import type { SourceFrame, SourceTrace } from "../../errors/trace.ts";

/** Of one error: more is recursion. */
const MAX_FRAMES = 60;
/** Lines of causes and parts, all together. */
const MAX_LINES = 200;

/** The line in which the frames of a stack begin. */
const FIRST_FRAME = /^[ \t]*at /m;

/** Texts made before: the same error comes again and again, and its trace is remembered (`grouping/grouper.ts`). */
const made = new WeakMap<SourceTrace, string>();

/** Its frames, without a first line that says type and message. */
export function framesText(trace: SourceTrace): string {
  let text = made.get(trace);
  if (text === undefined) {
    const lines: string[] = [];
    addLines(trace, 0, lines);
    text = lines.join("\n");
    made.set(trace, text);
  }
  return text;
}

/** `stack` with the frames of its trace; what stands before them stays. */
export function mappedText(stack: string, trace: SourceTrace): string {
  const at = FIRST_FRAME.exec(stack)?.index ?? stack.length;
  const head = stack.slice(0, at).trimEnd();
  return head === "" ? framesText(trace) : `${head}\n${framesText(trace)}`;
}

function addLines({ frames, omitted, cause, errors }: SourceTrace, depth: number, lines: string[]): void {
  const indent = "  ".repeat(depth);
  for (const frame of frames.slice(0, MAX_FRAMES)) {
    if (lines.length >= MAX_LINES) return;
    lines.push(`${indent}    ${frameText(frame)}`);
  }
  const left = omitted + Math.max(frames.length - MAX_FRAMES, 0);
  if (left > 0) lines.push(`${indent}    … ${left} more`);
  if (cause !== null) addNested("cause", cause, depth + 1, lines);
  for (const error of errors) addNested("errors", error, depth + 1, lines);
}

function addNested(name: "cause" | "errors", trace: SourceTrace, depth: number, lines: string[]): void {
  if (lines.length >= MAX_LINES) return;
  const { type, message } = trace;
  const head = [type, message].filter((part) => part !== null && part !== "").join(": ");
  lines.push(`${"  ".repeat(depth)}[${name}]: ${head === "" ? "Error" : head}`);
  addLines(trace, depth, lines);
}

function frameText({ raw, function: name, file, line, column }: SourceFrame): string {
  const async = raw.isAsync ? "async " : "";
  const place = placeText(raw.isNative, file, line, column);
  if (name === null || name === "") return `at ${async}${raw.isConstructor ? `new <anonymous> (${place})` : place}`;
  const alias = raw.alias === null ? "" : ` [as ${raw.alias}]`;
  return `at ${async}${raw.isConstructor ? "new " : ""}${name}${alias} (${place})`;
}

function placeText(isNative: boolean, file: string | null, line: number | null, column: number | null): string {
  if (file === null) return isNative ? "native" : "<anonymous>";
  return [file, line, column].filter((part) => part !== null).join(":");
}
