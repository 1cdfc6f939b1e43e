/**
 * The mark in D1 (`shards.open`) that says this shard has unsealed data, so that
 * a query asks a few busy Ingesters instead of hundreds of idle ones.
 *
 * It is set before the first append of an empty log is acknowledged, and taken
 * back by the seal that empties the log, in that seal's own batch. Appends that
 * arrive while such a batch is under way wait for it and set the mark again, so
 * what was acknowledged is always announced. Each setting has a generation of
 * its own, higher than all before, and a batch takes back only the generation it
 * knows: one that arrives late cannot undo a newer mark.
 *
 * The same statement reads which hubs have viewers, the Worker's own and that of
 * all Workers: a hub that registers while it asks which shards there are, and a
 * shard that opens while it asks which hubs there are, cannot miss each other.
 * And it reads whether there are destinations, who want to be told of what is new.
 *
 * When D1 is away, appends are acknowledged all the same: no query works without
 * D1, and the alarm sets the mark as soon as it is back.
 */
import { sql } from "drizzle-orm";
import { database } from "../db/client.ts";
import { liveHubs, shards } from "../db/schema.ts";
import { type Lease, tailHub } from "../live/contract.ts";
import { FORWARDS } from "../store/seal-commit.ts";
import { within } from "../util/within.ts";
import { FIRST_BACKOFF_MS, MARK_TIMEOUT_MS } from "./limits.ts";
import type { Meta } from "./meta.ts";

export class OpenMark {
  /** Negative or 0: not known to be set, and this was the last one. */
  private generation: number;
  /** A setting, or a seal that takes it back, under way. */
  private pending: Promise<unknown> | undefined;
  /** When D1 did not answer: it is asked again from then on, ms. */
  retryAt: number | undefined;

  constructor(
    private readonly d1: () => D1Database,
    private readonly shard: string,
    private readonly meta: Meta,
    /** Called when it is set. */
    private readonly heard: (news: { leases: Lease[]; forwards: boolean }) => void,
  ) {
    this.generation = Number(meta.get("open"));
  }

  get isSet(): boolean {
    return this.generation > 0;
  }

  /** Resolves to false when D1 does not answer; the caller goes on and tries again later. Never throws. */
  async ensure(script: string, nextId: () => number): Promise<boolean> {
    while (!this.isSet) {
      if (this.retryAt !== undefined && Date.now() < this.retryAt) return false;
      this.pending ??= this.set(script, Math.max(nextId(), 1 - this.generation)).finally(() => {
        this.pending = undefined;
      });
      const settled = await within(MARK_TIMEOUT_MS, "marking the shard", this.pending).then(
        () => true,
        () => false,
      );
      if (!settled) {
        this.retryAt = Date.now() + FIRST_BACKOFF_MS;
        return false;
      }
    }
    return true;
  }

  /** Runs the seal that empties the log. It gets the generation to take back. */
  async takeBack<T>(commit: (generation: number) => Promise<T>): Promise<T> {
    const generation = this.generation;
    // On disk before the batch leaves (the output gate): after a crash the mark counts as not set.
    this.remember(-generation);
    const run = commit(generation).finally(() => {
      this.pending = undefined;
    });
    this.pending = run;
    return run;
  }

  private async set(script: string, generation: number): Promise<void> {
    const now = Date.now();
    const hubs = sql`(SELECT json_group_array(json_object('hub', name, 'until', until)) FROM ${liveHubs}
      WHERE name IN (${tailHub(null)}, ${tailHub(script)}) AND until > ${now})`;
    const [row] = await database(this.d1()).all<{ hubs: string; forwards: number }>(
      sql`INSERT INTO ${shards} (shard, script, sealed_through, updated_at, open)
        VALUES (${this.shard}, ${script}, 0, ${now}, ${generation})
        ON CONFLICT (shard) DO UPDATE SET open = excluded.open, updated_at = excluded.updated_at
        RETURNING ${hubs} AS hubs, ${FORWARDS} AS forwards`,
    );
    this.remember(generation);
    this.retryAt = undefined;
    const found = JSON.parse(row?.hubs ?? "[]") as Pick<Lease, "hub" | "until">[];
    // Whether items are wanted is what a hub answers to the first push.
    this.heard({ leases: found.map((lease) => ({ ...lease, items: false })), forwards: row?.forwards === 1 });
  }

  /** On disk, too: an object that is evicted between two appends need not ask D1 again. */
  private remember(generation: number): void {
    this.generation = generation;
    this.meta.set("open", String(generation));
  }
}
