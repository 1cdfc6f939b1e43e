/**
 * Filters: `status:>=500 "card declined" -colo:LHR (a OR b)`.
 *
 *   or    = and { "OR" and }
 *   and   = not { ["AND"] not }
 *   not   = ("NOT" | "-") not | primary
 *   primary = "(" or ")" | phrase | key ":" value | word
 *
 * `parse.ts` calls it for the filter before the first pipe, for `where` (which
 * may also be written with spaces: `count > 10`) and for `count(filter)`.
 */
import {
  type CompareOp,
  FAILED,
  type Field,
  type Filter,
  fieldOf,
  type Leaf,
  MESSAGE,
  STACK,
  type Value,
} from "./ast.ts";
import { MAX_CLAUSES, MAX_DEPTH, MAX_REGEX_LENGTH, MAX_REGEXES } from "./limits.ts";
import type { Scanner } from "./scanner.ts";
import { typedValue } from "./units.ts";

const COMPARE = /^(>=|<=|!=|==|=|>|<)/;
/** Fields where `key:word` looks for the word inside the text. */
const TEXT_FIELDS = new Set([MESSAGE.physical, STACK.physical]);

export class FilterParser {
  private depth = 0;
  private clauses = 0;
  private regexes = 0;
  /** `where`: comparisons with spaces, `and or not` in either case. */
  spaced = false;

  private readonly s: Scanner;
  private readonly nowMs: number;

  constructor(scanner: Scanner, nowMs: number) {
    this.s = scanner;
    this.nowMs = nowMs;
  }

  /** Up to `|`, an unmatched `)`, or the end. Nothing at all means everything. */
  filter(): Filter {
    this.s.skipSpace();
    return this.atEnd() ? { kind: "all" } : this.or();
  }

  private atEnd(): boolean {
    const c = this.s.peek();
    return c === "" || c === "|" || c === ")";
  }

  private word(word: string): boolean {
    return this.s.takeWord(word, this.spaced);
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) this.s.fail(`at most ${MAX_DEPTH} levels of parentheses and NOT`);
    const result = parse();
    this.depth--;
    return result;
  }

  private or(field?: Field): Filter {
    const items = [this.and(field)];
    for (;;) {
      this.s.skipSpace();
      if (!this.word("OR")) break;
      items.push(this.and(field));
    }
    return items.length === 1 ? (items[0] as Filter) : { kind: "or", items };
  }

  private and(field?: Field): Filter {
    const items = [this.not(field)];
    for (;;) {
      this.s.skipSpace();
      if (this.atEnd()) break;
      const before = this.s.at;
      if (this.word("OR")) {
        this.s.at = before;
        break;
      }
      this.word("AND");
      items.push(this.not(field));
    }
    return items.length === 1 ? (items[0] as Filter) : { kind: "and", items };
  }

  private not(field?: Field): Filter {
    this.s.skipSpace();
    const minus = this.s.peek() === "-" && !/[\s)|]/.test(this.s.peek(1) || " ");
    if (minus) this.s.at++;
    if (minus || this.word("NOT")) return { kind: "not", item: this.nested(() => this.not(field)) };
    return this.primary(field);
  }

  private primary(field?: Field): Filter {
    const start = this.s.at;
    if (this.atEnd()) this.s.fail(field ? `a value for '${field.name}'` : "a filter");
    if (this.s.take("(")) {
      const inner = this.nested(() => this.or(field));
      this.s.skipSpace();
      if (!this.s.take(")")) this.s.fail("')'", this.s.at, undefined, `to close the '(' of column ${start + 1}`);
      return inner;
    }
    if (++this.clauses > MAX_CLAUSES) this.s.fail(`at most ${MAX_CLAUSES} filters`, start);
    return field ? this.value(field) : this.term(start);
  }

  private term(start: number): Filter {
    if (this.s.peek() === '"') {
      const text = this.s.quoted();
      return this.s.take(":") ? this.value(fieldOf(text, start)) : anywhere(text);
    }
    const name = this.s.name();
    if (name !== "" && this.s.peek() === ":" && !this.s.text.startsWith("://", this.s.at)) {
      this.s.at++;
      return this.value(fieldOf(name, start));
    }
    if (this.spaced) {
      const compared = this.spacedComparison(start);
      if (compared) return compared;
    }
    this.s.at = start;
    const word = this.s.value();
    const text = word.length > 1 ? word.replace(/\*$/, "") : word;
    return text === "*" ? { kind: "all" } : anywhere(text);
  }

  /** `count > 10`, `p99(duration) >= 1s`: a column, an operator, a value. */
  private spacedComparison(start: number): Filter | undefined {
    this.s.at = start;
    const name = columnName(this.s);
    this.s.skipSpace();
    if (name === "" || !COMPARE.test(this.s.text.slice(this.s.at, this.s.at + 2))) return undefined;
    return this.value(fieldOf(name, start), true);
  }

  private value(field: Field, spaced = false): Filter {
    const start = this.s.at;
    const c = this.s.peek();
    if (!spaced && c === "(") {
      this.s.at++;
      const inner = this.nested(() => this.or(field));
      this.s.skipSpace();
      if (!this.s.take(")")) this.s.fail("')'", this.s.at, undefined, `to close the '(' of column ${start + 1}`);
      return inner;
    }
    const op = COMPARE.exec(this.s.text.slice(this.s.at, this.s.at + 2))?.[0];
    if (op !== undefined) {
      this.s.at += op.length;
      if (spaced) this.s.skipSpace();
      return this.comparison(field, op);
    }
    if (c === "/") {
      const regex = this.s.regex();
      if (regex) return this.regex(field, regex, start);
    }
    if (c === '"') {
      const text = this.s.quoted();
      if (this.s.take("*")) return { kind: "prefix", field, text };
      return TEXT_FIELDS.has(field.physical)
        ? { kind: "contains", field, text }
        : this.equals(field, text, true, start);
    }
    return this.bare(field, this.s.value(), start);
  }

  private regex(field: Field, regex: { source: string; ignoreCase: boolean }, start: number): Filter {
    if (regex.source.length > MAX_REGEX_LENGTH)
      this.s.fail(`a regular expression of at most ${MAX_REGEX_LENGTH} characters`, start);
    if (++this.regexes > MAX_REGEXES) this.s.fail(`at most ${MAX_REGEXES} regular expressions`, start);
    return { kind: "regex", field, ...regex, at: start };
  }

  private comparison(field: Field, op: string): Filter {
    const start = this.s.at;
    const quoted = this.s.peek() === '"';
    const text = quoted ? this.s.quoted() : this.s.value();
    if (text === "" && !quoted) this.s.fail("a value", start, undefined, `after '${field.name}:${op}'`);
    if (op === "=" || op === "==") return this.equals(field, text, quoted, start);
    if (op === "!=") return { kind: "not", item: this.equals(field, text, quoted, start) };
    return { kind: "compare", field, op: op as CompareOp, value: this.typed(field, text, quoted, start) };
  }

  private bare(field: Field, text: string, start: number): Filter {
    if (text === "") this.s.fail("a value", start, undefined, `after '${field.name}:'`);
    if (this.s.peek() === "(")
      this.s.fail("a space or the end of the value; put quotes around a value with parentheses");
    if (text === "*") return { kind: "exists", field };
    const range = /^(.*?[^.])?\.\.([^.].*)?$/s.exec(text);
    if (range && (range[1] ?? range[2]) !== undefined) {
      const found = this.range(field, range[1], range[2], start);
      if (found) return found;
    }
    if (text.length > 2 && text.startsWith("*") && text.endsWith("*")) {
      return { kind: "contains", field, text: text.slice(1, -1) };
    }
    if (text.endsWith("*")) return { kind: "prefix", field, text: text.slice(0, -1) };
    return TEXT_FIELDS.has(field.physical) ? { kind: "contains", field, text } : this.equals(field, text, false, start);
  }

  /** `a..b`, `a..`, `..b`. An open end counts only beside a number: `../x` is a value. */
  private range(field: Field, min: string | undefined, max: string | undefined, start: number): Filter | undefined {
    if (min !== undefined && max !== undefined) {
      const maxAt = start + min.length + 2;
      return {
        kind: "range",
        field,
        min: this.typed(field, min, false, start),
        max: this.typed(field, max, false, maxAt),
      };
    }
    const value = typedValue((min ?? max) as string, false, field, this.nowMs);
    if (value.number === undefined) return undefined;
    return { kind: "compare", field, op: min === undefined ? "<=" : ">=", value };
  }

  private equals(field: Field, text: string, quoted: boolean, start: number): Filter {
    if (field.name === FAILED && (text === "true" || text === "false")) {
      return text === "true" ? { kind: "failed" } : { kind: "not", item: { kind: "failed" } };
    }
    return { kind: "equals", field, value: this.typed(field, text, quoted, start) };
  }

  /** Core fields of numbers and times take nothing else: a typing error is better told than answered with nothing. */
  private typed(field: Field, text: string, quoted: boolean, start: number): Value {
    const value = typedValue(text, quoted, field, this.nowMs);
    const type = field.core?.type;
    if (value.number === undefined && (type === "number" || type === "time")) {
      const wanted = type === "time" ? "a time (2026-11-20T10:00, -1h, epoch ms)" : "a number";
      this.s.fail(wanted, start, `'${text}'`, `for '${field.name}'`);
    }
    return value;
  }
}

/** A word or phrase without a key: in the message or in the stack. */
function anywhere(text: string): Filter {
  const items: Leaf[] = [
    { kind: "contains", field: MESSAGE, text },
    { kind: "contains", field: STACK, text },
  ];
  return text === "" ? { kind: "all" } : { kind: "or", items };
}

/** A column of an answer: `count`, `version`, `p99(duration)`, `"any name"`. */
export function columnName(s: Scanner): string {
  if (s.peek() === '"') return s.quoted();
  const name = s.name();
  if (name === "" || s.peek() !== "(") return name;
  const close = s.text.indexOf(")", s.at);
  if (close < 0) s.fail("')'", s.text.length, undefined, `after '${name}('`);
  const inner = s.text.slice(s.at + 1, close).trim();
  s.at = close + 1;
  return inner === "" ? name : `${name}(${inner})`;
}
