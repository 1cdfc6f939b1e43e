import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Increment } from "../../../workers/self/contract.ts";
import { expositionOf } from "../../../workers/self/exposition.ts";
import type { Gauges } from "../../../workers/self/gauges.ts";
import { COUNTERS, type CounterName, GAUGES, type GaugeName } from "../../../workers/self/names.ts";
import { parseExposition } from "../../support/exposition.ts";

const names = Object.keys(COUNTERS) as CounterName[];
const label = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom('"', "\\", "\n", "a\\nb", '}{,="'),
);
const series = fc.constantFrom(...names).chain((name) =>
  fc.record<Increment>({
    name: fc.constant(name),
    labels: fc.tuple(...COUNTERS[name].labels.map(() => label)) as fc.Arbitrary<string[]>,
    amount: fc.double({ min: 0, noNaN: true }),
  }),
);
const gauges: fc.Arbitrary<Gauges> = fc.dictionary(
  fc.constantFrom(...(Object.keys(GAUGES) as GaugeName[])),
  fc.array(fc.record({ labels: fc.record({ worker: label }), value: fc.double() }), { maxLength: 4 }),
);

/** Series of one flush are told apart by their labels, as Totals keeps them. */
const unique = (list: Increment[]) => [...new Map(list.map((s) => [JSON.stringify([s.name, s.labels]), s])).values()];

test("what comes out is the format, and holds what went in, whatever the labels are", () => {
  fc.assert(
    fc.property(fc.array(series, { maxLength: 20 }), gauges, fc.boolean(), (given, levels, named) => {
      const counters = unique(given);
      const { samples, problems } = parseExposition(expositionOf(counters, levels, named));
      expect(problems).toEqual([]);
      for (const name of names) {
        const sum = (list: { value: number }[]) => list.reduce((a, { value }) => a + value, 0);
        const out = sum(samples.filter((sample) => sample.name === name));
        const into = sum(counters.filter((s) => s.name === name).map(({ amount: value }) => ({ value })));
        expect(out === into || Math.abs(out - into) <= 1e-9 * into).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

describe("without a token", () => {
  const counters: Increment[] = [
    { name: "tailrace_delivery_items_total", labels: ["acme-sentry", "delivered"], amount: 3 },
    { name: "tailrace_delivery_items_total", labels: ["acme-slack", "delivered"], amount: 4 },
    { name: "tailrace_delivery_items_total", labels: ["acme-slack", "failed"], amount: 1 },
  ];
  const levels: Gauges = {
    tailrace_delivery_oldest_waiting_seconds: [
      { labels: { destination: "acme-sentry" }, value: 5 },
      { labels: { destination: "acme-slack" }, value: 90 },
    ],
  };

  test("nobody's Worker or destination is named: sums, and of ages the oldest", () => {
    const text = expositionOf(counters, levels, false);
    expect(text).not.toContain("acme");
    expect(text).toContain('tailrace_delivery_items_total{outcome="delivered"} 7\n');
    expect(text).toContain("tailrace_delivery_oldest_waiting_seconds 90\n");
  });

  test("with one, each is", () => {
    expect(expositionOf(counters, levels, true)).toContain(
      'tailrace_delivery_items_total{destination="acme-slack",outcome="delivered"} 4\n',
    );
  });
});

describe("the names", () => {
  test.each(Object.entries(COUNTERS))("%s follows the conventions", (name, { help, labels }) => {
    expect(name).toMatch(/^tailrace_[a-z]+_[a-z_]+_total$/);
    expect(help).toMatch(/\.$/);
    for (const each of labels) expect(each).toMatch(/^[a-z]+$/);
  });
  test.each(Object.entries(GAUGES))("%s follows the conventions", (name, help) => {
    expect(name).toMatch(/^tailrace_[a-z_]+$/);
    expect(name).not.toMatch(/_(total|count|sum|bucket|ms|milliseconds|kb|minutes)$/);
    expect(help).toMatch(/\.$/);
  });
});

const everything = () => {
  const counters = names.map(
    (name): Increment => ({ name, labels: COUNTERS[name].labels.map(() => 'a "b" \\ \n c'), amount: 1.5 }),
  );
  const levels = Object.fromEntries(Object.keys(GAUGES).map((name) => [name, [{ labels: {}, value: 1 }]]));
  return expositionOf(counters, levels, true);
};

test("the parser of these tests finds what is wrong", () => {
  const wrong = (text: string) => parseExposition(text).problems.length > 0;
  expect(wrong("a 1\n")).toBe(true);
  expect(wrong('# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n')).toBe(true);
  expect(wrong('# HELP a b\n# TYPE a gauge\na{x="\\q"} 1\n')).toBe(true);
  expect(wrong("# HELP a b\n# TYPE a counter\na 1\n")).toBe(true);
  expect(wrong("# HELP a b\n# TYPE a gauge\na 1")).toBe(true);
});

test("promtool, where it is installed, and the parser of these tests have nothing to say", () => {
  const text = everything();
  expect(parseExposition(text).problems).toEqual([]);
  const { error, status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });
  if (error === undefined) expect([status, stdout, stderr]).toEqual([0, "", ""]);
});
