/** Settling what is over changes no verdict, and keeps the evidence small. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_PLAN, type EventClass, type RolloutPlan } from "../../../workers/api/contract.ts";
import type { Cell, Evidence, QueryCell } from "../../../workers/rollouts/contract.ts";
import { judge } from "../../../workers/rollouts/decide/judge.ts";
import { settle } from "../../../workers/rollouts/decide/settle.ts";
import { cell, evidence, START } from "../../support/rollout-evidence.ts";

const PLAN: RolloutPlan = {
  ...DEFAULT_PLAN,
  gates: {
    ...DEFAULT_PLAN.gates,
    errors: { minEffect: 0.005 },
    duration: { quantile: 0.9, tolerance: 0.5, minMs: 50 },
    cpu: { quantile: 0.99, tolerance: 0.5, minMs: 10 },
    queries: [{ name: "declined", filter: "log.level = 'error'", minEffect: 0.01 }],
  },
};

const HOUR_S = 3_600;

/** As the feed does: through JSON, without the sketches that are spent and the matches that are too old. */
function settled(known: Evidence, stepSince: number): Evidence {
  const done = settle(PLAN, known, stepSince);
  if (done === null) return known;
  const spent = new Set(done.spent);
  return JSON.parse(
    JSON.stringify({
      ...known,
      cells: known.cells.map((each) => (spent.has(each) ? { ...each, duration: [], cpu: [] } : each)),
      queries: known.queries.filter(({ minute }) => minute >= done.settled.queriesUntil - HOUR_S),
      settled: done.settled,
    }),
  );
}

interface Row {
  /** Minutes since the row before. */
  gap: number;
  class: EventClass;
  part: number;
  old: [n: number, failed: number, ms: number];
  new: [n: number, failed: number, ms: number];
}

const arm = fc.tuple(
  fc.oneof(fc.constant(0), fc.nat(400)),
  fc.nat(100),
  fc.constantFrom(0, 20, 90, 200, 2_000),
) as fc.Arbitrary<[number, number, number]>;
const row: fc.Arbitrary<Row> = fc.record({
  gap: fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(200) }),
  class: fc.constantFrom("request" as const, "request" as const, "queue" as const),
  part: fc.constantFrom(0, 0, 0, 1),
  old: arm,
  new: arm,
});

/** Cells in the order in which they came, and query cells beside them. */
function cellsOf(rows: readonly Row[]): { cells: Cell[]; queries: QueryCell[] }[] {
  let minute = 0;
  return rows.map((each) => {
    minute += each.gap;
    const parts = each.part === 0 ? {} : { part: each.part };
    const made = (["old", "new"] as const).map((which) => {
      const [n, percent, ms] = each[which];
      const times: [number, number][] = [
        [ms, n - Math.floor(n / 10)],
        [3 * ms, Math.floor(n / 10)],
      ];
      const options = { class: each.class, ...parts, durations: times, cpu: ms > 20 ? times : [] };
      return cell(minute, which, n, Math.floor((n * percent) / 100), options);
    });
    const matches = made.map(({ minute: at, arm: which, n, failed }) => ({
      ...{ gate: "declined", minute: at, ...parts, arm: which, n, hits: failed / 2 },
    }));
    return { cells: made, queries: matches };
  });
}

const keyOf = ({ minute, arm: which, class: name, part }: Cell) => `${minute} ${which} ${name} ${part ?? 0}`;

test("the verdict is the same, to the last digit, whenever something is settled", () => {
  let settlements = 0;
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 30, maxLength: 250 }),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      fc.nat(150),
      (rows, when, changeAt) => {
        const seen = new Set<string>();
        let all = evidence([]);
        let small = evidence([]);
        let since = START;
        for (const [i, { cells, queries }] of cellsOf(rows).entries()) {
          // Each place once: what comes late is not what this is about.
          if (cells.some((each) => seen.has(keyOf(each)))) continue;
          for (const each of cells) seen.add(keyOf(each));
          if (i === changeAt) since = cells[0]?.minute ?? since;
          all = { ...all, cells: [...all.cells, ...cells], queries: [...all.queries, ...queries] };
          small = { ...small, cells: [...small.cells, ...cells], queries: [...small.queries, ...queries] };
          if (when[i % when.length] !== true) continue;
          const before = small.settled;
          small = settled(small, since);
          if (small.settled !== before) settlements++;
          expect(judge(PLAN, small, 25, since)).toEqual(judge(PLAN, all, 25, since));
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(settlements).toBeGreaterThan(100);
});

test("sketches of an hour and of a few minutes before are all that is kept", () => {
  const minutes = Array.from({ length: 600 }, (_, m) =>
    cellsOf([{ gap: m, class: "request", part: 0, old: [400, 1, 90], new: [20, 1, 90] }]).flatMap((each) => each.cells),
  ).flat();
  const { cells } = settled(evidence(minutes), START);
  expect(cells.filter(({ duration }) => duration.length > 0)).toHaveLength(2 * 61 + 15);
  expect(cells).toHaveLength(1_200);
});

test("what comes when its minute is settled is bet on no more", () => {
  const minutes = cellsOf(
    Array.from({ length: 90 }, () => ({ gap: 1, class: "request", part: 0, old: [400, 1, 90], new: [40, 1, 90] })),
  ).flatMap(({ cells }) => cells);
  const known = settled(evidence(minutes), START);
  const late = known.cells.map((each) =>
    each.minute === START + 60 && each.arm === "new" ? { ...each, failed: each.n } : each,
  );
  expect(judge(PLAN, { ...known, cells: late }, 25, START)).toEqual(judge(PLAN, known, 25, START));
});

test("failures that come in clumps count for less also when their class has been quiet since", () => {
  const clumpy = Array.from({ length: 60 }, (_, m) => [
    cell(m, "old", 1_000, m % 3 === 0 ? 24 : 3, { class: "queue" }),
    cell(m, "new", 100, 1, { class: "queue" }),
  ]).flat();
  const later = Array.from({ length: 90 }, (_, m) => [cell(60 + m, "old", 400, 1), cell(60 + m, "new", 40, 0)]).flat();
  const all = evidence([...clumpy, ...later]);
  const known = settled(settled(evidence(clumpy), START), START);
  const small = settled({ ...known, cells: [...known.cells, ...later] }, START);
  // A day later its minutes are hours.
  const folded = { ...small, cells: small.cells.filter((each) => each.class !== "queue" || each.minute === START) };
  const queue = (of: Evidence) => judge(PLAN, of, 25, START).gates.find(({ id }) => id === "errors:queue");
  expect(queue(all)?.reason).toContain("come in clumps");
  expect(queue(small)).toEqual(queue(all));
  expect(queue(folded)?.statistic).toBe(queue(all)?.statistic);
});

test("bets of another release are not gone on with", () => {
  const minutes = cellsOf(
    Array.from({ length: 90 }, () => ({ gap: 1, class: "request", part: 0, old: [400, 1, 90], new: [40, 10, 90] })),
  ).flatMap(({ cells }) => cells);
  const known = settled(evidence(minutes), START);
  const rates = Object.fromEntries(
    Object.entries(known.settled?.rates ?? {}).map(([id, each]) => [id, { ...each, bets: 0, against: [] }]),
  );
  const [found] = judge(
    PLAN,
    { ...known, settled: { ...known.settled, rates } as typeof known.settled },
    25,
    START,
  ).gates;
  expect(found?.new.n).toBe(61 * 40);
});
