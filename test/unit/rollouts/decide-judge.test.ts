/** Every verdict and how it comes about; what must not matter does not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_PLAN, type Judgement, type NewIssue } from "../../../workers/api/contract.ts";
import type { Cell, IssueCount } from "../../../workers/rollouts/contract.ts";
import { judge } from "../../../workers/rollouts/decide/judge.ts";
import { both, cell, ERRORS_ONLY, evidence, planWith, START } from "../../support/rollout-evidence.ts";

const minutes = (count: number, old: [number, number], fresh: [number, number]): Cell[] =>
  Array.from({ length: count }, (_, minute) => both(minute, old, fresh)).flat();

const errors = (cells: Cell[], next = 25): Judgement => judge(ERRORS_ONLY, evidence(cells), next);

describe("errors", () => {
  test.each<[string, Cell[], Judgement["verdict"], boolean]>([
    ["nothing at all", [], "unknown", false],
    ["only the old version", [cell(0, "old", 1_000, 10)], "unknown", false],
    ["only the new version", [cell(0, "new", 1_000, 900)], "unknown", false],
    ["both, never in the same minute", [cell(0, "old", 1_000, 0), cell(1, "new", 1_000, 900)], "unknown", false],
    ["1 % against 1 %, an hour", minutes(60, [11_400, 114], [600, 6]), "not_worse", false],
    ["1 % against 3 %, three minutes", minutes(3, [11_400, 114], [600, 18]), "worse", false],
    ["1 % against 1.2 %, an hour: below what counts", minutes(60, [11_400, 114], [600, 7.2]), "not_worse", false],
    ["better than the old one", minutes(30, [11_400, 342], [600, 6]), "not_worse", false],
    ["two of two fail, where one in a thousand did", both(0, [1_000, 1], [2, 2]), "worse", true],
    ["one of one fails", both(0, [1_000, 0], [1, 1]), "unknown", false],
    ["all fail, and so do all of the old one", both(0, [1_000, 1_000], [50, 50]), "unknown", false],
    ["a tenth fails, too few for a verdict", both(0, [10_000, 1], [40, 4]), "unknown", false],
    ["a tenth fails, enough", both(0, [10_000, 1], [60, 6]), "worse", false],
    [
      "an outage in both, 40 %",
      [...minutes(20, [11_400, 114], [600, 6]), ...both(20, [11_400, 4_560], [600, 240])],
      "not_worse",
      false,
    ],
  ])("%s", (_, cells, verdict, isDisaster) => {
    const found = errors(cells);
    expect([found.verdict, found.isDisaster]).toEqual([verdict, isDisaster]);
  });

  test("says it in numbers that a person can use", () => {
    const { gates, reason } = errors(minutes(2, [11_455, 114], [602, 19]));
    expect(gates[0]).toMatchObject({
      id: "errors:request",
      label: "Error rate of requests",
      kind: "errors",
      unit: "share",
    });
    expect(reason).toMatch(
      /^3\.2 % of 1,204 requests fail on the new version, 1 % of 22,910 on the old one in the same minutes\. That is more than chance/,
    );
    expect(gates[0]?.old).toEqual({ n: 22_910, hits: 228, value: 228 / 22_910 });
    const { estimate = 0, low = 0, high = 0 } = gates[0]?.difference ?? {};
    expect(low).toBeGreaterThan(0);
    expect(estimate).toBeCloseTo(38 / 1_204 - 228 / 22_910, 6);
    expect(high).toBeGreaterThan(estimate);
  });

  test("each class counts on its own: a queue that fails is not lost among the requests", () => {
    const cells = [
      ...minutes(5, [10_000, 10], [500, 0]),
      ...Array.from({ length: 5 }, (_, m) => [
        cell(m, "old", 400, 4, { class: "queue" }),
        cell(m, "new", 20, 12, { class: "queue" }),
      ]).flat(),
    ];
    const found = errors(cells);
    expect(found.gates.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["errors:request", "not_worse"],
      ["errors:queue", "worse"],
    ]);
    expect(found.verdict).toBe("worse");
  });

  test("no step waits for a cron that hardly ever runs", () => {
    const found = errors([
      ...minutes(10, [10_000, 10], [500, 0]),
      cell(0, "old", 1, 0, { class: "scheduled" }),
      cell(5, "old", 1, 0, { class: "scheduled" }),
    ]);
    expect(found.verdict).toBe("not_worse");
    expect(found.gates[1]?.verdict).toBe("unknown");
    expect(found.gates[1]?.reason).toContain("no step waits for them");
    expect(found.gates.map(({ holds }) => holds)).toEqual([undefined, false]);
  });

  test("a Worker that is a cron only is waited for", () => {
    expect(errors([cell(0, "old", 10, 0, { class: "scheduled" })]).verdict).toBe("unknown");
  });

  test("the more traffic is at stake, the surer it must be", () => {
    const cells = minutes(3, [10_000, 0], [30, 0]);
    expect(errors(cells, 5).verdict).toBe("not_worse");
    expect(errors(cells, 100).verdict).toBe("unknown");
    expect(errors(cells, 5).gates[0]?.margin).toBeCloseTo(0.1, 9);
    expect(errors(cells, 100).gates[0]?.margin).toBeCloseTo(0.005, 9);
  });

  test("what was seen before the present step does not clear it", () => {
    const cells = minutes(60, [11_400, 114], [600, 6]);
    const later = judge(ERRORS_ONLY, evidence(cells), 25, START + 60 * 60);
    expect(later.verdict).toBe("unknown");
    expect(later.present).toEqual({ old: 0, new: 0 });
    expect(judge(ERRORS_ONLY, evidence(cells), 25, START + 60 * 30).present).toEqual({ old: 342_000, new: 18_000 });
  });

  test("but it is held against it", () => {
    const cells = minutes(3, [11_400, 114], [600, 18]);
    expect(judge(ERRORS_ONLY, evidence(cells), 25, START + 60 * 60).verdict).toBe("worse");
  });

  test("a version that turns bad late is told by its last minutes", () => {
    const cells = [
      ...minutes(120, [11_400, 114], [600, 6]),
      ...Array.from({ length: 5 }, (_, m) => both(120 + m, [11_400, 114], [600, 18])).flat(),
    ];
    const found = errors(cells);
    expect(found.verdict).toBe("worse");
    expect(found.reason).toContain("In the last minutes the difference is 2 percentage points");
  });

  test("a split that changes within a minute, with an outage in its second half, is no regression", () => {
    const cells = [
      ...both(0, [9_900, 0], [100, 0]),
      cell(0, "old", 5_000, 2_500, { part: 1 }),
      cell(0, "new", 5_000, 2_500, { part: 1 }),
    ];
    expect(errors(cells).verdict).not.toBe("worse");
  });
});

describe("what does not matter", () => {
  const table = fc.array(
    fc.record({ minute: fc.nat(6), n0: fc.nat(3_000), n1: fc.nat(300), a: fc.nat(100), b: fc.nat(100) }),
    { minLength: 1, maxLength: 12 },
  );
  const cellsOf = (rows: { minute: number; n0: number; n1: number; a: number; b: number }[]): Cell[] =>
    [...new Map(rows.map((row) => [row.minute, row])).values()].flatMap(({ minute, n0, n1, a, b }) =>
      both(minute, [n0, Math.floor((n0 * a) / 100)], [n1, Math.floor((n1 * b) / 100)]),
    );

  test("the order of the cells", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const cells = cellsOf(rows);
        expect(errors([...cells].reverse())).toEqual(errors(cells));
      }),
    );
  });

  test("when it was: the same minutes a year later", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const cells = cellsOf(rows);
        const later = cells.map((each) => ({ ...each, minute: each.minute + 365 * 86_400 }));
        expect(errors(later)).toEqual({ ...errors(cells), present: errors(later).present });
      }),
    );
  });

  test("minutes with the new version only, and clients that left", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const cells = cellsOf(rows);
        const more = [...cells.map((each) => ({ ...each, left: 50, collateral: 3 })), cell(-1, "new", 9_999, 9_000)];
        expect(errors(more).gates[0]?.statistic).toBe(errors(cells).gates[0]?.statistic);
        expect(errors(more).gates[0]?.difference).toEqual(errors(cells).gates[0]?.difference);
      }),
    );
  });

  test("hostile evidence: no verdict is made of it, and no number that JSON lacks", () => {
    const count = fc.oneof(fc.nat(), fc.constant(0), fc.double({ min: 1, max: 1e15, noNaN: true }));
    const any = fc.array(fc.tuple(fc.nat(5), fc.constantFrom("old" as const, "new" as const), count, count));
    fc.assert(
      fc.property(any, (rows) => {
        const found = judge(DEFAULT_PLAN, evidence(rows.map(([m, arm, n, failed]) => cell(m, arm, n, failed))), 25);
        const numbers = found.gates.flatMap((gate) => [
          gate.statistic,
          gate.clearStatistic,
          gate.threshold,
          gate.margin,
        ]);
        for (const number of numbers) expect(Number.isFinite(number)).toBe(true);
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
      }),
    );
  });
});

describe("durations and CPU", () => {
  const plan = planWith({ duration: { quantile: 0.99, tolerance: 0.5, minMs: 50 } });
  const fast: [number, number][] = [
    [20, 900],
    [90, 95],
    [200, 5],
  ];
  const timed = (count: number, old: [number, number][], fresh: [number, number][]): Cell[] =>
    Array.from({ length: count }, (_, m) => [
      cell(m, "old", 1_000, 0, { durations: old }),
      cell(m, "new", 1_000, 0, { durations: fresh }),
    ]).flat();

  test("as fast as the old one", () => {
    const { gates, verdict } = judge(plan, evidence(timed(5, fast, fast)), 25);
    expect(verdict).toBe("not_worse");
    expect(gates[0]).toMatchObject({ id: "duration:request", unit: "ms", kind: "duration" });
    expect(gates[0]?.old.value).toBeCloseTo(90, -1);
  });

  test("the first minute of both only teaches what is usual, and says so", () => {
    const { gates, verdict } = judge(plan, evidence(timed(1, fast, fast)), 25);
    expect(verdict).toBe("unknown");
    expect(gates[0]?.reason).toContain("Not compared yet: what is tolerated is read from");
  });

  test("slower, but within what is tolerated", () => {
    const slower = fast.map(([ms, n]): [number, number] => [ms * 1.3, n]);
    expect(judge(plan, evidence(timed(5, fast, slower)), 25).verdict).toBe("not_worse");
  });

  test("one in ten takes a second", () => {
    const slow: [number, number][] = [...fast, [1_000, 100]];
    const { gates, verdict, isDisaster } = judge(plan, evidence(timed(5, fast, slow)), 25);
    expect([verdict, isDisaster]).toEqual(["worse", false]);
    expect(gates[0]?.reason).toMatch(
      /^p99 is (990 ms|1 s|1\.0\d* s) on the new version, \d+ ms on the old one in the same minutes\./,
    );
  });

  test("every one takes a second: slow is not failing, and no sentence says so", () => {
    const { gates, verdict, isDisaster } = judge(plan, evidence(timed(5, fast, [[1_000, 1_000]])), 25);
    expect([verdict, isDisaster]).toEqual(["worse", false]);
    expect(gates[0]?.reason).toContain("100 % of 4,000 requests took longer");
    expect(gates[0]?.reason).toMatch(/That is more than chance: [^.]*\.$/);
  });

  test("everything slows down in both: an upstream's fault", () => {
    const slow = fast.map(([ms, n]): [number, number] => [ms * 20, n]);
    const cells = [...timed(10, fast, fast), ...timed(15, slow, slow).filter(({ minute }) => minute >= START + 600)];
    expect(judge(plan, evidence(cells), 25).verdict).not.toBe("worse");
  });

  test("minutes of the old version from before the rollout teach what is slow, and are not compared", () => {
    const before = Array.from({ length: 3 }, (_, m) => cell(m, "old", 1_000, 0, { durations: fast }));
    const now = [cell(3, "old", 1_000, 0, { durations: fast }), cell(3, "new", 100, 0, { durations: [[3_000, 100]] })];
    const { gates, verdict } = judge(plan, evidence([...before, ...now]), 25);
    expect(verdict).toBe("worse");
    expect(gates[0]?.old.n).toBe(1_000);
  });

  test("a bad hour long ago does not hide that it is slow now", () => {
    const stale = Array.from({ length: 20 }, (_, m) => cell(m, "old", 1_000, 0, { durations: [[9_000, 1_000]] }));
    const calm = Array.from({ length: 20 }, (_, m) => cell(20 + m, "old", 1_000, 0, { durations: fast }));
    const now = [cell(40, "old", 1_000, 0, { durations: fast }), cell(40, "new", 100, 0, { durations: [[500, 100]] })];
    const { verdict, reason } = judge(plan, evidence([...stale, ...calm, ...now]), 25);
    expect(verdict).toBe("worse");
    expect(reason).toMatch(/100 % of 100 requests took longer on the new version than is tolerated \(now 1\d\d ms/);
  });

  test("a platform that does not measure: said, and nothing waits for it", () => {
    const zero: [number, number][] = [[0, 1_000]];
    const plan = planWith({ errors: { minEffect: 0.005 }, cpu: { quantile: 0.99, tolerance: 0.5, minMs: 10 } });
    for (const cpu of [zero, []]) {
      const cells = Array.from({ length: 10 }, (_, m) => [
        cell(m, "old", 1_000, 0, { cpu }),
        cell(m, "new", 1_000, 0, { cpu }),
      ]).flat();
      const { gates, verdict } = judge(plan, evidence(cells), 25);
      expect(verdict).toBe("not_worse");
      expect(gates[1]?.verdict).toBe("unknown");
      expect(gates[1]?.reason).toContain("nothing waits for it");
    }
  });

  test("only one version is measured: not known", () => {
    expect(judge(plan, evidence(timed(10, fast, [])), 25).verdict).toBe("unknown");
  });
});

test("counts the present step, and apart from Durable Objects, which Cloudflare does not draw a version for", () => {
  const objects = { class: "durable_object" } as const;
  const cells = [...minutes(2, [950, 0], [50, 0]), cell(1, "old", 400, 0, objects), cell(1, "new", 4, 0, objects)];
  const { present, drawn } = judge(ERRORS_ONLY, evidence(cells), 25, START + 60);
  expect([present, drawn]).toEqual([
    { old: 1_350, new: 54 },
    { old: 950, new: 50 },
  ]);
});

describe("new issues", () => {
  const plan = planWith({ issues: { max: 0 } });
  const issue: NewIssue = {
    id: 7,
    title: "TypeError: x is undefined",
    type: "TypeError",
    frame: "src/v2/delivery.ts:18:9 in estimate",
    isMapped: true,
    count: 30,
    firstSeen: START * 1000,
  };
  const cells = minutes(10, [9_500, 0], [500, 0]);
  const withIssues = (issues: IssueCount[], gates = plan): Judgement => judge(gates, evidence(cells, { issues }), 25);

  test("none: passed, once there was enough traffic", () => {
    expect(withIssues([]).verdict).toBe("not_worse");
    expect(judge(plan, evidence(both(0, [1_000, 0], [60, 0])), 25).verdict).toBe("unknown");
  });

  test("one that only the new version has: worse, with its line", () => {
    const found = withIssues([{ issue, old: 0, new: 12 }]);
    expect(found.verdict).toBe("worse");
    expect(found.reason).toContain(
      "src/v2/delivery.ts:18:9 in estimate, 12 times on the new version, 0 times on the old one",
    );
    expect(found.gates[0]).toMatchObject({
      id: "issues",
      unit: "issues",
      old: { hits: 0 },
      new: { hits: 12, value: 1 },
    });
  });

  test("one that strikes both alike, first noticed in the new version: chance", () => {
    expect(withIssues([{ issue, old: 190, new: 11 }]).verdict).not.toBe("worse");
  });

  test("seen once: says nothing, however rare it is", () => {
    expect(withIssues([{ issue, old: 0, new: 1 }]).verdict).not.toBe("worse");
  });

  test("seen twice by one in a thousand: the first is why we look, and one more is little", () => {
    const few = minutes(10, [9_990, 0], [10, 0]);
    expect(judge(plan, evidence(few, { issues: [{ issue, old: 0, new: 2 }] }), 25).verdict).not.toBe("worse");
  });

  test("as many as are tolerated", () => {
    const one = planWith({ issues: { max: 1 } });
    expect(withIssues([{ issue, old: 0, new: 12 }], one).verdict).toBe("not_worse");
    const second = { issue: { ...issue, id: 8 }, old: 0, new: 12 };
    expect(withIssues([{ issue, old: 0, new: 12 }, second], one).verdict).toBe("worse");
  });

  test.each(["known", "new_unmapped", "old_unmapped"] as const)(
    "one that may be an old error in new clothes (%s) neither takes back nor holds, and it is said",
    (apart) => {
      const found = withIssues([{ issue, old: 0, new: 400, apart }]);
      expect(found.verdict).toBe("not_worse");
      expect(found.gates[0]?.reason).toMatch(/1 more is not counted: .*(type and message|no source map of the)/);
      // What is truly new beside it is found all the same.
      const other = { issue: { ...issue, id: 8, title: "estimate is not a function" }, old: 0, new: 12 };
      const both = withIssues([{ issue, old: 0, new: 400, apart }, other]);
      expect([both.verdict, both.reason]).toEqual(["worse", expect.stringContaining("estimate is not a function")]);
    },
  );

  describe("one that is as frequent as an old one that is gone", () => {
    const kind = "exception";
    const gone = { kind, title: "could not charge", old: 95, new: 0 };
    const withOld = (fresh: number, old: typeof gone, own = kind) =>
      judge(plan, evidence(cells, { issues: [{ issue, old: 0, new: fresh, kind: own }], oldIssues: [old] }), 25);

    test("may only have moved: it does not take back, and it is said", () => {
      const found = withOld(6, gone);
      expect(found.verdict).toBe("not_worse");
      expect(found.reason).toContain("may only have moved: it is about as frequent as “could not charge” was");
    });

    test.each<[string, number, typeof gone, string]>([
      ["far more frequent", 40, gone, kind],
      ["the old one is still there", 12, { ...gone, new: 5 }, kind],
      ["the old one was far more frequent, and is mended", 12, { ...gone, old: 9_500 }, kind],
      ["thrown errors are gone, and errors are logged instead", 12, gone, "log"],
    ])("%s: worse", (_, fresh, old, own) => {
      expect(withOld(fresh, old, own).verdict).toBe("worse");
    });
  });

  test("one in fewer than 0.1 % of the invocations since it appeared is nobody's business; later minutes count, not earlier ones", () => {
    const many = minutes(10, [190_000, 0], [10_000, 0]);
    const at = (minute: number, fresh: number) => ({
      issue: { ...issue, firstSeen: (START + 60 * minute) * 1000 },
      old: 0,
      new: fresh,
    });
    const found = judge(plan, evidence(many, { issues: [at(0, 90)] }), 25);
    expect(found.verdict).toBe("not_worse");
    expect(found.reason).toContain("is no chance, but in fewer than 0.1 % of the invocations");
    expect(judge(plan, evidence(many, { issues: [at(0, 110)] }), 25).verdict).toBe("worse");
    expect(judge(plan, evidence(many, { issues: [at(9, 20)] }), 25).verdict).toBe("worse");
  });

  test("however many there are, their chances of a false alarm add up to no more than one's", () => {
    const chances = Array.from({ length: 50 }, (_, n) => {
      const some = Array.from({ length: n + 1 }, (_, id) => ({
        // The last to appear is the only one that is not tolerated, and so shows its threshold.
        issue: { ...issue, id, firstSeen: START * 1000 + id },
        old: 0,
        new: id === n ? 2 : 3_000,
      }));
      const [gate] = withIssues(some, planWith({ issues: { max: n } })).gates;
      return 1 / (gate?.threshold ?? Number.NaN);
    });
    const sum = chances.reduce((all, chance) => all + chance, 0);
    expect(sum).toBeLessThanOrEqual(0.0001);
    expect(sum).toBeGreaterThan(0.00009);
  });

  test("an issue that came with an outage after the split changed is not the new version's", () => {
    const later = [...minutes(10, [9_900, 0], [100, 0]), ...both(10, [5_000, 100], [5_000, 100])];
    expect(judge(plan, evidence(later, { issues: [{ issue, old: 100, new: 100 }] }), 25).verdict).not.toBe("worse");
  });
});

test("a query gate: invocations that match, new against old", () => {
  const gate = { name: "card declined", filter: '"card declined"', minEffect: 0.01 };
  const plan = planWith({ queries: [gate] });
  const rows = (fresh: number) =>
    Array.from({ length: 5 }, (_, m) => [
      { gate: gate.name, minute: START + 60 * m, arm: "old" as const, n: 9_500, hits: 95 },
      { gate: gate.name, minute: START + 60 * m, arm: "new" as const, n: 500, hits: fresh },
    ]).flat();
  const worse = judge(plan, evidence([], { queries: rows(40) }), 25);
  expect(worse.verdict).toBe("worse");
  expect(worse.gates[0]).toMatchObject({ id: "query:card declined", kind: "query", label: "card declined" });
  expect(worse.reason).toContain("8 % of 2,500 invocations match “card declined” on the new version, 1 % of 47,500");
  expect(judge(plan, evidence([], { queries: rows(5) }), 25).verdict).toBe("not_worse");
  expect(judge(plan, evidence([]), 25).verdict).toBe("unknown");
});
