/**
 * Decoded parts of one kind of one map: what was read stays, as long as the cache
 * that all maps share lets it, and concurrent reads of the same are one.
 */
import type { BlockCache, Cached } from "./cache.ts";
import { SharedReads } from "./shared-reads.ts";

export class Kept<T extends { readonly bytes: number }> {
  private readonly cache: BlockCache;
  private readonly slots = new Map<number, Slot<T>>();
  private readonly reads = new SharedReads<T>();

  constructor(cache: BlockCache) {
    this.cache = cache;
  }

  get bytes(): number {
    let bytes = 0;
    for (const slot of this.slots.values()) bytes += slot.bytes;
    return bytes;
  }

  get(key: number): T | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  async load(key: number, read: () => Promise<T>): Promise<T> {
    return (
      this.get(key) ??
      this.reads.get(key, async () => {
        const value = await read();
        this.keep(key, value);
        return value;
      })
    );
  }

  close(): void {
    for (const slot of this.slots.values()) this.cache.delete(slot);
    this.slots.clear();
  }

  private keep(key: number, value: T): void {
    // Someone who waited too long may have read the same.
    const before = this.slots.get(key);
    if (before !== undefined) this.cache.delete(before);
    const slot = new Slot(value, this.slots, key);
    this.slots.set(key, slot);
    this.cache.add(slot);
  }
}

class Slot<T extends { readonly bytes: number }> implements Cached {
  used = false;
  readonly value: T;
  readonly bytes: number;
  private readonly slots: Map<number, Slot<T>>;
  private readonly key: number;

  constructor(value: T, slots: Map<number, Slot<T>>, key: number) {
    this.value = value;
    this.bytes = value.bytes;
    this.slots = slots;
    this.key = key;
  }

  drop(): void {
    this.slots.delete(this.key);
  }
}
