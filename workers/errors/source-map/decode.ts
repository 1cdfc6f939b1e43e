/**
 * The `mappings` string (ECMA-426, 9.2): base64 VLQ numbers, `,` between
 * segments, `;` between lines. Strict: the first thing that is wrong ends it,
 * and is said with its line, its segment and its place in the string.
 * validate.ts runs it once to check, ordered.ts as often as it needs.
 */
import { MAX_MAPPINGS, MAX_POSITION } from "./limits.ts";

/** All numbers from 0; source and name are −1 where the segment has none. */
export type Visit = (
  line: number,
  column: number,
  source: number,
  originalLine: number,
  originalColumn: number,
  name: number,
) => void;

const COMMA = 44;
const SEMICOLON = 59;
const NOT_BASE64 = 255;
const CONTINUES = 32;

const DIGITS = new Uint8Array(128).fill(NOT_BASE64);
for (const [i, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  DIGITS[char.charCodeAt(0)] = i;
}

/** Undefined when all is well, else what is wrong and where. */
export function decodeMappings(text: string, sources: number, names: number, visit: Visit): string | undefined {
  const fields = new Int32Array(5);
  const length = text.length;
  let line = 0;
  let column = 0;
  let source = 0;
  let originalLine = 0;
  let originalColumn = 0;
  let name = 0;
  let segment = 0;
  let count = 0;
  let at = 0;

  const wrong = (what: string) => `line ${line + 1}, segment ${segment + 1} (character ${at} of mappings): ${what}`;

  while (at < length) {
    if (text.charCodeAt(at) === SEMICOLON) {
      line++;
      column = 0;
      segment = 0;
      at++;
      continue;
    }
    let used = 0;
    for (;;) {
      const code = at < length ? text.charCodeAt(at) : COMMA;
      if (code === COMMA || code === SEMICOLON) break;
      if (used === 5) return wrong("more than 5 fields");
      let digit = code < 128 ? (DIGITS[code] as number) : NOT_BASE64;
      if (digit === NOT_BASE64) return wrong(`${JSON.stringify(text[at])} is not a base64 digit`);
      const negative = (digit & 1) === 1;
      let value = (digit & 31) >>> 1;
      let weight = 16;
      while ((digit & CONTINUES) !== 0) {
        at++;
        const next = at < length ? text.charCodeAt(at) : COMMA;
        if (next === COMMA || next === SEMICOLON) return wrong("a number ends in the middle");
        digit = next < 128 ? (DIGITS[next] as number) : NOT_BASE64;
        if (digit === NOT_BASE64) return wrong(`${JSON.stringify(text[at])} is not a base64 digit`);
        // Digits that add nothing may go on for ever; the weight must not become Infinity, which times 0 is no number.
        if ((digit & 31) !== 0) value += (digit & 31) * weight;
        if (value > MAX_POSITION) return wrong("a number has more than 32 bits");
        if (weight <= MAX_POSITION) weight *= 32;
      }
      at++;
      // "B" is −0, which stands for −2³¹.
      fields[used++] = negative ? (value === 0 ? -MAX_POSITION - 1 : -value) : value;
    }

    if (used !== 1 && used !== 4 && used !== 5) {
      return wrong(used === 0 ? "an empty segment" : `${used} fields, only 1, 4 or 5 have a meaning`);
    }
    column += fields[0] as number;
    if (column < 0) return wrong(`generated column ${column} is negative`);
    if (column > MAX_POSITION) return wrong(`generated column ${column} is larger than ${MAX_POSITION}`);
    if (used > 1) {
      source += fields[1] as number;
      originalLine += fields[2] as number;
      originalColumn += fields[3] as number;
      if (source < 0 || source >= sources) return wrong(`source ${source}, but there ${are(sources, "source")}`);
      if (originalLine < 0 || originalLine > MAX_POSITION) return wrong(outside("original line", originalLine));
      if (originalColumn < 0 || originalColumn > MAX_POSITION) return wrong(outside("original column", originalColumn));
      if (used === 5) {
        name += fields[4] as number;
        if (name < 0 || name >= names) return wrong(`name ${name}, but there ${are(names, "name")}`);
      }
    }
    if (++count > MAX_MAPPINGS) return wrong(`more than ${MAX_MAPPINGS} mappings`);
    if (used === 1) visit(line, column, -1, 0, 0, -1);
    else visit(line, column, source, originalLine, originalColumn, used === 5 ? name : -1);
    segment++;
    if (at < length && text.charCodeAt(at) === COMMA) {
      at++;
      // A comma announces one more segment.
      if (at === length || text.charCodeAt(at) === SEMICOLON) return wrong("an empty segment");
    }
  }
  return undefined;
}

/** `is only 1 source` */
export function are(count: number, what: string): string {
  return count === 1 ? `is only 1 ${what}` : `are only ${count} ${what}s`;
}

function outside(what: string, value: number): string {
  return value < 0 ? `${what} ${value} is negative` : `${what} ${value} is larger than ${MAX_POSITION}`;
}
