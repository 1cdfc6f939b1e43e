/**
 * Passes notifications on: to who watches (the live hub) and to destinations.
 * The rows in D1 are the outbox: they were written in the transaction that found
 * the reason, and stay until they are passed on. A row is claimed first, so that
 * two Ingesters do not tell the same; the claim runs out, so that one who fails
 * in between does not keep it for ever. So each is told once, and only after a
 * crash between telling and noting it a second time, with the same id.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Notification } from "../../api/contract.ts";
import { runBatch } from "../../db/batch.ts";
import { notifications } from "../../db/schema.ts";
import type { Nudge } from "../../delivery/contract.ts";
import { count } from "../../self/count.ts";
import { rootMessage } from "../../util/error-message.ts";
import { within } from "../../util/within.ts";
import { CLAIM_MS, NUDGE_TIMEOUT_MS, PUBLISH_BATCH, PUBLISH_TRIES_MS } from "./limits.ts";

export const NOTIFICATIONS_TOPIC = "notifications";

/** Takes a batch of notifications; when it throws, all of them come again. */
export type Destination = (batch: readonly Notification[]) => Promise<void>;

type NotifyEnv = Pick<Env, "DB" | "LIVE" | "DELIVERY" | "COUNTERS">;

/** There is one hub: whoever publishes and whoever listens meets there. */
export const liveHub = (env: Pick<Env, "LIVE">) => env.LIVE.getByName("hub");

/** Everybody who is told. Destinations outside read the rows themselves (`delivery/source/notices.ts`): they hear that there are some. */
export function destinations(env: Pick<Env, "LIVE" | "DELIVERY">): Destination[] {
  return [
    async (batch) => {
      await liveHub(env).publish(
        NOTIFICATIONS_TOPIC,
        batch.map((n) => JSON.stringify(n)),
      );
    },
    async () => {
      const nudge: Nudge = { kind: "notices" };
      // One that is lost costs them a minute, so it holds up nobody else.
      await within(NUDGE_TIMEOUT_MS, "queue", env.DELIVERY.send(nudge)).catch((error: unknown) => {
        console.warn(`a nudge of notices was lost: ${rootMessage(error)}`);
      });
    },
  ];
}

/** Rows when there is something to pass on. */
export function awaitsPublishing(): SQL {
  return sql`SELECT 1 AS n FROM ${notifications} WHERE published_at IS NULL LIMIT 1`;
}

export interface Published {
  published: number;
  /** Somebody else has some of them at the moment, or there were more than one call passes on. */
  more: boolean;
}

/** Throws when a destination fails: nothing is lost, call again. */
export async function publishNotifications(env: NotifyEnv, now: number, to = destinations(env)): Promise<Published> {
  const [claimed] = await runBatch<[Row]>(env.DB, [
    sql`UPDATE ${notifications} SET claimed_until = ${now + CLAIM_MS} WHERE id IN (
      SELECT id FROM ${notifications} WHERE published_at IS NULL AND claimed_until <= ${now} ORDER BY id LIMIT ${PUBLISH_BATCH})
      RETURNING id, at, kind, issue_id, script, detail`,
  ]);
  const batch = claimed.map(toNotification).sort((a, b) => a.id - b.id);
  const ids = JSON.stringify(batch.map((n) => n.id));
  const ours = sql`id IN (SELECT value FROM json_each(${ids}))`;
  try {
    if (batch.length > 0) await Promise.all(to.map((destination) => destination(batch)));
  } catch (error) {
    // Given back, so that the next try need not wait for the claim to run out.
    await runBatch(env.DB, [sql`UPDATE ${notifications} SET claimed_until = 0 WHERE ${ours}`]).catch(() => undefined);
    throw error;
  }
  const [, waiting] = await runBatch<[unknown, unknown]>(env.DB, [
    sql`UPDATE ${notifications} SET published_at = ${now} WHERE ${ours}`,
    awaitsPublishing(),
  ]);
  for (const { kind } of batch) count(env, "tailrace_notifications_published_total", { kind });
  return { published: batch.length, more: waiting.length > 0 };
}

/** All that waits and nobody else has. Throws as `publishNotifications` does. */
export async function publishAll(env: NotifyEnv, now: number): Promise<void> {
  for (let more = true; more; ) {
    const result = await publishNotifications(env, now);
    more = result.more && result.published > 0;
  }
}

/** After a change by a person, for `waitUntil`; never rejects. What it cannot pass on the next flush of issues does, or the hourly sweep. */
export async function publishSoon(env: NotifyEnv): Promise<void> {
  for (const waitMs of PUBLISH_TRIES_MS) {
    try {
      await scheduler.wait(waitMs);
      return await publishAll(env, Date.now());
    } catch (error) {
      console.warn(`notifications wait: ${rootMessage(error)}`);
    }
  }
}

interface Row {
  id: number;
  at: number;
  kind: Notification["kind"];
  issue_id: number;
  script: string;
  detail: string;
}

function toNotification({ issue_id, detail, ...row }: Row): Notification {
  return { ...row, issueId: issue_id, detail: JSON.parse(detail) as Notification["detail"] };
}
