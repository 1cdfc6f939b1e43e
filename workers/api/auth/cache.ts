/**
 * Principals this isolate has just looked up. Two ages matter: an entry is
 * served as fresh for seconds, so that a revoked token stops working soon
 * everywhere; and while D1 does not answer, entries seen minutes ago are still
 * honoured, so that a database outage does not also stop ingest. (A token
 * cannot be revoked during that outage either: revoking writes D1.)
 */

/** Longest time a revoked token may still work in another isolate. docs/access.md promises it. */
export const FRESH_MS = 5_000;
/** How long a known token outlives a database that does not answer. */
const STALE_MS = 5 * 60_000;
/** Entries are a hundred bytes or so; the oldest go first. */
const MAX_ENTRIES = 2_000;

export class LookupCache<V> {
  private readonly entries = new Map<string, { value: V; at: number }>();

  fresh(key: string, now: number): V | undefined {
    return this.within(key, now, FRESH_MS);
  }

  stale(key: string, now: number): V | undefined {
    return this.within(key, now, STALE_MS);
  }

  private within(key: string, now: number, maxAge: number): V | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && now - entry.at <= maxAge ? entry.value : undefined;
  }

  set(key: string, value: V, now: number): void {
    this.entries.delete(key);
    this.entries.set(key, { value, at: now });
    if (this.entries.size > MAX_ENTRIES) this.entries.delete(this.entries.keys().next().value as string);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}
