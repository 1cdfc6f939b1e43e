/** Counts of events that matched a filter, so that what is not shown can be told. Pure; everything in `live/` adds up with these. */
import type { NotShown } from "../api/contract/live.ts";
import type { Kind } from "../event/event.ts";

/** `unchecked`: nobody could compare them with the filter. */
export interface Tally extends NotShown {
  unchecked: number;
}

export const emptyTally = (): Tally => ({ events: 0, errors: 0, kinds: {}, unchecked: 0 });

export const isEmpty = ({ events, unchecked }: Tally): boolean => events === 0 && unchecked === 0;

export function addTally(into: Tally, from: Tally): void {
  into.events += from.events;
  into.errors += from.errors;
  into.unchecked += from.unchecked;
  for (const kind in from.kinds)
    into.kinds[kind as Kind] = (into.kinds[kind as Kind] ?? 0) + (from.kinds[kind as Kind] ?? 0);
}
