/**
 * Regular expressions in linear time: RE2's syntax and algorithm (Russ Cox,
 * "Regular Expression Matching in the Wild", 2010), from the library re2js. A
 * text that every match must hold is taken out of the expression, so that the
 * far faster substring search goes first. docs/decisions/0004-regular-expressions.md
 * has the figures. Used by `compile.ts`.
 */
import { RE2JS } from "re2js";
import { QueryFailure } from "../errors.ts";

export interface Regex {
  test(text: string): boolean;
  /** Every text that matches contains this. Empty: nothing is known. */
  literal: string;
  ignoreCase: boolean;
  /** Steps for one character at worst: states that may all be alive at once. */
  size: number;
}

export function compileRegex(source: string, ignoreCase: boolean, at: number): Regex {
  try {
    const compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return {
      test: (text) => compiled.test(text),
      literal: requiredLiteral(source),
      ignoreCase,
      size: compiled.programSize(),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const expected = "a regular expression (RE2 syntax)";
    throw new QueryFailure({
      code: "bad_query",
      message: `expected ${expected} at column ${at + 1}: ${reason}`,
      details: { position: at, found: `/${source}/`, expected },
    });
  }
}

/** Followed by one of these, the last character need not occur. */
const OPTIONAL = /[?*{]/;
/** Escapes that stand for themselves. */
const PUNCTUATION = /[^a-zA-Z0-9]/;

/**
 * The longest run of plain characters at the top level of an expression without
 * top-level alternatives or flags. Conservative: what it does not understand
 * ends a run. (In either case, RE2 lets k and s match the Kelvin sign and the
 * long s, the substring search does not: those two are not found.)
 */
export function requiredLiteral(source: string): string {
  let best = "";
  let run = "";
  let depth = 0;
  const end = () => {
    if (run.length > best.length) best = run;
    run = "";
  };
  for (let i = 0; i < source.length; i++) {
    let c = source[i] as string;
    if ((c === "|" && depth === 0) || source.startsWith("(?", i) || source.startsWith("\\Q", i)) return "";
    let plain = !/[\\^$.[\]()?*+{}]/.test(c);
    if (c === "\\") {
      c = source[++i] ?? "";
      plain = PUNCTUATION.test(c);
      // \x41, \pL, \p{Greek}: their operands are not text.
      if (!plain && /[xpP0-7]/.test(c)) return "";
    } else if (c === "[") i = classEnd(source, i);
    else if (c === "(") depth++;
    else if (c === ")") depth--;
    else if (c === "{") i = Math.max(i, source.indexOf("}", i));
    if (!plain || depth > 0) end();
    else if (OPTIONAL.test(source[i + 1] ?? "")) end();
    else {
      run += c;
      if (source[i + 1] === "+") end();
    }
  }
  end();
  return best;
}

/** Position of the bracket that closes the class. */
function classEnd(source: string, open: number): number {
  let i = open + 1;
  if (source[i] === "^") i++;
  if (source[i] === "]") i++;
  for (; i < source.length && source[i] !== "]"; i++) {
    if (source[i] === "\\") i++;
    else if (source.startsWith("[:", i)) i = Math.max(i, source.indexOf(":]", i) + 1);
  }
  return i;
}
