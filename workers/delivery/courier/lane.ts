/**
 * One source in its order: the log of a shard, the segments of a back-fill, or
 * the notices. It holds a window of items beyond its cursor, and knows of each
 * whether it waits, is under way, or is done. The cursor moves when all items of
 * an invocation are done; what is done beyond it is remembered by id, so that
 * nothing is sent again that the receiver has answered for, whatever order the
 * answers come in, and whoever is evicted in between.
 *
 * While the receiver wants nothing of one kind, the window may be full of that. Then
 * what lies beyond is read as well, for the others (`stray`): they are sent, and
 * remembered by id until the window comes there. The cursor stays, nothing is lost.
 */
import type { Feed } from "../../api/contract/integrations.ts";
import type { Item, Linger } from "../../integrations/contract.ts";
import type { Position } from "../contract.ts";
import { POLITE_MS, PRESSURE_MS, PUT_OFF_MS, STRAY_IDS, STRAYS } from "./limits.ts";

/** "earlier": notices of a back-fill. */
export type LaneKind = "log" | "backfill" | "notices" | "earlier";

export interface LaneState {
  kind: LaneKind;
  /** "" unless it is a log. */
  shard: string;
  script: string;
  position: Position;
  /** Ids of items beyond the position that are done. */
  ahead: ReadonlySet<string>;
}

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
interface Step {
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

const NO_WAITS: Waits = {};

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

export class Lane {
  readonly kind: LaneKind;
  readonly shard: string;
  readonly script: string;
  /** Where the cursor is. */
  position: Position;
  /** Where the next page begins. */
  next: Position;
  /** Something may be there to read. */
  hasNews = true;
  /** Counts what was said of news. */
  heard = 0;
  reading = false;
  /** ms: its Ingester is left alone until then. */
  restUntil = 0;
  /** ms: since when it is left alone now and then; 0: it is not. */
  politeSince = 0;
  flying = 0;
  /** Rows after the window, as far as is known; null before the first read. */
  beyond: number | null = null;
  /** ms: of the oldest of them. */
  beyondOldest: number | null = null;
  /** Rough: what the items that are not done hold on to. */
  bytes = 0;
  waitingItems = 0;
  /** Rough: what they add to a batch. */
  waitingBytes = 0;
  /** The cursor or what is done beyond it differs from what is on disk. */
  isDirty = false;
  private steps: Step[] = [];
  private slots: Slot[] = [];
  /** Slots before it are done or under way. */
  private scan = 0;
  /** Done before an eviction, and not seen since. */
  private known: Set<string>;
  /** Items from beyond the window that are sent before their turn. */
  private strays: Slot[] = [];
  /** Up to where it was read for them; null: not beyond the window. */
  private scout: Position | null;
  /** … with all of them done. */
  scoutMark: Position | null;
  /** What had been heard when there was no more to find; -1: there is more. */
  scouted = -1;
  /** Since it was made or reset. */
  wasRead = false;
  /** There was more to read when it was last read. */
  hadMore = true;

  constructor(state: LaneState, scoutMark: Position | null = null) {
    this.scout = scoutMark;
    this.scoutMark = scoutMark;
    this.kind = state.kind;
    this.shard = state.shard;
    this.script = state.script;
    this.position = state.position;
    this.next = state.position;
    this.known = new Set(state.ahead);
  }

  get key(): string {
    return laneKey(this.kind, this.shard);
  }

  /** Not a back-fill, which is old by its nature. */
  get isLive(): boolean {
    return this.kind === "log" || this.kind === "notices";
  }

  get items(): number {
    return this.slots.length;
  }

  /** The first item that is not done. */
  get head(): Slot | undefined {
    return this.slots.find(({ state }) => state !== "done");
  }

  /** ms of the oldest item that is not done, here or beyond. */
  get oldest(): number | null {
    return this.head?.at ?? this.beyondOldest;
  }

  /** Nothing is here, and nothing is known to come. */
  get isDrained(): boolean {
    return this.steps.length === 0 && !this.hasNews && !this.reading;
  }

  /** Somebody said that there is more: also while it is being read. */
  news(): void {
    this.hasNews = true;
    this.heard += 1;
  }

  /** Where what is beyond the window is read on. */
  get beyondFrom(): Position {
    return this.scout ?? this.next;
  }

  /** There may be more beyond the window, and room for it. */
  get mayStray(): boolean {
    const isRoom = this.strays.length < STRAYS && this.known.size + this.strays.length < STRAY_IDS;
    return isRoom && this.scouted !== this.heard;
  }

  /** A page from beyond the window: of kinds that the receiver wants. */
  stray(loaded: Loaded, next: Position, waits: Waits, now: number): void {
    for (const { items, holds, position, passed } of loaded.steps) {
      const step: Step = { left: 0, slots: [], holds, position, passed };
      for (const { item, at, bytes } of items) {
        if ((waits[item.feed] ?? 0) > now || this.known.has(item.id)) continue;
        step.left += 1;
        this.strays.push(this.slot(item, at, now, bytes, step, "waits"));
        this.waitingItems += 1;
        this.waitingBytes += bytes;
      }
      if (step.left > 0) this.bytes += holds;
    }
    this.scout = next;
    if (this.strays.length === 0) this.scoutMark = next;
  }

  /** A page is put at the end. */
  load(loaded: Loaded, next: Position, now: number): void {
    this.letGo();
    for (const { items, holds, position, passed } of loaded.steps) {
      const step: Step = { left: 0, slots: [], holds, position, passed };
      for (const { item, at, bytes } of items) {
        if (this.known.delete(item.id)) {
          // Done before: it stays in the window as such until the cursor has passed it.
          step.slots.push(this.slot(item, at, now, 0, step, "done"));
          continue;
        }
        step.left += 1;
        const stray = this.adopted(item.id, step);
        if (stray !== undefined) {
          step.slots.push(stray);
          continue;
        }
        step.slots.push(this.slot(item, at, now, bytes, step, "waits"));
        this.waitingItems += 1;
        this.waitingBytes += bytes;
      }
      if (step.left > 0) this.bytes += holds;
      for (const slot of step.slots) this.slots.push(slot);
      this.steps.push(step);
    }
    this.next = next;
    if (this.scout !== null && !isBeyond(this.scout, next)) {
      this.scout = null;
      this.scoutMark = null;
    }
    this.wasRead = true;
    this.hadMore = loaded.more;
    this.beyond = loaded.waiting;
    this.beyondOldest = loaded.waiting > 0 || loaded.more ? loaded.oldest : null;
  }

  /** Waiting slots that may go now, from the front on. */
  *ready(now: number, ordered: boolean, waits: Waits = NO_WAITS): Generator<Slot> {
    if (ordered && this.flying > 0) return;
    while (this.scan < this.slots.length && this.slots[this.scan]?.state !== "waits") this.scan += 1;
    for (let i = this.scan; i < this.slots.length; i++) {
      const slot = this.slots[i] as Slot;
      if (slot.state !== "waits") continue;
      if (mayGoAt(slot, waits) <= now) yield slot;
      else if (ordered) return;
    }
    for (const slot of this.strays) if (slot.state === "waits" && mayGoAt(slot, waits) <= now) yield slot;
  }

  /** ms since the epoch: when the first of what waits may go; null when nothing waits. */
  sendAt({ ordered, waits, linger }: Terms): number | null {
    let soonest: number | null = null;
    for (const slots of [this.slots, this.strays])
      for (const slot of slots) {
        if (slot.state !== "waits") continue;
        const at = mayGoAt(slot, waits);
        if (soonest === null || at < soonest) soonest = at;
        if (ordered) break;
      }
    return soonest === null ? null : Math.max(soonest, this.ripeAt(linger));
  }

  /** ms since the epoch: until then its next batch grows. What was tried once, or is old by its own time, has waited. */
  ripeAt(linger: Linger | null): number {
    if (linger === null || this.waitingItems === 0 || this.waitingBytes >= linger.bytes) return 0;
    const head = this.slots.find(({ state }) => state === "waits");
    if (head === undefined || head.tries > 0) return 0;
    // By its own time, since an eviction forgets when it was read; what is being caught up on comes page by page.
    return (this.hasNews ? head.since : Math.min(head.since, head.at)) + linger.ms;
  }

  /** The Ingester is in a burst, or not: reading goes on after a while, or at once. */
  pace({ isBurst, hasMore, isPutOff }: { isBurst: boolean; hasMore: boolean; isPutOff: boolean }, now: number): void {
    if (isPutOff) this.restUntil = now + PUT_OFF_MS;
    else if (!hasMore) this.politeSince = 0;
    else if (isBurst) {
      this.politeSince ||= now;
      if (now - this.politeSince < POLITE_MS) this.restUntil = now + PRESSURE_MS;
    }
  }

  /** Nothing waits for its own time. */
  hurry(): void {
    for (const slot of [...this.slots, ...this.strays]) slot.notBefore = 0;
    this.restUntil = 0;
    this.scan = 0;
  }

  take(slot: Slot): void {
    slot.state = "flies";
    this.flying += 1;
    this.waitingItems -= 1;
    this.waitingBytes -= slot.bytes;
  }

  /** It was not taken by the receiver, or nobody knows: it waits again. */
  putBack(slot: Slot): void {
    slot.state = "waits";
    this.flying -= 1;
    this.waitingItems += 1;
    this.waitingBytes += slot.bytes;
    this.scan = 0;
  }

  done(slot: Slot): void {
    slot.state = "done";
    const { step } = slot;
    step.left -= 1;
    if (step.left === 0) this.bytes -= step.holds;
    this.flying -= 1;
    this.isDirty = true;
  }

  /** Moves the cursor as far as all is done; what was left out on the way. */
  advance(): Passed[] {
    this.rememberStrays();
    let n = 0;
    while (n < this.steps.length && this.steps[n]?.left === 0) n += 1;
    if (n === 0) return [];
    const passed = this.steps.splice(0, n);
    const last = passed.at(-1) as Step;
    this.position = last.position();
    let slots = 0;
    const gone = new Set(passed);
    while (slots < this.slots.length && gone.has((this.slots[slots] as Slot).step)) slots += 1;
    this.slots.splice(0, slots);
    this.scan = Math.max(0, this.scan - slots);
    this.isDirty = true;
    // All there is has been passed: what rules of before let through does not come again.
    if (this.steps.length === 0 && !this.hadMore && this.scout === null) this.known.clear();
    return passed.map((step) => step.passed);
  }

  state(): LaneState {
    const ahead = new Set(this.known);
    for (const slots of [this.slots, this.strays])
      for (const { state, item } of slots) if (state === "done") ahead.add(item.id);
    return { kind: this.kind, shard: this.shard, script: this.script, position: this.position, ahead };
  }

  /** Forgets the window; nothing may be under way. */
  reset(): void {
    if (this.flying > 0) throw new Error(`BUG: lane ${this.key} is reset with ${this.flying} items under way`);
    this.known = new Set(this.state().ahead);
    this.steps = [];
    this.slots = [];
    this.strays = [];
    this.scout = null;
    this.scoutMark = null;
    this.scouted = -1;
    this.scan = 0;
    this.bytes = 0;
    this.waitingItems = 0;
    this.waitingBytes = 0;
    this.next = this.position;
    this.hasNews = true;
    this.wasRead = false;
  }

  /** The window has come to one that was found before: it is the same item, wherever it is. */
  private adopted(id: string, step: Step): Slot | undefined {
    const found = this.strays.findIndex(({ item }) => item.id === id);
    if (found < 0) return undefined;
    const [stray] = this.strays.splice(found, 1) as [Slot];
    stray.step.left -= 1;
    if (stray.step.left === 0) this.bytes -= stray.step.holds;
    stray.step = step;
    return stray;
  }

  private rememberStrays(): void {
    for (const { state, item } of this.strays) if (state === "done") this.known.add(item.id);
    this.strays = this.strays.filter(({ state }) => state !== "done");
    if (this.strays.length === 0) this.scoutMark = this.scout;
  }

  /** What is done beyond the cursor is remembered by id: its events are not. */
  private letGo(): void {
    for (const step of this.steps) {
      if (step.left > 0 || step.holds === 0) continue;
      for (const slot of step.slots) slot.item = emptied(slot.item);
      step.holds = 0;
    }
  }

  private slot(item: Item, at: number, since: number, bytes: number, step: Step, state: Slot["state"]): Slot {
    return {
      item,
      lane: this,
      at,
      since,
      bytes,
      state,
      tries: 0,
      aloneTries: 0,
      aloneSince: 0,
      notBefore: 0,
      cap: Number.POSITIVE_INFINITY,
      step,
    };
  }
}

const isBeyond = (a: Position, b: Position): boolean =>
  a.through > b.through || (a.through === b.through && a.offset > b.offset);

const mayGoAt = ({ item, notBefore }: Slot, waits: Waits): number => Math.max(notBefore, waits[item.feed] ?? 0);

/** Its id, and what it needs to be an item. */
function emptied(item: Item): Item {
  if (item.feed === "notices") return item;
  const { time, kind, script, invocation_id, seq, sample_weight } = item.event;
  const event = { time, kind, script, invocation_id, seq, sample_weight };
  return { ...item, event, invocation: { script, id: invocation_id, events: [] } };
}

/** There is one back-fill of each kind, and one list of notices. */
export const laneKey = (kind: LaneKind, shard: string): string => (kind === "log" ? `log:${shard}` : kind);
