/**
 * The consumer of the queue of nudges: passes each on to the Couriers that want
 * it, and waits for no delivery, so a receiver that hangs holds up no batch. A
 * nudge that fails is tried again by the queue, then counted here when it ends
 * in the dead-letter queue: Couriers look for themselves every minute.
 */
import { countInRequest } from "../self/count.ts";
import { rootMessage } from "../util/error-message.ts";
import { within } from "../util/within.ts";
import type { CourierRpc, Nudge } from "./contract.ts";
import { type DestinationEnv, listDestinations, type StoredDestination } from "./destinations.ts";
import { takesEvents, wantsWorker } from "./rules/rules.ts";
import { NUDGED_TIMEOUT_MS } from "./source/limits.ts";

type NudgeEnv = DestinationEnv &
  Pick<Env, "COUNTERS"> & { COURIERS: { getByName(name: string): Pick<CourierRpc, "nudge"> } };

const DEAD = "tailrace-delivery-dead";

/** Both queues of wrangler.toml. Never throws: messages that failed are marked to be tried again. */
export async function handleNudges(batch: MessageBatch<unknown>, env: NudgeEnv): Promise<void> {
  if (batch.queue === DEAD) {
    console.warn(
      `delivery: ${batch.messages.length} nudges were given up; couriers find what there is within a minute`,
    );
    countInRequest(env, "tailrace_delivery_nudges_total", { outcome: "dead" }, batch.messages.length);
    return;
  }
  const nudges = merged(batch.messages.map(({ body }) => body).filter(isNudge));
  const failed = await passOn(env, nudges);
  if (failed) batch.retryAll();
  const outcome = failed ? "failed" : "handled";
  countInRequest(env, "tailrace_delivery_nudges_total", { outcome }, batch.messages.length);
}

/** True when a Courier, or D1, did not answer. Being told twice does no harm to the others. */
async function passOn(env: NudgeEnv, nudges: readonly Nudge[]): Promise<boolean> {
  try {
    const told = (await listDestinations(env))
      .filter(({ state, standby }) => state === "enabled" && !standby)
      .map((row) => ({ row, nudges: nudges.filter((nudge) => wants(row, nudge)) }))
      .filter((one) => one.nudges.length > 0);
    const results = await Promise.allSettled(
      told.map((one) => within(NUDGED_TIMEOUT_MS, "Courier", env.COURIERS.getByName(one.row.id).nudge(one.nudges))),
    );
    for (const [i, result] of results.entries()) {
      if (result.status === "rejected") {
        console.warn(`nudge of destination ${told[i]?.row.id} failed: ${rootMessage(result.reason)}`);
      }
    }
    return results.some(({ status }) => status === "rejected");
  } catch (error) {
    console.warn(`nudges could not be passed on: ${rootMessage(error)}`);
    return true;
  }
}

function wants({ rules }: StoredDestination, nudge: Nudge): boolean {
  if (nudge.kind === "notices") return rules.feeds.includes("notices");
  if (!takesEvents(rules) || !wantsWorker(rules, nudge.script)) return false;
  return nudge.errors || rules.feeds.some((feed) => feed !== "errors" && feed !== "notices");
}

/** One per shard, and one for notices. */
function merged(nudges: readonly Nudge[]): Nudge[] {
  const byShard = new Map<string, Nudge>();
  for (const nudge of nudges) {
    const key = nudge.kind === "log" ? `log ${nudge.shard}` : nudge.kind;
    const known = byShard.get(key);
    const errors = nudge.kind === "log" && known?.kind === "log" && known.errors;
    byShard.set(key, nudge.kind === "log" && errors ? { ...nudge, errors } : nudge);
  }
  return [...byShard.values()];
}

/** What lies in a queue may have been sent by another version of this Worker. */
function isNudge(body: unknown): body is Nudge {
  if (typeof body !== "object" || body === null) return false;
  const { kind, shard, script, errors } = body as Record<string, unknown>;
  if (kind === "notices") return true;
  return kind === "log" && typeof shard === "string" && typeof script === "string" && typeof errors === "boolean";
}
