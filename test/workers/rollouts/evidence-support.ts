/** A feed in the storage of a guard, made anew for each look, as after an eviction. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import type { Cell, Evidence } from "../../../workers/rollouts/contract.ts";
import { Feed, type Rollout } from "../../../workers/rollouts/evidence/feed.ts";
import type { RolloutGuard } from "../../../workers/rollouts/guard.ts";
import { invocation } from "../buffer/support.ts";

export const MINUTE_MS = 60_000;
/** The Ingesters go by their own clock, so the rollouts of these tests begin now. */
export const BEGIN = Date.now() - (Date.now() % MINUTE_MS);
export const AT_US = BEGIN * 1000;
export const OLD = "11111111-1111-4111-8111-111111111111";
export const NEW = "22222222-2222-4222-8222-222222222222";

const guard = (script: string): DurableObjectStub<RolloutGuard> => env.ROLLOUTS.getByName(`feed of ${script}`);

export async function withFeed<T>(
  script: string,
  work: (feed: Feed) => Promise<T> | T,
  stores: Partial<Env> = {},
): Promise<T> {
  return runInDurableObject(guard(script), async (_, { storage }) => work(new Feed(storage, { ...env, ...stores })));
}

export const rolloutOf = (script: string, more: Partial<Rollout> = {}): Rollout => ({
  ...{ id: `r-${script}`, script, old: OLD, new: NEW, since: BEGIN },
  ...more,
});

export interface LookOptions extends Partial<Rollout> {
  now?: number;
  stores?: Partial<Env>;
}

export function look(script: string, { now = Date.now(), stores, ...more }: LookOptions = {}): Promise<Evidence> {
  const work = async (feed: Feed) => {
    feed.begin(rolloutOf(script, more));
    await feed.look(now);
    return feed.evidence();
  };
  return withFeed(script, work, stores);
}

export const eventOf = (script: string, version: string, more: Partial<TailraceEvent> = {}, time = AT_US) =>
  invocation(script, time, { version_id: version, ...more });

export function totals({ cells }: Pick<Evidence, "cells">, arm: Cell["arm"]) {
  const own = cells.filter((c) => c.arm === arm);
  const sum = (of: (cell: Cell) => number) => own.reduce((n, cell) => n + of(cell), 0);
  return {
    n: sum((c) => c.n),
    failed: sum((c) => c.failed),
    left: sum((c) => c.left),
    collateral: sum((c) => c.collateral),
  };
}
