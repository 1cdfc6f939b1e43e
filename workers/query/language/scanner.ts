/**
 * Reads a query's text character by character for `parse-filter.ts` and
 * `parse.ts`. What a word may hold depends on where it stands (a value may hold
 * a colon, a key may not), so there is no token list: the parser asks for what
 * it needs, and the position of an error is where it asked.
 */
import type { SyntaxProblem } from "./ast.ts";

/** Thrown inside the parser only; `parseQuery` turns it into a value. */
export class SyntaxFailure extends Error {
  readonly problem: SyntaxProblem;

  constructor(problem: SyntaxProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

const SPACE = /\s/;
/** Ends a bare value. */
const VALUE_END = /[\s()|"]/;
/** Ends a name: a key before its colon, a column, a function. */
const NAME_END = /[\s()|":,<>=!]/;
const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r" };

export class Scanner {
  at = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? "";
  }

  skipSpace(): void {
    while (!this.done && SPACE.test(this.peek())) this.at++;
  }

  /** Takes `text` if it comes next. */
  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes a whole word, in any case if `ignoreCase`. */
  takeWord(word: string, ignoreCase = false): boolean {
    const next = this.text.slice(this.at, this.at + word.length);
    if (ignoreCase ? next.toLowerCase() !== word.toLowerCase() : next !== word) return false;
    const after = this.peek(word.length);
    if (after !== "" && !NAME_END.test(after)) return false;
    this.at += word.length;
    return true;
  }

  private until(end: RegExp): string {
    const start = this.at;
    while (!this.done && !end.test(this.peek())) this.at++;
    return this.text.slice(start, this.at);
  }

  name(): string {
    return this.until(NAME_END);
  }

  value(): string {
    return this.until(VALUE_END);
  }

  /** A quoted string; the position is at its opening quote. */
  quoted(): string {
    const start = this.at++;
    let out = "";
    while (!this.done) {
      const c = this.text[this.at++] as string;
      if (c === '"') return out;
      if (c !== "\\") out += c;
      else if (!this.done) {
        const escaped = this.text[this.at++] as string;
        out += ESCAPES[escaped] ?? escaped;
      }
    }
    this.fail("a closing quote", start, "the end of the query", "for the quote");
  }

  /**
   * `/…/` or `/…/i`, or undefined (and nothing taken) when the slash begins a
   * path: the first slash that closes must end the value.
   */
  regex(): { source: string; ignoreCase: boolean } | undefined {
    const start = this.at;
    let inClass = false;
    for (let i = start + 1; i < this.text.length; i++) {
      const c = this.text[i];
      if (c === "\\") i++;
      else if (c === "[") inClass = true;
      else if (c === "]") inClass = false;
      else if (c === "/" && !inClass) {
        const ignoreCase = this.text[i + 1] === "i";
        const after = this.text[i + (ignoreCase ? 2 : 1)] ?? "";
        if (i === start + 1 || (after !== "" && !/[\s()|]/.test(after))) return undefined;
        this.at = i + (ignoreCase ? 2 : 1);
        return { source: this.text.slice(start + 1, i).replaceAll("\\/", "/"), ignoreCase };
      }
    }
    return undefined;
  }

  /** What stands at a position, for messages. */
  found(at = this.at): string {
    if (at >= this.text.length) return "the end of the query";
    const word = /^(\s+|[()|,]|"[^"]{0,20}"?|[^\s()|,"]{1,24})/.exec(this.text.slice(at));
    const text = word?.[0] ?? this.text[at] ?? "";
    return text.trim() === "" ? "a space" : `'${text}'`;
  }

  /** `context` follows what was expected: "after 'status:'". */
  fail(expected: string, at = this.at, found = this.found(at), context = ""): never {
    const message = `expected ${expected}${context ? ` ${context}` : ""} at column ${at + 1}, found ${found}`;
    throw new SyntaxFailure({ message, position: at, found, expected });
  }
}
