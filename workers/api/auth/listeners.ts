/** Who listens to the live streams, and that they hear no more when what let them in has ended. */
import { gt } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import { type Listener, NOTIFICATIONS_HUB, TOKEN_CREDENTIAL } from "../../live/contract.ts";
import { rootMessage } from "../../util/error-message.ts";
import { eachWithin } from "../../util/parallel.ts";
import type { Principal } from "../context.ts";

type HubsEnv = Pick<Env, "LIVE" | "DB">;

/** Hubs told at once, and how long each may take. */
const TELLING = { width: 8, timeoutMs: 2_000 };

const ofToken = (tokenId: string) => `${TOKEN_CREDENTIAL}${tokenId}`;

/** Sessions count on the token that opened them. */
export function listenerOf({ tokenId, actor, sessionHash, expiresAt }: Principal): Listener {
  return {
    credential: tokenId === undefined ? `actor ${actor}` : ofToken(tokenId),
    ...(sessionHash === undefined ? {} : { session: sessionHash }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

export const dismissToken = (env: HubsEnv, tokenId: string): Promise<void> =>
  dismiss(env, { credential: ofToken(tokenId) });

export const dismissSession = (env: HubsEnv, sessionHash: string): Promise<void> =>
  dismiss(env, { session: sessionHash });

/** Revoking does not fail of it: whoever is not sent away now is when the hub looks credentials up, within minutes. */
async function dismiss(env: HubsEnv, who: Partial<Listener>): Promise<void> {
  const failures = await eachWithin([NOTIFICATIONS_HUB, ...(await watchedHubs(env))], TELLING, async (hub) => {
    await env.LIVE.getByName(hub).dismiss(who);
  });
  for (const { item, error } of failures) console.error(`sending listeners away from ${item}: ${error}`);
}

/** Hubs that have viewers. */
async function watchedHubs(env: HubsEnv): Promise<string[]> {
  const { liveHubs } = schema;
  try {
    const rows = await database(env.DB).select().from(liveHubs).where(gt(liveHubs.until, Date.now()));
    return rows.map(({ name }) => name);
  } catch (error) {
    console.error(`hubs with viewers cannot be read: ${rootMessage(error)}`);
    return [];
  }
}
