/**
 * Where rows stand in a list whose rows are all equally high, but for the few
 * that are expanded. Pure; indexes and px.
 */

export interface Expanded {
  index: number;
  /** What it adds to the row. */
  px: number;
}

export interface Layout {
  count: number;
  rowPx: number;
  /** In order of index. */
  expanded: readonly Expanded[];
}

/** Top of a row; of `count`, the height of the list. */
export function topOf(index: number, { rowPx, expanded }: Layout): number {
  let top = index * rowPx;
  for (const e of expanded) if (e.index < index) top += e.px;
  return top;
}

export const heightOf = (layout: Layout): number => topOf(layout.count, layout);

/** The row at a height, within what there is. */
export function indexAt(px: number, { count, rowPx, expanded }: Layout): number {
  let index = Math.floor(px / rowPx);
  let before = 0;
  for (const e of expanded) {
    const top = e.index * rowPx + before;
    if (px < top + rowPx) break;
    index = px < top + rowPx + e.px ? e.index : Math.floor((px - before - e.px) / rowPx);
    if (index === e.index) break;
    before += e.px;
  }
  return Math.max(0, Math.min(count - 1, index));
}
