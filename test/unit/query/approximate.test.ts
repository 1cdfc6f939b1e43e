/** Beyond their exact range, quantiles and distinct counts stay within the errors that docs/query-language.md promises. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DistinctStore } from "../../../workers/query/aggregate/distinct.ts";
import { quantileCont, ValueStore } from "../../../workers/query/aggregate/quantile.ts";

describe("quantiles", () => {
  test("of any values are those of a sorted list", () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = [...list].sort((a, b) => a - b);
        const rank = q * (list.length - 1);
        const low = sorted[Math.floor(rank)] as number;
        const high = sorted[Math.ceil(rank)] as number;
        expect(quantileCont(Float64Array.from(list), q)).toBeCloseTo(low + (high - low) * (rank - Math.floor(rank)), 3);
      }),
    );
  });

  test("of orders that are hard on selection are right", () => {
    const n = 10_001;
    const organ = Float64Array.from({ length: n }, (_, i) => (i < n / 2 ? i : n - i));
    const sorted = [...organ].sort((a, b) => a - b);
    expect(quantileCont(organ, 0.5)).toBe(sorted[(n - 1) / 2]);
    expect(quantileCont(new Float64Array(n).fill(7), 0.99)).toBe(7);
  });

  test("beyond the budget are within 1 %, negative values included", () => {
    const store = new ValueStore({ left: 70_000 });
    const values: number[] = [];
    for (let i = 0; i < 200_000; i++) {
      const value = i % 4 === 0 ? -Math.exp((i % 997) / 150) : Math.exp((i % 1009) / 120);
      values.push(value);
      store.add(value, 1, 0);
    }
    expect(store.exact).toBe(false);
    const sorted = Float64Array.from(values).sort();
    for (const q of [0.01, 0.1, 0.2, 0.5, 0.9, 0.99, 0.999]) {
      const exact = sorted[Math.round(q * (sorted.length - 1))] as number;
      expect(Math.abs((store.quantile(0, q) as number) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0105);
    }
    expect(store.quantile(1, 0.5)).toBeNull();
  });

  test("of times beyond the budget are within 1 % of their span, not of the time since 1970", () => {
    const store = new ValueStore({ left: 70_000 }, true);
    const start = 1_795_000_000_000_000;
    const hour = 3_600_000_000;
    for (let i = 0; i < 200_000; i++) store.add(start + ((i * 7_919) % 200_000) * (hour / 200_000), 1, 0);
    expect(store.exact).toBe(false);
    for (const q of [0, 0.5, 0.99, 1]) {
      expect(Math.abs((store.quantile(0, q) as number) - start - q * hour)).toBeLessThan(hour * 0.011);
    }
  });
});

describe("distinct values", () => {
  test.each([1_000, 20_000, 300_000])("%i of them are counted within 5 %", (count) => {
    const store = new DistinctStore(500);
    for (let i = 0; i < count; i++) {
      const text = `user-${i}-${(i * 2_654_435_761) % 4_294_967_296}`;
      store.add(text, 0);
      if (i % 3 === 0) store.add(text, 0);
    }
    store.add("only", 1);
    // Three standard errors.
    expect(Math.abs(store.count(0) - count) / count).toBeLessThan(0.05);
    expect(store.count(1)).toBe(1);
    expect(store.count(2)).toBe(0);
  });

  test("in many small groups stay exact, and what is kept stays in proportion", () => {
    const store = new DistinctStore(100);
    for (let g = 0; g < 1_000; g++) for (let i = 0; i <= g % 5; i++) store.add(`v${i}`, g);
    for (let g = 0; g < 1_000; g++) expect(store.count(g)).toBe((g % 5) + 1);
  });
});
