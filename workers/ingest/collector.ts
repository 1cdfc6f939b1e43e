/**
 * The Collector of this isolate: made at its first event, shared by all its
 * calls. Group commits, token buckets, known routes and errors live here; nothing in it
 * is the only copy of anything, since every call waits until its events are
 * durable.
 */
import { shardName } from "../buffer/contract.ts";
import { MapStore } from "../errors/maps/lookup.ts";
import { GroupCommit, systemClock } from "./group-commit.ts";
import { Grouper } from "./grouping/grouper.ts";
import { Waits } from "./grouping/waits.ts";
import type { Collector } from "./intake.ts";
import { RateLimiter } from "./rate-limit.ts";

let collector: Collector | undefined;

export function collectorOf(env: Pick<Env, "INGESTER" | "DB" | "BUCKET">): Collector {
  const ingester = (script: string, shard: number) => env.INGESTER.getByName(shardName(script, shard));
  collector ??= {
    commit: new GroupCommit(
      (script, shard, request) => ingester(script, shard).append(request),
      (script, shard, batchId, extras) => ingester(script, shard).supply(batchId, extras),
    ),
    limiter: new RateLimiter(),
    grouper: new Grouper(new MapStore(env), systemClock.now),
    waits: new Waits(systemClock),
    routes: new Map(),
  };
  return collector;
}
