/**
 * What this isolate has heard of viewers: the leases of the Workers whose events
 * it collects, by their Ingesters' answers. `group-commit.ts` sends them along
 * with appends, so that every shard hears of the Worker's own, and every Worker
 * of that of the hub of all Workers. Without viewers there is nothing in it.
 */
import type { AppendRequest, AppendResult } from "../../buffer/contract.ts";
import { type Lease, tailHub } from "../../live/contract.ts";

/** Workers watched at the same time. Where there are more, further Ingesters ask for extras that come a moment later. */
const MAX_SCRIPTS = 1_000;

export class LeaseBook {
  /** By script; not that of all Workers. */
  private readonly own = new Map<string, Lease>();
  private all: Lease | undefined;

  /** Those in force for a Worker; undefined for none. */
  of(script: string, now: number): Lease[] | undefined {
    if (this.all === undefined && this.own.size === 0) return undefined;
    const leases = [this.all, this.own.get(script)].filter((lease) => lease !== undefined && lease.until > now);
    return leases.length === 0 ? undefined : (leases as Lease[]);
  }

  /** An Ingester answered. A lease that it was told of and does not name has ended. */
  heard({ script, leases: told = [] }: AppendRequest, { leases = [] }: AppendResult & { ok: true }): void {
    for (const lease of told) if (!leases.some(({ hub }) => hub === lease.hub)) this.forget(script, lease);
    for (const lease of leases) this.note(script, lease);
  }

  private note(script: string, lease: Lease): void {
    if (lease.hub === tailHub(null)) {
      if (isNewer(lease, this.all)) this.all = lease;
    } else if (isNewer(lease, this.own.get(script))) {
      if (this.own.size >= MAX_SCRIPTS) this.own.clear();
      this.own.set(script, lease);
    }
  }

  private forget(script: string, { hub, until }: Lease): void {
    if (hub !== tailHub(null)) {
      if ((this.own.get(script)?.until ?? 0) <= until) this.own.delete(script);
    } else if ((this.all?.until ?? 0) <= until) this.all = undefined;
  }
}

/** Renewed, or of the same time with another wish. */
const isNewer = (lease: Lease, known: Lease | undefined) => known === undefined || lease.until >= known.until;
