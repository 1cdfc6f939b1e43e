/**
 * Tokens: a bearer's text → who it is. The guard and the log-in ask here;
 * `routes/tokens.ts` makes and revokes them. Only hashes are stored.
 */
import { and, eq, isNull, lt, or } from "drizzle-orm";
import { database, schema } from "../../db/client.ts";
import type { Defer, Principal } from "../context.ts";
import { SCOPES, type Scope } from "../contract.ts";
import { LookupCache } from "./cache.ts";
import { hashOf, looksLikeToken, MAX_CREDENTIAL_CHARS, sameHash } from "./secrets.ts";

/** `last_used_at` is for finding forgotten tokens: minutes are exact enough, and a write per request is not. */
const LAST_USED_STEP_MS = 5 * 60_000;

export type TokenRow = typeof schema.tokens.$inferSelect;
/** `unknown` covers never made, revoked and expired alike: a caller learns nothing from the difference. */
export type TokenLookup = { tag: "known"; principal: Principal } | { tag: "unknown" } | { tag: "unavailable" };

const UNKNOWN: TokenLookup = { tag: "unknown" };
const cache = new LookupCache<TokenRow>();
/** Revoking must work at once in this isolate; the others follow within FRESH_MS. */
export const forgetTokens = () => cache.clear();

export async function lookUpToken(env: Env, defer: Defer, secret: string, now: number): Promise<TokenLookup> {
  if (secret.length === 0 || secret.length > MAX_CREDENTIAL_CHARS) return UNKNOWN;
  const hash = hashOf(secret);
  const bootstrap = bootstrapPrincipal(env, hash);
  if (bootstrap !== undefined) return { tag: "known", principal: bootstrap };
  if (!looksLikeToken(secret)) return UNKNOWN;

  let row = cache.fresh(hash, now);
  if (row === undefined) {
    try {
      row = await readToken(env, hash);
    } catch {
      row = cache.stale(hash, now);
      if (row === undefined) return { tag: "unavailable" };
    }
    if (row === undefined) cache.delete(hash);
    else {
      cache.set(hash, row, now);
      if (isLive(row, now)) defer(touch(env, row, now));
    }
  }
  if (row === undefined || !sameHash(row.hash, hash) || !isLive(row, now)) return UNKNOWN;
  return { tag: "known", principal: principalOfRow(row) };
}

/** The secret TAILRACE_ADMIN_TOKEN: there from the first minute, and when D1 is not. */
function bootstrapPrincipal(env: Env, hash: string): Principal | undefined {
  const secret = env.TAILRACE_ADMIN_TOKEN;
  if (secret === undefined || secret === "") return undefined;
  if (bootstrap?.secret !== secret) bootstrap = { secret, hash: hashOf(secret), tokenId: bootstrapTokenId(secret) };
  if (!sameHash(bootstrap.hash, hash)) return undefined;
  return { actor: "bootstrap", scope: "admin", via: "token", tokenId: bootstrap.tokenId };
}

/** Every request asks, and a hash costs as much as the rest of the guard. */
let bootstrap: { secret: string; hash: string; tokenId: string } | undefined;

/** Names the secret without giving it away, so that sessions end when it is changed. */
export const bootstrapTokenId = (secret: string) => `bootstrap:${hashOf(`session:${secret}`).slice(0, 12)}`;

async function readToken(env: Env, hash: string): Promise<TokenRow | undefined> {
  const rows = await database(env.DB).select().from(schema.tokens).where(eq(schema.tokens.hash, hash)).limit(1);
  return rows[0];
}

export function isLive(token: Pick<TokenRow, "revokedAt" | "expiresAt">, now: number): boolean {
  return token.revokedAt === null && (token.expiresAt === null || token.expiresAt > now);
}

function principalOfRow(row: TokenRow): Principal {
  return {
    actor: `${row.name} (${row.id})`,
    scope: asScope(row.scope),
    via: "token",
    tokenId: row.id,
    ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt }),
  };
}

export function asScope(text: string): Scope {
  const scope = SCOPES.find((s) => s === text);
  if (scope === undefined) throw new Error(`BUG: unknown scope in the database: ${text}`);
  return scope;
}

/** The condition is in the statement, so isolates that race write once. */
async function touch(env: Env, row: TokenRow, now: number): Promise<void> {
  const due = now - LAST_USED_STEP_MS;
  if (row.lastUsedAt !== null && row.lastUsedAt >= due) return;
  const { tokens } = schema;
  await database(env.DB)
    .update(tokens)
    .set({ lastUsedAt: now })
    .where(and(eq(tokens.id, row.id), or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, due))))
    // Not worth failing a request for: the next one tries again.
    .catch(() => undefined);
}
