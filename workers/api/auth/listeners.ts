/** Who listens to the live stream, and that they hear no more when what let them in has ended. */
import { liveHub } from "../../errors/issues/notify.ts";
import type { Listener } from "../../live/hub.ts";
import { rootMessage } from "../../util/error-message.ts";
import type { Principal } from "../context.ts";

const ofToken = (tokenId: string) => `token ${tokenId}`;

/** Sessions count on the token that opened them. */
export function listenerOf({ tokenId, actor, sessionHash }: Principal): Listener {
  const credential = tokenId === undefined ? `actor ${actor}` : ofToken(tokenId);
  return sessionHash === undefined ? { credential } : { credential, session: sessionHash };
}

export const dismissToken = (env: Pick<Env, "LIVE">, tokenId: string): Promise<void> =>
  dismiss(env, { credential: ofToken(tokenId) });

export const dismissSession = (env: Pick<Env, "LIVE">, sessionHash: string): Promise<void> =>
  dismiss(env, { session: sessionHash });

/** Revoking does not fail of it: whoever is not sent away now is within the hour. */
async function dismiss(env: Pick<Env, "LIVE">, who: Partial<Listener>): Promise<void> {
  try {
    await liveHub(env).dismiss(who);
  } catch (error) {
    console.error(`sending listeners away: ${rootMessage(error)}`);
  }
}
