/**
 * The guard in front of every handler: who is asking (bearer token, else
 * session cookie, else Cloudflare Access), and may he. `app.ts` puts it before
 * each route with the scope that the route declares.
 */
import type { ApiContext, Principal } from "../context.ts";
import { type Failure, fail } from "../errors.ts";
import { accessConfig, accessKeys, verifyAccess } from "./access.ts";
import { clientAddress, countRefusedCredential } from "./limits.ts";
import { mayChange } from "./origin.ts";
import { allows, type RouteScope } from "./scopes.ts";
import { lookUpSession, readSessionCookie } from "./sessions.ts";
import { lookUpToken } from "./tokens.ts";

type Found = { tag: "known"; principal: Principal } | { tag: "none" } | { tag: "refused" } | { tag: "unavailable" };

const DATABASE_DOWN = fail(
  "unavailable",
  "Your credential cannot be checked: the database does not answer. Try again.",
  {
    retryAfterS: 5,
  },
);

/** Undefined: let through, with the principal set on the context. */
export async function guard(c: ApiContext, asked: RouteScope): Promise<Failure | undefined> {
  if (asked === "public") return undefined;
  const found = await identify(c, Date.now());
  if (found.tag === "unavailable") return DATABASE_DOWN;
  if (found.tag === "none") return fail("unauthorized", "Log in, or send an API token: `Authorization: Bearer trl_…`.");
  if (found.tag === "refused") {
    const limited = await countRefusedCredential(c.env, clientAddress(c));
    return (
      limited ??
      fail("unauthorized", "This credential is unknown, expired or revoked. Log in again or use another token.")
    );
  }
  const { principal } = found;
  if (principal.via !== "token" && !mayChange(c.req.raw))
    return fail(
      "cross_origin",
      "Changes with a browser session must come from the dashboard itself. Scripts use a token.",
    );
  if (!allows(principal.scope, asked))
    return fail("forbidden", `This needs the scope \`${asked}\`; yours is \`${principal.scope}\`.`);
  c.set("principal", principal);
  return undefined;
}

async function identify(c: ApiContext, now: number): Promise<Found> {
  const defer = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const bearer = bearerOf(c.req.header("authorization"));
  // A token that was sent is meant: when it is wrong, nothing else is tried in its place.
  if (bearer !== undefined) return asFound(await lookUpToken(c.env, defer, bearer, now));

  const cookie = readSessionCookie(c);
  const session = cookie === undefined ? undefined : await lookUpSession(c.env, defer, cookie, now);
  if (session?.tag === "known") return session;

  const config = accessConfig(c.env);
  const assertion = c.req.header("cf-access-jwt-assertion");
  if (config !== undefined && assertion !== undefined)
    return asFound(await verifyAccess(config, assertion, accessKeys(config.issuer), now));
  // An expired session is everyday life, not an attack: it is not counted as refused.
  return session?.tag === "unavailable" ? session : { tag: "none" };
}

const asFound = (found: { tag: "known"; principal: Principal } | { tag: "unknown" } | { tag: "unavailable" }): Found =>
  found.tag === "unknown" ? { tag: "refused" } : found;

function bearerOf(header: string | undefined): string | undefined {
  const match = header === undefined ? null : /^bearer +(.*)$/i.exec(header);
  return match === null ? undefined : (match[1] as string).trim();
}
