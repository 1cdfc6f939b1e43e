/** `GET /api/v1/notifications`: what somebody should know, newest first. `…/live`: the same over a WebSocket, as it happens. */
import { desc, gt } from "drizzle-orm";
import * as v from "valibot";
import { database, schema } from "../../db/client.ts";
import { liveHub, NOTIFICATIONS_TOPIC } from "../../errors/issues/notify.ts";
import { entranceRequest } from "../../live/contract.ts";
import { listenerOf } from "../auth/listeners.ts";
import { isSameOrigin } from "../auth/origin.ts";
import { type Handler, principalOf } from "../context.ts";
import type { Notification, NotificationDetail, NotificationsAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { readParams, wholeNumber } from "../input.ts";
import { openSocket, wantsSocket } from "../live-socket.ts";

const DEFAULT_ROWS = 50;
const MAX_ROWS = 200;
const Params = v.object({
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: v.optional(wholeNumber(1, MAX_ROWS)),
});

export const listNotifications: Handler = async (c) => {
  const params = readParams(c, Params);
  if (!params.ok) return params.failure;
  const { after, limit = DEFAULT_ROWS } = params.value;
  const { notifications } = schema;
  const rows = await database(c.env.DB)
    .select()
    .from(notifications)
    .where(after === undefined ? undefined : gt(notifications.id, after))
    .orderBy(desc(notifications.id))
    .limit(limit);
  const list = rows.map(
    ({ id, at, kind, issueId, script, detail }): Notification => ({
      ...{ id, at, issueId, script },
      kind: kind as Notification["kind"],
      detail: JSON.parse(detail) as NotificationDetail,
    }),
  );
  return c.json({ notifications: list } satisfies NotificationsAnswer);
};

export const liveNotifications: Handler = async (c) => {
  if (!wantsSocket(c))
    return fail("upgrade_required", "This path speaks WebSocket; GET /api/v1/notifications is the list.");
  // A page of someone else's may open a WebSocket with our cookies, and read what comes: no CORS stands before it.
  if (principalOf(c).via !== "token" && !isSameOrigin(c.req.raw))
    return fail("cross_origin", "Listen from the dashboard itself. Scripts use a token.");
  const entrance = { kind: "topic", topic: NOTIFICATIONS_TOPIC, who: listenerOf(principalOf(c)) } as const;
  return openSocket(liveHub(c.env), entranceRequest(entrance));
};
