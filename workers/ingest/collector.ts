/**
 * The Collector of this isolate: made at its first event, shared by all its
 * calls. Group commits, token buckets and known routes live here; nothing in it
 * is the only copy of anything, since every call waits until its events are
 * durable.
 */
import { shardName } from "../buffer/contract.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Collector } from "./intake.ts";
import { RateLimiter } from "./rate-limit.ts";

let collector: Collector | undefined;

export function collectorOf(env: Pick<Env, "INGESTER">): Collector {
  collector ??= {
    commit: new GroupCommit((script, shard, request) =>
      env.INGESTER.getByName(shardName(script, shard)).append(request),
    ),
    limiter: new RateLimiter(),
    routes: new Map(),
  };
  return collector;
}
