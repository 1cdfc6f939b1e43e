/** Hands a WebSocket to a hub, and turns its refusals into failures. All routes that speak WebSocket come through here. */
import type { LiveHub } from "../live/hub.ts";
import type { ApiContext } from "./context.ts";
import { type Failure, fail } from "./errors.ts";

/** Of what a hub says when it refuses: a sentence. */
const MAX_REASON_CHARS = 300;

export const wantsSocket = (c: ApiContext): boolean =>
  (c.req.header("upgrade") ?? "").trim().toLowerCase() === "websocket";

/** `protocol`: the subprotocol that is accepted. */
export async function openSocket(
  hub: DurableObjectStub<LiveHub>,
  entrance: Request,
  protocol?: string,
): Promise<Response | Failure> {
  // Not the client's request: what came with it (a token, a cookie) is not for the hub.
  const answer = await hub.fetch(entrance);
  const { webSocket, status } = answer;
  if (webSocket !== null)
    return new Response(null, {
      status: 101,
      webSocket,
      headers: protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol },
    });
  const reason = (await answer.text()).slice(0, MAX_REASON_CHARS);
  if (status === 401) return fail("unauthorized", reason);
  const retryAfterS = Number(answer.headers.get("retry-after") ?? 2);
  return fail("unavailable", reason || "The live stream does not answer. Try again.", { retryAfterS });
}
