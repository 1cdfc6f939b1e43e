/**
 * Cuts batches out of the windows of all lanes: as large as the destination takes,
 * lanes in turn, so that a busy Worker does not keep a quiet one waiting. Items
 * that a receiver stumbled over say how large a batch with them may be. Pure but
 * for taking what it cuts.
 */
import type { BatchLimits } from "../../integrations/contract.ts";
import type { Lane } from "./lane.ts";
import type { Slot, Terms } from "./slot.ts";

export interface Cut {
  limits: BatchLimits;
  terms: Terms;
  now: number;
  /** Lane to begin with. */
  turn: number;
  /** Fewer than a full batch are not taken: more is being read. */
  fullOnly: boolean;
  /** Of a probe: how many slots of a lane to leave out, so that one item cannot fail them all. */
  skip?: number;
}

/** Empty when there is nothing to send. */
export function cut(lanes: readonly Lane[], { limits, terms, now, turn, fullOnly, skip = 0 }: Cut): Slot[] {
  const { ordered, waits, linger } = terms;
  const found: Slot[] = [];
  let bytes = 0;
  let most = limits.items;
  let isFull = false;
  for (let n = 0; n < lanes.length && !isFull; n++) {
    const lane = lanes[(turn + n) % lanes.length] as Lane;
    if (lane.waitingItems === 0 || lane.ripeAt(linger) > now || isElsewhere(found, lane, linger !== null)) continue;
    let leaveOut = ordered || skip === 0 ? 0 : Math.min(skip, countOf(lane.ready(now, ordered, waits)) - 1);
    for (const slot of lane.ready(now, ordered, waits)) {
      if (leaveOut-- > 0) continue;
      const cap = Math.min(most, slot.cap);
      isFull = found.length >= cap || (found.length > 0 && bytes + slot.bytes > limits.bytes);
      if (isFull) break;
      found.push(slot);
      bytes += slot.bytes;
      most = cap;
      isFull = found.length >= most;
      if (isFull) break;
    }
  }
  if (fullOnly && !isFull) return [];
  for (const slot of found) slot.lane.take(slot);
  return found;
}

/** Where batches grow, each is of one lane: the same one follows after an eviction, whatever other lanes hold then. */
const isElsewhere = ([first]: readonly Slot[], lane: Lane, isOfOne: boolean) =>
  isOfOne && first !== undefined && first.lane !== lane;

function countOf(slots: Iterable<Slot>): number {
  let n = 0;
  for (const _ of slots) n += 1;
  return n;
}

/** Half of the largest batch that held it. */
export const halved = (size: number): number => Math.max(1, Math.ceil(size / 2));
