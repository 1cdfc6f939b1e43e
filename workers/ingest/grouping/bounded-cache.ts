/** A cache bounded by count, by bytes and by age; the oldest entries go first. The caller says what an entry takes. */

interface Entry<V> {
  value: V;
  bytes: number;
  /** ms */
  until: number;
}

export class BoundedCache<V> {
  private readonly entries = new Map<string, Entry<V>>();
  private readonly maxCount: number;
  private readonly maxBytes: number;
  private bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.maxCount = maxCount;
    this.maxBytes = maxBytes;
  }

  get(key: string, now: number): V | undefined {
    const entry = this.entries.get(key);
    return entry === undefined || entry.until <= now ? undefined : entry.value;
  }

  set(key: string, value: V, bytes: number, until: number): void {
    this.delete(key);
    if (bytes > this.maxBytes) return;
    this.entries.set(key, { value, bytes, until });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.maxCount && this.bytes <= this.maxBytes) return;
      this.delete(oldest);
    }
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  private delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.bytes -= entry.bytes;
    this.entries.delete(key);
  }
}
