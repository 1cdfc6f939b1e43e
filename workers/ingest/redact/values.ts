/**
 * Secrets that give themselves away by their look, whatever the name before
 * them: tokens with a well-known prefix, JWTs, private keys, user:password in a
 * URL, card numbers (Luhn), e-mail addresses if asked for. The regexps only
 * find where to look; how far a secret goes is scanned once, so time grows
 * with the length of the text and nothing else.
 */
import { REDACTED } from "./pairs.ts";

export const TOKEN_PREFIX =
  /eyJ|A(?:KIA|SIA|Iza)|g(?:h[pousr]_|ithub_pat_|lpat-)|xox[abeprs]-|[srp]k_(?:live|test)_|whsec_|npm_|sk-|-----BEGIN |[Bb](?:earer|asic) |BEARER /;
const TOKEN_PREFIXES = new RegExp(TOKEN_PREFIX.source, "g");

/** Four digits and four more: where a card number may begin. */
export const CARD_HINT = /\d{4}[ +-]?\d{4}/;
/** `+` is a space in form encoding. */
const CARD = /(?<![\w.-])[2-6](?:[ +-]?\d){12,18}(?![\w-])/g;
/** By first digits and length, as the networks give them out; µs and ms timestamps begin with 1. */
const CARD_NETWORK = /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|6\d{15,18})$/;

/** Local parts and domains are bounded by the standard (64 and 255). */
const EMAIL = /(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;

/** What follows a prefix must be this long to be a secret and not a word. */
const MIN_TOKEN_CHARS = 8;

const tokenClass = new Uint8Array(128);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~+/=")
  tokenClass[c.charCodeAt(0)] = 1;
const isToken = (code: number) => code < 128 && tokenClass[code] === 1;
const isWord = (code: number) => isToken(code) && code !== 46 && code !== 47 && code !== 61 && code !== 43;

export function redactTokens(text: string): string {
  let out = "";
  let copied = 0;
  TOKEN_PREFIXES.lastIndex = 0;
  for (let found = TOKEN_PREFIXES.exec(text); found !== null; found = TOKEN_PREFIXES.exec(text)) {
    const secret = secretAt(text, found.index, found[0]);
    if (secret === null) continue;
    out += text.slice(copied, secret.start) + REDACTED;
    copied = secret.end;
    TOKEN_PREFIXES.lastIndex = secret.end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function secretAt(text: string, at: number, prefix: string): { start: number; end: number } | null {
  if (prefix.startsWith("-----")) return privateKeyAt(text, at);
  const scheme = prefix.endsWith(" ");
  // `skip` holds `sk-` and `disk-full` too: a token begins a word.
  if (at > 0 && isWord(text.charCodeAt(at - 1))) return null;
  const start = scheme ? at + prefix.length : at;
  let end = start;
  let dots = 0;
  while (end < text.length && isToken(text.charCodeAt(end))) if (text.charCodeAt(end++) === 46) dots++;
  TOKEN_PREFIXES.lastIndex = end;
  const long = end - start >= MIN_TOKEN_CHARS + (scheme ? 0 : prefix.length);
  if (!long || (prefix === "eyJ" && dots < 1) || text.startsWith(REDACTED, start)) return null;
  if ((scheme || prefix === "sk-") && !/\d/.test(text.slice(start, end))) return null;
  return { start, end };
}

function privateKeyAt(text: string, at: number): { start: number; end: number } | null {
  const label = text.slice(at, at + 48);
  if (!label.includes("PRIVATE KEY-----")) return null;
  const end = text.indexOf("-----END ", at);
  const close = end < 0 ? -1 : text.indexOf("-----", end + 9);
  return { start: at, end: close < 0 ? text.length : close + 5 };
}

/** `https://user:password@host` → `https://REDACTED@host` */
export function redactUserInfo(text: string): string {
  let out = "";
  let copied = 0;
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
    const end = userInfoEnd(text, at + 3);
    if (end < 0) continue;
    out += text.slice(copied, at + 3) + REDACTED;
    copied = end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Where the last "@" stands, if a password comes before it. */
function userInfoEnd(text: string, start: number): number {
  let colon = false;
  let end = -1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 64) {
      if (!colon) return -1;
      end = at;
    } else if (code === 58) colon = true;
    // Spaces, quotes, "#", "/" and "?" end the authority.
    else if (code <= 35 || code === 47 || code === 63 || code === 39) return end;
  }
  return end;
}

export function redactCards(text: string): string {
  return text.replace(CARD, (found) => {
    // A date or a code may follow: `4111 1111 1111 1111 12`.
    for (let end = found.length; end > 12; end = lastGap(found, end)) {
      if (isCard(found.slice(0, end).replace(/[ +-]/g, ""))) return REDACTED + found.slice(end);
    }
    return found;
  });
}

const lastGap = (text: string, before: number) =>
  Math.max(...[" ", "-", "+"].map((gap) => text.lastIndexOf(gap, before - 1)));

export function redactEmails(text: string): string {
  return text.replace(EMAIL, REDACTED);
}

/** A byte of ASCII as URLs write it. */
export const ENCODED = /%[0-7][0-9A-Fa-f]/;
/** What stands between the separators of URLs and of text. Each character is looked at once. */
const ENCODED_PART = /[^\s"'<>&?=#;,(){}[\]|\\]+/g;

/** `?next=https%3A%2F%2Fhost%2F%3Ftoken%3Dabc`: what is encoded is looked through decoded, and encoded again if it was touched. */
export function redactEncoded(text: string, clean: (decoded: string) => string): string {
  return text.replace(ENCODED_PART, (part) => {
    if (!ENCODED.test(part)) return part;
    const decoded = decode(part);
    const cleaned = clean(decoded);
    return cleaned === decoded ? part : encodeURIComponent(cleaned.toWellFormed());
  });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part.replace(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** Digits only. Network prefix and length, then the Luhn check digit. */
export function isCard(digits: string): boolean {
  if (!CARD_NETWORK.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 === 0;
}
