/**
 * What could be typed at the cursor: for the completion of the dashboard's query
 * bar. Pure and forgiving: the text is being written and seldom parses. It looks
 * back from the cursor to the last pipe, and from there at the word in hand.
 */
import { FUNCTIONS, PIPES } from "./parse.ts";

export interface Completion {
  kind: "field" | "value" | "pipe" | "function" | "none";
  /** What is typed of it already. */
  prefix: string;
  /** Of which field a value is wanted. */
  field?: string;
  /** The part of the text that a completion replaces. */
  from: number;
  to: number;
}

const PIPE_NAMES: readonly string[] = PIPES;
/** A key and what has been typed of its value, behind any minus or parenthesis. */
const KEY_VALUE = /^[-(]*([^\s()|":,<>=!]+):(?:[<>!=]*)(.*)$/s;

export function completeAt(text: string, cursor: number): Completion {
  const at = Math.max(0, Math.min(cursor, text.length));
  const { start, inQuote } = segmentStart(text, at);
  const part = text.slice(start, at);
  if (start === 0) return inFilter(part, 0, at, inQuote);
  const named = /^\s*(\S+)\s/.exec(part);
  if (named === null) {
    const prefix = part.trimStart();
    return { kind: "pipe", prefix: prefix.toLowerCase(), from: at - prefix.length, to: at };
  }
  const name = (named[1] as string).toLowerCase();
  const body = start + named[0].length;
  if (name === "where") return inFilter(text.slice(body, at), body, at, inQuote);
  if (name === "stats") return inStats(text.slice(body, at), at, inQuote);
  if (inQuote || name === "limit" || !PIPE_NAMES.includes(name)) return none(at);
  return word("field", text.slice(body, at), at);
}

/** After the last pipe outside quotes. */
function segmentStart(text: string, at: number): { start: number; inQuote: boolean } {
  let start = 0;
  let inQuote = false;
  for (let i = 0; i < at; i++) {
    const c = text[i];
    if (inQuote && c === "\\") i++;
    else if (c === '"') inQuote = !inQuote;
    else if (c === "|" && !inQuote) start = i + 1;
  }
  return { start, inQuote };
}

const none = (at: number): Completion => ({ kind: "none", prefix: "", from: at, to: at });

function word(kind: "field" | "function", text: string, at: number): Completion {
  const prefix = /[^\s,()]*$/.exec(text)?.[0] ?? "";
  return { kind, prefix, from: at - prefix.length, to: at };
}

function inFilter(part: string, start: number, at: number, inQuote: boolean): Completion {
  const wordStart = inQuote ? keyBeforeQuote(part) : part.length - (/\S*$/.exec(part)?.[0].length ?? 0);
  const typed = part.slice(wordStart);
  const pair = KEY_VALUE.exec(typed);
  if (pair !== null) {
    const value = pair[2] as string;
    const prefix = value.replace(/^"/, "").replace(/\\(.)/g, "$1");
    return { kind: "value", field: pair[1] as string, prefix, from: at - value.length, to: at };
  }
  if (inQuote) return none(at);
  const prefix = typed.replace(/^[-(]+/, "");
  return { kind: "field", prefix, from: start + wordStart + typed.length - prefix.length, to: at };
}

/** `route:"/a b` : where the word with the open quote begins. */
function keyBeforeQuote(part: string): number {
  let quote = 0;
  for (let i = 0, open = false; i < part.length; i++) {
    if (open && part[i] === "\\") i++;
    else if (part[i] === '"') {
      open = !open;
      if (open) quote = i;
    }
  }
  return quote - (/\S*$/.exec(part.slice(0, quote))?.[0].length ?? 0);
}

function inStats(part: string, at: number, inQuote: boolean): Completion {
  const counted = /count\(([^)]*)$/i.exec(part);
  if (counted !== null) return inFilter(counted[1] as string, at - (counted[1] as string).length, at, inQuote);
  if (inQuote) return none(at);
  const inside = /\([^)]*$/.test(part);
  const after = /\bby\s/i.test(part);
  if (!inside && /\bas\s+\S*$/i.test(part)) return none(at);
  return word(inside || after ? "field" : "function", part, at);
}

/** Names of functions and pipes that begin so. */
export function keywords(kind: "pipe" | "function", prefix: string): string[] {
  const all: readonly string[] = kind === "pipe" ? PIPES : FUNCTIONS;
  return all.filter((name) => name.startsWith(prefix.toLowerCase()));
}
