/**
 * Colours for a few lines of JavaScript, TypeScript or JSX. A lexer, not a
 * parser: an excerpt begins anywhere and ends anywhere, so it guesses from what
 * stands before. Linear in the text; whatever it does not know stays plain.
 * Pure.
 */

export type TokenKind = "comment" | "string" | "number" | "keyword" | "constant" | "call" | "type" | "tag" | "regex";

export interface Token {
  kind: TokenKind | "";
  text: string;
  /** Where the frame points to. */
  hit?: boolean;
}

const KEYWORDS = new Set(
  (
    "abstract as asserts async await break case catch class const continue debugger declare default delete do else enum " +
    "export extends finally for from function get if implements import in infer instanceof interface is keyof let " +
    "namespace new of override private protected public readonly return satisfies set static super switch throw try " +
    "type typeof using var void while with yield"
  ).split(" "),
);
const CONSTANTS = new Set(["true", "false", "null", "undefined", "this", "NaN", "Infinity", "globalThis"]);
/** After one of these a `/` or a `<` begins something; after a value it divides or compares. */
const BEFORE_OPERAND = /^(?:[([{,;:=<>!&|?+\-*%^~]|=>|return|typeof|case|in|of|await|yield|throw|default|else|do)$/;
/** Words that are names where they stand alone as such: `type`, `get`, `of` … as a property or a variable. */
const SOFT = new Set(
  "abstract as asserts declare from get infer is namespace of override readonly set type using".split(" "),
);

const SPACE = /\s+/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?|\.\d[\d_]*(?:e[+-]?\d+)?)n?/iy;
const QUOTED = /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/y;
const LINE_COMMENT = /\/\/.*/y;
const REGEX = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TAG = /<\/?[\p{L}_$][\p{L}\p{N}_$.-]*/uy;
const HASHBANG = /#![^\n]*/y;

/** What a line begins inside of. A number in `braces` counts those open within a template's `${`. */
interface Nesting {
  mode: "code" | "comment" | "template";
  braces: number[];
}

/** Excerpts that begin inside of a block comment show its end before any beginning. */
function startsInComment(lines: string[]): boolean {
  const text = lines.join("\n");
  const end = text.indexOf("*/");
  if (end < 0) return lines.length > 0 && lines.every((line) => /^\s*\*(\s|$)/.test(line));
  const begin = text.indexOf("/*");
  return begin < 0 || begin > end;
}

export function highlight(lines: string[]): Token[][] {
  const nesting: Nesting = { mode: startsInComment(lines) ? "comment" : "code", braces: [] };
  return lines.map((line) => new Line(line, nesting).tokens());
}

/** Splits the token that a column (from 1) lies in, so that the word or sign there can be marked. */
export function markAt(tokens: Token[], column: number): Token[] {
  const out: Token[] = [];
  let start = 1;
  for (const token of tokens) {
    const at = column - start;
    start += token.text.length;
    if (at < 0 || at >= token.text.length) {
      out.push(token);
      continue;
    }
    const rest = token.text.slice(at);
    const length = (/^[\p{L}\p{N}_$]+/u.exec(rest)?.[0] ?? rest.slice(0, 1)).length;
    const parts: Token[] = [
      { kind: token.kind, text: token.text.slice(0, at) },
      { kind: token.kind, text: rest.slice(0, length), hit: true },
      { kind: token.kind, text: rest.slice(length) },
    ];
    out.push(...parts.filter((part) => part.text !== ""));
  }
  return out;
}

class Line {
  private at = 0;
  /** The last token that is not blank: tells a regular expression from a division. */
  private before = "";
  private readonly out: Token[] = [];

  constructor(
    private readonly text: string,
    private readonly nesting: Nesting,
  ) {}

  tokens(): Token[] {
    while (this.at < this.text.length) {
      if (this.nesting.mode === "comment") this.comment();
      else if (this.nesting.mode === "template") this.template();
      else this.code();
    }
    return this.out;
  }

  private push(kind: Token["kind"], end: number): void {
    const text = this.text.slice(this.at, end);
    const last = this.out.at(-1);
    if (last !== undefined && last.kind === kind) last.text += text;
    else this.out.push({ kind, text });
    this.at = end;
  }

  private match(pattern: RegExp): number {
    pattern.lastIndex = this.at;
    return pattern.test(this.text) ? pattern.lastIndex : -1;
  }

  private take(pattern: RegExp, kind: Token["kind"], before: string): boolean {
    const end = this.match(pattern);
    if (end < 0) return false;
    this.push(kind, end);
    this.before = before;
    return true;
  }

  private comment(): void {
    const end = this.text.indexOf("*/", this.at);
    if (end >= 0) this.nesting.mode = "code";
    this.push("comment", end < 0 ? this.text.length : end + 2);
  }

  /** The text of a template, to its end or to the next `${`. */
  private template(): void {
    let i = this.at;
    for (; i < this.text.length; i++) {
      if (this.text[i] === "\\") i++;
      else if (this.text[i] === "`") {
        this.nesting.mode = "code";
        this.before = "`";
        this.push("string", i + 1);
        return;
      } else if (this.text[i] === "$" && this.text[i + 1] === "{") {
        this.push("string", i);
        this.push("", i + 2);
        this.nesting.mode = "code";
        this.nesting.braces.push(0);
        this.before = "{";
        return;
      }
    }
    this.push("string", Math.min(i, this.text.length));
  }

  private code(): void {
    const c = this.text[this.at] as string;
    if (this.at === 0 && this.take(HASHBANG, "comment", "")) return;
    if (/\s/.test(c)) this.push("", this.match(SPACE));
    else if (c === "/" && this.text[this.at + 1] === "*") {
      this.nesting.mode = "comment";
      this.push("comment", this.at + 2);
    } else if (c === "/" && this.take(LINE_COMMENT, "comment", this.before)) return;
    else if (c === "`") {
      this.nesting.mode = "template";
      this.push("string", this.at + 1);
    } else if ((c === '"' || c === "'") && this.take(QUOTED, "string", "value")) return;
    else if (c === "/" && this.operand() && this.take(REGEX, "regex", "value")) return;
    else if (c === "<" && this.operand() && this.take(TAG, "tag", "tag")) return;
    else if (/[\d.]/.test(c) && this.take(NUMBER, "number", "value")) return;
    else if (this.match(WORD) >= 0) this.word(this.match(WORD));
    else this.punctuation(c);
  }

  private operand(): boolean {
    return this.before === "" || BEFORE_OPERAND.test(this.before);
  }

  private word(end: number): void {
    const word = this.text.slice(this.at, end);
    const property = this.before === ".";
    const after = this.text.slice(end).trimStart();
    let kind: Token["kind"] = "";
    if (!property && CONSTANTS.has(word)) kind = "constant";
    else if (!property && KEYWORDS.has(word) && !(SOFT.has(word) && /^(?:[=:(,;.)?]|$)/.test(after))) kind = "keyword";
    else if (after.startsWith("(") || after.startsWith("?.(")) kind = "call";
    else if (/^\p{Lu}/u.test(word)) kind = "type";
    this.push(kind, end);
    this.before = kind === "keyword" ? word : "value";
  }

  private punctuation(c: string): void {
    const open = this.nesting.braces;
    const depth = open.at(-1);
    if (c === "{" && depth !== undefined) open[open.length - 1] = depth + 1;
    if (c === "}" && depth !== undefined) {
      if (depth === 0) {
        open.pop();
        this.nesting.mode = "template";
      } else open[open.length - 1] = depth - 1;
    }
    this.push("", this.at + 1);
    this.before = c;
  }
}
