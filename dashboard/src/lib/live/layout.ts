/**
 * Where the rows of the stream stand, and to where it scrolls. Rows have one of
 * two heights (on a phone what follows its invocation has one line, the others
 * two), but for the few that are expanded. Pure; indexes and px.
 */

interface Expanded {
  index: number;
  /** What it adds to the row. */
  px: number;
}

export interface Layout {
  count: number;
  rowPx: number;
  /** Of a row that follows one of the same invocation. */
  followerPx: number;
  /** How many of the rows before an index are followers. */
  followersBefore: (index: number) => number;
  /** In order of index. */
  expanded: readonly Expanded[];
}

/** Less than this is rounding, not a hand on the wheel. */
const SLIP_PX = 2;

/** Top of a row; of `count`, the height of the list. */
export function topOf(index: number, { rowPx, followerPx, followersBefore, expanded }: Layout): number {
  let top = index * rowPx - followersBefore(index) * (rowPx - followerPx);
  for (const e of expanded) if (e.index < index) top += e.px;
  return top;
}

export const heightOf = (layout: Layout): number => topOf(layout.count, layout);

/** The row at a height, within what there is. */
export function indexAt(px: number, layout: Layout): number {
  let low = 0;
  let high = Math.max(0, layout.count - 1);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (topOf(middle, layout) <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}

export interface Scroll {
  /** Px above the window. */
  top: number;
  /** Px of the window. */
  height: number;
}

export const lowestOf = (layout: Layout, height: number): number => Math.max(0, heightOf(layout) - height);

/** Where the window stands now that `gonePx` of rows were let go above: those that are being read do not move. */
export function topAfter(layout: Layout, { top, height }: Scroll, gonePx: number, follow: boolean): number {
  const lowest = lowestOf(layout, height);
  return follow ? lowest : Math.min(lowest, Math.max(0, top - gonePx));
}

/** The rows in the window; `overscan` more at both ends. */
export function windowOf(layout: Layout, { top, height }: Scroll, overscan: number): { first: number; last: number } {
  return {
    first: Math.max(0, indexAt(top, layout) - overscan),
    last: Math.min(layout.count - 1, indexAt(top + height, layout) + overscan),
  };
}

/** The least that has to be scrolled until the row is in the window; of one that is higher, its beginning. */
export function bringTo(index: number, layout: Layout, { top, height }: Scroll): number {
  const start = topOf(index, layout);
  const end = topOf(index + 1, layout);
  if (start < top) return start;
  return end > top + height ? Math.min(start, end - height) : top;
}

/** Whether the newest is followed after somebody scrolled: up ends it, down to the foot begins it. */
export function followsAfter(layout: Layout, before: number, { top, height }: Scroll, follow: boolean): boolean {
  const moved = top - before;
  if (follow) return moved >= -SLIP_PX;
  return moved > 0 && top >= lowestOf(layout, height) - SLIP_PX;
}
