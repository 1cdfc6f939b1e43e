/**
 * Messages that the engine itself writes and that hold what it found in data or
 * in minified code: the same mistake must not read differently from build to
 * build or from input to input. `template.ts` asks before it scans.
 */
import { DOLLAR, DOT, isDigit, isLower, UNDERSCORE } from "./characters.ts";

/** Longer messages are not V8's. */
const MAX_CHARS = 2_048;
/** Local names of minified code have one or two letters. */
const MAX_MINIFIED_CHARS = 2;

/** `items.map is not a function` is `e.map is not a function` in a minified build. */
const NOT_A = [" is not a function", " is not iterable", " is not a constructor", " is not async iterable"];

/** The template, or undefined where nothing special is known. */
export function engineTemplate(message: string): string | undefined {
  if (isJsonParseError(message)) return "invalid JSON";
  if (message.length > MAX_CHARS) return undefined;
  if (message.startsWith("Cannot convert ") && message.endsWith(" to a BigInt")) return "Cannot convert * to a BigInt";
  if (message.endsWith(" could not be cloned.")) return "* could not be cloned.";
  if (message.startsWith("Invalid regular expression: /")) {
    return `Invalid regular expression: *${message.slice(message.lastIndexOf("/") + 1)}`;
  }
  const at = message.indexOf(" is not ");
  if (at <= 0) return undefined;
  for (const ending of NOT_A) {
    if (message.startsWith(ending, at)) return `${lastName(message.slice(0, at))}${ending}`;
  }
  return undefined;
}

/** Node's assert shows the two values below its first line; its checks of arguments say at the end what they got. */
export function withoutValues(message: string): string {
  if (message.startsWith("Expected values to be ")) {
    const end = message.indexOf("\n");
    return end < 0 ? message : message.slice(0, end);
  }
  if (!message.startsWith("The ") || message.length > MAX_CHARS) return message;
  const received = message.indexOf(". Received ");
  return received > 0 && message.lastIndexOf(" must be ", received) > 0 ? message.slice(0, received + 1) : message;
}

/** What is missing is null in one answer and undefined in the next. */
export function withoutNull(message: string): string {
  if (!message.startsWith("Cannot ") || message.length > MAX_CHARS) return message;
  const isNull =
    message.startsWith("Cannot read properties of null ") || message.startsWith("Cannot set properties of null ");
  if (isNull) return message.replace("null", "undefined");
  return message.endsWith(" as it is null.") ? `${message.slice(0, -5)}undefined.` : message;
}

/** What was called or walked: the property where there is one, as only it survives minifying. */
function lastName(expression: string): string {
  let from = expression.length;
  while (from > 0 && isNamePart(expression.charCodeAt(from - 1))) from--;
  const name = expression.slice(from);
  if (from > 0 && expression.charCodeAt(from - 1) === DOT && name !== "") return `*.${name}`;
  return from > 0 || name.length <= MAX_MINIFIED_CHARS ? "*" : name;
}

function isNamePart(code: number): boolean {
  return isLower(code | 32) || isDigit(code) || code === UNDERSCORE || code === DOLLAR || code > 127;
}

/** What V8's JSON.parse says depends on the text that it was given, in a dozen ways (kJsonParse…): the mistake is that it is no JSON. */
function isJsonParseError(message: string): boolean {
  const at = message.indexOf("JSON");
  if (at < 0) return false;
  if (message.endsWith(" is not valid JSON")) return true;
  return message.startsWith("in JSON at position ", at - 3) || message.startsWith("after JSON at position ", at - 6)
    ? true
    : message === "Unexpected end of JSON input";
}
