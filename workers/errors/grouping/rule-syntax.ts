/**
 * One line of a team's fingerprint rules → its matchers and parts, or where it is
 * wrong. `rules.ts` compiles what comes out.
 *
 *     rule     = matcher { matcher } "->" part { "," part } [ title ]
 *     matcher  = [ "!" ] key ":" value       message:"*declined*"   !route:/health
 *     value    = quoted | text without spaces; * stands for anything, \* for a star
 *     part     = quoted | text, with {{ variable }} anywhere
 *     title    = "title:" value
 *
 * Lines that are empty or begin with # are comments.
 */

export interface RuleProblem {
  /** From 1. */
  line: number;
  column: number;
  /** What was expected. */
  message: string;
}

export interface Matcher {
  negated: boolean;
  key: string;
  glob: string;
}

/** Text with variables in it. */
export type Piece = { text: string } | { variable: string };

export interface RuleLine {
  matchers: Matcher[];
  parts: Piece[][];
  title: Piece[] | undefined;
}

/** A rule is a line that people read. */
export const MAX_LINE_CHARS = 1_000;
const MAX_MATCHERS = 20;
const MAX_PARTS = 10;

export const MATCHER_KEYS = [
  "type",
  "message",
  "function",
  "file",
  "script",
  "kind",
  "route",
  "level",
  "method",
  "status",
  "outcome",
  "entrypoint",
] as const;
export const VARIABLES = ["default", ...MATCHER_KEYS] as const;
const OTHER_NAMES = new Map([
  ["stack.function", "function"],
  ["stack.file", "file"],
  ["worker", "script"],
]);
export const ATTRIBUTE = "attributes.";

/** Undefined for comments. */
export function readRule(line: string): RuleLine | Omit<RuleProblem, "line"> | undefined {
  const first = line.trimStart();
  if (first === "" || first.startsWith("#")) return undefined;
  if (line.length > MAX_LINE_CHARS)
    return { column: MAX_LINE_CHARS, message: `a rule has at most ${MAX_LINE_CHARS} characters` };
  try {
    return new RuleReader(line).rule();
  } catch (error) {
    if (error instanceof Unexpected) return { column: error.at + 1, message: error.message };
    throw error;
  }
}

/** Leaves the reader where a line is wrong; never leaves this file. */
class Unexpected extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

class RuleReader {
  private readonly line: string;
  private at = 0;

  constructor(line: string) {
    this.line = line;
  }

  rule(): RuleLine {
    const matchers: Matcher[] = [];
    for (;;) {
      this.space();
      if (this.line.startsWith("->", this.at)) break;
      if (this.at === this.line.length) this.fail('"->" and the parts of the fingerprint are missing');
      matchers.push(this.matcher());
      if (matchers.length > MAX_MATCHERS) this.fail(`a rule has at most ${MAX_MATCHERS} matchers`);
    }
    if (matchers.length === 0) this.fail('a matcher such as type:PaymentError is missing before "->"');
    this.at += 2;
    const parts: Piece[][] = [];
    let title: Piece[] | undefined;
    do {
      this.space();
      if (this.atTitle()) break;
      parts.push(this.part());
      if (parts.length > MAX_PARTS) this.fail(`a fingerprint has at most ${MAX_PARTS} parts`);
    } while (this.take(","));
    if (this.atTitle()) title = this.title();
    this.space();
    if (this.at < this.line.length) this.fail('expected "," or the end of the line');
    if (parts.length === 0) this.fail('expected a part of the fingerprint after "->", such as {{ default }}');
    return { matchers, parts, title };
  }

  private matcher(): Matcher {
    const negated = this.take("!");
    const from = this.at;
    while (this.at < this.line.length && !' :"'.includes(this.line[this.at] as string)) this.at++;
    const word = this.line.slice(from, this.at);
    if (this.line[this.at] !== ":") this.fail(`expected a matcher such as type:PaymentError, or "->"`, from);
    const key = nameOf(word);
    if (key === undefined || key === "default") {
      this.fail(`"${word}" cannot be matched: ${MATCHER_KEYS.join(", ")} and ${ATTRIBUTE}<name> can`, from);
    }
    this.at++;
    const glob = this.line[this.at] === '"' ? this.quoted() : this.bare();
    if (glob === "") this.fail(`expected a value after "${word}:"`);
    return { negated, key, glob };
  }

  private bare(): string {
    const from = this.at;
    while (this.at < this.line.length && !this.isSpace()) this.at++;
    return this.line.slice(from, this.at);
  }

  /** Keeps backslashes before stars: `glob.ts` reads them. */
  private quoted(): string {
    const from = this.at++;
    let text = "";
    while (this.at < this.line.length) {
      const character = this.line[this.at] as string;
      if (character === '"') {
        this.at++;
        return text;
      }
      const next = this.line[this.at + 1];
      const escapes = character === "\\" && (next === '"' || next === "\\");
      text += escapes && next === '"' ? '"' : escapes ? "\\\\" : character;
      this.at += escapes ? 2 : 1;
    }
    return this.fail("the quoted text has no end", from);
  }

  private part(): Piece[] {
    const pieces: Piece[] = [];
    const isQuoted = this.take('"');
    const from = this.at;
    let text = "";
    for (;;) {
      if (this.at === this.line.length) {
        if (isQuoted) this.fail("the quoted text has no end", from - 1);
        break;
      }
      const character = this.line[this.at] as string;
      if (isQuoted ? character === '"' : character === "," || this.atTitle()) break;
      if (this.line.startsWith("{{", this.at)) {
        if (text !== "") pieces.push({ text });
        text = "";
        pieces.push(this.variable());
        continue;
      }
      const escaped = isQuoted && character === "\\" && this.at + 1 < this.line.length;
      if (escaped) this.at++;
      text += this.line[this.at];
      this.at++;
    }
    if (isQuoted) this.at++;
    else text = pieces.length === 0 ? text.trim() : text.trimEnd();
    if (text !== "") pieces.push({ text });
    if (pieces.length === 0) this.fail("expected a part of the fingerprint: text or {{ default }}", from);
    this.space();
    return pieces;
  }

  private variable(): Piece {
    const from = this.at;
    const close = this.line.indexOf("}}", from);
    if (close < 0) this.fail('"{{" has no "}}"');
    const word = this.line.slice(from + 2, close).trim();
    const variable = nameOf(word);
    if (variable === undefined) {
      this.fail(`"${word}" is no variable: ${VARIABLES.join(", ")} and ${ATTRIBUTE}<name> are`, from);
    }
    this.at = close + 2;
    return { variable };
  }

  private atTitle(): boolean {
    if (!this.line.startsWith("title:", this.at) && !this.line.startsWith("title=", this.at)) return false;
    return this.at === 0 || this.isSpace(this.at - 1);
  }

  private title(): Piece[] {
    this.at += 6;
    const from = this.at;
    const pieces = this.part();
    if (pieces.some((piece) => "variable" in piece && piece.variable === "default")) {
      this.fail("{{ default }} is no text: a title cannot show it", from);
    }
    return pieces;
  }

  private take(sign: string): boolean {
    if (this.line[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.at < this.line.length && this.isSpace()) this.at++;
  }

  private isSpace(at = this.at): boolean {
    return this.line.charCodeAt(at) <= 32;
  }

  private fail(message: string, at = this.at): never {
    throw new Unexpected(at, message);
  }
}

/** What a matcher or variable is called inside; undefined where nothing is called so. */
function nameOf(word: string): string | undefined {
  if (word.startsWith(ATTRIBUTE) && word.length > ATTRIBUTE.length) return word;
  const name = OTHER_NAMES.get(word) ?? word;
  return (VARIABLES as readonly string[]).includes(name) ? name : undefined;
}
