/**
 * Redaction: settings → a redactor. `normalize.ts` and what it calls pass every
 * name and every text through it before anything is stored, shown or counted.
 * One regexp tells the many texts in which nothing can be hidden from the few
 * that are worth a closer look.
 */
import type { PlatformSettings } from "../api/contract.ts";
import { compileKeys } from "./redact-keys.ts";
import { REDACTED, redactPairs } from "./redact-pairs.ts";
import {
  CARD_HINT,
  isCard,
  redactCards,
  redactEmails,
  redactTokens,
  redactUserInfo,
  TOKEN_PREFIX,
} from "./redact-values.ts";

export { REDACTED };

export interface Redactor {
  /** Is what this name holds secret? */
  sensitive(key: string): boolean;
  /** Is what this query parameter holds secret? */
  sensitiveInQuery(key: string): boolean;
  /** The text without its secrets; the same string if there are none. */
  text(text: string): string;
  /** Card numbers are also sent as numbers. */
  number(value: number): number | string;
}

/** The shortest `a=b` worth hiding. */
const MIN_CHARS = 4;
/** 13 digits: the shortest card number. */
const SMALLEST_CARD = 1e12;

export function compileRedactor(settings: PlatformSettings["redaction"]): Redactor {
  const keys = compileKeys(settings.keys, settings.except);
  const hints = [/[=:]/, TOKEN_PREFIX];
  if (settings.cardNumbers) hints.push(CARD_HINT);
  if (settings.emails) hints.push(/@/);
  const suspicious = new RegExp(hints.map((h) => h.source).join("|"));
  return {
    ...keys,
    text(text) {
      if (text.length < MIN_CHARS || !suspicious.test(text)) return text;
      let clean = redactTokens(redactPairs(text, keys));
      if (clean.includes("@") && clean.includes("://")) clean = redactUserInfo(clean);
      if (settings.cardNumbers && CARD_HINT.test(clean)) clean = redactCards(clean);
      if (settings.emails && clean.includes("@")) clean = redactEmails(clean);
      return clean;
    },
    number(value) {
      if (!settings.cardNumbers || value < SMALLEST_CARD || !Number.isSafeInteger(value)) return value;
      return isCard(String(value)) ? REDACTED : value;
    },
  };
}
