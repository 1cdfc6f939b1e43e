/**
 * The hub's word to the Ingesters: push to me, until then. Taken when the first
 * viewer comes, renewed by the answers to pushes and, for Workers that are quiet,
 * by the hub's alarm; after the last viewer it runs out by itself a little later.
 * A hub of one Worker tells its shards, the hub of all Workers every shard that
 * is known; who is not told hears of it through the Collectors.
 */
import { sql } from "drizzle-orm";
import { MAX_SHARDS, shardName } from "../buffer/contract.ts";
import { runBatch } from "../db/batch.ts";
import { liveHubs, shards } from "../db/schema.ts";
import { rootMessage } from "../util/error-message.ts";
import { eachWithin } from "../util/parallel.ts";
import { within } from "../util/within.ts";
import { LEASE_MS, type PushAnswer, type ShardPosition } from "./contract.ts";
import {
  LINGER_MS,
  MAX_POSITIONS,
  WATCH_PATIENCE_MS,
  WATCH_TIMEOUT_MS,
  WATCH_WIDTH,
  WATCHED_SHARDS,
} from "./limits.ts";

export interface LeaseParts {
  env: Pick<Env, "DB" | "INGESTER">;
  /** Of the hub. */
  name: string;
  /** Null: the hub of all Workers. */
  script: string | null;
  /** Where an Ingester's log was when it was told. */
  began(shard: string, position: ShardPosition): void;
}

export class Leases {
  /** ms; what was promised to everybody. */
  private until = 0;
  private items = false;
  private taking: { items: boolean; done: Promise<void> } | undefined;
  /** Without viewers it holds until then. */
  private lingersUntil: number;
  private known = new Set<string>();

  constructor(
    private readonly parts: LeaseParts,
    now: number,
  ) {
    this.lingersUntil = now + LINGER_MS;
  }

  /** Ingesters whose log a viewer may ask for; made out of what it says, any object could be woken. */
  isOurs(shard: string): boolean {
    return this.known.has(shard);
  }

  get shards(): ReadonlySet<string> {
    return this.known;
  }

  /** Resolves when the Ingesters know, or have not answered in time. Never throws. */
  async ensure(items: boolean, now: number): Promise<void> {
    const wanted = items || this.items;
    if (this.until - now > LEASE_MS / 2 && (this.items || !items)) return;
    if (this.taking === undefined || (items && !this.taking.items)) {
      const done = this.take(wanted, now).finally(() => {
        if (this.taking?.done === done) this.taking = undefined;
      });
      this.taking = { items: wanted, done };
    }
    // Those who do not answer are told all the same; a viewer does not wait for each of them.
    await within(WATCH_PATIENCE_MS, undefined, this.taking.done).catch(() => undefined);
  }

  /** Tells everybody, whatever they know. */
  async take(items: boolean, now: number): Promise<void> {
    const { env, name, began } = this.parts;
    const until = now + LEASE_MS;
    this.items = items;
    const all = await this.register(until, items);
    for (const shard of all) this.known.add(shard);
    const failures = await eachWithin(all, { width: WATCH_WIDTH, timeoutMs: WATCH_TIMEOUT_MS }, async (shard) => {
      began(shard, await env.INGESTER.getByName(shard).watch({ hub: name, until, items }));
    });
    for (const { item, error } of failures) console.warn(`live: ${item} was not told of viewers: ${error}`);
    this.until = until;
  }

  /** The last viewer has left. */
  linger(now: number): void {
    this.lingersUntil = now + LINGER_MS;
  }

  /** What an Ingester is told when it pushes. */
  answer(shard: string, hasViewers: boolean, items: boolean, now: number): PushAnswer {
    // The latest at the end.
    this.known.delete(shard);
    this.known.add(shard);
    if (this.known.size > MAX_POSITIONS) this.known.delete(this.known.keys().next().value as string);
    this.items = items;
    if (hasViewers) return { until: now + LEASE_MS, items };
    // Who is told of an earlier end has to be told anew when somebody comes.
    this.until = 0;
    if (now < this.lingersUntil) return { until: this.lingersUntil, items };
    return { until: 0, items: false };
  }

  /**
   * So that the hub is found: by a credential's end, and by shards that come into
   * being (`buffer/`). Returns the shards that are there already; none falls between,
   * and no object is made because somebody watches a Worker that is none.
   */
  private async register(until: number, items: boolean): Promise<string[]> {
    const { env, name, script } = this.parts;
    const first = script === null ? [] : [shardName(script, 0)];
    const of = script === null ? sql`` : sql`WHERE script = ${script}`;
    const most = script === null ? WATCHED_SHARDS : MAX_SHARDS;
    try {
      const asked = runBatch<[unknown, unknown, { shard: string }]>(env.DB, [
        sql`INSERT INTO ${liveHubs} (name, until) VALUES (${name}, ${until})
          ON CONFLICT (name) DO UPDATE SET until = excluded.until`,
        sql`DELETE FROM ${liveHubs} WHERE until < ${until - 2 * LEASE_MS}`,
        sql`SELECT shard FROM ${shards} ${of} ORDER BY updated_at DESC LIMIT ${most}`,
      ]);
      const [, , rows] = await within(WATCH_TIMEOUT_MS, "D1", asked);
      // One that finds the hub by itself does not know yet that items are wanted, and its first ones would be made of events.
      return [...new Set([...(items ? first : []), ...rows.map(({ shard }) => shard)])];
    } catch (error) {
      console.warn(`live: the hub is not registered, the shards that it knows are told: ${rootMessage(error)}`);
      return [...new Set([...first, ...this.known])];
    }
  }
}
