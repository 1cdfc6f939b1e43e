/**
 * Items in the memory of a lane: each has a slot, which says whether it waits, is under
 * way or is done; slots of one invocation are a step of the cursor. `loading.ts` makes
 * what is loaded, `lane.ts` and `strays.ts` hold it, `batcher.ts` cuts batches of it.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Item, Linger } from "../../integrations/contract.ts";
import type { Position } from "../contract.ts";
import type { Lane } from "./lane.ts";

/** What was left out on the way to a position: counted when the cursor passes it, so it counts once. */
export interface Passed {
  sampled: number;
  /** What the ceiling counted: minute since the epoch → items; and what it dropped. */
  taken: ReadonlyMap<number, number> | null;
  ceiling: number;
  lost: number;
  rows: number;
}

/** A step of the cursor: an invocation with items, or the end of a page. */
export interface Step {
  left: number;
  slots: Slot[];
  /** Rough bytes that its items hold on to; 0 once they were let go. */
  holds: number;
  position(): Position;
  passed: Passed;
}

export interface Slot {
  item: Item;
  lane: Lane;
  /** ms since the epoch: when it happened, and when it was read. */
  at: number;
  since: number;
  /** Rough: what it adds to a batch. */
  bytes: number;
  state: "waits" | "flies" | "done";
  /** Tries that failed. */
  tries: number;
  /** … of them alone, and when the first of these was. */
  aloneTries: number;
  aloneSince: number;
  /** ms: not before. */
  notBefore: number;
  /** Items that a batch with it may hold. */
  cap: number;
  step: Step;
}

/** Kinds of which the receiver wants nothing now: ms since the epoch until when. */
export type Waits = Readonly<Partial<Record<Feed, number>>>;

/** What keeps items back that are no trouble of their own. */
export interface Terms {
  ordered: boolean;
  waits: Waits;
  linger: Linger | null;
}

/** What a page came to, once rules were applied. */
export interface Loaded {
  steps: readonly {
    items: readonly { item: Item; at: number; bytes: number }[];
    /** Rough bytes that they hold on to, together: the whole invocation. */
    holds: number;
    position(): Position;
    passed: Passed;
  }[];
  more: boolean;
  waiting: number;
  oldest: number | null;
}

/** A step without items yet. */
export const stepOf = ({ holds, position, passed }: Loaded["steps"][number]): Step => ({
  ...{ left: 0, slots: [], holds, position, passed },
});

export function slotOf(
  lane: Lane,
  { item, at, bytes }: Loaded["steps"][number]["items"][number],
  since: number,
  step: Step,
): Slot {
  return {
    item,
    lane,
    at,
    since,
    bytes,
    state: "waits",
    tries: 0,
    aloneTries: 0,
    aloneSince: 0,
    notBefore: 0,
    cap: Number.POSITIVE_INFINITY,
    step,
  };
}

/** ms since the epoch: not before, for its own sake or its kind's. */
export const mayGoAt = ({ item, notBefore }: Slot, waits: Waits): number => Math.max(notBefore, waits[item.feed] ?? 0);

/** Its id, and what it needs to be an item. */
export function emptied(item: Item): Item {
  if (item.feed === "notices") return item;
  const { time, kind, script, invocation_id, seq, sample_weight } = item.event;
  const event = { time, kind, script, invocation_id, seq, sample_weight };
  return { ...item, event, invocation: { script, id: invocation_id, events: [] } };
}
