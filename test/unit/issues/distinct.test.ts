import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistinctSketch, readDistinct } from "../../../workers/errors/issues/distinct.ts";
import { hash32 } from "../../../workers/util/hash.ts";

const hashes = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => hash32(`user-${from + i}`));

describe("distinct values", () => {
  it("are exact while they are few", () => {
    const sketch = new DistinctSketch();
    expect(sketch.add("users", hashes(0, 200))).toBe(true);
    expect(sketch.add("users", hashes(50, 150))).toBe(false);
    expect(sketch.estimate()).toEqual({ users: 200, routes: 0, colos: 0, countries: 0 });
  });

  it.each([300, 1_000, 5_000, 50_000, 500_000])("are within 8 %% of %i", (n) => {
    const sketch = new DistinctSketch();
    sketch.add("users", hashes(0, n));
    expect(Math.abs(sketch.estimate().users / n - 1)).toBeLessThan(0.08);
    expect(sketch.encode().length).toBeLessThan(4_000);
  });

  it("of sketches united, however often and in whatever order, are those of all together", () => {
    const part = fc.record({ from: fc.nat(2_000), n: fc.integer({ min: 0, max: 600 }) });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const texts = parts.map(({ from, n }) => {
          const sketch = new DistinctSketch();
          sketch.add("users", hashes(from, from + n));
          return sketch.encode();
        });
        const whole = new DistinctSketch();
        for (const { from, n } of parts) whole.add("users", hashes(from, from + n));
        const united = readDistinct([...texts, ...texts].reverse());
        expect(united).toEqual(whole.estimate());
      }),
      { numRuns: 100 },
    );
  });

  it("come back from text as they went", () => {
    for (const n of [0, 3, 256, 257, 4_000]) {
      const sketch = new DistinctSketch();
      sketch.add("routes", hashes(0, n));
      const again = new DistinctSketch();
      again.unite(sketch.encode());
      expect(again.encode()).toBe(sketch.encode());
      expect(again.add("routes", hashes(0, n))).toBe(false);
    }
  });
});
