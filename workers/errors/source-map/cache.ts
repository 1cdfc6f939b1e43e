/**
 * What all open maps of an isolate hold in memory together, in bytes. The least
 * recently used goes first, found by second chance: a hit sets a flag, and only
 * room-making looks at it, so that a warm frame costs no bookkeeping.
 */

export interface Cached {
  readonly bytes: number;
  /** Set by whoever uses it, cleared when it was passed over. */
  used: boolean;
  /** Its owner forgets it. */
  drop(): void;
}

/** Blocks take about 30 KB: the hot code of many Workers. */
const DEFAULT_BYTES = 16 * 1024 * 1024;

export class BlockCache {
  private readonly entries = new Set<Cached>();
  /** Held now. */
  bytes = 0;

  private readonly maxBytes: number;

  constructor(maxBytes = DEFAULT_BYTES) {
    this.maxBytes = maxBytes;
  }

  add(entry: Cached): void {
    this.entries.add(entry);
    this.bytes += entry.bytes;
    this.makeRoom(entry);
  }

  delete(entry: Cached): void {
    if (this.entries.delete(entry)) this.bytes -= entry.bytes;
  }

  /** Oldest first; what was used since the last look goes to the end once more. */
  private makeRoom(newest: Cached): void {
    for (const entry of this.entries) {
      if (this.bytes <= this.maxBytes) return;
      this.entries.delete(entry);
      if (entry === newest || entry.used) {
        entry.used = false;
        this.entries.add(entry);
        // All others are gone, and this one alone is too large: its owner keeps it no longer than it needs it.
        if (entry !== newest || this.entries.size > 1) continue;
        this.entries.delete(entry);
      }
      this.bytes -= entry.bytes;
      entry.drop();
    }
  }
}
