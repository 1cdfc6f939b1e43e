/**
 * One line for people and for `grep`: time, level, Worker, message, then what else
 * is known as `name=value` (logfmt). Whatever was logged, an entry stays one line.
 */
import { type Entry, timeText } from "./entry.ts";
import { visible } from "./visible.ts";

const LEVEL_CHARS = 5;
/** Needs no quotes: what logfmt's readers take as one word. */
const PLAIN = /^[^\s"=\\]+$/;

export function textLine({ time, id, level, worker, version, message, fields, attributes }: Entry): string {
  const head = `${timeText(time)} ${visible(level).toUpperCase().padEnd(LEVEL_CHARS)} ${visible(worker)} ${visible(message)}`;
  const rest = Object.entries({ ...(version !== "" && { version }), ...fields, ...attributes, id });
  return [head, ...rest.map(([name, value]) => `${keyOf(name)}=${quoted(String(value))}`)].join(" ");
}

const keyOf = (name: string): string => visible(name).replace(/[\s"=]+/g, "_") || "_";

function quoted(value: string): string {
  const text = value.toWellFormed();
  return PLAIN.test(text) && visible(text) === text
    ? text
    : JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, visible);
}
