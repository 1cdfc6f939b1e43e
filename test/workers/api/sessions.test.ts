import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { forgetSessions } from "../../../workers/api/auth/sessions.ts";
import type { SessionAnswer } from "../../../workers/api/contract.ts";
import { ADMIN, call, errorCode, logIn, makeToken, ORIGIN } from "./client.ts";

const sameOrigin = { "sec-fetch-site": "same-origin" };
const newTokenBody = { name: "from a session", scope: "read" };

describe("a session", () => {
  it("is opened with a token and kept in a cookie that scripts cannot read", async () => {
    const response = await call("/api/v1/session", { method: "POST", body: { token: ADMIN } });
    const answer = (await response.json()) as SessionAnswer;
    expect(answer).toMatchObject({ actor: "bootstrap", scope: "admin" });
    expect(answer.expiresAt).toBeGreaterThan(Date.now());
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^tailrace=[0-9A-Za-z]{43};/);
    for (const attribute of ["HttpOnly", "SameSite=Strict", "Path=/"]) expect(cookie).toContain(attribute);
    // Plain http on localhost: a Secure cookie would not come back.
    expect(cookie).not.toContain("Secure");
  });

  it("has a Secure __Host- cookie on https", async () => {
    const url = "https://tailrace.test/api/v1/session";
    const response = await call(url, { method: "POST", body: { token: ADMIN } });
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^__Host-tailrace=/);
    expect(cookie).toContain("Secure");
    expect(response.headers.get("strict-transport-security")).toContain("max-age=");
    expect((await call(url, { cookie: cookie.split(";")[0] ?? "" })).status).toBe(200);
  });

  it("is stored hashed", async () => {
    const id = (await logIn(ADMIN)).split("=")[1] ?? "";
    const { results } = await env.DB.prepare("select * from sessions").all();
    expect(JSON.stringify(results)).not.toContain(id);
  });

  it("has the scope of its token", async () => {
    const cookie = await logIn((await makeToken("read")).token);
    expect((await call("/api/v1/session", { cookie })).status).toBe(200);
    expect((await call("/api/v1/tokens", { cookie })).status).toBe(403);
  });

  it("ends with log-out", async () => {
    const cookie = await logIn(ADMIN);
    const out = await call("/api/v1/session", { method: "DELETE", cookie, headers: sameOrigin });
    expect(out.status).toBe(204);
    expect(out.headers.get("set-cookie")).toMatch(/^tailrace=;.*Max-Age=0/);
    expect((await call("/api/v1/session", { cookie })).status).toBe(401);
  });

  it("ends when its token is revoked", async () => {
    const made = await makeToken("read");
    const cookie = await logIn(made.token);
    await call(`/api/v1/tokens/${made.id}`, { method: "DELETE", token: ADMIN });
    expect((await call("/api/v1/session", { cookie })).status).toBe(401);
  });

  it("ends when its time is up, and when the bootstrap secret is another", async () => {
    const cookie = await logIn(ADMIN);
    const change = async (sql: string) => {
      await env.DB.prepare(sql).run();
      forgetSessions();
      return (await call("/api/v1/session", { cookie })).status;
    };
    expect(await change("update sessions set created_at = created_at - 8*86400000")).toBe(401);
    expect(await change("update sessions set created_at = created_at + 8*86400000")).toBe(200);
    expect(await change("update sessions set token_id = 'bootstrap:000000000000'")).toBe(401);
    const other = await logIn(ADMIN);
    await env.DB.prepare("update sessions set expires_at = 1").run();
    forgetSessions();
    expect((await call("/api/v1/session", { cookie: other })).status).toBe(401);
  });

  it("lives on while it is used", async () => {
    const cookie = await logIn(ADMIN);
    const soon = Date.now() + 3_600_000;
    await env.DB.prepare("update sessions set expires_at = ?").bind(soon).run();
    forgetSessions();
    expect((await call("/api/v1/session", { cookie })).status).toBe(200);
    const expiry = async () => {
      const row = await env.DB.prepare("select max(expires_at) as at from sessions").first<{ at: number }>();
      return row?.at ?? 0;
    };
    await expect.poll(expiry).toBeGreaterThan(soon);
  });

  it("is refused without a body that holds a token", async () => {
    for (const body of ["", "nonsense", "null", "{}", '{"token":1}', '{"token":""}', `{"token":"${"x".repeat(600)}"}`])
      expect((await call("/api/v1/session", { method: "POST", body })).status, body).toBe(400);
  });
});

describe("a change that rides on the cookie", () => {
  const change = (cookie: string, headers: Record<string, string>) =>
    call("/api/v1/tokens", { method: "POST", cookie, headers, body: newTokenBody });

  it("is refused unless it comes from our own pages", async () => {
    const cookie = await logIn(ADMIN);
    const foreign: Record<string, string>[] = [
      {},
      { origin: "https://evil.test" },
      { origin: "null" },
      { origin: "not a url" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: ORIGIN },
      { "sec-fetch-site": "none" },
    ];
    for (const headers of foreign) {
      const response = await change(cookie, headers);
      expect([response.status, await errorCode(response)], JSON.stringify(headers)).toEqual([403, "cross_origin"]);
    }
    expect((await change(cookie, sameOrigin)).status).toBe(201);
    expect((await change(cookie, { origin: ORIGIN })).status).toBe(201);
  });

  it("needs no origin with a bearer token, which no browser sends by itself", async () => {
    const response = await call("/api/v1/tokens", { method: "POST", token: ADMIN, body: newTokenBody });
    expect(response.status).toBe(201);
  });

  it("cannot be a log-in from someone else's page", async () => {
    const headers = { origin: "https://evil.test" };
    const response = await call("/api/v1/session", { method: "POST", headers, body: { token: ADMIN } });
    expect(response.status).toBe(403);
  });
});

describe("credentials together", () => {
  it("a wrong bearer token is not made good by a cookie", async () => {
    const cookie = await logIn(ADMIN);
    expect((await call("/api/v1/session", { cookie, token: "wrong" })).status).toBe(401);
  });
});
