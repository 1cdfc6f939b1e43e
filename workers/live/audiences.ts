/**
 * Viewers with the same filter and rate: what they see is found and written once,
 * and the same text sent to each. The order is that of the filters' cost, so that
 * a dear one takes comparisons from nobody but those who are dearer.
 */
import type { LiveFilter } from "./filter.ts";
import type { Filters } from "./filters.ts";
import { Bucket } from "./thinning.ts";
import type { Viewer } from "./viewer.ts";

export interface Audience {
  readonly filter: LiveFilter;
  readonly bucket: Bucket;
  readonly members: Set<Viewer>;
  /** Positions that it has not been told of changed after this change; undefined: it knows all. */
  behind: number | undefined;
}

const keyOf = (q: string, rate: number) => `${rate} ${q}`;

export class Audiences {
  private byKey = new Map<string, Audience>();
  private isSorted = true;
  private readonly of = new Map<Viewer, Audience>();

  constructor(private readonly filters: Filters) {}

  /** In the order in which they are to be served. */
  all(): Iterable<Audience> {
    if (!this.isSorted) {
      this.byKey = new Map([...this.byKey].sort(([, a], [, b]) => a.filter.cost - b.filter.cost));
      this.isSorted = true;
    }
    return this.byKey.values();
  }

  join(viewer: Viewer, filter: LiveFilter, now: number): void {
    const behind = this.of.get(viewer)?.behind;
    this.leave(viewer);
    const { rate } = viewer.attachment;
    const key = keyOf(filter.q, rate);
    let audience = this.byKey.get(key);
    if (audience === undefined) {
      audience = {
        filter: this.filters.use(filter),
        bucket: new Bucket(rate, now),
        members: new Set(),
        behind: undefined,
      };
      this.byKey.set(key, audience);
      this.isSorted = false;
    }
    audience.behind ??= behind;
    audience.members.add(viewer);
    this.of.set(viewer, audience);
  }

  leave(viewer: Viewer): void {
    const audience = this.of.get(viewer);
    if (audience === undefined) return;
    this.of.delete(viewer);
    audience.members.delete(viewer);
    if (audience.members.size > 0) return;
    const { filter, bucket } = audience;
    this.byKey.delete(keyOf(filter.q, bucket.rate));
    for (const other of this.byKey.values()) if (other.filter === filter) return;
    this.filters.forget(filter);
  }
}
