/** The engine against the reference: any query over any events, live and sealed, gives what the definition says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { parseQuery } from "../../../workers/query/language/parse.ts";
import { ask, storeOf } from "../../support/query.ts";
import { aggregate, fieldValue, holds } from "./reference.ts";

const word = fc.constantFrom(
  "a",
  "A",
  "card",
  "Card declined",
  "timeout after 5 ms",
  "",
  "é",
  "É",
  "500",
  "1.5",
  "true",
  "x/y",
  "k\u212a",
);
/** One type per name: what a name of two types means depends on who shares its segment, and has a test of its own. */
const attributes = fc.record(
  {
    "user.id": word,
    n: fc.oneof(fc.integer({ min: -5, max: 600 }), fc.constantFrom(0.5, 1.5)),
    flag: fc.boolean(),
    "only.rare": word,
    message: word,
  },
  { requiredKeys: [] },
);

const anyEvent: fc.Arbitrary<TailraceEvent> = fc.record(
  {
    time: fc.integer({ min: 1_000_000, max: 1_000_000 + 300_000_000 }),
    kind: fc.constantFrom("invocation", "log", "exception"),
    script: fc.constantFrom("shop", "checkout"),
    invocation_id: fc.constantFrom("00", "01", "02", "03"),
    seq: fc.nat(50),
    sample_weight: fc.constantFrom(1, 1, 1, 2, 10),
    message: word,
    stack: word,
    outcome: fc.constantFrom("ok", "exception", "canceled", "exceededCpu"),
    status: fc.constantFrom(200, 404, 500, 503),
    duration: fc.constantFrom(0, 0.5, 1, 2, 5, 1500),
    route: fc.constantFrom("/", "/cart", "/products/:id"),
    attributes,
  },
  { requiredKeys: ["time", "kind", "script", "invocation_id", "seq", "sample_weight"] },
);

const field = fc.constantFrom(
  "script",
  "status",
  "duration",
  "message",
  "stack",
  "route",
  "user.id",
  "n",
  "flag",
  "only.rare",
  "@message",
  "missing",
  "kind",
);
const quoted = word.map((w) => JSON.stringify(w));
const condition = fc.oneof(
  fc.constantFrom(
    "*",
    "5*",
    ">1",
    ">=500",
    "<2",
    "<=503",
    "1..500",
    "a..b",
    "true",
    "500",
    "/^(a|c).*d/",
    "/CARD/i",
    "/ms$/",
    "/5/",
    "*ar*",
    "!=500",
  ),
  quoted,
  quoted.map((w) => `=${w}`),
  quoted.map((w) => `>${w}`),
  quoted.map((w) => `${w}*`),
);
const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(field, condition).map(([f, c]) => `${f}:${c}`) },
  { weight: 1, arbitrary: quoted },
  { weight: 1, arbitrary: fc.constantFrom("card", "failed:true", "-failed:true", "time:>60000000") },
);
const filter: fc.Arbitrary<string> = fc.letrec<{ f: string }>((tie) => ({
  f: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.tuple(tie("f"), tie("f")).map(([a, b]) => `${a} ${b}`),
    fc.tuple(tie("f"), tie("f")).map(([a, b]) => `(${a} OR ${b})`),
    tie("f").map((f) => `NOT (${f})`),
  ),
})).f;

const events = fc.array(anyEvent, { maxLength: 40 });
/** Which of four places an event lies in: two live batches, two segments. */
const placed = fc.array(fc.tuple(anyEvent, fc.nat(3)), { maxLength: 60 });

function storeOfPlaced(all: readonly [TailraceEvent, number][]) {
  const at = (place: number) => all.filter(([, p]) => p === place).map(([e]) => e);
  return storeOf([at(0), at(1)], [at(2), at(3)]);
}

/** Core numbers take no text: the parser says so, which parse.test.ts proves. */
const parses = (q: string) => parseQuery(q, 0).ok;

describe("filters", () => {
  test("find exactly the events that the reference finds, newest first", async () => {
    await fc.assert(
      fc.asyncProperty(placed, filter.filter(parses), async (all, q) => {
        const parsed = parseQuery(q, 0);
        if (!parsed.ok) throw new Error("BUG: it parsed a moment ago");
        const expected = all.map(([e]) => e).filter((e) => holds(parsed.query.filter, e));
        const { rows } = await ask(storeOfPlaced(all), `${q} | fields time, invocation_id, seq, message`);
        const found = rows.map(([time, id, seq, message]) => JSON.stringify([time, id, seq, message]));
        const wanted = expected.map((e) => JSON.stringify([e.time, e.invocation_id, e.seq, e.message ?? null]));
        expect([...found].sort()).toEqual(wanted.sort());
        const times = rows.map((r) => r[0] as number);
        expect(times).toEqual([...times].sort((a, b) => b - a));
      }),
      { numRuns: 300 },
    );
  });
});

describe("aggregates", () => {
  const AGGREGATES =
    "count() as total, sum(duration), avg(n), min(n), max(duration), count_distinct(user.id), p50(duration), p99(n), count(status:>=500) as bad";
  const key = fc.constantFrom("script", "status", "user.id", "n", "flag", "missing");

  test("are those of the reference, in every group", async () => {
    await fc.assert(
      fc.asyncProperty(placed, filter.filter(parses), fc.uniqueArray(key, { maxLength: 2 }), async (all, q, keys) => {
        const by = keys.length > 0 ? ` by ${keys.join(", ")}` : "";
        const text = `${q} | stats ${AGGREGATES}${by}`;
        const parsed = parseQuery(text, 0);
        if (!parsed.ok || parsed.query.pipes[0]?.kind !== "stats") throw new Error("BUG: must parse");
        const { aggregates } = parsed.query.pipes[0];
        const groups = new Map<string, TailraceEvent[]>(keys.length > 0 ? [] : [["[]", []]]);
        for (const [e] of all) {
          if (!holds(parsed.query.filter, e)) continue;
          const id = JSON.stringify(keys.map((k) => fieldValue(e, k)).map((v) => (v === undefined ? null : String(v))));
          groups.set(id, [...(groups.get(id) ?? []), e]);
        }
        const { rows } = await ask(storeOfPlaced(all), text);
        const found = new Map(
          rows.map((r) => [
            JSON.stringify(r.slice(0, keys.length).map((v) => (v === null ? null : String(v)))),
            r.slice(keys.length),
          ]),
        );
        expect([...found.keys()].sort()).toEqual([...groups.keys()].sort());
        for (const [id, members] of groups) {
          const wanted = aggregates.map((a) => aggregate(a, members));
          found.get(id)?.forEach((value, i) => {
            const want = wanted[i] as number | null;
            if (want === null || value === null) expect(value).toBe(want);
            else expect(value).toBeCloseTo(want, 6);
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a name that is a number here and a text there is one group, and found by either", async () => {
    const event = (n: string | number): TailraceEvent => ({
      time: 1,
      kind: "log",
      script: "s",
      invocation_id: "0",
      seq: 0,
      sample_weight: 1,
      attributes: { n },
    });
    const store = storeOf([[event(5)], [event("5"), event("x")]], [[event(5)], [event("5")]]);
    expect((await ask(store, "| stats count() by n")).rows).toEqual([
      ["5", 4],
      ["x", 1],
    ]);
    expect((await ask(store, "n:5 | stats count()")).rows).toEqual([[4]]);
    expect((await ask(store, "n:>4 | stats count(), sum(n)")).rows).toEqual([[4, 20]]);
  });

  test("bins begin at multiples of their width", async () => {
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        const { rows } = await ask(storeOf([all.slice(0, 5)], [all.slice(5)]), "| stats count() by bin(1m)");
        const wanted = new Map<number, number>();
        for (const e of all) {
          const minute = Math.floor(e.time / 6e7) * 6e7;
          wanted.set(minute, (wanted.get(minute) ?? 0) + e.sample_weight);
        }
        expect(rows).toEqual([...wanted].sort((a, b) => a[0] - b[0]));
      }),
      { numRuns: 50 },
    );
  });
});

describe("sort and limit", () => {
  test("keep the first rows of the whole order, nulls last", async () => {
    await fc.assert(
      fc.asyncProperty(placed, fc.boolean(), fc.integer({ min: 1, max: 20 }), async (all, descending, n) => {
        const { rows } = await ask(
          storeOfPlaced(all),
          `| sort duration ${descending ? "desc" : "asc"} | limit ${n} | fields duration`,
        );
        const known = all.flatMap(([e]) => (e.duration === undefined ? [] : [e.duration]));
        const sorted = known.sort((a, b) => (descending ? b - a : a - b));
        const wanted = [...sorted, ...new Array(all.length - known.length).fill(null)].slice(0, n);
        expect(rows.map((r) => r[0])).toEqual(wanted);
      }),
      { numRuns: 100 },
    );
  });

  test("pages joined by their cursor are the whole, nothing twice and nothing missing", async () => {
    // Many events of one invocation share a millisecond.
    const tied = fc.array(
      fc.tuple(
        anyEvent.map((e) => ({ ...e, time: 1_000_000 + (e.time % 3) })),
        fc.nat(3),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(tied, fc.integer({ min: 1, max: 7 }), fc.boolean(), async (all, limit, ascending) => {
        const unique = [...new Map(all.map((a) => [`${a[0].time} ${a[0].invocation_id} ${a[0].seq}`, a])).values()];
        const store = storeOfPlaced(unique);
        const q = `${ascending ? "| sort time " : ""}| fields time, invocation_id, seq`;
        const whole = await ask(store, q);
        const pages: unknown[] = [];
        let before: string | undefined;
        for (let page = 0; page <= unique.length; page++) {
          const answer = await ask(store, q, { limit, ...(before === undefined ? {} : { before }) });
          pages.push(...answer.rows);
          before = answer.next;
          if (before === undefined) break;
        }
        expect(pages).toEqual(whole.rows);
        expect(whole.rows).toHaveLength(unique.length);
      }),
      { numRuns: 100 },
    );
  });

  test("events come with every field they have, attributes as JSON", async () => {
    const event: TailraceEvent = {
      time: 1_000_000,
      kind: "log",
      script: "shop",
      invocation_id: "00",
      seq: 1,
      sample_weight: 1,
      message: "hello",
      attributes: { "user.id": "u1", n: 5, flag: true, message: "of its own" },
    };
    const { columns, rows } = await ask(storeOf([], [[event]]), "");
    expect(columns.map((c) => c.name)).toEqual([
      "time",
      "kind",
      "script",
      "invocation_id",
      "seq",
      "sample_weight",
      "message",
      "attributes",
    ]);
    expect(JSON.parse(rows[0]?.[7] as string)).toEqual({
      "user.id": "u1",
      n: 5,
      flag: true,
      "attr.message": "of its own",
    });
  });
});

describe("events with more attributes than there are columns", () => {
  const many = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`key.${i}`, i]));
  const wide = (n: number, attributes: Record<string, number | string>): TailraceEvent => ({
    time: n,
    kind: "log",
    script: "s",
    invocation_id: "0",
    seq: n,
    sample_weight: 1,
    attributes,
  });
  const events = [wide(1, many), wide(2, { "key.1100": 7, plain: "x" })];

  test.each([
    ["live", storeOf([events], [])],
    ["sealed", storeOf([], [events])],
  ])("are found and shown like any other, %s", async (_, store) => {
    expect((await ask(store, "key.1100:>1000 | stats count(), max(key.1199)")).rows).toEqual([[1, 1199]]);
    expect((await ask(store, "| stats count() by key.1100 | sort key.1100")).rows).toEqual([
      [7, 1],
      [1100, 1],
    ]);
    expect((await ask(store, "| fields key.1100, plain")).rows).toEqual([
      [7, "x"],
      [1100, null],
    ]);
    const { columns, rows } = await ask(store, "");
    const at = columns.findIndex((c) => c.name === "attributes");
    expect(rows.map((row) => JSON.parse(row[at] as string))).toEqual([{ "key.1100": 7, plain: "x" }, many]);
  });
});
