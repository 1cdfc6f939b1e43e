/**
 * The last entries that were pushed, for viewers who come again (`catch-up.ts`):
 * bounded by count, characters and age. In memory only: after an eviction the
 * logs of the Ingesters reach back as far. Entries stay as text; decoded they
 * would take several times as much.
 */
import type { LiveEntry } from "./contract.ts";
import { RING_CHARS, RING_ENTRIES, RING_MS } from "./limits.ts";

/** An entry, and where it comes from. */
export interface Received extends LiveEntry {
  script: string;
  shard: string;
}

interface Kept {
  entry: Received;
  /** When the hub got it, ms. */
  heard: number;
}

export class Ring {
  private kept: Kept[] = [];
  /** Number of the first one: they are counted from 0 for as long as the object lives. */
  private first = 0;
  private chars = 0;

  /** Number that the next entry gets. */
  get end(): number {
    return this.first + this.kept.length;
  }

  add(entry: Received, heard: number): void {
    this.kept.push({ entry, heard });
    this.chars += charsOf(entry);
    this.trim(heard);
  }

  /** Some entries from a number on, and the number after them; those that are not there any more are left out. */
  from(at: number, maxChars: number): { entries: Received[]; next: number } {
    const entries: Received[] = [];
    let chars = 0;
    let k = Math.max(at - this.first, 0);
    for (; k < this.kept.length && (entries.length === 0 || chars < maxChars); k++) {
      const { entry } = this.kept[k] as Kept;
      entries.push(entry);
      chars += entry.batch.length;
    }
    return { entries, next: this.first + k };
  }

  /** The oldest entry of a shard for which `wanted` holds. */
  find(shard: string, wanted: (entry: Received) => boolean): Received | undefined {
    return this.kept.find(({ entry }) => entry.shard === shard && wanted(entry))?.entry;
  }

  clear(): void {
    this.first = this.end;
    this.kept = [];
    this.chars = 0;
  }

  private trim(now: number): void {
    let drop = 0;
    while (drop < this.kept.length && this.isTooMuch(drop, now)) {
      this.chars -= charsOf((this.kept[drop] as Kept).entry);
      drop++;
    }
    if (drop === 0) return;
    this.kept.splice(0, drop);
    this.first += drop;
  }

  private isTooMuch(drop: number, now: number): boolean {
    const { heard } = this.kept[drop] as Kept;
    return this.kept.length - drop > RING_ENTRIES || this.chars > RING_CHARS || now - heard > RING_MS;
  }
}

const charsOf = ({ batch, extras }: LiveEntry) => batch.length + extras.length;
