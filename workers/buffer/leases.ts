/**
 * Who watches this shard: the hub of its Worker, the hub of all Workers, both,
 * or (nearly always) nobody. Hubs say so (`watch`), Collectors pass on what they
 * heard elsewhere, answers to pushes renew and end it. The Ingester asks with
 * every append.
 *
 * Kept in memory and on disk, so that an Ingester that was evicted goes on
 * pushing. On disk `until` lags behind a little: renewed with every push, it
 * would cost a row each.
 */
import { LEASE_MS, type Lease, type PushAnswer, tailHub } from "../live/contract.ts";
import type { Meta } from "./meta.ts";

/** A renewal by less than this is not written to disk: after an eviction so much less is left of it. */
const WRITE_STEP_MS = LEASE_MS / 4;
/** The Worker's own hub and that of all Workers. Only before the first append does it need a bound: then anybody may be the Worker's own. */
const MAX_LEASES = 2;

export class Leases {
  private readonly byHub = new Map<string, Lease>();
  /** `until` as it is on disk. */
  private readonly written = new Map<string, number>();
  /** Of leases that ended: what a Collector passes on that is no newer than this has ended as well. */
  private readonly ended = new Map<string, number>();
  /** Hubs of the object's former life that have said nothing since: it may have died with entries for them. */
  private readonly former = new Set<string>();

  constructor(
    private readonly meta: Pick<Meta, "get" | "set">,
    private readonly script: () => string,
  ) {
    const kept = meta.get("leases");
    if (kept === "") return;
    for (const lease of JSON.parse(kept) as Lease[]) {
      this.byHub.set(lease.hub, lease);
      this.written.set(lease.hub, lease.until);
      this.former.add(lease.hub);
    }
  }

  /** Once per hub and life: were there pushes to it that may not have left? */
  takeFormer(hub: string): boolean {
    return this.former.size > 0 && this.former.delete(hub);
  }

  /** Those in force; undefined for none. Costs nothing while there are none. */
  current(now: number): Lease[] | undefined {
    if (this.byHub.size === 0) return undefined;
    for (const { hub, until } of this.byHub.values()) if (until <= now) this.byHub.delete(hub);
    return this.byHub.size === 0 ? undefined : [...this.byHub.values()];
  }

  /** A hub says so itself: that always holds. One whose end is past ends it. */
  watch(lease: Lease, now: number): void {
    if (!this.isOurs(lease)) return;
    this.former.delete(lease.hub);
    if (lease.until <= now) this.end(lease.hub);
    else this.set(lease);
  }

  /** A Collector heard so from another shard, or of another Worker: the newer one holds. */
  pass(leases: readonly Lease[], now: number): void {
    for (const lease of leases) {
      if (!this.isOurs(lease) || lease.until <= now) continue;
      const known = this.byHub.get(lease.hub)?.until ?? this.ended.get(lease.hub) ?? 0;
      if (lease.until > known) this.set(lease);
    }
  }

  /** A hub's answer to a push. */
  answered(hub: string, { until, items }: PushAnswer, now: number): void {
    if (until <= now) this.end(hub);
    else this.set({ hub, until, items });
  }

  private isOurs({ hub }: Lease): boolean {
    if (hub === tailHub(null) || this.byHub.has(hub)) return true;
    const script = this.script();
    // Before its first append a shard does not know whose it is: a hub calls only its own.
    return script === "" ? this.byHub.size < MAX_LEASES : hub === tailHub(script);
  }

  private set({ hub, until, items }: Lease): void {
    const known = this.byHub.get(hub);
    this.byHub.set(hub, { hub, until, items });
    this.ended.delete(hub);
    const isNews = known === undefined || known.items !== items;
    if (isNews || until > (this.written.get(hub) ?? 0) + WRITE_STEP_MS) this.write();
  }

  private end(hub: string): void {
    const known = this.byHub.get(hub);
    if (known === undefined) return;
    this.byHub.delete(hub);
    this.ended.set(hub, known.until);
    this.write();
  }

  private write(): void {
    const leases = [...this.byHub.values()];
    this.meta.set("leases", JSON.stringify(leases));
    this.written.clear();
    for (const { hub, until } of leases) this.written.set(hub, until);
  }
}
