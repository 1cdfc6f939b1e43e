/**
 * What the guard needs of others, by interface. `makeDependencies` hands out the
 * real ones; tests set `dependencies.make` to Cloudflare that lies, telemetry that
 * stops, and a clock that jumps, and it survives an eviction as those would.
 */
import type { Judgement, RolloutPlan, StartRollout } from "../../api/contract.ts";
import { connectedClient } from "../../cloudflare/connection.ts";
import type { CloudflareClient } from "../../cloudflare/contract.ts";
import { publishNotifications } from "../../errors/issues/notify.ts";
import type { Evidence, Move, Settlement, Sight, Situation } from "../contract.ts";
import { judge } from "../decide/judge.ts";
import { readPlan } from "../decide/plan.ts";
import { nextMove } from "../decide/policy.ts";
import { settle } from "../decide/settle.ts";
import { Feed } from "../evidence/feed.ts";
import { mappedOf, recentTelemetry } from "./facts.ts";
import type { Telemetry } from "./preflight.ts";

export type EvidenceFeed = Pick<Feed, "begin" | "look" | "evidence" | "settle" | "splitChanged" | "points" | "forget">;

export interface Dependencies {
  /** null: no account is connected. */
  cloudflare(): Promise<CloudflareClient | null>;
  feed: EvidenceFeed;
  readPlan(plan: StartRollout["plan"]): ReturnType<typeof readPlan>;
  judge(plan: RolloutPlan, evidence: Evidence, nextPercent: number, stepSince: number): Judgement;
  settle(plan: RolloutPlan, evidence: Evidence, stepSince: number): Settlement | null;
  nextMove(situation: Situation, judgement: Judgement, sight: Sight): Move;
  telemetry(script: string): Promise<Telemetry>;
  /** Of these ids of versions, those whose source maps are here; null: that could not be found out. */
  mapped(script: string, versions: readonly string[]): Promise<readonly string[] | null>;
  db(): D1Database;
  /** Passes on what lies in D1's table of notifications. */
  publish(): Promise<void>;
  now(): number;
  random(): number;
  /** Looks again after so many ms; null: no more. */
  wake(delayMs: number | null): void;
}

function makeDependencies(ctx: DurableObjectState, env: Env): Dependencies {
  return {
    cloudflare: () => connectedClient(env),
    feed: new Feed(ctx.storage, env),
    ...{ readPlan, judge, settle, nextMove },
    telemetry: (script) => recentTelemetry(env, script, Date.now()),
    mapped: (script, versions) => mappedOf(env.DB, script, versions),
    db: () => env.DB,
    publish: async () => {
      await publishNotifications(env, Date.now());
    },
    now: () => Date.now(),
    random: () => Math.random(),
    wake: (delayMs) => {
      // Not awaited: the output gate holds every answer back until it is on disk.
      if (delayMs === null) ctx.storage.deleteAlarm();
      else ctx.storage.setAlarm(Date.now() + delayMs);
    },
  };
}

export const dependencies = { make: makeDependencies };
