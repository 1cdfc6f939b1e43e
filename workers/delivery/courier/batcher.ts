/**
 * Cuts batches out of the windows of all lanes: as large as the destination takes,
 * lanes in turn, so that a busy Worker does not keep a quiet one waiting. Items
 * that a receiver stumbled over say how large a batch with them may be. Pure but
 * for taking what it cuts.
 */
import type { BatchLimits } from "../../integrations/contract.ts";
import type { Lane, Slot } from "./lane.ts";

export interface Cut {
  limits: BatchLimits;
  ordered: boolean;
  now: number;
  /** Lane to begin with. */
  turn: number;
  /** Fewer than a full batch are not taken: more is being read. */
  fullOnly: boolean;
  /** Of a probe: how many slots of a lane to leave out, so that one item cannot fail them all. */
  skip?: number;
}

/** Empty when there is nothing to send. */
export function cut(lanes: readonly Lane[], { limits, ordered, now, turn, fullOnly, skip = 0 }: Cut): Slot[] {
  const found: Slot[] = [];
  let bytes = 0;
  let most = limits.items;
  let isFull = false;
  for (let n = 0; n < lanes.length && !isFull; n++) {
    const lane = lanes[(turn + n) % lanes.length] as Lane;
    if (lane.waitingItems === 0) continue;
    const leaveOut = Math.min(skip, lane.waitingItems - 1);
    for (const slot of lane.ready(now, ordered, leaveOut)) {
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

/** Half of the largest batch that held it. */
export const halved = (size: number): number => Math.max(1, Math.ceil(size / 2));
