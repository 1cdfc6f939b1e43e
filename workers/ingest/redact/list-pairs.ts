/**
 * Finds lists of a name and its value in text, as headers are listed:
 * `["cookie","a=1"]`, also escaped, as in JSON inside JSON, and puts a mark in
 * place of the value where the name is sensitive. `redact.ts` hands in text that
 * has a `[`. It goes on after every value it has looked at, so that time grows
 * with the length of the text and nothing else.
 */
import type { KeyMatcher } from "./keys.ts";
import { escapesAt, isKey, isQuote, MAX_KEY_CHARS, type Range, REDACTED, valueAfter } from "./pairs.ts";

/** Between bracket, name and value: JSON is printed on several lines, too. */
const MAX_SPACE = 64;

const OPEN = 91;
const CLOSE = 93;
const CURLY = 123;
const COMMA = 44;

export function redactListPairs(text: string, keys: KeyMatcher): string {
  let out = "";
  let copied = 0;
  for (let at = text.indexOf("["); at >= 0; at = text.indexOf("[", at)) {
    at += 1;
    const value = secondOf(text, at, keys);
    if (value === null) continue;
    at = value.end;
    // Three and more are a list of names; what is cut off may have been a pair.
    if (value.end === value.start || !isLast(text, value.end)) continue;
    out += text.slice(copied, value.start) + REDACTED;
    copied = value.end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** What stands after a sensitive name, if it is a text, a list or an object. */
function secondOf(text: string, from: number, keys: KeyMatcher): Range | null {
  const at = afterSpace(text, from);
  const quote = at + escapesAt(text, at);
  if (!isQuote(text.charCodeAt(quote))) return null;
  const start = quote + 1;
  let end = start;
  while (end < start + MAX_KEY_CHARS && isKey(text.charCodeAt(end))) end++;
  const mark = text.slice(at, start);
  if (end === start || !text.startsWith(mark, end)) return null;
  const comma = afterSpace(text, end + mark.length);
  if (text.charCodeAt(comma) !== COMMA || !keys.sensitiveAsText(text.slice(start, end))) return null;
  const value = afterSpace(text, comma + 1);
  const code = text.charCodeAt(value + escapesAt(text, value));
  return isQuote(code) || code === OPEN || code === CURLY ? valueAfter(text, value, false) : null;
}

function isLast(text: string, end: number): boolean {
  let at = end + escapesAt(text, end);
  if (isQuote(text.charCodeAt(at))) at++;
  at = afterSpace(text, at);
  return at >= text.length || text.charCodeAt(at) === CLOSE;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < from + MAX_SPACE && isSpace(text.charCodeAt(at))) at++;
  return at;
}

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9;
