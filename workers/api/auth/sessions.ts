/**
 * Browser sessions: an HttpOnly cookie with 256 random bits, stored hashed.
 * A session lives as long as it is used (12 h), at most a week, and never
 * longer than the token that opened it.
 */
import { eq, lt } from "drizzle-orm";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { database, schema } from "../../db/client.ts";
import { auditRow } from "../audit.ts";
import type { Defer, Principal } from "../context.ts";
import { LookupCache } from "./cache.ts";
import { dismissSession } from "./listeners.ts";
import { hashOf, looksLikeSessionId, newSessionId } from "./secrets.ts";
import { asScope, bootstrapTokenId, isLive } from "./tokens.ts";

/** A shift, and the evening after it. */
const IDLE_MS = 12 * 3_600_000;
/** Once a week everyone shows the token again. */
const ABSOLUTE_MS = 7 * 24 * 3_600_000;
/** Expiry is moved on in steps of an hour: one write per session and hour. */
const EXTEND_STEP_MS = 3_600_000;
const COOKIE = "tailrace";

type SessionRow = typeof schema.sessions.$inferSelect;
/** The id is there so that a token with nothing else set does not look like no token. */
type TokenState = { id: string; revokedAt: number | null; expiresAt: number | null };
type Found = { session: SessionRow; token: TokenState | null };
export type SessionLookup = { tag: "known"; principal: Principal } | { tag: "unknown" } | { tag: "unavailable" };

const cache = new LookupCache<Found>();
export const forgetSessions = () => cache.clear();

/** `__Host-` (https only) keeps a sibling domain from setting it. */
const isHttps = (c: Context) => new URL(c.req.url).protocol === "https:";

export function readSessionCookie(c: Context): string | undefined {
  const value = isHttps(c) ? getCookie(c, COOKIE, "host") : getCookie(c, COOKIE);
  return value !== undefined && looksLikeSessionId(value) ? value : undefined;
}

export function writeSessionCookie(c: Context, id: string): void {
  const options = { httpOnly: true, sameSite: "Strict", path: "/", maxAge: ABSOLUTE_MS / 1000 } as const;
  if (isHttps(c)) setCookie(c, COOKIE, id, { ...options, secure: true, prefix: "host" });
  else setCookie(c, COOKIE, id, options);
}

export function clearSessionCookie(c: Context): void {
  if (isHttps(c)) deleteCookie(c, COOKIE, { path: "/", secure: true, prefix: "host" });
  else deleteCookie(c, COOKIE, { path: "/" });
}

export async function openSession(
  env: Env,
  principal: Principal,
  now: number,
): Promise<{ id: string; expiresAt: number }> {
  const id = newSessionId();
  const expiresAt = Math.min(now + IDLE_MS, principal.expiresAt ?? Number.POSITIVE_INFINITY);
  const tokenId = principal.tokenId;
  if (tokenId === undefined) throw new Error("BUG: a session is opened with a token");
  const db = database(env.DB);
  const session = { hash: hashOf(id), tokenId, actor: principal.actor, scope: principal.scope };
  await db.batch([
    db.insert(schema.sessions).values({ ...session, createdAt: now, expiresAt }),
    auditRow(db, { at: now, actor: principal.actor, action: "session.open", target: tokenId }),
  ]);
  return { id, expiresAt };
}

export async function closeSession(env: Env, principal: Principal, now: number): Promise<void> {
  if (principal.sessionHash === undefined) return;
  const db = database(env.DB);
  await db.batch([
    db.delete(schema.sessions).where(eq(schema.sessions.hash, principal.sessionHash)),
    auditRow(db, { at: now, actor: principal.actor, action: "session.close", target: principal.tokenId ?? "" }),
  ]);
  cache.delete(principal.sessionHash);
  await dismissSession(env, principal.sessionHash);
}

export async function lookUpSession(env: Env, defer: Defer, id: string, now: number): Promise<SessionLookup> {
  const hash = hashOf(id);
  let found = cache.fresh(hash, now);
  if (found === undefined) {
    try {
      found = await readSession(env, hash);
    } catch {
      found = cache.stale(hash, now);
      if (found === undefined) return { tag: "unavailable" };
    }
    if (found === undefined) cache.delete(hash);
    else {
      cache.set(hash, found, now);
      if (holds(env, found, now)) defer(extend(env, found, now));
    }
  }
  if (found === undefined || !holds(env, found, now)) return { tag: "unknown" };
  const { tokenId, actor, scope, expiresAt } = found.session;
  const principal: Principal = { actor, scope: asScope(scope), via: "session", tokenId, sessionHash: hash, expiresAt };
  return { tag: "known", principal };
}

async function readSession(env: Env, hash: string): Promise<Found | undefined> {
  const { sessions, tokens } = schema;
  const rows = await database(env.DB)
    .select({ session: sessions, token: { id: tokens.id, revokedAt: tokens.revokedAt, expiresAt: tokens.expiresAt } })
    .from(sessions)
    .leftJoin(tokens, eq(tokens.id, sessions.tokenId))
    .where(eq(sessions.hash, hash))
    .limit(1);
  return rows[0];
}

/** Its own time is not up, and what opened it still opens. */
function holds(env: Env, { session, token }: Found, now: number): boolean {
  if (session.expiresAt <= now || session.createdAt + ABSOLUTE_MS <= now) return false;
  if (token !== null) return isLive(token, now);
  const secret = env.TAILRACE_ADMIN_TOKEN;
  return secret !== undefined && secret !== "" && session.tokenId === bootstrapTokenId(secret);
}

async function extend(env: Env, { session, token }: Found, now: number): Promise<void> {
  const limit = Math.min(session.createdAt + ABSOLUTE_MS, token?.expiresAt ?? Number.POSITIVE_INFINITY);
  const expiresAt = Math.min(now + IDLE_MS, limit);
  if (expiresAt - session.expiresAt < EXTEND_STEP_MS) return;
  await database(env.DB)
    .update(schema.sessions)
    .set({ expiresAt })
    .where(eq(schema.sessions.hash, session.hash))
    // Not worth failing a request for: the next one tries again.
    .catch(() => undefined);
}

/** Rows of sessions that are over; `housekeeping.ts` runs it. */
export const expiredSessions = (now: number) => lt(schema.sessions.expiresAt, now);
