/**
 * Are they still let in? Revoking sends listeners away at once (`dismiss`); this
 * is for what did not reach the hub, and for sessions that are used elsewhere and
 * last longer. The hub's alarm asks.
 */
import { sql } from "drizzle-orm";
import { runBatch } from "../db/batch.ts";
import { sessions, tokens } from "../db/schema.ts";
import { type Listener, TOKEN_CREDENTIAL } from "./contract.ts";

export interface Standing {
  /** Revoked, expired, or not there. */
  hasEnded(who: Listener, now: number): boolean;
  /** ms: when it ends, as far as is known now. */
  expiresAt(who: Listener): number | undefined;
}

/** Throws when D1 does not answer: then nobody is sent away. */
export async function readStanding(db: D1Database, listeners: readonly Listener[]): Promise<Standing> {
  const tokenIds = [...new Set(listeners.flatMap((who) => tokenOf(who) ?? []))];
  const hashes = [...new Set(listeners.flatMap(({ session }) => session ?? []))];
  const [tokenRows, sessionRows] = await runBatch<[TokenRow, SessionRow]>(db, [
    sql`SELECT id, revoked_at AS revokedAt, expires_at AS expiresAt FROM ${tokens}
      WHERE id IN (SELECT value FROM json_each(${JSON.stringify(tokenIds)}))`,
    sql`SELECT hash, expires_at AS expiresAt FROM ${sessions}
      WHERE hash IN (SELECT value FROM json_each(${JSON.stringify(hashes)}))`,
  ]);
  const byToken = new Map(tokenRows.map((row) => [row.id, row]));
  const bySession = new Map(sessionRows.map((row) => [row.hash, row.expiresAt]));
  const expiresAt = (who: Listener) =>
    who.session === undefined ? who.expiresAt : (bySession.get(who.session) ?? who.expiresAt);
  return {
    expiresAt,
    hasEnded(who, now) {
      const id = tokenOf(who);
      const token = id === undefined ? undefined : byToken.get(id);
      if (token !== undefined && (token.revokedAt !== null || (token.expiresAt ?? Number.POSITIVE_INFINITY) <= now))
        return true;
      if (who.session !== undefined && !bySession.has(who.session)) return true;
      return (expiresAt(who) ?? Number.POSITIVE_INFINITY) <= now;
    },
  };
}

interface TokenRow {
  id: string;
  revokedAt: number | null;
  expiresAt: number | null;
}
interface SessionRow {
  hash: string;
  expiresAt: number;
}

/** Undefined for people (Cloudflare Access). The bootstrap token has no row, and ends with a deployment. */
function tokenOf({ credential }: Listener): string | undefined {
  return credential.startsWith(TOKEN_CREDENTIAL) ? credential.slice(TOKEN_CREDENTIAL.length) : undefined;
}
