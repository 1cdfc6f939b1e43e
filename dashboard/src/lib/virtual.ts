/** @tanstack/virtual-core for Preact: which rows of a long list are worth a DOM node. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

/** Rows kept beyond the visible ones, so that a fast scroll does not show white. */
const OVERSCAN_ROWS = 12;

export interface Virtual {
  items: VirtualItem[];
  height: number;
  scrollTo: (index: number) => void;
}

export function useVirtual(host: { current: HTMLElement | null }, count: number, rowPx: number): Virtual {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const ref = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const options = {
    count,
    getScrollElement: () => host.current,
    estimateSize: () => rowPx,
    overscan: OVERSCAN_ROWS,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  };
  ref.current ??= new Virtualizer(options);
  const virtual = ref.current;
  virtual.setOptions(options);
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  const before = useRef(rowPx);
  useLayoutEffect(() => {
    if (before.current !== rowPx) virtual.measure();
    before.current = rowPx;
  }, [rowPx]);
  return {
    items: virtual.getVirtualItems(),
    height: virtual.getTotalSize(),
    scrollTo: (index) => virtual.scrollToIndex(index, { align: "auto" }),
  };
}
