/**
 * One who reads the counts of this log every few seconds (the Worker's guard,
 * `rollouts/evidence/`): what is sealed between two of its visits is held in
 * memory until it comes again, so that a busy shard, which seals every second,
 * hides nothing from it. Nobody else pays for it, and it is no promise: what is
 * lost with the object's memory shows as a gap in the ids.
 */
import type { UnsealedRollups } from "./contract.ts";
import { FOLLOW_BYTES, FOLLOW_MS } from "./limits.ts";

type Entry = UnsealedRollups["entries"][number];

export class Follower {
  private held: Entry[] = [];
  private bytes = 0;
  /** What it has; undefined: there is none. */
  private afterId: number | undefined;
  private at = 0;

  /** It was here, and has everything up to `afterId`: what it missed, oldest first. */
  visit(afterId: number, now: number): Entry[] {
    this.afterId = afterId;
    this.at = now;
    this.keepOnly(this.held.filter(({ id }) => id > afterId));
    return this.held;
  }

  /** Whether it is worth reading what is about to leave the log. */
  wants(lastId: number, now: number): boolean {
    if (this.afterId !== undefined && now - this.at > FOLLOW_MS) {
      this.afterId = undefined;
      this.keepOnly([]);
    }
    return this.afterId !== undefined && lastId > this.afterId;
  }

  /** Entries that leave the log, in order. The newest stay when there is no room: with a hole in between the gap would be counted short. */
  keep(entries: readonly Entry[]): void {
    const { afterId } = this;
    if (afterId === undefined) return;
    const all = [...this.held, ...entries.filter(({ id }) => id > afterId)];
    let bytes = 0;
    let first = all.length;
    while (first > 0 && bytes + sizeOf(all[first - 1] as Entry) <= FOLLOW_BYTES) bytes += sizeOf(all[--first] as Entry);
    this.keepOnly(all.slice(first));
  }

  get size(): number {
    return this.bytes;
  }

  private keepOnly(entries: Entry[]): void {
    this.held = entries;
    this.bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  }
}

/** The ledger is not kept. */
const sizeOf = ({ rollups }: Entry) => rollups.length + 50;
