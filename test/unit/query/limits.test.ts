/** What bounds a query: expressions that would hang other engines, groups, segments, bytes, and what stops a scan early. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { Budget } from "../../../workers/query/budget.ts";
import { QueryFailure } from "../../../workers/query/errors.ts";
import { compileRegex, requiredLiteral } from "../../../workers/query/filter/regex.ts";
import { parseQuery } from "../../../workers/query/language/parse.ts";
import { MAX_GROUPS } from "../../../workers/query/limits.ts";
import { Lru } from "../../../workers/query/lru.ts";
import { ask, storeOf } from "../../support/query.ts";

const event = (n: number, more: Partial<TailraceEvent> = {}): TailraceEvent => ({
  time: 1_000_000 + n,
  kind: "log",
  script: "s",
  invocation_id: String(n),
  seq: 0,
  sample_weight: 1,
  ...more,
});
const many = (count: number, from = 0, more: (n: number) => Partial<TailraceEvent> = () => ({})) =>
  Array.from({ length: count }, (_, i) => event(from + i, more(from + i)));

async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (error instanceof QueryFailure) return error.error;
    throw error;
  }
  throw new Error("it did not fail");
}

describe("regular expressions", () => {
  test.each([
    ["abc", "abc"],
    ["^GET /cart$", "GET /cart"],
    ["card (declined|expired) by bank", " by bank"],
    ["colou?r of it", "r of it"],
    ["a+bcd*", "bc"],
    ["x{2,3}yz", "yz"],
    ["a|b", ""],
    ["(?i)abc", ""],
    ["[a\\]b]cde", "cde"],
    ["[]x]yz", "yz"],
    ["a\\.b\\/c", "a.b/c"],
    ["\\d+ ms", " ms"],
    ["\\x41bc", ""],
    ["ab\\", "ab"],
  ])("every match of %s contains %j", (source, literal) => expect(requiredLiteral(source)).toBe(literal));

  test("that make a backtracking engine explode are answered", () => {
    const text = "x".repeat(50_000);
    for (const source of ["(x+x+)+y", "(x*)*y", "(x|x|x)*y", "(.*)*y", "^(x?){200}y"]) {
      expect(compileRegex(source, false, 0).test(text)).toBe(false);
    }
  });

  test("that are none, or would compile to too much, are told so", async () => {
    for (const source of ["(", "a**", "(a{1000}){1000}", "(?=a)", "\\1", "[z-a]"]) {
      expect(await failure(ask(storeOf([], []), `message:/${source}/`))).toMatchObject({
        code: "bad_query",
        details: { position: 8, expected: "a regular expression (RE2 syntax)" },
      });
    }
  });
});

describe("too much", () => {
  test("groups", async () => {
    const store = storeOf([many(MAX_GROUPS + 2)], []);
    expect(await failure(ask(store, "| stats count() by invocation_id"))).toMatchObject({
      code: "too_much",
      message: expect.stringContaining("group by fewer fields"),
    });
  });

  test("segments, bytes and time", async () => {
    const store = storeOf([], [many(5), many(5, 10), many(5, 20)]);
    const limits = { segments: 100, bytes: 1e9, wallMs: 60_000 };
    const run = (less: Partial<typeof limits>) =>
      failure(ask(store, "| stats count()", { limits: { ...limits, ...less } }));
    expect(await run({ segments: 2 })).toMatchObject({
      code: "too_much",
      message: expect.stringContaining("2 segments"),
    });
    expect(await run({ bytes: 10 })).toMatchObject({ code: "too_much" });
    expect(await run({ wallMs: -1 })).toMatchObject({
      code: "too_much",
      message: expect.stringContaining("narrow the time range"),
    });
  });

  test.each([
    ["a text", "message:/(a?){300}a{300}[bc]/"],
    ["a text of which another filter holds", "message:/(a?){300}a{300}[bc]/ message:aaaa"],
    ["a count", "| stats count(message:/(a?){300}a{300}[bc]/)"],
    ["numbers", "duration:/(1?){300}1{300}[bc]/"],
    ["an answer", "| stats count() by message | where message:/(a?){300}a{300}[bc]/"],
  ])("a regular expression that takes long on %s lets others run, and can be stopped", async (_, q) => {
    const events = (from: number) =>
      many(400, from, (n) => ({ message: `${"a".repeat(8_000)}${n}`, duration: 1111111111 + n }));
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 1);
    const asked = ask(storeOf([], [events(0)]), q, { signal: gone.signal });
    expect(await failure(asked)).toMatchObject({ code: "cancelled" });
  });

  test("long queries take turns, and one that is never heard of again keeps none waiting", async () => {
    vi.useFakeTimers();
    try {
      const ahead = new Budget();
      // Queries of other tests may still have the turn: it takes until they count as gone.
      for (const wait of [3_000, 10]) {
        const turn = ahead.pause();
        await vi.advanceTimersByTimeAsync(wait);
        await turn;
      }
      const order: string[] = [];
      const last = new Budget().pause().then(() => order.push("last"));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(order).toEqual([]);
      ahead.end();
      await vi.advanceTimersByTimeAsync(10);
      await last;
      const later = new Budget().pause().then(() => order.push("later"));
      await vi.advanceTimersByTimeAsync(5_000);
      await later;
      expect(order).toEqual(["last", "later"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a query that is cancelled stops", () => {
    const budget = new Budget(AbortSignal.abort());
    expect(() => budget.check()).toThrow("cancelled");
  });
});

describe("a scan reads no more than it needs", () => {
  const hour = 3_600_000_000;
  const sealed = Array.from({ length: 6 }, (_, h) => many(50, h * hour, (n) => ({ message: `hour ${h} event ${n}` })));

  test("the newest events come from the newest segments", async () => {
    const { rows, budget } = await ask(storeOf([], sealed), "| fields message", { limit: 10 });
    expect(rows[0]).toEqual([`hour 5 event ${5 * hour + 49}`]);
    // Two segments are under way at once.
    expect(budget.segments).toBeLessThanOrEqual(2);
  });

  test("the oldest events come from the oldest segments", async () => {
    const { rows, budget } = await ask(storeOf([], sealed), "| sort time | fields message", { limit: 10 });
    expect(rows[0]).toEqual(["hour 0 event 0"]);
    expect(budget.segments).toBeLessThanOrEqual(2);
  });

  test("a second run reads nothing again", async () => {
    const store = storeOf([], sealed);
    const first = await ask(store, "event | stats count() by kind");
    const second = await ask(store, "event | stats count() by kind");
    expect(first.budget.bytes).toBeGreaterThan(0);
    expect(second.budget.bytes).toBe(0);
    expect(second.rows).toEqual([["log", 300]]);
  });

  test("a segment that lies outside the range of a time filter is not opened", async () => {
    const read: string[] = [];
    const store = storeOf([], sealed);
    const range = { from: 1_000_000 + 5 * hour, to: 1_000_000 + 6 * hour };
    store.segments = store.segments.filter((s) => s.maxTime >= range.from);
    const { rows } = await ask(store, "| stats count()", { range, onRead: (key) => read.push(key) });
    expect(rows).toEqual([[50]]);
    expect(new Set(read).size).toBe(1);
  });
});

test("a cache keeps what was used last, within its size", () => {
  const lru = new Lru<number>(100);
  for (let i = 0; i < 10; i++) lru.set(String(i), i, 20);
  expect(lru.size).toBe(100);
  expect(lru.get("4")).toBeUndefined();
  expect(lru.get("5")).toBe(5);
  lru.set("new", 1, 20);
  expect(lru.get("5")).toBe(5);
  expect(lru.get("6")).toBeUndefined();
  lru.set("huge", 1, 90);
  expect(lru.get("huge")).toBeUndefined();
});

test("whatever parses can be run, or is told what is wrong with it", async () => {
  const pieces = fc.constantFrom(
    "a",
    "status",
    "message",
    ":",
    ">",
    "=",
    "/x/",
    "..",
    "*",
    '"b"',
    "(",
    ")",
    " ",
    " | ",
    "5",
    "stats count()",
    "stats p99(status)",
    " by ",
    "bin(1m)",
    "bin()",
    "bin(status, 3)",
    "where ",
    "sort ",
    "limit 3",
    "fields ",
    "NOT ",
    " OR ",
    "-",
    ", ",
    "count",
    "failed:true",
  );
  const store = storeOf(
    [many(3, 0, (n) => ({ status: 500 + n, message: "b" }))],
    [many(3, 10, () => ({ attributes: { a: "x" } }))],
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(pieces, { maxLength: 12 }).map((p) => p.join("")),
      async (q) => {
        if (!parseQuery(q, 0).ok) return;
        try {
          const { columns, rows } = await ask(store, q);
          for (const row of rows) expect(row).toHaveLength(columns.length);
        } catch (error) {
          if (!(error instanceof QueryFailure)) throw error;
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
