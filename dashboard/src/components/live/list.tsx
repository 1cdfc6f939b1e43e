/**
 * The stream as a list, newest at the foot. Only what is on screen is in the DOM.
 * While it follows, the newest stays in view; who scrolls away reads in peace,
 * also while old rows are let go above.
 */
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { count } from "../../lib/format.ts";
import { heightOf, indexAt, type Layout, topOf } from "../../lib/live/layout.ts";
import type { LiveFeed } from "../../state/live-feed.ts";
import { NARROW_ROW_PX, ROW_PX, useNarrow } from "../event-list.tsx";
import { Icon } from "../icons.tsx";
import { type ItemActions, LiveItem } from "./item.tsx";

/** Rows kept beyond the visible ones, so that a fast scroll does not show white. */
const OVERSCAN_ROWS = 10;
/** Less than this is rounding, not a hand on the wheel. */
const SLIP_PX = 2;

interface Props {
  feed: LiveFeed;
  actions: Omit<ItemActions, "onMeasure" | "onToggle">;
}

function layoutOf(feed: LiveFeed, rowPx: number): Layout {
  const expanded = [...feed.expanded.value]
    .map((n) => ({ index: feed.rows.indexOf(n), px: feed.extraPx.get(n) ?? 0 }))
    .filter((e) => e.index >= 0)
    .sort((a, b) => a.index - b.index);
  return { count: feed.rows.length, rowPx, expanded };
}

/** Px of the rows that were let go since the list was drawn last. */
function goneAbove({ rows, firstDrawn, extraPx }: LiveFeed, rowPx: number): number {
  let px = (rows.firstNumber - firstDrawn) * rowPx;
  for (const [n, extra] of extraPx) if (n >= firstDrawn && n < rows.firstNumber) px += extra;
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
  const rowPx = useNarrow() ? NARROW_ROW_PX : ROW_PX;
  const height = useHeight(host);
  const follow = feed.follow.value;
  const active = feed.active.value;
  // Read so that the list draws again when rows came.
  feed.drawn.value;

  const layout = layoutOf(feed, rowPx);
  const total = heightOf(layout);
  const lowest = Math.max(0, total - height);
  // Rows that were let go above must not move those that are being read.
  const top = follow ? lowest : Math.min(lowest, Math.max(0, feed.scrollTop - goneAbove(feed, rowPx)));
  const first = Math.max(0, indexAt(top, layout) - OVERSCAN_ROWS);
  const last = Math.min(layout.count - 1, indexAt(top + height, layout) + OVERSCAN_ROWS);

  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
    feed.scrollTop = element.scrollTop;
    feed.firstDrawn = feed.rows.firstNumber;
    feed.inView = { first: indexAt(top, layout), last: indexAt(top + height - rowPx, layout) };
  });

  const bring = (n: number) => {
    const index = feed.rows.indexOf(n);
    const element = host.current;
    if (index < 0 || element === null) return;
    // Rows call this when they have been measured: of what they were drawn with, only the height of a row still holds.
    const now = layoutOf(feed, rowPx);
    const from = element.scrollTop - goneAbove(feed, rowPx);
    const at = topOf(index, now);
    const end = topOf(index + 1, now);
    const room = element.clientHeight;
    const to = at < from ? at : end > from + room ? Math.min(at, end - room) : from;
    feed.scrollTop = to;
    feed.firstDrawn = feed.rows.firstNumber;
    redraw(undefined);
  };
  useEffect(() => {
    if (active !== undefined) bring(active);
  }, [active]);

  const onScroll = () => {
    const at = host.current?.scrollTop ?? 0;
    const moved = at - feed.scrollTop;
    if (Math.abs(moved) < 1) return;
    feed.scrollTop = at;
    if (follow && moved < -SLIP_PX) feed.setFollow(false);
    else if (!follow && moved > 0 && at >= lowest - SLIP_PX) feed.setFollow(true);
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
        height={rowPx}
        same={own !== undefined && feed.rows.at(i - 1)?.event?.invocation_id === own}
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
        <div class="events-space" style={{ height: `${total}px` }}>
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
