/**
 * One line of a stack → a frame, or null where the line is none. `parse.ts` hands
 * in lines. No regular expressions over what the text controls: every step is one
 * walk over the line, from the front for the name and from the back for the place.
 *
 * The forms are those of V8's stack-trace API (https://v8.dev/docs/stack-trace-api)
 * as its `messages.cc` and `call-site-info.cc` write them.
 */
import type { Frame } from "../trace.ts";
import { MAX_LINE_CHARS, MAX_NAME_CHARS } from "./limits.ts";

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const COLON = 58;

/** `at …`, without what is printed around it. */
export function readFrame(line: string): Frame | null {
  let body = line.length > MAX_LINE_CHARS ? ends(line) : line;
  body = trimTail(body);
  if (!body.startsWith("at ")) return null;
  body = body.slice(3).trim();
  const frame = emptyFrame();
  if (body.startsWith("async ")) {
    frame.isAsync = true;
    body = body.slice(6);
  }
  if (body.endsWith(")")) {
    const open = body.startsWith("(") ? 0 : body.indexOf(" (");
    if (open < 0) return null;
    if (!readPlace(body.slice(body.indexOf("(", open) + 1, -1), frame, true)) return null;
    readFunction(body.slice(0, open), frame);
    return frame;
  }
  return readPlace(body, frame, false) ? frame : null;
}

/** `add@file:1:2`, as Firefox and Safari print it. */
export function readForeignFrame(line: string): Frame | null {
  if (line.length > MAX_LINE_CHARS) return null;
  const at = line.lastIndexOf("@");
  if (at < 0) return null;
  const frame = emptyFrame();
  if (!readPlace(line.slice(at + 1).trim(), frame, false) || frame.line === null) return null;
  let name = line.slice(0, at).trim();
  if (name.startsWith("async*")) {
    frame.isAsync = true;
    name = name.slice(6);
  }
  // `add/<` is a function inside of `add`.
  const slash = name.indexOf("/");
  readFunction(slash < 0 ? name : name.slice(0, slash), frame);
  return frame;
}

function emptyFrame(): Frame {
  return {
    function: null,
    alias: null,
    file: null,
    line: null,
    column: null,
    isAsync: false,
    isConstructor: false,
    isEval: false,
    isNative: false,
    isWasm: false,
  };
}

const ends = (line: string): string => `${line.slice(0, MAX_NAME_CHARS)}${line.slice(-MAX_NAME_CHARS)}`;

/** Node's inspect puts ` {`, `,` or `]` behind the last frame. */
function trimTail(line: string): string {
  let body = line.trim();
  if (body.endsWith(" {")) body = body.slice(0, -2).trimEnd();
  if (body.endsWith(",")) body = body.slice(0, -1);
  return body;
}

function readFunction(text: string, frame: Frame): void {
  let name = text.trim();
  if (name.startsWith("new ")) {
    frame.isConstructor = true;
    name = name.slice(4);
  }
  const as = name.endsWith("]") ? name.lastIndexOf(" [as ") : -1;
  if (as >= 0) {
    frame.alias = clip(name.slice(as + 5, -1));
    name = name.slice(0, as);
  }
  if (name !== "" && name !== "<anonymous>") frame.function = clip(name);
}

const clip = (text: string): string => (text.length > MAX_NAME_CHARS ? `${text.slice(0, MAX_NAME_CHARS - 1)}…` : text);

/** Fills the place in; false when the text is none. In parentheses more is believed than bare. */
function readPlace(text: string, frame: Frame, inParentheses: boolean): boolean {
  if (text === "<anonymous>") return true;
  if (text === "native" || text === "[native code]") {
    frame.isNative = true;
    return true;
  }
  // Of `Promise.all`: which one of its promises failed.
  if (inParentheses && text.startsWith("index ") && isNumber(text, 6, text.length)) return true;
  if (text.startsWith("eval at ")) return readEval(text, frame);
  if (text.startsWith("wasm://")) return readWasm(text, frame);
  return readFile(text, frame, inParentheses);
}

/** `eval at f (eval at g (file:1:2), <anonymous>:3:4), <anonymous>:5:6`: the innermost parentheses hold the real file. */
function readEval(text: string, frame: Frame): boolean {
  frame.isEval = true;
  const inner = text.slice(text.lastIndexOf("eval at ") + 8);
  const open = inner.indexOf(" (");
  if (open < 0) return true;
  const comma = inner.indexOf("), ", open);
  const close = comma >= 0 ? comma : inner.lastIndexOf(")");
  readFile(inner.slice(open + 2, close < 0 ? inner.length : close), frame, true);
  return true;
}

/** `wasm://wasm/7a3c1f2e:wasm-function[12]:0x1a`: a place in a module is its byte. */
function readWasm(text: string, frame: Frame): boolean {
  frame.isWasm = true;
  const at = text.indexOf(":wasm-function[");
  if (at < 0) {
    frame.file = clip(text);
    return true;
  }
  frame.file = clip(text.slice(0, at));
  const close = text.indexOf("]", at);
  if (close > 0) frame.function = clip(text.slice(at + 1, close + 1));
  const offset = Number(text.slice(text.lastIndexOf(":") + 1));
  if (Number.isSafeInteger(offset) && offset >= 0) frame.column = offset;
  return true;
}

/** `file:line:column`, read from the back: names of files hold colons, spaces and parentheses. */
function readFile(text: string, frame: Frame, inParentheses: boolean): boolean {
  const last = numberBefore(text, text.length);
  if (last < 0) {
    if (!inParentheses || !isFileLike(text)) return false;
    frame.file = clip(text);
    return true;
  }
  const end = numberBefore(text, last);
  const file = text.slice(0, end < 0 ? last : end);
  // `at 10:30:15` in a message is no file, nor is `at localhost:8787`.
  if (!hasLetter(file) || (end < 0 && !inParentheses)) return false;
  frame.line = position(text, (end < 0 ? last : end) + 1);
  if (end >= 0) frame.column = position(text, last + 1);
  if (file !== "<anonymous>") frame.file = clip(file);
  return true;
}

/** Index of the colon in front of the number that ends at `end`, or -1. */
function numberBefore(text: string, end: number): number {
  let at = end;
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at--;
  return at < end && at > 0 && text.charCodeAt(at - 1) === COLON ? at - 1 : -1;
}

/** Lines and columns beyond 32 bits are made up. */
function position(text: string, from: number): number | null {
  let value = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) break;
    value = value * 10 + code - DIGIT_0;
    if (value > 0xffffffff) return null;
  }
  return value;
}

const isDigit = (code: number): boolean => code >= DIGIT_0 && code <= DIGIT_9;

function isNumber(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return to > from;
}

function hasLetter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code | 32) >= 97 && (code | 32) <= 122) return true;
    if (code > 127) return true;
  }
  return false;
}

const isFileLike = (text: string): boolean =>
  !text.includes(" ") && (text.includes("/") || text.includes("\\") || text.includes(".") || text.includes(":"));
