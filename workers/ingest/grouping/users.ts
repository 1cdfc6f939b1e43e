/**
 * Whom an occurrence hit: the user that the invocation's events name, by the
 * attributes that teams and SDKs use; else the address that the request came
 * from. For counting only: it leaves the Collector as a hash. Pure.
 */
import type { OwnFields } from "../../event/event.ts";
import { REDACTED } from "../redact/redact.ts";

/** Attribute → how well it tells users apart; the lowest that an invocation has is taken. */
export type UserAttributes = ReadonlyMap<string, number>;

/** Ids before addresses, people before sessions, the client's address last. */
const KNOWN = [
  "user.id",
  "enduser.id",
  "userId",
  "user_id",
  "usr.id",
  "user.email",
  "user.name",
  "session.id",
  "sessionId",
  "session_id",
  "client.address",
] as const;

/** The team's own come first. */
export function compileUserAttributes(own: readonly string[]): UserAttributes {
  return new Map([...new Set([...own, ...KNOWN])].map((name, rank) => [name, rank]));
}

export function userOf(events: readonly OwnFields[], known: UserAttributes): string | undefined {
  let best: string | undefined;
  let bestRank = known.size;
  for (const { attributes } of events) {
    if (attributes === undefined) continue;
    const { names, values } = attributes;
    for (let i = 0; i < names.length; i++) {
      const rank = known.get(names[i] as string);
      if (rank === undefined || rank >= bestRank) continue;
      const value = values[i];
      if (value === "" || value === REDACTED || value === undefined) continue;
      best = String(value);
      bestRank = rank;
    }
  }
  return best;
}
