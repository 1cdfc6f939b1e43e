/**
 * Where stretches of a text that are one variable part end: quoted strings,
 * JSON and objects in braces, URLs, paths. `template.ts` asks. Each character is
 * looked at a bounded number of times: a search that fails once is not begun
 * again for the same text (`Failed`), so hostile text costs no more than other.
 */
import {
  APOSTROPHE,
  BACKSLASH,
  BACKTICK,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  classOf,
  DOT,
  isAlphanumeric,
  isDigit,
  isHex,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from "./characters.ts";

/** Which searches came to the end of the text without finding theirs. */
export class Failed {
  braces = false;
  private quotes: Set<number> | undefined;

  hasQuote(open: number): boolean {
    return this.quotes?.has(open) ?? false;
  }

  addQuote(open: number): void {
    this.quotes ??= new Set();
    this.quotes.add(open);
  }
}

/** Opening → closing quotes. */
const QUOTES = new Map<number, number>([
  [QUOTE, QUOTE],
  [APOSTROPHE, APOSTROPHE],
  [BACKTICK, BACKTICK],
  [0x201c, 0x201d],
  [0x201e, 0x201c],
  [0x2018, 0x2019],
  [0xab, 0xbb],
]);

/** Index behind the closing quote, or -1 where no quoted string begins at `at`. */
export function endOfQuoted(text: string, at: number, end: number, failed: Failed): number {
  const open = text.charCodeAt(at);
  const close = QUOTES.get(open);
  if (close === undefined || failed.hasQuote(open)) return -1;
  // `can't`, `users'`
  if (open === APOSTROPHE && at > 0 && isAlphanumeric(text.charCodeAt(at - 1))) return -1;
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === close && !(close === APOSTROPHE && isAlphanumeric(text.charCodeAt(i + 1)))) return i + 1;
  }
  failed.addQuote(open);
  return -1;
}

/** Index behind `{…}` if it is JSON or what inspect prints, also when it was cut off; -1 where it is neither. */
export function endOfData(text: string, at: number, end: number, failed: Failed): number {
  if (failed.braces || !opensData(text, at, end)) return -1;
  const isJson = text.charCodeAt(skipSpace(text, at + 1, end)) === QUOTE;
  let depth = 0;
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === OPEN_BRACE) depth++;
    else if (code === CLOSE_BRACE && --depth === 0) return i + 1;
    else if (code === QUOTE) {
      const close = endOfString(text, i, end);
      if (close < 0) break;
      i = close;
    }
  }
  if (isJson) return end;
  failed.braces = true;
  return -1;
}

function endOfString(text: string, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return -1;
}

/** `{"`, `{ name:`, `{}` */
function opensData(text: string, at: number, end: number): boolean {
  let i = skipSpace(text, at + 1, end);
  const code = text.charCodeAt(i);
  if (code === QUOTE || code === APOSTROPHE || code === CLOSE_BRACE || code === OPEN_BRACE) return true;
  const start = i;
  while (i < end && i - start < 64 && isAlphanumeric(text.charCodeAt(i))) i++;
  return i > start && text.charCodeAt(i) === COLON;
}

function skipSpace(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && classOf(text.charCodeAt(at)) === SPACE) at++;
  return at;
}

/** Not part of a URL or a path, unless inside. */
const CLOSERS = new Set(Array.from("\"'`<>()[]{},;|", (character) => character.charCodeAt(0)));

/** Index behind a URL or path that goes on until a space or what encloses it; without a sentence's last sign. */
export function endOfPath(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    const key = code === OPEN_BRACKET && at > from ? endOfKey(text, at, end) : -1;
    if (key < 0 && (classOf(code) === SPACE || CLOSERS.has(code))) break;
    at = key < 0 ? at + 1 : key;
  }
  while (at > from && ".:!?".includes(text[at - 1] as string)) at--;
  return at;
}

/** Longer names in brackets are no part of a URL. */
const MAX_KEY_CHARS = 64;

/** Index behind `[]`, `[key]` or `[::1]` in a URL, or -1. */
function endOfKey(text: string, open: number, end: number): number {
  for (let at = open + 1; at < end && at - open <= MAX_KEY_CHARS; at++) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_BRACKET) return at + 1;
    if (classOf(code) === SPACE || CLOSERS.has(code)) return -1;
  }
  return -1;
}

/** Index behind `[2001:db8::1]:80`, or -1; a time in brackets is none. */
export function endOfBracketed(text: string, at: number, end: number): number {
  const close = endOfAddress(text, at + 1, end);
  if (close < 0 || close >= end || text.charCodeAt(close) !== CLOSE_BRACKET) return -1;
  let i = close + 1;
  if (text.charCodeAt(i) === COLON && isDigit(text.charCodeAt(i + 1))) {
    i++;
    while (i < end && isDigit(text.charCodeAt(i))) i++;
    return i;
  }
  return text.slice(at, close).includes("::") ? i : -1;
}

/** Index behind an IPv6 address that begins at `at`, or -1. */
export function endOfAddress(text: string, at: number, end: number): number {
  let colons = 0;
  let digits = 0;
  let i = at;
  for (; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) {
      colons++;
      digits = 0;
    } else if (isHex(code)) {
      if (++digits > 4) return -1;
    } else break;
  }
  // `::ffff:10.0.0.1`
  if (text.charCodeAt(i) === DOT && isDigit(text.charCodeAt(i - 1))) {
    while (i < end && (isDigit(text.charCodeAt(i)) || text.charCodeAt(i) === DOT)) i++;
    if (text.charCodeAt(i - 1) === DOT) i--;
  }
  if (text.charCodeAt(i - 1) === COLON && text.charCodeAt(i - 2) !== COLON) i--;
  if (colons < 2 || i - at < 3 || isAlphanumeric(text.charCodeAt(i))) return -1;
  return i;
}
