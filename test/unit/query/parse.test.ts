/** The grammar as a table: what a query means, and what is said about one that means nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Aggregate, Filter, GroupKey, Pipe } from "../../../workers/query/language/ast.ts";
import { MAX_CLAUSES, MAX_DEPTH, MAX_QUERY_LENGTH } from "../../../workers/query/language/limits.ts";
import { parseQuery } from "../../../workers/query/language/parse.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

/** A filter in prefix form: short enough for a table. */
function show(f: Filter): string {
  switch (f.kind) {
    case "all":
    case "failed":
      return f.kind;
    case "and":
    case "or":
      return `(${f.kind} ${f.items.map(show).join(" ")})`;
    case "not":
      return `(not ${show(f.item)})`;
    case "exists":
      return `(exists ${f.field.name})`;
    case "equals":
      return `(= ${f.field.name} ${show1(f.value)})`;
    case "contains":
    case "prefix":
      return `(${f.kind} ${f.field.name} ${JSON.stringify(f.text)})`;
    case "compare":
      return `(${f.op} ${f.field.name} ${show1(f.value)})`;
    case "range":
      return `(range ${f.field.name} ${show1(f.min)} ${show1(f.max)})`;
    case "in":
      return `(in ${f.field.name} ${[...f.values].join(" ")})`;
    case "regex":
      return `(regex ${f.field.name} ${f.source}${f.ignoreCase ? " i" : ""})`;
  }
}
const show1 = (v: { text: string; number?: number }) => (v.number === undefined ? JSON.stringify(v.text) : v.number);

function showAggregate(a: Aggregate): string {
  const of = a.fn === "count" ? (a.filter ? show(a.filter) : "") : a.field.name;
  return `${a.name}=${a.fn}${a.fn === "quantile" ? a.q : ""}(${of})`;
}
const showKey = (k: GroupKey) => (k.kind === "field" ? k.name : `${k.name}=bin(${k.field.name},${k.width ?? "auto"})`);

function showPipe(p: Pipe): string {
  switch (p.kind) {
    case "stats":
      return `stats ${p.aggregates.map(showAggregate).join(", ")} by ${p.by.map(showKey).join(", ")}`;
    case "where":
      return `where ${show(p.filter)}`;
    case "sort":
      return `sort ${p.keys.map((k) => `${k.name}${k.descending ? "↓" : "↑"}`).join(", ")}`;
    case "limit":
      return `limit ${p.count}`;
    case "fields":
      return `fields ${p.fields.map((f) => f.name).join(", ")}`;
  }
}

function parsed(text: string): string {
  const result = parseQuery(text, NOW);
  if (!result.ok) return result.problem.message;
  return [show(result.query.filter), ...result.query.pipes.map(showPipe)].join(" | ");
}

const word = (text: string) => `(or (contains message "${text}") (contains stack "${text}"))`;

describe("filters", () => {
  test.each([
    ["", "all"],
    ["*", "all"],
    ["timeout", word("timeout")],
    ["time*", word("time")],
    ['"card declined"', word("card declined")],
    ['"a \\"b\\" \\\\ \\n"', '(or (contains message "a \\"b\\" \\\\ \\n") (contains stack "a \\"b\\" \\\\ \\n"))'],
    ["https://shop.example/a?b=c:d", word("https://shop.example/a?b=c:d")],
    ["script:shop", '(= script "shop")'],
    ['route:"/a b"', '(= route "/a b")'],
    ['"odd key":x', '(= odd key "x")'],
    ["@status:5", "(= @status 5)"],
    ["issue:12", "(= issue 12)"],
    ["issue:(12 OR #13)", '(or (= issue 12) (= issue "#13"))'],
    ["-issue:*", "(not (exists issue))"],
    ["status:500", "(= status 500)"],
    ["status:>=500", "(>= status 500)"],
    ["status:<=299", "(<= status 299)"],
    ["status:!=200", "(not (= status 200))"],
    ["status:500..599", "(range status 500 599)"],
    ["status:500..", "(>= status 500)"],
    ["status:..499", "(<= status 499)"],
    ["status:5*", '(prefix status "5")'],
    ["duration:>1.5s", "(> duration 1500)"],
    ["duration:200ms..1s", "(range duration 200 1000)"],
    ["cpu:>2m", "(> cpu 120000)"],
    ["db.time_us:>1ms", "(> db.time_us 1000)"],
    ["db.time_s:>1m", "(> db.time_s 60)"],
    ["body.bytes:>=10KB", "(>= body.bytes 10000)"],
    ["body.bytes:>=1MiB", "(>= body.bytes 1048576)"],
    ["temperature:<-5", "(< temperature -5)"],
    ["time:>=-1h", `(>= time ${(NOW - 3_600_000) * 1000})`],
    ["time:2026-11-20T10:00..2026-11-20T11:00", "(range time 1795168800000000 1795172400000000)"],
    ["version:v1..v2", '(range version "v1" "v2")'],
    ["file:../etc", '(= file "../etc")'],
    ["message:wait...", '(contains message "wait...")'],
    ["message:declined", '(contains message "declined")'],
    ['message:="card declined"', '(= message "card declined")'],
    ["user.id:ab*", '(prefix user.id "ab")'],
    ["user.id:*ab*", '(contains user.id "ab")'],
    ["user.id:*", "(exists user.id)"],
    ["message:/card (declined|expired)/", "(regex message card (declined|expired))"],
    ["message:/Timeout/i", "(regex message Timeout i)"],
    ["url:/a\\/b[/]c/", "(regex url a/b[/]c)"],
    ["route:/products/:id", '(= route "/products/:id")'],
    ["route:/products/*", '(prefix route "/products/")'],
    ["route:/ status:500", '(and (= route "/") (= status 500))'],
    ["a:1 b:2", "(and (= a 1) (= b 2))"],
    ["a:1 AND b:2", "(and (= a 1) (= b 2))"],
    ["a:1 OR b:2 c:3", "(or (= a 1) (and (= b 2) (= c 3)))"],
    ["(a:1 OR b:2) c:3", "(and (or (= a 1) (= b 2)) (= c 3))"],
    ["NOT a:1", "(not (= a 1))"],
    ["-a:1 b:2", "(and (not (= a 1)) (= b 2))"],
    ["-(a:1 b:2)", "(not (and (= a 1) (= b 2)))"],
    ["NOT -a:1", "(not (not (= a 1)))"],
    ["status:(500 OR 502)", "(or (= status 500) (= status 502))"],
    ["status:(>=500 -503)", "(and (>= status 500) (not (= status 503)))"],
    ["or and", `(and ${word("or")} ${word("and")})`],
    ["failed:true", "failed"],
    ["failed:false", "(not failed)"],
  ])("%s", (text, expected) => expect(parsed(text)).toBe(expected));
});

describe("pipes", () => {
  test.each([
    [
      'script:shop status:>=500 "card declined" -colo:LHR | stats count(), p99(duration) by version, bin(1m) | sort count desc | limit 20',
      `(and (= script "shop") (>= status 500) ${word("card declined")} (not (= colo "LHR"))) | stats count=count(), p99(duration)=quantile0.99(duration) by version, time=bin(time,60000000) | sort count↓ | limit 20`,
    ],
    ["| stats count()", "all | stats count=count() by "],
    ["| stats count", "all | stats count=count() by "],
    ["| stats count() as n by script, version", "all | stats n=count() by script, version"],
    ["| STATS Count() BY bin(1m)", "all | stats count=count() by time=bin(time,60000000)"],
    [
      "| stats sum(duration), avg( cpu ) by bin()",
      "all | stats sum(duration)=sum(duration), avg(cpu)=avg(cpu) by time=bin(time,auto)",
    ],
    [
      "| stats p50(duration), p99.9(duration) as tail",
      "all | stats p50(duration)=quantile0.5(duration), tail=quantile0.999(duration) by ",
    ],
    [
      "| stats min(x), max(x), count_distinct(ray) by bin(duration, 100ms)",
      "all | stats min(x)=min(x), max(x)=max(x), count_distinct(ray)=count_distinct(ray) by bin(duration)=bin(duration,100)",
    ],
    ["| stats count(status:>=500) as errors", "all | stats errors=count((>= status 500)) by "],
    ["| stats count(a:1 OR b:2)", "all | stats count(a:1 OR b:2)=count((or (= a 1) (= b 2))) by "],
    ["| stats count() by bin(1h) as hour, route as r", "all | stats count=count() by hour=bin(time,3600000000), r"],
    ["| where status:500", "all | where (= status 500)"],
    ["| stats count() by a | where count > 10", "all | stats count=count() by a | where (> count 10)"],
    [
      "| stats p99(duration) by a | where p99(duration) >= 1.5s and a != x",
      'all | stats p99(duration)=quantile0.99(duration) by a | where (and (>= p99(duration) 1500) (not (= a "x")))',
    ],
    ["| sort duration desc, script", "all | sort duration↓, script↑"],
    ["| sort by duration", "all | sort duration↑"],
    ["| sort by", "all | sort by↑"],
    ["| limit 10", "all | limit 10"],
    ["| fields time, message, user.id", "all | fields time, message, user.id"],
    ["a:1 | where b:2 | sort c | limit 3 | fields d", "(= a 1) | where (= b 2) | sort c↑ | limit 3 | fields d"],
  ])("%s", (text, expected) => expect(parsed(text)).toBe(expected));
});

describe("a query with a mistake is told where it is and what was expected", () => {
  test.each([
    ["status:", "expected a value after 'status:' at column 8, found the end of the query"],
    ["status: 500", "expected a value after 'status:' at column 8, found a space"],
    ["status:>", "expected a value after 'status:>' at column 9, found the end of the query"],
    ["status:abc", "expected a number for 'status' at column 8, found 'abc'"],
    ["time:>banana", "expected a time (2026-11-20T10:00, -1h, epoch ms) for 'time' at column 7, found 'banana'"],
    ['"open', "expected a closing quote for the quote at column 1, found the end of the query"],
    ["(a:1", "expected ')' to close the '(' of column 1 at column 5, found the end of the query"],
    ["a:1)", "expected a filter, '|' or the end of the query at column 4, found ')'"],
    ["a OR", "expected a filter at column 5, found the end of the query"],
    ["NOT", "expected a filter at column 4, found the end of the query"],
    ["a |", "expected a pipe (stats, where, sort, limit, fields) at column 4, found the end of the query"],
    ["a | top 5", "expected a pipe (stats, where, sort, limit, fields) at column 5, found 'top'"],
    [
      "| stats median(x)",
      "expected a function (count, sum, avg, min, max, count_distinct, p50, p90, p95, p99 …) at column 9, found 'median'",
    ],
    ["| stats sum()", "expected a field for 'sum' at column 13, found ')'"],
    ["| stats sum(x", "expected ')' after 'sum(x' at column 14, found the end of the query"],
    ["| stats count() by bin(soon)", "expected a duration such as 1m in 'bin(' at column 24, found 'soon'"],
    ["| stats count() by", "expected a field or bin() to group by at column 19, found the end of the query"],
    [
      "| stats count(), count()",
      "expected different names (use 'as') for the columns of 'stats' at column 3, found two columns called 'count'",
    ],
    ["| where", "expected a filter after 'where' at column 8, found the end of the query"],
    ["| limit 0", "expected a whole number from 1 to 10000 after 'limit' at column 9, found '0'"],
    ["| limit many", "expected a whole number from 1 to 10000 after 'limit' at column 9, found 'many'"],
    ["| sort", "expected a column to sort by at column 7, found the end of the query"],
    ["| stats count() | stats count()", "expected one 'stats' only at column 19, found 'stats'"],
    ["| limit 5 | stats count()", "expected 'stats' before 'sort', 'limit' and 'fields' at column 13, found 'stats'"],
    ["| limit 5 | where a:1", "expected 'where' before 'limit' and 'fields' at column 13, found 'where'"],
    [
      "x:a(b)",
      "expected a space or the end of the value; put quotes around a value with parentheses at column 4, found '('",
    ],
  ])("%s", (text, message) => expect(parsed(text)).toBe(message));

  test("more text, depth or clauses than allowed are refused", () => {
    expect(parsed("x".repeat(MAX_QUERY_LENGTH + 1))).toContain(`at most ${MAX_QUERY_LENGTH} characters`);
    expect(parsed("(".repeat(MAX_DEPTH + 1))).toContain("levels of parentheses");
    expect(parsed("-".repeat(1_000).concat("a"))).toContain("levels of parentheses");
    expect(parsed("a ".repeat(MAX_CLAUSES + 1))).toContain(`at most ${MAX_CLAUSES} filters`);
  });
});

describe("the parser never throws", () => {
  const pieces = fc.constantFrom(
    "a",
    "status",
    ":",
    ">",
    "=",
    "/",
    "..",
    "*",
    '"',
    "\\",
    "(",
    ")",
    " ",
    "|",
    "stats ",
    "count(",
    "by ",
    "bin(",
    "1m",
    "where ",
    "sort ",
    "limit ",
    "fields ",
    "NOT ",
    "OR ",
    "AND ",
    "-",
    ",",
    "p99(",
    "é",
    "\u2028",
    "://",
  );
  const run = (text: string) => {
    const result = parseQuery(text, NOW);
    if (!result.ok) {
      expect(result.problem.position).toBeGreaterThanOrEqual(0);
      expect(result.problem.position).toBeLessThanOrEqual(Math.max(text.length, MAX_QUERY_LENGTH));
      expect(result.problem.message).toContain(`at column ${result.problem.position + 1}`);
    }
  };
  test("on any text", () =>
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), run), { numRuns: 500 }));
  test("on text made of the language's own pieces", () =>
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 30 }).map((p) => p.join("")),
        run,
      ),
      { numRuns: 2_000 },
    ));
});
