/** Where the rows of the stream stand, and how the window moves over them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bringTo,
  followsAfter,
  heightOf,
  indexAt,
  type Layout,
  lowestOf,
  topAfter,
  topOf,
  windowOf,
} from "../../../../dashboard/src/lib/live/layout.ts";

const ROW_PX = 46;
const FOLLOWER_PX = 26;

function layoutOf(follows: readonly boolean[], expanded: Layout["expanded"] = []): Layout {
  return {
    count: follows.length,
    rowPx: ROW_PX,
    followerPx: FOLLOWER_PX,
    followersBefore: (index) => follows.slice(0, index).filter(Boolean).length,
    expanded,
  };
}

const layouts = fc
  .record({
    follows: fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
    open: fc.uniqueArray(fc.record({ index: fc.nat(59), px: fc.integer({ min: 0, max: 900 }) }), {
      selector: (e) => e.index,
      maxLength: 6,
    }),
  })
  .map(({ follows, open }) =>
    layoutOf(
      follows,
      open.filter((e) => e.index < follows.length).sort((a, b) => a.index - b.index),
    ),
  );
const heights = fc.integer({ min: 1, max: 2000 });

test("every height within a row leads to that row, of either height and expanded", () => {
  fc.assert(
    fc.property(layouts, fc.double({ min: 0, max: 0.999, noNaN: true }), (layout, part) => {
      for (let i = 0; i < layout.count; i++) {
        const top = topOf(i, layout);
        const height = topOf(i + 1, layout) - top;
        expect(indexAt(top + height * part, layout)).toBe(i);
      }
      expect(indexAt(-100, layout)).toBe(0);
      expect(indexAt(heightOf(layout) + 100, layout)).toBe(layout.count - 1);
    }),
  );
});

test("a follower has its own height, and what is expanded pushes down what is below", () => {
  const layout = layoutOf([false, true, true, false], [{ index: 1, px: 100 }]);
  expect([0, 1, 2, 3, 4].map((i) => topOf(i, layout))).toEqual([0, 46, 172, 198, 244]);
});

describe("the window", () => {
  test("stands at the foot while it follows, otherwise over the rows that it stood over", () => {
    const layout = layoutOf(Array.from({ length: 20 }, (_, i) => i % 2 === 1));
    const lowest = lowestOf(layout, 200);
    expect(lowest).toBe(20 * 36 - 200);
    expect(topAfter(layout, { top: 10, height: 200 }, 0, true)).toBe(lowest);
    expect(topAfter(layout, { top: 300, height: 200 }, 72, false)).toBe(228);
    expect(topAfter(layout, { top: 50, height: 200 }, 72, false)).toBe(0);
    expect(topAfter(layout, { top: 9000, height: 200 }, 0, false)).toBe(lowest);
  });

  test("has the rows that are in it, and no more than asked for beside them", () => {
    fc.assert(
      fc.property(layouts, heights, fc.nat(3000), fc.nat(10), (layout, height, at, overscan) => {
        const top = topAfter(layout, { top: at, height }, 0, false);
        const { first, last } = windowOf(layout, { top, height }, overscan);
        expect(first).toBe(Math.max(0, indexAt(top, layout) - overscan));
        expect(topOf(Math.min(layout.count, last + 1), layout)).toBeGreaterThanOrEqual(
          Math.min(top + height, heightOf(layout)),
        );
        expect(last).toBeLessThan(layout.count);
      }),
    );
  });

  test("of an empty list has nothing", () => {
    const layout = layoutOf([]);
    expect(windowOf(layout, { top: 0, height: 500 }, 10)).toEqual({ first: 0, last: -1 });
    expect(topAfter(layout, { top: 0, height: 500 }, 0, true)).toBe(0);
  });

  test("moves no further than needed to bring a row in; of a high one, its beginning", () => {
    fc.assert(
      fc.property(layouts, heights, fc.nat(3000), fc.nat(59), (layout, height, top, row) => {
        const index = row % layout.count;
        const [start, end] = [topOf(index, layout), topOf(index + 1, layout)];
        const to = bringTo(index, layout, { top, height });
        expect(to).toBeLessThanOrEqual(start);
        if (end - start <= height) expect(to + height).toBeGreaterThanOrEqual(end);
        else if (to !== top) expect(to).toBe(start);
        if (start >= top && end <= top + height) expect(to).toBe(top);
      }),
    );
  });
});

test("a hand that scrolls up ends following, one that reaches the foot begins it; rounding does neither", () => {
  const layout = layoutOf(Array.from({ length: 20 }, () => false));
  const height = 200;
  const lowest = lowestOf(layout, height);
  const after = (before: number, top: number, follow: boolean) => followsAfter(layout, before, { top, height }, follow);
  expect(after(lowest, lowest - 40, true)).toBe(false);
  expect(after(lowest, lowest - 1, true)).toBe(true);
  expect(after(lowest - 40, lowest - 20, false)).toBe(false);
  expect(after(lowest - 40, lowest - 1, false)).toBe(true);
  expect(after(lowest - 10, lowest - 1.5, false)).toBe(true);
  expect(after(lowest + 50, lowest, false)).toBe(false);
});
