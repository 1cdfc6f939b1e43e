/** What kind of character a UTF-16 unit is, and signs by their names, for the scanners of this folder. One table look-up for ASCII. */
export const OTHER = 0;
export const DIGIT = 1;
export const LETTER = 2;
export const SPACE = 3;

export const ESCAPE = 27;
export const QUOTE = 34;
export const HASH = 35;
export const DOLLAR = 36;
export const PERCENT = 37;
export const APOSTROPHE = 39;
export const OPEN_PAREN = 40;
export const STAR = 42;
export const PLUS = 43;
export const COMMA = 44;
export const DASH = 45;
export const DOT = 46;
export const SLASH = 47;
export const COLON = 58;
export const SEMICOLON = 59;
export const LESS_THAN = 60;
export const EQUALS = 61;
export const AT_SIGN = 64;
export const OPEN_BRACKET = 91;
export const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;
export const UNDERSCORE = 95;
export const BACKTICK = 96;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;
export const ELLIPSIS = 0x2026;

const ASCII = new Uint8Array(128);
for (let code = 48; code <= 57; code++) ASCII[code] = DIGIT;
for (let code = 65; code <= 90; code++) ASCII[code] = ASCII[code + 32] = LETTER;
ASCII[UNDERSCORE] = LETTER;
ASCII[DOLLAR] = LETTER;
for (const code of [9, 10, 11, 12, 13, 32]) ASCII[code] = SPACE;

export function classOf(code: number): number {
  // Past the end it is NaN.
  if (!(code >= 128)) return ASCII[code] ?? OTHER;
  // No-break space, general punctuation (dashes, quotes, ellipsis), currency, wide space and brackets.
  if (code === 0xa0 || code === 0x3000 || code === 0x2028 || code === 0x2029) return SPACE;
  if (code < 0xc0 || (code >= 0x2010 && code <= 0x206f) || (code >= 0x20a0 && code <= 0x20cf)) return OTHER;
  return code >= 0x3001 && code <= 0x301f ? OTHER : LETTER;
}

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isUpper = (code: number): boolean => code >= 65 && code <= 90;
export const isLower = (code: number): boolean => code >= 97 && code <= 122;
export const isHexLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 102;
export const isHex = (code: number): boolean => isDigit(code) || isHexLetter(code);
export function isAlphanumeric(code: number): boolean {
  const kind = classOf(code);
  return kind === DIGIT || kind === LETTER;
}
