/**
 * What a client may get wrong per minute. The counters are the ratelimit
 * bindings'; on top, each isolate remembers who has used up his log-ins, so
 * that further ones are refused before they are looked at, and audits the
 * refused ones without letting them fill the log.
 *
 * Right credentials are not counted, so nobody is locked out by using them; and
 * a right bearer token is honoured whatever else comes from its address.
 */
import type { Context } from "hono";
import { audit } from "../audit.ts";
import { type Failure, fail } from "../errors.ts";

/** Both bindings count by the minute (wrangler.toml). */
export const LIMIT_PERIOD_S = 60;
/** Log-ins of one address being checked at once: a burst must not slip in before its first failure is counted. */
const MAX_IN_FLIGHT = 10;
/** Addresses remembered; the oldest go first. */
const MAX_ADDRESSES = 10_000;
/** Refused log-ins audited per isolate and minute; the rest are counted in the next row. */
const MAX_AUDITED_PER_MINUTE = 20;

/**
 * What counts as one client: an IPv4 address, or the /64 an IPv6 subscriber
 * is given. Cloudflare sets the header; without it (tests, another edge) all
 * share one counter.
 */
export function clientAddress(c: Context): string {
  const address = (c.req.header("cf-connecting-ip") ?? "local").slice(0, 64);
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail.split(":").filter(Boolean);
  const zeros = address.includes("::") ? Math.max(0, 8 - left.length - right.length) : 0;
  return `${[...left, ...Array(zeros).fill("0"), ...right].slice(0, 4).join(":")}::/64`;
}

/** True when the counter is used up. A limiter that fails does not keep people out. */
async function exhausted(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return !(await limiter.limit({ key })).success;
  } catch {
    return false;
  }
}

const tooMany = (what: string): Failure =>
  fail("too_many_requests", `Too many ${what} from this address. Wait a minute, then try again.`, {
    retryAfterS: LIMIT_PERIOD_S,
  });

/** Call for each bearer token or Access assertion that was refused: 429 in place of 401 once there are too many. */
export async function countRefusedCredential(env: Env, address: string): Promise<Failure | undefined> {
  return (await exhausted(env.AUTH_LIMIT, `credential:${address}`)) ? tooMany("refused credentials") : undefined;
}

interface Attempts {
  inFlight: number;
  blockedUntil: number;
}
const attempts = new Map<string, Attempts>();

function attemptsOf(address: string): Attempts {
  let known = attempts.get(address);
  if (known === undefined) {
    known = { inFlight: 0, blockedUntil: 0 };
    attempts.set(address, known);
    if (attempts.size > MAX_ADDRESSES) attempts.delete(attempts.keys().next().value as string);
  }
  return known;
}

/** Runs one log-in under the address's limit; `tryIt` resolves to undefined when the credential was wrong. */
export async function limitLogin<T>(
  env: Env,
  address: string,
  now: number,
  tryIt: () => Promise<T | undefined>,
): Promise<{ ok: true; value: T } | { ok: false; failure: Failure | undefined }> {
  const state = attemptsOf(address);
  if (state.blockedUntil > now || state.inFlight >= MAX_IN_FLIGHT) return { ok: false, failure: tooMany("log-ins") };
  state.inFlight++;
  try {
    const value = await tryIt();
    if (value !== undefined) return { ok: true, value };
    if (!(await exhausted(env.LOGIN_LIMIT, `login:${address}`))) return { ok: false, failure: undefined };
    state.blockedUntil = now + LIMIT_PERIOD_S * 1000;
    return { ok: false, failure: tooMany("log-ins") };
  } finally {
    state.inFlight--;
  }
}

const audited = { minute: 0, rows: 0, suppressed: 0 };

/** Audits a refused log-in, a bounded number per minute. */
export async function auditRefusedLogin(env: Env, address: string, now: number): Promise<void> {
  const minute = Math.floor(now / 60_000);
  if (audited.minute !== minute) {
    audited.minute = minute;
    audited.rows = 0;
  }
  if (audited.rows >= MAX_AUDITED_PER_MINUTE) {
    audited.suppressed++;
    return;
  }
  audited.rows++;
  const suppressed = audited.suppressed;
  audited.suppressed = 0;
  const entry = { at: now, actor: "anonymous", action: "session.refused", target: address } as const;
  // The refusal stands, whether or not the log can be written.
  await audit(env, { ...entry, detail: suppressed > 0 ? { alsoRefused: suppressed } : {} }).catch(() => undefined);
}
