/**
 * `GET /api/v1/live`: a Worker's events as they come, over a WebSocket
 * (contract/live.ts). Decides who may look and whether the filter can be read, and
 * hands the socket to the hub of that Worker. What is wrong is answered before the
 * upgrade; asked without one, so that a page (which cannot see why its socket was
 * refused) can ask the same again and show it.
 */
import * as v from "valibot";
import { entranceRequest, tailHub } from "../../live/contract.ts";
import { readFilter } from "../../live/filter.ts";
import { listenerOf } from "../auth/listeners.ts";
import { isSameOrigin } from "../auth/origin.ts";
import { type Handler, principalOf } from "../context.ts";
import { LIVE_MAX_RATE } from "../contract/live.ts";
import { fail } from "../errors.ts";
import { readParams, scriptName, wholeNumber } from "../input.ts";
import { openSocket, wantsSocket } from "../live-socket.ts";
import { queryFailure } from "../query-failure.ts";

/** Longer ones are refused unread; the language allows less, and says so. */
const MAX_FILTER_CHARS = 16_384;
const Params = v.object({
  script: v.optional(scriptName),
  q: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER_CHARS)), ""),
  rate: v.optional(wholeNumber(1, LIVE_MAX_RATE)),
});

export const live: Handler = async (c) => {
  // A page of someone else's may open a WebSocket with our cookies, and read what comes: no CORS stands before it.
  if (principalOf(c).via !== "token" && !isSameOrigin(c.req.raw))
    return fail("cross_origin", "Listen from the dashboard itself. Scripts use a token.");
  const params = readParams(c, Params);
  if (!params.ok) return params.failure;
  const { script = null, q, rate } = params.value;
  const filter = readFilter(q, Date.now());
  if (!filter.ok) return queryFailure(filter.error);
  if (!wantsSocket(c)) return fail("upgrade_required", "This path speaks WebSocket. docs/live.md tells how.");
  const who = listenerOf(principalOf(c));
  const entrance = { kind: "viewer" as const, script, q, who, ...(rate === undefined ? {} : { rate }) };
  return openSocket(c.env.LIVE.getByName(tailHub(script)), entranceRequest(entrance));
};
