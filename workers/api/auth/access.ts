/**
 * Cloudflare Access: verifies the assertion that Access puts on each request
 * (`Cf-Access-Jwt-Assertion`) against the team's published keys. Off unless
 * both ACCESS_TEAM_DOMAIN and ACCESS_AUD are set. Set-up: docs/access.md.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Principal } from "../context.ts";

/** Access signs with RS256 only; pinning it rules out `none` and HMAC-with-the-public-key. */
const ALGORITHMS = ["RS256"];
/** Clocks of two data centres differ by less. */
const CLOCK_TOLERANCE_S = 30;
/** An unknown key id fetches the keys again (rotation), at most this often: forged ids must not become a load. */
const REFETCH_COOLDOWN_MS = 30_000;
const KEYS_MAX_AGE_MS = 10 * 60_000;
const FETCH_TIMEOUT_MS = 5_000;
/** Access tokens are one or two kilobytes. */
const MAX_ASSERTION_CHARS = 16_384;

export interface AccessConfig {
  issuer: string;
  audience: string;
  admins: ReadonlySet<string>;
}
export type AccessLookup =
  | { tag: "known"; principal: Principal }
  | { tag: "unknown"; reason: string }
  | { tag: "unavailable"; reason: string };

/** Undefined when Access is off, or its team's domain is none: then nobody comes in this way. */
export function accessConfig(env: Env): AccessConfig | undefined {
  const domain = env.ACCESS_TEAM_DOMAIN?.trim();
  const audience = env.ACCESS_AUD?.trim();
  if (!domain || !audience) return undefined;
  const url = `https://${domain.replace(/^https:\/\//, "").replace(/\/+$/, "")}`;
  const issuer = URL.parse(url)?.origin;
  if (issuer !== url) {
    console.error(`ACCESS_TEAM_DOMAIN must be a domain such as your-team.cloudflareaccess.com, not ${domain}`);
    return undefined;
  }
  const admins = (env.ACCESS_ADMINS ?? "").split(",").map((email) => email.trim().toLowerCase());
  return { issuer, audience, admins: new Set(admins.filter(Boolean)) };
}

/** The team's keys; one set per isolate and issuer, so that it is fetched once. */
let keys: { issuer: string; get: JWTVerifyGetKey } | undefined;

export function accessKeys(issuer: string): JWTVerifyGetKey {
  if (keys?.issuer !== issuer) {
    const get = createRemoteJWKSet(new URL("/cdn-cgi/access/certs", issuer), {
      cooldownDuration: REFETCH_COOLDOWN_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      timeoutDuration: FETCH_TIMEOUT_MS,
    });
    keys = { issuer, get };
  }
  return keys.get;
}

export async function verifyAccess(
  config: AccessConfig,
  assertion: string,
  getKey: JWTVerifyGetKey,
  now: number,
): Promise<AccessLookup> {
  if (assertion.length > MAX_ASSERTION_CHARS) return { tag: "unknown", reason: "too long" };
  try {
    const { payload } = await jwtVerify(assertion, getKey, {
      algorithms: ALGORITHMS,
      issuer: config.issuer,
      audience: config.audience,
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ["exp", "iat"],
      currentDate: new Date(now),
    });
    return accessPrincipal(config, payload);
  } catch (error) {
    // jose raises its own class for whatever is wrong with the token; the rest is our failure to get the keys.
    const code = error instanceof errors.JOSEError ? error.code : undefined;
    if (code === undefined || code === "ERR_JWKS_TIMEOUT" || code === "ERR_JOSE_GENERIC" || code === "ERR_JWKS_INVALID")
      return { tag: "unavailable", reason: String(error) };
    return { tag: "unknown", reason: code };
  }
}

/** People have an e-mail; service tokens have the `common_name` of their client id. */
function accessPrincipal(config: AccessConfig, payload: JWTPayload): AccessLookup {
  const email = typeof payload.email === "string" ? payload.email.toLowerCase() : "";
  const service = typeof payload.common_name === "string" ? payload.common_name : "";
  const actor = email || (service && `service:${service}`);
  if (!actor) return { tag: "unknown", reason: "neither email nor common_name" };
  const scope = email !== "" && config.admins.has(email) ? "admin" : "read";
  const expiresAt = (payload.exp as number) * 1000;
  return { tag: "known", principal: { actor, scope, via: "access", expiresAt } };
}
