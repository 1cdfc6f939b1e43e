/**
 * What a lane sends from beyond its window. While the receiver wants nothing of one
 * kind, the window may be full of that. Then what lies beyond is read as well
 * (filling.ts), for the other kinds: they are sent, and remembered by id until the
 * window comes there. The cursor stays, nothing is lost; the price is ids on disk,
 * so there is room for so many, and then all wait. It counts with its lane's sums.
 */
import type { Position } from "../contract.ts";
import type { Lane } from "./lane.ts";
import { STRAY_IDS, STRAYS } from "./limits.ts";
import { type Loaded, type Slot, type Step, slotOf, stepOf, type Waits } from "./slot.ts";

export class Strays {
  /** Items that are sent before their turn. */
  slots: Slot[] = [];
  /** Up to where it was read for them; null: not beyond the window. */
  scout: Position | null;
  /** … with all of them done. */
  mark: Position | null;
  /** What had been heard when there was no more to find; -1: there is more. */
  scouted = -1;

  constructor(
    private readonly lane: Lane,
    mark: Position | null,
  ) {
    this.scout = mark;
    this.mark = mark;
  }

  /** @param known ids that the lane remembers */
  isRoom(known: number): boolean {
    return this.slots.length < STRAYS && known + this.slots.length < STRAY_IDS;
  }

  /** A page from beyond the window: of kinds that the receiver wants, and has not answered for. */
  load(
    loaded: Loaded,
    next: Position,
    { waits, now, known }: { waits: Waits; now: number; known: ReadonlySet<string> },
  ): void {
    const { lane } = this;
    for (const found of loaded.steps) {
      const step = stepOf(found);
      for (const one of found.items) {
        const { item, bytes } = one;
        if ((waits[item.feed] ?? 0) > now || known.has(item.id)) continue;
        step.left += 1;
        this.slots.push(slotOf(lane, one, now, step));
        lane.waitingItems += 1;
        lane.waitingBytes += bytes;
      }
      if (step.left > 0) lane.bytes += step.holds;
    }
    this.scout = next;
    if (this.slots.length === 0) this.mark = next;
  }

  /** The window has come to one that was found before: it is the same item, wherever it is. */
  adopted(id: string, step: Step): Slot | undefined {
    const found = this.slots.findIndex(({ item }) => item.id === id);
    if (found < 0) return undefined;
    const [stray] = this.slots.splice(found, 1) as [Slot];
    stray.step.left -= 1;
    if (stray.step.left === 0) this.lane.bytes -= stray.step.holds;
    stray.step = step;
    return stray;
  }

  /** The window has come to a position. */
  reached(next: Position): void {
    if (this.scout === null || isBeyond(this.scout, next)) return;
    this.scout = null;
    this.mark = null;
  }

  /** Those that are done are remembered by id. */
  remember(known: Set<string>): void {
    for (const { state, item } of this.slots) if (state === "done") known.add(item.id);
    this.slots = this.slots.filter(({ state }) => state !== "done");
    if (this.slots.length === 0) this.mark = this.scout;
  }

  reset(): void {
    this.slots = [];
    this.scout = null;
    this.mark = null;
    this.scouted = -1;
  }
}

const isBeyond = (a: Position, b: Position): boolean =>
  a.through > b.through || (a.through === b.through && a.offset > b.offset);
