/**
 * The stack text of an error with those that it came from, in the form in which
 * the console of Node prints them, which is what `errors/stack/` reads:
 *
 *         at pay (index.js:1:20)
 *       [cause]: RangeError: no such card
 *           at find (index.js:1:80)
 *
 * `log.ts` and `normalize.ts` hand in what the item has. The runtime tells of no
 * causes; structured logs and items from elsewhere may, and a console call with
 * several Errors names them from the outermost in, or an AggregateError and its
 * parts.
 */
import { clip, MAX_STACK_CHARS } from "../limits.ts";
import type { Redactor } from "../redact/redact.ts";
import { type Fields, isFields, text } from "./item.ts";

/** Causes of causes, and parts of an AggregateError. */
const MAX_CAUSES = 8;
const MAX_PARTS = 8;
/** Of each when there are several: the chain must fit as a whole. */
const MAX_LINK_CHARS = MAX_STACK_CHARS / 4;
/** `    at f (index.js:1:2)`, on a line of its own. */
const FRAME = /\n[ \t]{1,16}at [^\n]{1,400}:\d{1,9}:\d{1,9}/;

/** Undefined where there is neither a stack nor a cause. */
export function stackOf(error: Fields, redactor: Redactor, further: readonly Fields[] = []): string | undefined {
  const own = typeof error.stack === "string" ? error.stack : "";
  if (error.cause === undefined && error.errors === undefined && further.length === 0) {
    return own === "" ? undefined : redactor.text(clip(own, MAX_STACK_CHARS));
  }
  const links: string[] = [];
  addLinks(error, 1, links);
  // Beside an AggregateError stand its parts, beside any other what it came from.
  const others = further.slice(0, MAX_PARTS).entries();
  const isAggregate = error.name === "AggregateError";
  for (const [i, other] of others) addLink(isAggregate ? "errors" : "cause", other, isAggregate ? 1 : i + 1, links);
  if (links.length === 0) return own === "" ? undefined : redactor.text(clip(own, MAX_STACK_CHARS));
  const first = own === "" ? headOf(error) : clip(own, MAX_LINK_CHARS * 2);
  return redactor.text(clip([first, ...links].join("\n"), MAX_STACK_CHARS));
}

/** Does a logged text hold a stack? */
export function hasStack(line: string): boolean {
  return line.includes(" at ") && FRAME.test(line);
}

function addLinks(error: Fields, depth: number, links: string[]): void {
  if (depth > MAX_CAUSES || links.length >= MAX_CAUSES + MAX_PARTS) return;
  if (isFields(error.cause)) addLink("cause", error.cause, depth, links);
  else if (typeof error.cause === "string") links.push(indented(`[cause]: ${error.cause}`, depth));
  if (!Array.isArray(error.errors)) return;
  for (const part of error.errors.slice(0, MAX_PARTS)) if (isFields(part)) addLink("errors", part, depth, links);
}

function addLink(name: "cause" | "errors", error: Fields, depth: number, links: string[]): void {
  const head = headOf(error);
  const stack = typeof error.stack === "string" ? error.stack : "";
  // Stacks of the runtime come without a first line, those of JavaScript with one.
  const whole = stack === "" ? head : /^\s+at /.test(stack) ? `${head}\n${stack}` : stack;
  links.push(indented(clip(`[${name}]: ${whole.trimStart()}`, MAX_LINK_CHARS), depth));
  addLinks(error, depth + 1, links);
}

function headOf(error: Fields): string {
  const type = text(error.name) ?? text(error.type) ?? "Error";
  const message = text(error.message, MAX_LINK_CHARS);
  return message === undefined ? type : `${type}: ${message}`;
}

const indented = (block: string, depth: number) => block.replace(/^/gm, "  ".repeat(depth));
