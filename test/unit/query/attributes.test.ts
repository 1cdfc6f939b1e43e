/** Samples and counts of invocations: fair, and bounded. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { comparedFor } from "../../../workers/query/attributes/dimensions.ts";
import { HashSample } from "../../../workers/query/attributes/hash-sample.ts";
import { MAX_ATTRIBUTE_VALUES } from "../../../workers/query/attributes/limits.ts";
import { rangeOf, readRange } from "../../../workers/query/attributes/ranges.ts";
import { InvocationSink, type Wanted } from "../../../workers/query/attributes/sink.ts";
import { InvocationTable, type Row } from "../../../workers/query/attributes/table.ts";
import { Budget } from "../../../workers/query/budget.ts";
import { compileFilter } from "../../../workers/query/filter/compile.ts";
import { samplePart } from "../../../workers/query/plan.ts";
import { runScan } from "../../../workers/query/scan.ts";
import { SealedReader } from "../../../workers/query/sealed.ts";
import { hash32 } from "../../../workers/util/hash.ts";
import { ALWAYS, bucketOf, storeOf } from "../../support/query.ts";
import { hexOf, seeded } from "../../support/segments.ts";

const row = (id: string, ofIssue: boolean, weight = 1): Row => ({
  ...{ id, hash: hash32(id), ofIssue, weight, pairs: [] },
});

describe("a sample by hash", () => {
  test("keeps no more than it may, whatever comes, and knows which part it is", () => {
    const sample = new HashSample(1_000);
    const rows = new Map<string, { hash: number }>();
    const random = seeded(1);
    // Ids of one millisecond begin alike.
    const ids = Array.from({ length: 50_000 }, () => `0000019aa0000000${hexOf(random, 16)}`);
    for (const id of ids) {
      const hash = hash32(id);
      if (sample.wants(hash)) rows.set(id, { hash });
      sample.shrink(rows);
    }
    expect(rows.size).toBeLessThanOrEqual(1_000);
    expect(rows.size).toBeGreaterThan(400);
    expect(Math.abs(rows.size / sample.fraction / ids.length - 1)).toBeLessThan(0.15);
    for (const id of rows.keys()) expect(sample.wants(hash32(id))).toBe(true);
  });

  test("does not ask what an invocation has: shares are those of all", () => {
    const random = seeded(2);
    let worst = 0;
    for (let run = 0; run < 20; run++) {
      const sample = new HashSample(2_000);
      const rows = new Map<string, { hash: number; hot: boolean }>();
      for (let i = 0; i < 20_000; i++) {
        const id = hexOf(random, 32);
        const hash = hash32(id);
        if (sample.wants(hash)) rows.set(id, { hash, hot: i % 10 === 0 });
        sample.shrink(rows);
      }
      const share = [...rows.values()].filter((r) => r.hot).length / rows.size;
      worst = Math.max(worst, Math.abs(share - 0.1));
    }
    // Four standard errors of 1,000 invocations.
    expect(worst).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / 1_000));
  });

  test("leaves the issue's own alone", () => {
    const rows = new Map(["a", "b", "c", "d"].map((id) => [id, row(id, true)]));
    for (let i = 0; i < 100; i++) rows.set(`r${i}`, row(`r${i}`, false));
    new HashSample(10).shrink(rows, 4);
    expect([...rows.values()].filter((r) => r.ofIssue)).toHaveLength(4);
    expect(rows.size).toBeLessThanOrEqual(14);
  });
});

describe("a part of the segments", () => {
  const segment = (n: number) => ({
    ...{ key: `events/${n}.parquet`, script: "s", minTime: n, maxTime: n, rows: 1_000, bytes: 1, level: 0 },
  });
  const segments = Array.from({ length: 500 }, (_, n) => segment(n));

  test("is all of them where that is not too much", () => {
    const part = samplePart([], segments, 1_000_000);
    expect(part.fraction).toBe(1);
    expect(part.segments).toHaveLength(500);
    expect(samplePart([], [], 10)).toEqual({ live: [], segments: [], fraction: 1 });
  });

  test("else has about the asked rows, from all of the time, and the unsealed among them", () => {
    const live = Array.from({ length: 100 }, (_, id) => ({ shard: "s", id, batch: { rows: 1_000 } }));
    const part = samplePart(live, segments, 120_000);
    expect(part.fraction).toBeCloseTo(0.2, 2);
    const mean = part.segments.reduce((sum, s) => sum + s.minTime, 0) / part.segments.length;
    expect(Math.abs(mean - 250)).toBeLessThan(60);
    expect(part.live.length).toBeGreaterThan(8);
    expect(part.live.length).toBeLessThan(35);
    expect(samplePart(live, segments, 120_000)).toEqual(part);
  });
});

describe("the table of invocations", () => {
  test("counts an invocation once per value, with its weight", () => {
    const table = new InvocationTable();
    const [a, b, c] = [row("a", true), row("b", false, 10), row("c", false)];
    for (const r of [a, b, c]) table.rows.set(r.id, r);
    for (const value of ["x", "x", "y"]) table.add(a, "step", value);
    table.add(b, "step", "x");
    c.spoilt = "unread";
    table.add(c, "step", "x");
    expect([table.readable(true), table.readable(false)]).toEqual([1, 0.5]);
    const { issue, rest, attributes } = table.count();
    expect([issue, rest]).toEqual([
      { n: 1, weight: 1, squares: 1 },
      { n: 1, weight: 10, squares: 100 },
    ]);
    expect(attributes).toHaveLength(1);
    const [step] = attributes;
    expect(step).toMatchObject({ attribute: "step", issue: { n: 1 }, rest: { n: 1, weight: 10 }, others: 0 });
    expect(step?.values.map((v) => [v.value, v.issue.n, v.rest.n])).toEqual([
      ["x", 1, 1],
      ["y", 1, 0],
    ]);
  });

  test("knows how far the invocations with two values are the same", () => {
    const table = new InvocationTable();
    for (const id of ["a", "b", "c", "d"]) table.rows.set(id, row(id, true));
    for (const [id, r] of table.rows) {
      table.add(r, "version", id === "a" ? "v1" : "v2");
      table.add(r, "tag", id === "a" ? "one" : "two");
      table.add(r, "other", id === "b" ? "x" : "y");
    }
    const similar = (one: string, other: string) => {
      const [[a, v], [b, w]] = [one.split("="), other.split("=")] as [[string, string], [string, string]];
      return table.similarity({ attribute: a, value: v }, { attribute: b, value: w });
    };
    expect(similar("version=v2", "tag=two")).toBe(1);
    expect(similar("version=v2", "other=y")).toBe(0.5);
    expect(similar("version=v1", "other=x")).toBe(0);
    expect(similar("version=v9", "nothing=x")).toBe(0);
  });

  test("keeps so many values and no more, and what it keeps it counts from the first", () => {
    const table = new InvocationTable();
    for (let i = 0; i < MAX_ATTRIBUTE_VALUES + 500; i++) {
      const r = row(`r${i}`, false);
      table.rows.set(r.id, r);
      table.add(r, "id", `value ${i}`);
      table.add(r, "text", "x".repeat(300));
    }
    const again = row("again", false);
    table.rows.set("again", again);
    table.add(again, "id", "value 0");
    const [id, text] = table.count().attributes;
    expect(id?.values).toHaveLength(MAX_ATTRIBUTE_VALUES);
    expect(id?.others).toBe(500);
    expect(id?.values[0]?.rest.n).toBe(2);
    expect([text?.values.length, text?.others]).toEqual([0, MAX_ATTRIBUTE_VALUES + 500]);
  });
});

describe("a scan for invocations", () => {
  const event = (id: string, seq: number, more: Partial<TailraceEvent> = {}): TailraceEvent => ({
    ...{ time: seq, kind: "log", script: "s", invocation_id: id, seq, sample_weight: 1, colo: "LHR" },
    ...more,
  });
  /** `a` is the issue's, `b` is too but was not sampled, `c` failed of something else, `d` is well. */
  const events = [
    event("a", 0, { attributes: { tenant: "acme" } }),
    event("a", 1, { fingerprint: "v1-x", attributes: { code: "E1", step: "pay" } }),
    event("b", 0, { fingerprint: "v1-x", attributes: { tenant: "acme" } }),
    event("c", 0, { attributes: { tenant: "globex" } }),
    event("c", 1, { fingerprint: "v1-y", attributes: { code: "E2" } }),
    event("d", 0, { attributes: { tenant: "initech", "trace.id": "t" } }),
  ];

  async function scan(lateAfter = Number.POSITIVE_INFINITY) {
    const table = new InvocationTable();
    let asked = 0;
    const common = {
      table,
      isCompared: comparedFor("exception"),
      derive: (column: string, value: string) =>
        column === "tenant" ? ([["initial", value.slice(0, 1)]] as const) : [],
      isLate: () => ++asked > lateAfter,
    };
    const ids = new Set(["a"]);
    const rest: Wanted = { group: "rest", sample: new HashSample(10), fingerprints: new Set(["v1-x"]), issueIds: ids };
    const missing: string[] = [];
    for (const wanted of [{ group: "issue", ids } as const, rest]) {
      const store = storeOf([events.slice(0, 3)], [events.slice(3)]);
      const budget = new Budget();
      const reader = new SealedReader(bucketOf(store.objects), budget);
      const plan = { filter: compileFilter({ kind: "all" }), range: ALWAYS, after: [] };
      const sink = new InvocationSink({ ...common, wanted });
      missing.push(...(await runScan({ plan, sink, budget, live: store.live, segments: store.segments, reader })));
      budget.end();
    }
    return { table, missing };
  }

  test("takes every event of the issue's, and of the others those that are no errors", async () => {
    const { table } = await scan();
    const { issue, rest, attributes } = table.count();
    expect([issue.n, rest.n]).toEqual([1, 2]);
    const shown = attributes.map((t) => [t.attribute, ...t.values.map((v) => `${v.value} ${v.issue.n}:${v.rest.n}`)]);
    expect(Object.fromEntries(shown.map(([name, ...values]) => [name, values]))).toEqual({
      "cloudflare.colo": ["LHR 1:2"],
      tenant: ["acme 1:0", "globex 0:1", "initech 0:1"],
      initial: ["a 1:0", "g 0:1", "i 0:1"],
      code: ["E1 1:0"],
      step: ["pay 1:0"],
    });
  });

  test("drops in the end what came in while another batch lowered the threshold", async () => {
    const sample = new HashSample(10);
    sample.shrink(new Map(Array.from({ length: 100 }, (_, i) => [`${i}`, { hash: hash32(`${i}`) }])));
    expect(sample.fraction).toBeLessThan(0.5);
    const table = new InvocationTable();
    for (const hash of [0, 2 ** 32 - 1]) table.rows.set(`${hash}`, { ...row(`${hash}`, false), hash });
    const wanted: Wanted = { group: "rest", sample, fingerprints: new Set(), issueIds: new Set() };
    await new InvocationSink({ wanted, table, isCompared: () => true, derive: () => [], isLate: () => false }).finish();
    expect([...table.rows.keys()]).toEqual(["0"]);
  });

  test("leaves out what it had no time to read, and says so", async () => {
    const { table, missing } = await scan(8);
    expect(missing.join()).toContain("no time");
    expect([table.readable(true), table.readable(false)]).toEqual([1, 0]);
  });
});

describe("ranges of numbers", () => {
  test.each([
    [1, "1..2"],
    [1.99, "1..2"],
    [2, "2..5"],
    [49.9, "20..50"],
    [50, "50..100"],
    [0.3, "0.2..0.5"],
    [1000, "1000..2000"],
    [-7, "-10..-5"],
    [999_999_999, "500000000..1000000000"],
  ])("%d is in %s", (value, range) => {
    const made = rangeOf("cart.items", value);
    expect(made?.[1]).toBe(range);
    const read = readRange(made?.[0] ?? "", range);
    expect(read?.column).toBe("cart.items");
    expect(Math.min(read?.low ?? 0, read?.high ?? 0)).toBeLessThanOrEqual(value);
    expect(Math.max(read?.low ?? 0, read?.high ?? 0)).toBeGreaterThanOrEqual(value);
  });

  test("are made of what has a magnitude", () => {
    for (const value of [0, 1e12, Number.NaN, Number.POSITIVE_INFINITY, 1e-9])
      expect(rangeOf("n", value)).toBeUndefined();
    expect(readRange("n", "1..2")).toBeUndefined();
  });

  test("hold every number", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 999_999_999, noNaN: true }), (value) => {
        const { low, high } = readRange("n (range)", rangeOf("n", value)?.[1] ?? "") ?? { low: 1, high: 0 };
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThan(value);
      }),
    );
  });
});
