/**
 * A query's text → `Query`, or what is wrong with it and where. Pure, and with
 * nothing of the Worker in it: the dashboard bundles this file.
 *
 *   query = filter { "|" pipe }
 *   pipe  = "stats" aggregate {"," aggregate} ["by" key {"," key}]
 *         | "where" filter | "sort" column ["asc"|"desc"] {"," …}
 *         | "limit" n | "fields" column {"," column}
 *
 * test/unit/query/parse.test.ts is the grammar as a table.
 */
import {
  type Aggregate,
  type Field,
  fieldOf,
  type GroupKey,
  type Pipe,
  type Query,
  type SortKey,
  type SyntaxProblem,
} from "./ast.ts";
import { MAX_LIST, MAX_PIPES, MAX_QUERY_LENGTH, MAX_ROWS } from "./limits.ts";
import { columnName, FilterParser } from "./parse-filter.ts";
import { Scanner, SyntaxFailure } from "./scanner.ts";
import { parseDuration } from "./time.ts";
import { parseNumber } from "./units.ts";

export const PIPES = ["stats", "where", "sort", "limit", "fields"] as const;
export const FUNCTIONS = ["count", "sum", "avg", "min", "max", "count_distinct", "p50", "p90", "p95", "p99"] as const;
/** What a group by time buckets is called in the answer. */
export const BIN_COLUMN = "time";

export type Parsed = { ok: true; query: Query } | { ok: false; problem: SyntaxProblem };

export function parseQuery(text: string, nowMs: number): Parsed {
  try {
    return { ok: true, query: new Parser(text, nowMs).query() };
  } catch (error) {
    if (error instanceof SyntaxFailure) return { ok: false, problem: error.problem };
    throw error;
  }
}

class Parser {
  private readonly s: Scanner;
  private readonly filters: FilterParser;
  private readonly nowMs: number;

  constructor(text: string, nowMs: number) {
    this.s = new Scanner(text);
    this.nowMs = nowMs;
    if (text.length > MAX_QUERY_LENGTH) {
      this.s.fail(`at most ${MAX_QUERY_LENGTH} characters`, MAX_QUERY_LENGTH, `${text.length}`);
    }
    this.filters = new FilterParser(this.s, nowMs);
  }

  query(): Query {
    const filter = this.filters.filter();
    const pipes: Pipe[] = [];
    for (;;) {
      this.s.skipSpace();
      if (this.s.done) break;
      if (!this.s.take("|")) this.s.fail("a filter, '|' or the end of the query");
      if (pipes.length === MAX_PIPES) this.s.fail(`at most ${MAX_PIPES} pipes`);
      this.s.skipSpace();
      pipes.push(this.pipe());
    }
    checkOrder(this.s, pipes);
    return { filter, pipes };
  }

  private pipe(): Pipe {
    const at = this.s.at;
    const name = this.s.name().toLowerCase();
    this.s.skipSpace();
    switch (name) {
      case "stats":
        return this.stats(at);
      case "where":
        return this.where(at);
      case "sort":
        return this.sort(at);
      case "limit":
        return { kind: "limit", count: this.count(), at };
      case "fields":
        return { kind: "fields", fields: this.list(() => this.field("a field")), at };
      default:
        return this.s.fail(`a pipe (${PIPES.join(", ")})`, at);
    }
  }

  private list<T>(item: () => T): T[] {
    const items: T[] = [];
    do {
      this.s.skipSpace();
      if (items.length === MAX_LIST) this.s.fail(`at most ${MAX_LIST} in a list`);
      items.push(item());
      this.s.skipSpace();
    } while (this.s.take(","));
    return items;
  }

  private field(what: string): Field {
    const at = this.s.at;
    const name = columnName(this.s);
    if (name === "") this.s.fail(what, at);
    return fieldOf(name, at);
  }

  private where(at: number): Pipe {
    this.filters.spaced = true;
    const start = this.s.at;
    const filter = this.filters.filter();
    this.filters.spaced = false;
    if (filter.kind === "all" && this.s.text.slice(start, this.s.at).trim() === "")
      this.s.fail("a filter", start, undefined, "after 'where'");
    return { kind: "where", filter, at };
  }

  private count(): number {
    const at = this.s.at;
    const text = this.s.name();
    const n = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (n < 1 || n > MAX_ROWS) this.s.fail(`a whole number from 1 to ${MAX_ROWS}`, at, undefined, "after 'limit'");
    return n;
  }

  private sort(at: number): Pipe {
    const before = this.s.at;
    if (this.s.takeWord("by")) {
      this.s.skipSpace();
      if (this.s.done || /[|,]/.test(this.s.peek())) this.s.at = before;
    }
    const keys = this.list((): SortKey => {
      const field = this.field("a column to sort by");
      this.s.skipSpace();
      const descending = this.s.takeWord("desc", true);
      if (!descending) this.s.takeWord("asc", true);
      return { name: field.name, field, descending };
    });
    return { kind: "sort", keys, at };
  }

  private stats(at: number): Pipe {
    const aggregates = this.list(() => this.aggregate());
    const by = this.s.takeWord("by", true) ? this.list(() => this.groupKey()) : [];
    const names = new Set<string>();
    for (const { name } of [...by, ...aggregates]) {
      if (names.has(name))
        this.s.fail(`different names (use 'as')`, at, `two columns called '${name}'`, "for the columns of 'stats'");
      names.add(name);
    }
    return { kind: "stats", aggregates, by, at };
  }

  private open(name: string): void {
    this.s.skipSpace();
    if (!this.s.take("(")) this.s.fail("'('", this.s.at, undefined, `after '${name}'`);
    this.s.skipSpace();
  }

  private close(what: string): void {
    this.s.skipSpace();
    if (!this.s.take(")")) this.s.fail("')'", this.s.at, undefined, `after ${what}`);
  }

  private aggregate(): Aggregate {
    const at = this.s.at;
    const fn = this.s.name().toLowerCase();
    const made = this.aggregateOf(fn, at);
    this.s.skipSpace();
    if (!this.s.takeWord("as", true)) return made;
    this.s.skipSpace();
    return { ...made, name: this.field("a name after 'as'").name };
  }

  private aggregateOf(fn: string, at: number): Aggregate {
    if (fn === "count") return this.countOf();
    const percentile = /^p(\d{1,2}(?:\.\d{1,3})?|100)$/.exec(fn);
    const simple = fn === "sum" || fn === "avg" || fn === "min" || fn === "max" || fn === "count_distinct";
    if (!percentile && !simple) this.s.fail(`a function (${FUNCTIONS.join(", ")} …)`, at);
    this.open(fn);
    const field = this.field(`a field for '${fn}'`);
    this.close(`'${fn}(${field.name}'`);
    const name = `${fn}(${field.name})`;
    // In decimal, so that p99.9 is 0.999 and not its neighbour.
    if (percentile) return { fn: "quantile", q: Number((Number(percentile[1]) / 100).toFixed(5)), field, name };
    return { fn: fn as "sum", field, name };
  }

  private countOf(): Aggregate {
    if (!this.s.take("(")) return { fn: "count", name: "count" };
    const start = this.s.at;
    const filter = this.filters.filter();
    const text = this.s.text.slice(start, this.s.at).trim();
    this.close("'count('");
    return filter.kind === "all" ? { fn: "count", name: "count" } : { fn: "count", filter, name: `count(${text})` };
  }

  private groupKey(): GroupKey {
    const at = this.s.at;
    if (/^bin\s*\(/i.test(this.s.text.slice(at))) return this.named(this.bin(at));
    const field = this.field("a field or bin() to group by");
    return this.named({ kind: "field", field, name: field.name });
  }

  private named(key: GroupKey): GroupKey {
    this.s.skipSpace();
    if (!this.s.takeWord("as", true)) return key;
    this.s.skipSpace();
    return { ...key, name: this.field("a name after 'as'").name };
  }

  /** `bin()`, `bin(auto)`, `bin(1m)`, `bin(duration, 100ms)`. */
  private bin(at: number): GroupKey {
    this.s.at += 3;
    this.open("bin");
    const start = this.s.at;
    let name = this.s.name();
    let field = fieldOf("time", at);
    let widthAt = start;
    this.s.skipSpace();
    if (this.s.take(",")) {
      field = fieldOf(name, start);
      this.s.skipSpace();
      widthAt = this.s.at;
      name = this.s.name();
    }
    const isTime = field.core?.type === "time";
    this.close("'bin('");
    if (isTime && (name === "" || name === "auto")) return { kind: "bin", field, name: BIN_COLUMN };
    const width = isTime ? Math.round((parseDuration(name) ?? 0) * 1_000) : (parseNumber(name, field, this.nowMs) ?? 0);
    if (!(width > 0))
      this.s.fail(isTime ? "a duration such as 1m" : "a width such as 100", widthAt, `'${name}'`, "in 'bin('");
    return { kind: "bin", field, width, name: isTime ? BIN_COLUMN : `bin(${field.name})` };
  }
}

/** Pipes run from left to right; some orders make no sense or would need all events in memory. */
function checkOrder(s: Scanner, pipes: Pipe[]): void {
  const seen = new Set<Pipe["kind"]>();
  const refuse = (pipe: Pipe, expected: string): never => s.fail(expected, pipe.at, `'${pipe.kind}'`);
  for (const pipe of pipes) {
    if (pipe.kind === "stats" && seen.has("stats")) refuse(pipe, "one 'stats' only");
    if (pipe.kind === "stats" && (seen.has("limit") || seen.has("fields") || seen.has("sort"))) {
      refuse(pipe, "'stats' before 'sort', 'limit' and 'fields'");
    }
    if (!seen.has("stats")) {
      if (pipe.kind === "where" && (seen.has("limit") || seen.has("fields")))
        refuse(pipe, "'where' before 'limit' and 'fields'");
      if (pipe.kind === "sort" && (seen.has("limit") || seen.has("sort"))) refuse(pipe, "one 'sort', before 'limit'");
      if (pipe.kind === "fields" && seen.has("fields")) refuse(pipe, "one 'fields' only");
    }
    seen.add(pipe.kind);
  }
}
