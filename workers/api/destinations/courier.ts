/** A destination's Courier, as `api/` may call it: what it cannot answer is an expected failure. */
import type { CourierRpc } from "../../delivery/contract.ts";
import { listDestinations, type StoredDestination } from "../../delivery/destinations.ts";
import { within } from "../../util/within.ts";
import type { ApiContext } from "../context.ts";
import { type Failure, fail, logFailure } from "../errors.ts";

/** Its work is local, but for replays, which send. */
const TIMEOUT_MS = 5_000;
/** A replay waits for the receiver, batch by batch. */
export const REPLAY_TIMEOUT_MS = 120_000;
const RETRY_AFTER_S = 2;

export const courierOf = (env: Env, id: string): CourierRpc => env.COURIERS.getByName(id) as unknown as CourierRpc;

export type Asked<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export async function ask<T>(
  c: ApiContext,
  id: string,
  call: (courier: CourierRpc) => Promise<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<Asked<T>> {
  try {
    return { ok: true, value: await within(timeoutMs, "Courier", call(courierOf(c.env, id))) };
  } catch (error) {
    logFailure(c, error);
    const message = "What delivers to this destination did not answer. Try again in a moment.";
    return { ok: false, failure: fail("unavailable", message, { retryAfterS: RETRY_AFTER_S }) };
  }
}

/**
 * Tells it that its row was changed, and those for whom it takes over: they send by
 * what the row says. That one does not hear it now fails nothing: it reads its row,
 * and that of its failover, once a minute.
 */
export async function tell(c: ApiContext, id: string): Promise<void> {
  const users = (await known(c)).filter(({ failoverTo }) => failoverTo === id);
  await Promise.all([{ id }, ...users].map((one) => ask(c, one.id, (courier) => courier.refresh(id))));
}

/** None when D1 does not answer: the change itself is stored. */
async function known(c: ApiContext): Promise<StoredDestination[]> {
  try {
    return await listDestinations(c.env);
  } catch (error) {
    logFailure(c, error);
    return [];
  }
}
