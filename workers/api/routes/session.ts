/** `/api/v1/session`: log in with a token, see who one is, log out. */
import * as v from "valibot";
import { rememberBaseUrl } from "../../delivery/io/base-url.ts";
import { auditRefusedLogin, clientAddress, limitLogin } from "../auth/limits.ts";
import { isForeignPage } from "../auth/origin.ts";
import { MAX_CREDENTIAL_CHARS } from "../auth/secrets.ts";
import { clearSessionCookie, closeSession, openSession, writeSessionCookie } from "../auth/sessions.ts";
import { lookUpToken } from "../auth/tokens.ts";
import { type Handler, principalOf } from "../context.ts";
import type { SessionAnswer } from "../contract.ts";
import { fail } from "../errors.ts";
import { readJson } from "../input.ts";

const Body = v.object({ token: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_CREDENTIAL_CHARS)) });

export const logIn: Handler = async (c) => {
  if (isForeignPage(c.req.raw)) return fail("cross_origin", "Log in from the dashboard itself.");
  const body = await readJson(c, Body);
  if (!body.ok) return body.failure;

  const now = Date.now();
  const address = clientAddress(c);
  const defer = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const attempt = await limitLogin(c.env, address, now, async () => {
    const found = await lookUpToken(c.env, defer, body.value.token, now);
    return found.tag === "unknown" ? undefined : found;
  });
  if (!attempt.ok) {
    defer(auditRefusedLogin(c.env, address, now));
    return attempt.failure ?? fail("unauthorized", "This token is unknown, expired or revoked.");
  }
  const found = attempt.value;
  if (found.tag === "unavailable")
    return fail("unavailable", "The database does not answer, so nobody can log in. Try again.", { retryAfterS: 5 });

  const { actor, scope } = found.principal;
  const session = await openSession(c.env, found.principal, now);
  writeSessionCookie(c, session.id);
  return c.json({ actor, scope, expiresAt: session.expiresAt } satisfies SessionAnswer);
};

export const whoAmI: Handler = async (c) => {
  const { actor, scope, expiresAt, via } = principalOf(c);
  // A browser asks it first, by the address that people know; links in what integrations send lead there.
  if (via !== "token") c.executionCtx.waitUntil(rememberBaseUrl(c.env.DB, c.req.url, Date.now()));
  return c.json({ actor, scope, ...(expiresAt === undefined ? {} : { expiresAt }) } satisfies SessionAnswer);
};

export const logOut: Handler = async (c) => {
  await closeSession(c.env, principalOf(c), Date.now());
  clearSessionCookie(c);
  return c.body(null, 204);
};
