/**
 * Finds `name=value`, `name: value`, `"name":"value"` (also escaped, as in JSON
 * inside JSON) and `?name=value` in text, and puts a mark in place of the
 * value where the name is sensitive. It walks from one `=` or `:` to the next
 * and never looks at a character more than a bounded number of times, so text
 * made to be slow is as fast as any other.
 */
import type { KeyMatcher } from "./keys.ts";

/** The mark Cloudflare itself uses in headers and URLs. */
export const REDACTED = "REDACTED";

/** A longer run before a separator is not a name. */
export const MAX_KEY_CHARS = 64;
/** Between a name and its separator, or a separator and its value. */
const MAX_GAP = 4;
/** Backslashes before a quote: 1, 3, 7, 15 where JSON is text in JSON, up to four times. */
const MAX_ESCAPES = 15;

const KEY = 1;
const QUOTE = 2;
/** Ends a bare value. */
const STOP = 4;
const classes = new Uint8Array(128);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$%[]") mark(c, KEY);
for (const c of "\"'`") mark(c, QUOTE | STOP);
for (const c of " \t\r\n,;&)}]<>|#\\") mark(c, STOP);
function mark(c: string, as: number): void {
  classes[c.charCodeAt(0)] = (classes[c.charCodeAt(0)] as number) | as;
}
const is = (code: number, as: number) => code < 128 && ((classes[code] as number) & as) !== 0;
export const isKey = (code: number) => is(code, KEY);
export const isQuote = (code: number) => is(code, QUOTE);

const SPACE = 32;
const TAB = 9;
const BACKSLASH = 92;
const AMPERSAND = 38;
const QUESTION = 63;
/** `=>`, `==`, `:=` */
const isGap = (code: number) => code === SPACE || code === TAB || code === 61 || code === 58 || code === 62;

/** Nothing to hide: the text says that there is no value. */
const HARMLESS = new Set(["null", "undefined", "true", "false", REDACTED]);
const COUNT = /^\d{1,12}(?:\.\d{1,12})?$/;
const SCHEME = /^(?:bearer|basic|digest|token|apikey|negotiate|aws4-hmac-sha256)$/i;
/** Values of these names go on after a space or a semicolon, to the end of the line. */
const WHOLE_LINE = /(?:cookie|authorization)$/i;

export function redactPairs(text: string, keys: KeyMatcher): string {
  let out = "";
  let copied = 0;
  let equals = text.indexOf("=");
  let colon = text.indexOf(":");
  while (equals >= 0 || colon >= 0) {
    const separator = equals >= 0 && (colon < 0 || equals < colon) ? equals : colon;
    let next = separator + 1;
    const key = keyBefore(text, separator, copied);
    if (key !== null && isSensitive(text, key, keys)) {
      const value = valueAfter(text, next, WHOLE_LINE.test(key.name));
      if (value.end > value.start && !isHarmless(text.slice(value.start, value.end), key, keys)) {
        out += text.slice(copied, value.start) + REDACTED;
        copied = value.end;
      }
      next = Math.max(next, value.end);
    }
    if (equals >= 0 && equals < next) equals = text.indexOf("=", next);
    if (colon >= 0 && colon < next) colon = text.indexOf(":", next);
  }
  return copied === 0 ? text : out + text.slice(copied);
}

interface Key {
  name: string;
  start: number;
}

function keyBefore(text: string, separator: number, from: number): Key | null {
  let end = separator;
  const floor = Math.max(from, separator - MAX_GAP);
  while (end > floor && isGap(text.charCodeAt(end - 1))) end--;
  if (end > from && is(text.charCodeAt(end - 1), QUOTE)) {
    end--;
    const escaped = Math.max(from, end - MAX_ESCAPES);
    while (end > escaped && text.charCodeAt(end - 1) === BACKSLASH) end--;
  }
  const first = Math.max(from, end - MAX_KEY_CHARS);
  let start = end;
  while (start > first && is(text.charCodeAt(start - 1), KEY)) start--;
  // Times, ports and positions: no secret has a name that begins with a digit.
  const code = text.charCodeAt(start);
  if (start === end || (code >= 48 && code <= 57)) return null;
  return { name: text.slice(start, end), start };
}

function isSensitive(text: string, key: Key, keys: KeyMatcher): boolean {
  const before = key.start > 0 ? text.charCodeAt(key.start - 1) : 0;
  return before === AMPERSAND || before === QUESTION ? keys.sensitiveInQuery(key.name) : keys.sensitiveAsText(key.name);
}

/** A number is, under a name that holds secrets or counts. */
function isHarmless(value: string, key: Key, keys: KeyMatcher): boolean {
  return HARMLESS.has(value) || (COUNT.test(value) && !keys.sensitive(key.name));
}

export interface Range {
  start: number;
  end: number;
}

export function valueAfter(text: string, from: number, wholeLine: boolean): Range {
  let at = from;
  while (at < from + MAX_GAP && isGap(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  const escapes = escapesAt(text, at);
  if (escapes > 0 && is(text.charCodeAt(at + escapes), QUOTE)) return escaped(text, at + escapes, escapes);
  if (is(code, QUOTE)) return quoted(text, at);
  if (code === 123 || code === 91) return { start: at, end: closing(text, at) };
  if (wholeLine) return { start: at, end: lineEnd(text, at) };
  const end = bareEnd(text, at);
  if (text.charCodeAt(end) === SPACE && SCHEME.test(text.slice(at, end)))
    return { start: at, end: bareEnd(text, end + 1) };
  return { start: at, end };
}

export function escapesAt(text: string, from: number): number {
  let at = from;
  while (at < from + MAX_ESCAPES && text.charCodeAt(at) === BACKSLASH) at++;
  return at - from;
}

/** From a quote with so many backslashes to the next with as many: those within the value have more. */
function escaped(text: string, at: number, escapes: number): Range {
  const quote = text.charAt(at);
  for (let end = text.indexOf(quote, at + 1); end >= 0; end = text.indexOf(quote, end + 1)) {
    let first = end;
    while (first > at + 1 && text.charCodeAt(first - 1) === BACKSLASH) first--;
    // Backslashes of the value itself come in whole turns.
    if ((end - first) % (2 * (escapes + 1)) === escapes) return { start: at + 1, end: end - escapes };
  }
  return { start: at + 1, end: text.length };
}

function quoted(text: string, at: number): Range {
  const quote = text.charCodeAt(at);
  let end = at + 1;
  while (end < text.length && text.charCodeAt(end) !== quote) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return { start: at + 1, end: Math.min(end, text.length) };
}

function bareEnd(text: string, at: number): number {
  while (at < text.length && !is(text.charCodeAt(at), STOP)) at++;
  return at;
}

function lineEnd(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13 || is(code, QUOTE)) break;
    at++;
  }
  return at;
}

/** The end of an object or list, brackets inside quotes not counted; the end of the text if it is not closed. */
function closing(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (is(code, QUOTE)) at = quoted(text, at).end;
    else if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return at + 1;
    at++;
  }
  return text.length;
}
