/** Messages and stacks as lines, shortened unless `full`. Pure. */
import type { EventJson } from "../../../workers/api/contract.ts";
import { safeLine } from "../../safe-text.ts";

const MAX_MESSAGE_CHARS = 1_000;
const MAX_MESSAGE_LINES = 10;
const MAX_STACK_LINES = 12;

/** Where the stack begins in a message that holds it as well. */
const STACK_IN_MESSAGE = /\r?\n\s+at /;

export function messageLines(event: EventJson, full: boolean): string[] {
  let text = typeof event.message === "string" ? event.message : "";
  const name = typeof event.name === "string" ? event.name : "";
  if (event.kind === "exception" && name !== "" && !text.startsWith(name))
    text = text === "" ? name : `${name}: ${text}`;
  if (event.kind === "span" && text === "") text = name;
  if (stackOf(event) !== "") text = text.split(STACK_IN_MESSAGE, 1)[0] as string;
  text = text.trimEnd();
  if (full) return linesOf(text).map(safeLine);
  const lines = linesOf(text.slice(0, MAX_MESSAGE_CHARS));
  const shown = lines.slice(0, MAX_MESSAGE_LINES);
  const left = text.length - shown.reduce((n, line) => n + line.length + 1, -1);
  if (text.length > MAX_MESSAGE_CHARS || lines.length > shown.length)
    shown[shown.length - 1] += ` … ${left.toLocaleString("en")} more characters (--full)`;
  return shown.map(safeLine);
}

/** Source-mapped where there is a map; without the line that repeats the message. */
export function stackLines(event: EventJson, full: boolean): string[] {
  const lines = linesOf(stackOf(event)).filter((line) => line.trim() !== "");
  const frames = /^\s*at /.test(lines[0] ?? "") || lines.length === 0 ? lines : lines.slice(1);
  const shown = full ? frames : frames.slice(0, MAX_STACK_LINES);
  const left = frames.length - shown.length;
  // Causes keep their own indentation under the first.
  const text = shown.map((line) => safeLine(line.replace(/^ {4}(?=at )/, "")));
  return left > 0 ? [...text, `… ${left} more lines (--full)`] : text;
}

function stackOf(event: EventJson): string {
  const { mapped_stack: mapped, stack } = event;
  return typeof mapped === "string" && mapped !== "" ? mapped : typeof stack === "string" ? stack : "";
}

const linesOf = (text: string): string[] => text.split(/\r?\n/);
