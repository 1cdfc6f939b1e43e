/** Cloudflare Access against keys of our own: the assertion is real, the team's key endpoint is answered here. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../../workers/api/app.ts";
import type { SessionAnswer } from "../../../workers/api/contract.ts";
import { errorCode, ORIGIN } from "./client.ts";

const AUDIENCE = "a".repeat(64);
const keyOf = (kid: string) => generateKeyPair("RS256", { extractable: true }).then((pair) => ({ kid, ...pair }));
type Key = Awaited<ReturnType<typeof keyOf>>;

/** A team of its own per test: keys are cached by team. */
let team = 0;
let issuer = "";
let published: Key[] = [];
let keysAnswer: () => Promise<Response>;
const fetched: string[] = [];

beforeEach(async () => {
  issuer = `https://team${++team}.cloudflareaccess.test`;
  published = [await keyOf("first")];
  fetched.length = 0;
  keysAnswer = async () => {
    const keys = published.map(async (k) => ({
      ...(await exportJWK(k.publicKey)),
      kid: k.kid,
      alg: "RS256",
      use: "sig",
    }));
    return Response.json({ keys: await Promise.all(keys) });
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    fetched.push(String(input));
    return keysAnswer();
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function assertion(claims: JWTPayload = {}, key = published[0] as Key, header: { alg?: string } = {}) {
  return new SignJWT({ email: "ada@example.test", ...claims })
    .setProtectedHeader({ alg: "RS256", kid: key.kid, ...header })
    .setIssuedAt(claims.iat)
    .setIssuer(claims.iss ?? issuer)
    .setAudience(claims.aud ?? [AUDIENCE])
    .setExpirationTime(claims.exp ?? "5m")
    .sign(key.privateKey);
}

async function ask(jwt: string, { path = "/api/v1/session", settings = {}, ...init }: Ask = {}): Promise<Response> {
  const ctx = createExecutionContext();
  const access = {
    ACCESS_TEAM_DOMAIN: issuer.slice(8),
    ACCESS_AUD: AUDIENCE,
    ACCESS_ADMINS: "Root@example.test, x@y.test",
  };
  const { headers, ...rest } = init;
  const request = new Request(ORIGIN + path, { headers: { "cf-access-jwt-assertion": jwt, ...headers }, ...rest });
  const response = await app.fetch(request, { ...env, ...access, ...settings }, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}
interface Ask {
  path?: string;
  method?: string;
  body?: string;
  headers?: Record<string, string>;
  settings?: Partial<Env>;
}

describe("an Access assertion", () => {
  it("lets people read, under their e-mail", async () => {
    const response = await ask(await assertion());
    expect(response.status).toBe(200);
    expect((await response.json()) as SessionAnswer).toMatchObject({ actor: "ada@example.test", scope: "read" });
    expect(fetched).toEqual([`${issuer}/cdn-cgi/access/certs`]);
    expect((await ask(await assertion(), { path: "/api/v1/tokens" })).status).toBe(403);
  });

  it("makes those in ACCESS_ADMINS admins, whatever the case", async () => {
    const answer = await (await ask(await assertion({ email: "root@Example.test" }))).json();
    expect(answer).toMatchObject({ actor: "root@example.test", scope: "admin" });
  });

  it("names a service token by its client id", async () => {
    const answer = await (await ask(await assertion({ email: undefined, common_name: "abc.access" }))).json();
    expect(answer).toMatchObject({ actor: "service:abc.access", scope: "read" });
  });

  it("does not make a service token an admin by its name", async () => {
    const answer = await (await ask(await assertion({ email: undefined, common_name: "root@example.test" }))).json();
    expect(answer).toMatchObject({ scope: "read" });
  });

  const now = Math.floor(Date.now() / 1000);
  it.each<[string, JWTPayload]>([
    ["another audience", { aud: "b".repeat(64) }],
    ["another issuer", { iss: "https://evil.cloudflareaccess.test" }],
    ["an expiry in the past", { iat: now - 900, exp: now - 600 }],
    ["nobody's name", { email: undefined }],
    ["a name that is not text", { email: { toLowerCase: 1 } }],
  ])("with %s is refused", async (_, claims) => {
    const response = await ask(await assertion(claims));
    expect([response.status, await errorCode(response)]).toEqual([401, "unauthorized"]);
  });

  it("a few seconds too late is still good: clocks differ", async () => {
    expect((await ask(await assertion({ iat: now - 300, exp: now - 10 }))).status).toBe(200);
  });

  it("signed with another key under a known id is refused", async () => {
    const forged = await keyOf("first");
    expect((await ask(await assertion({}, forged))).status).toBe(401);
  });

  it("signed with anything but RS256 is refused, `none` and HMAC above all", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { email: "root@example.test", iss: issuer, aud: AUDIENCE, exp: now + 300, iat: now };
    expect((await ask(`${part({ alg: "none", kid: "first" })}.${part(claims)}.`)).status).toBe(401);
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "first" })
      .sign(Buffer.from(JSON.stringify(await exportJWK((published[0] as Key).publicKey))));
    expect((await ask(hmac)).status).toBe(401);
  });

  it("that is no assertion at all is refused", async () => {
    for (const jwt of ["", "x", "a.b.c", "....", "x".repeat(20_000), "null", "{}"])
      expect((await ask(jwt)).status, jwt.slice(0, 10)).toBe(401);
  });

  it("signed with a new key is good once the keys are fetched again", async () => {
    expect((await ask(await assertion())).status).toBe(200);
    const next = await keyOf("second");
    published.push(next);
    const jwt = await assertion({}, next);
    // Keys are fetched again at most every half a minute, so that forged ids are no load.
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ["Date"] });
    expect((await ask(jwt)).status).toBe(200);
    expect(fetched).toHaveLength(2);
  });

  it("with forged key ids does not make us fetch keys over and over", async () => {
    await ask(await assertion());
    for (let i = 0; i < 10; i++) expect((await ask(await assertion({}, await keyOf(`forged${i}`)))).status).toBe(401);
    expect(fetched.length).toBeLessThanOrEqual(2);
  });

  it("cannot be checked while the keys cannot be had: 503, not 401", async () => {
    for (const answer of [
      async () => new Response("no", { status: 502 }),
      async () => new Response("<html>"),
      async () => Promise.reject(new TypeError("network")),
    ]) {
      keysAnswer = answer;
      expect((await ask(await assertion())).status).toBe(503);
    }
  });

  it("counts for nothing while Access is off", async () => {
    for (const settings of [{ ACCESS_AUD: "" }, { ACCESS_TEAM_DOMAIN: "" }, { ACCESS_TEAM_DOMAIN: " " }])
      expect((await ask(await assertion(), { settings })).status).toBe(401);
    expect(fetched).toEqual([]);
  });

  it("takes the team's domain with or without its scheme, and nothing that is no domain", async () => {
    const ok = [issuer, `${issuer}/`, ` ${issuer.slice(8)} `];
    for (const ACCESS_TEAM_DOMAIN of ok)
      expect((await ask(await assertion(), { settings: { ACCESS_TEAM_DOMAIN } })).status, ACCESS_TEAM_DOMAIN).toBe(200);
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (const ACCESS_TEAM_DOMAIN of ["no domain", `http://${issuer.slice(8)}`, `${issuer}/path`, "https://"])
      expect((await ask(await assertion(), { settings: { ACCESS_TEAM_DOMAIN } })).status, ACCESS_TEAM_DOMAIN).toBe(401);
    expect(logged).toHaveBeenCalledTimes(4);
  });

  it("rides on a cookie, so a change must come from our own pages", async () => {
    const jwt = await assertion({ email: "root@example.test" });
    const change = { path: "/api/v1/tokens", method: "POST", body: JSON.stringify({ name: "x", scope: "read" }) };
    expect((await ask(jwt, change)).status).toBe(403);
    expect((await ask(jwt, { ...change, headers: { "sec-fetch-site": "same-origin" } })).status).toBe(201);
  });

  it("a bearer token beside it is what counts", async () => {
    expect((await ask(await assertion(), { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  });
});
