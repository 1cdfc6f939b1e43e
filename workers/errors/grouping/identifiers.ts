/**
 * Words with digits in them: names (`D1_ERROR`, `utf8`, `oauth2`) and ids
 * (`user42`, `cus_9s6XKzkNRiz8i3`, `req-8f3a`). What is an id must not depend on
 * which digits it happens to have, else one error becomes several.
 */
import { DASH, DOT, isDigit, isHexLetter, isLower, isUpper, UNDERSCORE } from "./characters.ts";

/** Longer words are tokens. */
const MAX_WORD_CHARS = 64;
/** A word of letters only is a token from here on if its case jumps about. */
const MIN_RANDOM_CHARS = 20;
/** Letters before a number that are surely a word, at most. */
const MAX_PREFIX_CHARS = 7;
/** … and before a dash and a number, where they belong to the id. */
const MAX_ID_PREFIX_CHARS = 3;
const UUID_CHARS = 36;

/** The word with `*` in place of what varies. */
export function wordTemplate(word: string, hasDigits: boolean): string {
  if (!hasDigits) return isRandom(word) ? "*" : word;
  if (word.length === UUID_CHARS && [8, 13, 18, 23].every((at) => word.charCodeAt(at) === DASH)) return "*";
  let out = "";
  let from = 0;
  for (let i = 0; i <= word.length; i++) {
    const code = word.charCodeAt(i);
    if (i < word.length && code !== DASH && code !== DOT && code !== UNDERSCORE) continue;
    const part = partTemplate(word.slice(from, i));
    out += part;
    // Behind an id, whatever hangs on it belongs to it: random text may hold anything.
    if (part === "*" && !isNumber(word, from, i)) return isShortId(out) ? "*" : out;
    if (i < word.length) out += word[i];
    from = i + 1;
  }
  return isShortId(out) ? "*" : out;
}

/** `o-17`, `sku-8`: an id beside which the bare number is seen too. */
function isShortId(template: string): boolean {
  const letters = template.length - 2;
  if (letters < 1 || letters > MAX_ID_PREFIX_CHARS || !template.endsWith("*")) return false;
  for (let i = 0; i < letters; i++) if (!isLower(template.charCodeAt(i))) return false;
  const joiner = template.charCodeAt(letters);
  return joiner === DASH || joiner === UNDERSCORE;
}

function isNumber(word: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isDigit(word.charCodeAt(i))) return false;
  return true;
}

function partTemplate(part: string): string {
  let letters = 0;
  while (letters < part.length && !isDigit(part.charCodeAt(letters))) letters++;
  if (letters === part.length) return isWordLike(part) ? part : "*";
  if (!isNumber(part, letters, part.length)) return "*";
  // `D1`, `R2` are names; `a1`, `u42` are ids.
  if (letters <= 2)
    return isUpper(part.charCodeAt(0)) && part.length === letters + 1 ? `${part.slice(0, letters)}*` : "*";
  if (letters > MAX_PREFIX_CHARS) return "*";
  for (let i = 0; i < letters; i++) {
    if (!isHexLetter(part.charCodeAt(i))) return `${part.slice(0, letters)}*`;
  }
  return "*";
}

/** `order`, `ERROR`, `Cart`, `userId`: case changes as in a name. */
function isWordLike(part: string): boolean {
  let jumps = 0;
  for (let i = 1; i < part.length; i++) {
    if (isUpper(part.charCodeAt(i)) && isLower(part.charCodeAt(i - 1))) jumps++;
  }
  return jumps * 3 <= part.length;
}

/** Letters only: hex, base64 or a token rather than a word. */
function isRandom(word: string): boolean {
  if (word.length > MAX_WORD_CHARS) return true;
  if (word.length < 8) return false;
  let hex = 0;
  let jumps = 0;
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    if (isHexLetter(code)) hex++;
    if (i > 0 && isUpper(code) !== isUpper(word.charCodeAt(i - 1))) jumps++;
  }
  return hex === word.length || (word.length >= MIN_RANDOM_CHARS && jumps * 5 > word.length * 2);
}
