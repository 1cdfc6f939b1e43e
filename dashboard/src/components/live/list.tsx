/**
 * The stream as a list, newest at the foot. Only what is on screen is in the DOM.
 * While it follows, the newest stays in view; who scrolls away reads in peace,
 * also while old rows are let go above.
 */
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { count } from "../../lib/format.ts";
import { bringTo, followsAfter, heightOf, type Layout, topAfter, topOf, windowOf } from "../../lib/live/layout.ts";
import type { LiveFeed } from "../../state/live-feed.ts";
import { NARROW_ROW_PX, ROW_PX, useNarrow } from "../event-list.tsx";
import { Icon } from "../icons.tsx";
import { type ItemActions, LiveItem } from "./item.tsx";

/** Rows kept beyond the visible ones, so that a fast scroll does not show white. */
const OVERSCAN_ROWS = 10;
/** A phone gives a row two lines; what follows its invocation leaves out what would be the first. */
const HEIGHTS = {
  wide: { rowPx: ROW_PX, followerPx: ROW_PX },
  narrow: { rowPx: NARROW_ROW_PX, followerPx: ROW_PX },
};
type Heights = (typeof HEIGHTS)["wide"];

interface Props {
  feed: LiveFeed;
  actions: Omit<ItemActions, "onMeasure" | "onToggle">;
}

function layoutOf(feed: LiveFeed, heights: Heights): Layout {
  const { rows } = feed;
  const expanded = [...feed.expanded.value]
    .map((n) => ({ index: feed.rows.indexOf(n), px: feed.extraPx.get(n) ?? 0 }))
    .filter((e) => e.index >= 0)
    .sort((a, b) => a.index - b.index);
  const before = rows.followersEver(0);
  return { ...heights, count: rows.length, followersBefore: (index) => rows.followersEver(index) - before, expanded };
}

/** Px of the rows that were let go since the list was drawn last. */
function goneAbove({ rows, firstDrawn, extraPx }: LiveFeed, { rowPx, followerPx }: Heights): number {
  const followers = rows.followersEver(0) - firstDrawn.followers;
  let px = (rows.firstNumber - firstDrawn.n) * rowPx - followers * (rowPx - followerPx);
  for (const [n, extra] of extraPx) if (n >= firstDrawn.n && n < rows.firstNumber) px += extra;
  return px;
}

function useHeight(host: { current: HTMLElement | null }): number {
  const [height, setHeight] = useState(window.innerHeight);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const read = () => setHeight(element.clientHeight);
    const observer = new ResizeObserver(read);
    observer.observe(element);
    read();
    return () => observer.disconnect();
  }, []);
  return height;
}

export function LiveList({ feed, actions }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const heights = useNarrow() ? HEIGHTS.narrow : HEIGHTS.wide;
  const height = useHeight(host);
  const follow = feed.follow.value;
  const active = feed.active.value;
  // Read so that the list draws again when rows came.
  feed.drawn.value;

  const layout = layoutOf(feed, heights);
  const top = topAfter(layout, { top: feed.scrollTop, height }, goneAbove(feed, heights), follow);
  const { first, last } = windowOf(layout, { top, height }, OVERSCAN_ROWS);

  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
    feed.scrollTop = element.scrollTop;
    feed.drawnFrom();
    feed.inView = windowOf(layout, { top, height: height - heights.rowPx }, 0);
  });

  const bring = (n: number) => {
    const index = feed.rows.indexOf(n);
    const element = host.current;
    if (index < 0 || element === null) return;
    // Rows call this when they have been measured: of what they were drawn with, only the height of a row still holds.
    const from = element.scrollTop - goneAbove(feed, heights);
    feed.scrollTop = bringTo(index, layoutOf(feed, heights), { top: from, height: element.clientHeight });
    feed.drawnFrom();
    redraw(undefined);
  };
  useEffect(() => {
    if (active !== undefined) bring(active);
  }, [active]);

  const onScroll = () => {
    const at = host.current?.scrollTop ?? 0;
    const before = feed.scrollTop;
    if (Math.abs(at - before) < 1) return;
    feed.scrollTop = at;
    feed.setFollow(followsAfter(layout, before, { top: at, height }, follow));
    redraw(undefined);
  };

  const all: ItemActions = {
    ...actions,
    onToggle: (n) => feed.toggle(n),
    onMeasure: (n, px) => {
      const before = feed.extraPx.get(n);
      if (before === px) return;
      feed.extraPx.set(n, px);
      // What was just opened should be seen.
      if (before === undefined && n === feed.active.value) bring(n);
      else redraw(undefined);
    },
  };
  const at = active === undefined ? -1 : feed.rows.indexOf(active);
  const invocation = feed.rows.at(at)?.event?.invocation_id;
  const items = [];
  for (let i = first; i <= last; i++) {
    const row = feed.rows.at(i);
    if (row === undefined) break;
    const own = row.event?.invocation_id;
    items.push(
      <LiveItem
        key={row.n}
        row={row}
        height={row.follows ? heights.followerPx : heights.rowPx}
        same={row.follows}
        related={own !== undefined && own === invocation}
        active={row.n === active}
        expanded={feed.expanded.value.has(row.n)}
        actions={all}
      />,
    );
  }
  return (
    <div class="live-body">
      <div
        ref={host}
        class="events live-list"
        role="treegrid"
        aria-label="Events as they come, newest last"
        aria-live="off"
        aria-rowcount={layout.count}
        aria-activedescendant={at >= 0 ? `live-${active}` : undefined}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div class="events-space" style={{ height: `${heightOf(layout)}px` }}>
          <div class="live-window" style={{ transform: `translateY(${topOf(first, layout)}px)` }}>
            {items}
          </div>
        </div>
      </div>
      {!follow && !feed.paused.value && feed.fresh > 0 && (
        <button type="button" class="btn live-pill" onClick={() => feed.setFollow(true)}>
          <Icon name="follow" />
          {count(feed.fresh)} new
        </button>
      )}
    </div>
  );
}
