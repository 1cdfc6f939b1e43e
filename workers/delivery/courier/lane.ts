/**
 * One source in its order: the log of a shard, the segments of a back-fill, or
 * the notices. It holds a window of items beyond its cursor, and knows of each
 * whether it waits, is under way, or is done. The cursor moves when all items of
 * an invocation are done; what is done beyond it is remembered by id, so that
 * nothing is sent again that the receiver has answered for, whatever order the
 * answers come in, and whoever is evicted in between. `filling.ts` puts pages in,
 * `batcher.ts` takes items out, `settling.ts` says what came of them, `progress.ts`
 * moves the cursor. What is sent from beyond a full window is in `strays.ts`.
 */
import type { Linger } from "../../integrations/contract.ts";
import type { Position } from "../contract.ts";
import { POLITE_MS, PRESSURE_MS, PUT_OFF_MS } from "./limits.ts";
import {
  emptied,
  type Loaded,
  mayGoAt,
  type Passed,
  type Slot,
  type Step,
  slotOf,
  stepOf,
  type Terms,
  type Waits,
} from "./slot.ts";
import { Strays } from "./strays.ts";

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
  /** What is sent from beyond the window. */
  readonly strays: Strays;
  private steps: Step[] = [];
  private slots: Slot[] = [];
  /** Slots before it are done or under way. */
  private scan = 0;
  /** Done before an eviction, and not seen since. */
  private known: Set<string>;
  /** Since it was made or reset. */
  wasRead = false;
  /** There was more to read when it was last read. */
  hadMore = true;

  constructor(state: LaneState, scoutMark: Position | null = null) {
    this.strays = new Strays(this, scoutMark);
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
    return this.strays.scout ?? this.next;
  }

  /** There may be more beyond the window, and room for it. */
  get mayStray(): boolean {
    return this.strays.isRoom(this.known.size) && this.strays.scouted !== this.heard;
  }

  /** A page from beyond the window: of kinds that the receiver wants. */
  stray(loaded: Loaded, next: Position, waits: Waits, now: number): void {
    this.strays.load(loaded, next, { waits, now, known: this.known });
  }

  /** A page is put at the end. */
  load(loaded: Loaded, next: Position, now: number): void {
    this.letGo();
    for (const found of loaded.steps) {
      const step = stepOf(found);
      for (const one of found.items) {
        const { item, bytes } = one;
        if (this.known.delete(item.id)) {
          // Done before: it stays in the window as such until the cursor has passed it.
          step.slots.push({ ...slotOf(this, one, now, step), bytes: 0, state: "done" });
          continue;
        }
        step.left += 1;
        const stray = this.strays.adopted(item.id, step);
        if (stray !== undefined) {
          step.slots.push(stray);
          continue;
        }
        step.slots.push(slotOf(this, one, now, step));
        this.waitingItems += 1;
        this.waitingBytes += bytes;
      }
      if (step.left > 0) this.bytes += step.holds;
      for (const slot of step.slots) this.slots.push(slot);
      this.steps.push(step);
    }
    this.next = next;
    this.strays.reached(next);
    this.wasRead = true;
    this.hadMore = loaded.more;
    this.beyond = loaded.waiting;
    this.beyondOldest = loaded.waiting > 0 || loaded.more ? loaded.oldest : null;
  }

  /** Waiting slots that may go now, from the front on. */
  *ready(now: number, ordered: boolean, waits: Waits = {}): Generator<Slot> {
    if (ordered && this.flying > 0) return;
    while (this.scan < this.slots.length && this.slots[this.scan]?.state !== "waits") this.scan += 1;
    for (let i = this.scan; i < this.slots.length; i++) {
      const slot = this.slots[i] as Slot;
      if (slot.state !== "waits") continue;
      if (mayGoAt(slot, waits) <= now) yield slot;
      else if (ordered) return;
    }
    for (const slot of this.strays.slots) if (slot.state === "waits" && mayGoAt(slot, waits) <= now) yield slot;
  }

  /** ms since the epoch: when the first of what waits may go; null when nothing waits. */
  sendAt({ ordered, waits, linger }: Terms): number | null {
    let soonest: number | null = null;
    for (const slots of [this.slots, this.strays.slots])
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
    for (const slot of [...this.slots, ...this.strays.slots]) slot.notBefore = 0;
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
    this.strays.remember(this.known);
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
    if (this.steps.length === 0 && !this.hadMore && this.strays.scout === null) this.known.clear();
    return passed.map((step) => step.passed);
  }

  state(): LaneState {
    const ahead = new Set(this.known);
    for (const slots of [this.slots, this.strays.slots])
      for (const { state, item } of slots) if (state === "done") ahead.add(item.id);
    return { kind: this.kind, shard: this.shard, script: this.script, position: this.position, ahead };
  }

  /** Forgets the window; nothing may be under way. */
  reset(): void {
    if (this.flying > 0) throw new Error(`BUG: lane ${this.key} is reset with ${this.flying} items under way`);
    this.known = new Set(this.state().ahead);
    this.steps = [];
    this.slots = [];
    this.strays.reset();
    this.scan = 0;
    this.bytes = 0;
    this.waitingItems = 0;
    this.waitingBytes = 0;
    this.next = this.position;
    this.hasNews = true;
    this.wasRead = false;
  }

  /** What is done beyond the cursor is remembered by id: its events are not. */
  private letGo(): void {
    for (const step of this.steps) {
      if (step.left > 0 || step.holds === 0) continue;
      for (const slot of step.slots) slot.item = emptied(slot.item);
      step.holds = 0;
    }
  }
}

/** There is one back-fill of each kind, and one list of notices. */
export const laneKey = (kind: LaneKind, shard: string): string => (kind === "log" ? `log:${shard}` : kind);
