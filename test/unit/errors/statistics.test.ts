/** Statistics against known values, exact computation and simulation. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AttributeCounts,
  compare,
  type Groups,
  MIN_REST,
  type Tally,
} from "../../../workers/errors/statistics/compare.ts";
import { chiSquareTail, erfc, logFactorial } from "../../../workers/errors/statistics/distributions.ts";
import { qValues } from "../../../workers/errors/statistics/false-discoveries.ts";
import { effectOfShares, fisherExact, gTest, oddsRatio, pValue } from "../../../workers/errors/statistics/tests.ts";
import { seeded } from "../../support/segments.ts";

const relative = (got: number, wanted: number) => Math.abs(got - wanted) / Math.abs(wanted);

describe("distributions", () => {
  test.each([
    [0, 1],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [1.999, 0.004698443348629488],
    [2.001, 0.00465710928147535],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
    [25, 8.300172571196522e-274],
  ])("erfc(%d)", (x, expected) => {
    expect(relative(erfc(x), expected)).toBeLessThan(1e-11);
  });

  test.each([
    [3.841458820694124, 0.05],
    [6.634896601021213, 0.01],
    [10.827566170662733, 0.001],
    [100, 1.523970604832108e-23],
  ])("the tail of chi-square at %d", (x, p) => {
    expect(relative(chiSquareTail(x), p)).toBeLessThan(1e-9);
  });

  test("ln n! is the sum of logarithms", () => {
    let sum = 0;
    for (let n = 1; n <= 5_000; n++) {
      sum += Math.log(n);
      expect(Math.abs(logFactorial(n) - sum)).toBeLessThan(1e-12 * Math.max(1, sum));
    }
  });
});

/** Fisher's test in whole numbers: as exact as it gets. */
function fisherInIntegers(a: number, b: number, c: number, d: number): number {
  const choose = (n: number, k: number): bigint => {
    let result = 1n;
    for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
    return k < 0 || k > n ? 0n : result;
  };
  const ways = (x: number) => choose(a + c, x) * choose(b + d, a + b - x);
  const observed = ways(a);
  let as = 0n;
  for (let x = 0; x <= a + b; x++) if (ways(x) <= observed) as += ways(x);
  return Number((as * 10n ** 30n) / choose(a + b + c + d, a + b)) / 1e30;
}

describe("Fisher's exact test", () => {
  test.each([
    // Fisher's tea taster, and his convicted twins: R prints 0.4857 and 0.0005367.
    [3, 1, 1, 3, 34 / 70],
    [2, 10, 15, 3, 0.0005367241],
    [10, 2, 3, 15, 0.0005367241],
    [0, 5, 5, 0, 2 / 252],
    [5, 0, 5, 0, 1],
    [0, 0, 3, 4, 1],
  ])("%d %d / %d %d", (a, b, c, d, p) => {
    expect(fisherExact({ a, b, c, d })).toBeCloseTo(p, 9);
  });

  test("is what whole numbers say, for any small table", () => {
    const count = fc.nat(40);
    fc.assert(
      fc.property(count, count, count, count, (a, b, c, d) => {
        const exact = fisherInIntegers(a, b, c, d);
        expect(relative(fisherExact({ a, b, c, d }), exact)).toBeLessThan(1e-6);
      }),
    );
  });

  test("holds far out, where a double cannot say how unlikely the first table is", () => {
    expect(fisherExact({ a: 2_000, b: 2_000, c: 2_000, d: 2_000 })).toBeCloseTo(1, 9);
    expect(fisherExact({ a: 4_000, b: 0, c: 0, d: 20_000 })).toBeLessThan(1e-300);
    const p = fisherExact({ a: 30, b: 20, c: 400, d: 19_600 });
    expect(p).toBeGreaterThan(0);
    expect(relative(Math.log(p), Math.log(gTest({ a: 30, b: 20, c: 400, d: 19_600 })))).toBeLessThan(0.1);
  });
});

describe("the G-test", () => {
  test("of Sokal and Rohlf's kind of example, by hand", () => {
    // 2 Σ O ln(O / E) with expected counts 15, 35, 15, 35.
    const g = 2 * (20 * Math.log(20 / 15) + 30 * Math.log(30 / 35) + 10 * Math.log(10 / 15) + 40 * Math.log(40 / 35));
    expect(gTest({ a: 20, b: 30, c: 10, d: 40 })).toBeCloseTo(chiSquareTail(g), 12);
    expect(gTest({ a: 10, b: 10, c: 10, d: 10 })).toBe(1);
  });

  test("is taken where every cell expects five, Fisher's where one does not", () => {
    expect(pValue({ a: 20, b: 30, c: 10, d: 40 })).toBe(gTest({ a: 20, b: 30, c: 10, d: 40 }));
    expect(pValue({ a: 3, b: 1, c: 1, d: 3 })).toBe(fisherExact({ a: 3, b: 1, c: 1, d: 3 }));
  });
});

describe("effects", () => {
  test("the odds ratio has half a count more in each cell", () => {
    const { ratio, interval } = oddsRatio({ a: 10, b: 2, c: 3, d: 15 });
    expect(ratio).toBeCloseTo((10.5 * 15.5) / (2.5 * 3.5), 12);
    const error = Math.sqrt(1 / 10.5 + 1 / 2.5 + 1 / 3.5 + 1 / 15.5);
    expect(interval[0]).toBeCloseTo(ratio / Math.exp(1.959963984540054 * error), 12);
    expect(interval[1]).toBeCloseTo(ratio * Math.exp(1.959963984540054 * error), 10);
    expect(oddsRatio({ a: 5, b: 0, c: 0, d: 5 }).ratio).toBeCloseTo(121, 9);
  });

  test("Cramér's V of two shares is that of a table with rows of one size", () => {
    const [a, b, c, d] = [60, 40, 30, 70];
    const phi = (a * d - b * c) / Math.sqrt((a + b) * (c + d) * (a + c) * (b + d));
    expect(effectOfShares(0.6, 0.3)).toBeCloseTo(phi, 12);
    expect(effectOfShares(1, 0)).toBe(1);
    expect(effectOfShares(0, 0)).toBe(0);
    expect(effectOfShares(1, 1)).toBe(0);
  });
});

describe("q-values", () => {
  test("are those of Benjamini and Hochberg's own example", () => {
    // The 15 p-values of the paper: four are significant at 0.05.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    const q = qValues(p);
    expect(q.filter((x) => x <= 0.05)).toHaveLength(4);
    expect(q[0]).toBeCloseTo(0.0015, 12);
    expect(q[3]).toBeCloseTo(0.035625, 12);
    expect(q[14]).toBe(1);
  });

  test("keep the order, whatever the order, and count comparisons that are not listed", () => {
    expect(qValues([0.03, 0.01])).toEqual([0.03, 0.02]);
    expect(qValues([0.01], 10)).toEqual([0.1]);
    expect(qValues([])).toEqual([]);
  });
});

// What is found, and what is not ------------------------------------------------

interface Invocation {
  ofIssue: boolean;
  weight: number;
  attributes: Record<string, string>;
}

function groupsOf(invocations: readonly Invocation[], fractions = { issue: 1, rest: 1 }): Groups {
  const tally = (): Tally => ({ n: 0, weight: 0, squares: 0 });
  const add = (t: Tally, w: number) => {
    t.n++;
    t.weight += w;
    t.squares += w * w;
  };
  const all = { issue: tally(), rest: tally() };
  const attributes = new Map<
    string,
    { issue: Tally; rest: Tally; values: Map<string, { issue: Tally; rest: Tally }> }
  >();
  for (const { ofIssue, weight, attributes: own } of invocations) {
    const side = ofIssue ? "issue" : "rest";
    add(all[side], weight);
    for (const [name, value] of Object.entries(own)) {
      const attribute = attributes.get(name) ?? { issue: tally(), rest: tally(), values: new Map() };
      attributes.set(name, attribute);
      add(attribute[side], weight);
      const counted = attribute.values.get(value) ?? { issue: tally(), rest: tally() };
      attribute.values.set(value, counted);
      add(counted[side], weight);
    }
  }
  const list = [...attributes].map(([attribute, { issue, rest, values }]): AttributeCounts => {
    return {
      attribute,
      issue,
      rest,
      values: [...values].map(([value, v]) => ({ value, ...v })),
      others: 0,
    };
  });
  return { ...all, fractions, attributes: list };
}

/** Values by Zipf's law: a few frequent, many rare. */
function zipf(random: () => number, count: number): string {
  return `v${Math.min(count - 1, Math.floor(Math.exp(random() * Math.log(count + 1)) - 1))}`;
}

/** A Worker's traffic as it is: dimensions that depend on each other, ids, sampled invocations with weights. */
function invocationOf(random: () => number): Omit<Invocation, "ofIssue"> {
  const country = zipf(random, 60);
  const attributes: Record<string, string> = {
    version: random() < 0.1 ? "canary" : "stable",
    country,
    colo: random() < 0.8 ? `colo-of-${country}` : zipf(random, 40),
    route: zipf(random, 25),
    method: random() < 0.8 ? "GET" : "POST",
    tenant: zipf(random, 500),
    browser: zipf(random, 12),
    id: String(random()),
  };
  attributes.tag = `tag of ${attributes.version}`;
  if (random() < 0.3) attributes.plan = zipf(random, 4);
  return { weight: random() < 0.7 ? 10 : 1, attributes };
}

describe("what stands out", () => {
  test("is nothing where there is nothing, in 95 of 100 cases at least", () => {
    const random = seeded(7);
    let withFinding = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const size = 400 + Math.floor(random() * 1_600);
      const share = 0.01 + random() * 0.3;
      const invocations = Array.from({ length: size }, () => {
        const ofIssue = random() < share;
        const invocation = invocationOf(random);
        // Errors are never sampled away.
        return { ...invocation, weight: ofIssue ? 1 : invocation.weight, ofIssue };
      });
      if (compare(groupsOf(invocations)).findings.length > 0) withFinding++;
    }
    expect(withFinding / runs).toBeLessThanOrEqual(0.05);
  });

  test.each([
    ["a canary that has 10 % of the traffic and 60 % of the errors", "version", "canary", 0.55, 60],
    ["a canary that has all of few errors", "version", "canary", 1, 12],
    ["one country in fifty", "country", "v30", 0.4, 80],
    ["a tenant in five hundred", "tenant", "v300", 0.3, 50],
    ["one browser", "browser", "v5", 0.7, 40],
  ])("is found: %s", (_, attribute, value, strength, cases) => {
    const random = seeded(11);
    let found = 0;
    const runs = 60;
    for (let run = 0; run < runs; run++) {
      const invocations = Array.from({ length: 1_500 + cases }, (_, i) => {
        const ofIssue = i < cases;
        const invocation = invocationOf(random);
        if (ofIssue && random() < strength) invocation.attributes[attribute] = value;
        return { ...invocation, weight: ofIssue ? 1 : invocation.weight, ofIssue };
      });
      const { findings } = compare(groupsOf(invocations));
      if (findings.some((f) => f.attribute === attribute && f.value === value)) found++;
    }
    expect(found / runs).toBeGreaterThanOrEqual(0.95);
  });

  const some = (count: number, ofIssue: boolean, attributes: Record<string, string>, weight = 1): Invocation[] =>
    Array.from({ length: count }, () => ({ ofIssue, weight, attributes }));

  test("says how much, against all of the Worker", () => {
    const invocations = [
      ...some(90, true, { version: "v2" }),
      ...some(10, true, { version: "v1" }),
      ...some(10, false, { version: "v2" }, 10),
      ...some(90, false, { version: "v1" }, 10),
    ];
    const { findings, comparisons } = compare(groupsOf(invocations));
    expect(comparisons).toEqual({ attributes: 1, values: 2 });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      attribute: "version",
      value: "v2",
      issueCount: 90,
      workerCount: 190,
      issueShare: 0.9,
    });
    expect(findings[0]?.workerShare).toBeCloseTo(190 / 1100, 12);
    expect(findings[0]?.effect).toBeCloseTo(0.8, 12);
    expect(findings[0]?.oddsRatio).toBeCloseTo((90.5 * 90.5) / (10.5 * 10.5), 9);
  });

  test("is scaled up from samples, and does not depend on how large they are", () => {
    const at = (issue: number, rest: number) =>
      compare(
        groupsOf(
          [
            ...some(80, true, { v: "a" }),
            ...some(20, true, { v: "b" }),
            ...some(100 * rest, false, { v: "a" }),
            ...some(900 * rest, false, { v: "b" }),
          ],
          { issue, rest: rest / 10 },
        ),
      ).findings[0];
    expect(at(0.5, 1)?.issueCount).toBe(160);
    expect(at(0.5, 1)?.workerCount).toBe(160 + 1_000);
    expect(at(1, 1)?.effect).toBeCloseTo(at(1, 5)?.effect ?? 0, 12);
    expect(at(1, 1)?.workerShare).toBeCloseTo(at(1, 5)?.workerShare ?? 0, 12);
  });

  test("is not shown where it is too rare, too small, or an id", () => {
    const nothing = (invocations: Invocation[]) => expect(compare(groupsOf(invocations)).findings).toEqual([]);
    // Four of a kind may be one person.
    nothing([...some(4, true, { v: "a" }), ...some(500, false, { v: "b" }), ...some(20, true, { v: "b" })]);
    // 52 % against 50 % of very many is certain, and of no use.
    nothing([
      ...some(26_000, true, { v: "a" }),
      ...some(24_000, true, { v: "b" }),
      ...some(50_000, false, { v: "a" }),
      ...some(50_000, false, { v: "b" }),
    ]);
    // Too little to compare with.
    nothing([...some(50, true, { v: "a" }), ...some(MIN_REST - 1, false, { v: "b" })]);
    // Only the issue logs it.
    nothing([...some(50, true, { code: "E1" }), ...some(500, false, {})]);
    // On few of its invocations.
    nothing([...some(8, true, { v: "a" }), ...some(92, true, {}), ...some(500, false, { v: "b" })]);
    const ids = (count: number, ofIssue: boolean) =>
      Array.from({ length: count }, (_, i) => ({ ofIssue, weight: 1, attributes: { id: `${ofIssue} ${i}` } }));
    nothing([...ids(100, true), ...ids(100, false)]);
  });

  test("is told once where it says the same", () => {
    const invocations = [
      ...some(50, true, { city: "Mumbai", colo: "BOM", plan: "pro" }),
      ...some(400, false, { city: "Berlin", colo: "FRA", plan: "free" }),
      ...some(10, false, { city: "Berlin", colo: "FRA", plan: "pro" }),
    ];
    const groups = groupsOf(invocations);
    const similarity = (x: { attribute: string }, y: { attribute: string }) =>
      x.attribute === "plan" || y.attribute === "plan" ? 50 / 60 : 1;
    const { findings } = compare(groups, similarity);
    expect(findings.map((f) => [f.value, f.alike.map((a) => a.value)])).toEqual([
      ["Mumbai", ["BOM"]],
      ["pro", []],
    ]);
    expect(compare(groups).findings).toHaveLength(3);
  });

  test("is less certain when few events stand for many", () => {
    const q = (weight: number) => {
      const heavy = some(3, false, { v: "b" }, weight);
      const { findings } = compare(
        groupsOf([
          ...some(8, true, { v: "a" }),
          ...some(2, true, { v: "b" }),
          ...some(30, false, { v: "b" }),
          ...some(4, false, { v: "a" }),
          ...heavy,
        ]),
      );
      return findings[0]?.q ?? 1;
    };
    expect(q(1)).toBeLessThan(0.05);
    expect(q(1_000)).toBeGreaterThan(q(1));
  });
});
