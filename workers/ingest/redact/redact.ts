/**
 * Redaction: settings → a redactor. `normalize.ts` and what it calls pass every
 * name and every text through it before anything is stored, shown or counted.
 * One regexp tells the many texts in which nothing can be hidden from the few
 * that are worth a closer look.
 */
import type { PlatformSettings } from "../../api/contract.ts";
import { compileKeys } from "./keys.ts";
import { redactListPairs } from "./list-pairs.ts";
import { REDACTED, redactPairs } from "./pairs.ts";
import {
  CARD_HINT,
  ENCODED,
  isCard,
  redactCards,
  redactEmails,
  redactEncoded,
  redactTokens,
  redactUserInfo,
  TOKEN_PREFIX,
} from "./values.ts";

export { REDACTED };

export interface Redactor {
  /** Is what this name holds secret? */
  sensitive(key: string): boolean;
  /** Is what this query parameter holds secret? */
  sensitiveInQuery(key: string): boolean;
  /** Is it secret unless it is a number? */
  sensitiveAsText(key: string): boolean;
  /** The text without its secrets; the same string if there are none. */
  text(text: string): string;
  /** The same for names, routes, versions and the like: few different ones, each looked through once. */
  label(text: string): string;
  /** Card numbers are also sent as numbers. */
  number(value: number): number | string;
}

/** The shortest `a=b` worth hiding. */
const MIN_CHARS = 4;
/** 13 digits: the shortest card number. */
const SMALLEST_CARD = 1e12;
/** Encoded within encoded: a link in a link in a link. */
const MAX_DECODINGS = 3;
/** Labels remembered: some hundred routes and versions of some Workers. */
const MAX_LABELS = 4_000;

/** A text in quotes, and something after it. */
const LISTED = /["'],/;

/** Is this field of an object to be hidden? */
export function hides(redactor: Redactor, key: string, value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return isText(value) ? redactor.sensitiveAsText(key) : redactor.sensitive(key);
}

/** A name: ids and dates, of which lists of two are made as well, are not worth a look. */
const NAME = /^[A-Za-z_][\w.-]{0,63}$/;

/** Is the second of these to be hidden? Headers are listed so: `["cookie", "a=1"]`. */
export function hidesSecond(redactor: Redactor, list: Iterable<unknown>): boolean {
  const size = Array.isArray(list) ? list.length : list instanceof Set ? list.size : 0;
  if (size !== 2) return false;
  const [name, value] = list;
  return typeof name === "string" && NAME.test(name) && hides(redactor, name, value);
}

const isText = (value: unknown) => typeof value === "string" || Array.isArray(value);

export function compileRedactor(settings: PlatformSettings["redaction"]): Redactor {
  const keys = compileKeys(settings.keys, settings.except);
  const hints = [/[=:]/, LISTED, TOKEN_PREFIX, ENCODED];
  if (settings.cardNumbers) hints.push(CARD_HINT);
  if (settings.emails) hints.push(/@/);
  const suspicious = new RegExp(hints.map((h) => h.source).join("|"));
  const redact = (text: string, decodings: number): string => {
    if (text.length < MIN_CHARS || !suspicious.test(text)) return text;
    let clean = text.includes("[") ? redactListPairs(text, keys) : text;
    clean = redactTokens(redactPairs(clean, keys));
    if (clean.includes("@") && clean.includes("://")) clean = redactUserInfo(clean);
    if (settings.cardNumbers && CARD_HINT.test(clean)) clean = redactCards(clean);
    if (settings.emails && clean.includes("@")) clean = redactEmails(clean);
    if (decodings > 0 && clean.includes("%")) clean = redactEncoded(clean, (part) => redact(part, decodings - 1));
    return clean;
  };
  const labels = new Map<string, string>();
  return {
    ...keys,
    text: (text) => redact(text, MAX_DECODINGS),
    label(text) {
      let clean = labels.get(text);
      if (clean === undefined) {
        if (labels.size >= MAX_LABELS) labels.clear();
        clean = redact(text, MAX_DECODINGS);
        labels.set(text, clean);
      }
      return clean;
    },
    number(value) {
      if (!settings.cardNumbers || value < SMALLEST_CARD || !Number.isSafeInteger(value)) return value;
      return isCard(String(value)) ? REDACTED : value;
    },
  };
}
