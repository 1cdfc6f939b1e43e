/**
 * What a line of a stack's text can be, besides a frame. `parse.ts` asks.
 * Formats: V8's own, Node's `util.inspect`, and the `Caused by:` of loggers.
 */
import { MAX_MESSAGE_CHARS } from "./limits.ts";

export interface Header {
  type: string | null;
  message: string;
}

const MAX_TYPE_CHARS = 128;

/** `TypeError: x`, `Error [ERR_X]: x`, `Uncaught (in promise) Error: x`, `[Error: x]`, or only `Error`. */
export function readHeader(text: string): Header {
  let line = text.length > MAX_MESSAGE_CHARS ? text.slice(0, MAX_MESSAGE_CHARS) : text;
  line = line.trim();
  if (line.startsWith("Uncaught ")) line = line.slice(9);
  if (line.startsWith("(in promise) ")) line = line.slice(13);
  if (line.startsWith("[") && line.endsWith("]") && typeEnd(line, 1) > 1) line = line.slice(1, -1);
  const end = typeEnd(line, 0);
  if (end === 0) return { type: null, message: line };
  let next = end;
  // `[ERR_INVALID_ARG_TYPE]` is a code of Node's, not a part of the name.
  if (line.startsWith(" [", next)) {
    const close = line.indexOf("]", next);
    if (close > 0 && close - next < MAX_TYPE_CHARS) next = close + 1;
  }
  const name = line.slice(0, end);
  if (next === line.length) return isTypeName(name) ? { type: name, message: "" } : { type: null, message: line };
  if (line.charCodeAt(next) !== 58 || (next + 1 < line.length && !isSpace(line.charCodeAt(next + 1)))) {
    return { type: null, message: line };
  }
  return { type: name, message: line.slice(next + 1).trim() };
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** A first line that is only a name is an error without a message if it looks like one. */
const isTypeName = (name: string): boolean => name.endsWith("Error") || name.endsWith("Exception");

/** Where an identifier (`Error`, `errors.NotFound`, `D1_ERROR`, `$ZodError`) that begins at `from` ends. */
function typeEnd(line: string, from: number): number {
  const limit = Math.min(line.length, from + MAX_TYPE_CHARS);
  let at = from;
  while (at < limit && isNamePart(line.charCodeAt(at), at === from)) at++;
  return at < from + MAX_TYPE_CHARS ? at : from;
}

function isNamePart(code: number, first: boolean): boolean {
  const letter = code | 32;
  if ((letter >= 97 && letter <= 122) || code === 95 || code === 36 || code > 127) return true;
  return !first && ((code >= 48 && code <= 57) || code === 46 || code === 45);
}

/** Does a line begin an error, in a list of them? */
export function isHeader(line: string): boolean {
  const { type } = readHeader(line);
  return type !== null && (isTypeName(type) || line.trimStart().startsWith(`${type}: `) || line.includes(`${type}: `));
}

/** Text behind `[cause]:` or `Caused by:`; undefined where the line is neither. */
export function afterCause(line: string): string | undefined {
  for (const mark of ["[cause]: ", "Caused by: ", "caused by: ", "cause: "]) {
    if (line.startsWith(mark)) return line.slice(mark.length);
  }
  return undefined;
}

/** `[errors]: Error: first`: one part of an AggregateError, as `ingest/` writes down what the runtime tells apart. */
export const afterPart = (line: string): string | undefined =>
  line.startsWith("[errors]: ") && line.length > 11 ? line.slice(10) : undefined;

/** `[errors]: [`: the parts of an AggregateError follow. */
export const opensErrors = (line: string): boolean => line === "[errors]: [" || line === "errors: [";

/** `... 4 lines matching cause stack trace ...`: how many were left out; 0 where the line is something else. */
export function elidedFrames(line: string): number {
  if (!line.startsWith("... ") || !line.includes(" lines matching cause stack trace")) return 0;
  const count = Number.parseInt(line.slice(4), 10);
  return count > 0 && count < 1_000_000 ? count : 0;
}
