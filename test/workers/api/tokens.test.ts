import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { forgetTokens } from "../../../workers/api/auth/tokens.ts";
import type { AuditAnswer, TokensAnswer } from "../../../workers/api/contract.ts";
import { ADMIN, call, errorCode, logIn, makeToken } from "./client.ts";

const whoAmI = (token: string) => call("/api/v1/session", { token });

describe("tokens", () => {
  it("are shown once, and stored as a hash only", async () => {
    const made = await makeToken("read");
    expect(made.token).toMatch(/^trl_[0-9A-Za-z]{43}$/);
    const listed = await call("/api/v1/tokens", { token: ADMIN });
    const text = await listed.text();
    expect(text).toContain(made.id);
    expect(text).not.toContain(made.token);
    expect(text).not.toContain("hash");
    const stored = await env.DB.prepare("select * from tokens where id = ?").bind(made.id).all();
    expect(JSON.stringify(stored.results)).not.toContain(made.token);
    expect(stored.results[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("stop working when revoked, at once in the same isolate", async () => {
    const made = await makeToken("read");
    expect((await whoAmI(made.token)).status).toBe(200);
    const revoked = await call(`/api/v1/tokens/${made.id}`, { method: "DELETE", token: ADMIN });
    expect(((await revoked.json()) as { revokedAt: number }).revokedAt).toBeGreaterThan(0);
    expect((await whoAmI(made.token)).status).toBe(401);
    const again = await call(`/api/v1/tokens/${made.id}`, { method: "DELETE", token: ADMIN });
    expect(again.status).toBe(200);
  });

  it("stop working when they expire", async () => {
    const made = await makeToken("read", { expiresInDays: 1 });
    expect((await whoAmI(made.token)).status).toBe(200);
    await env.DB.prepare("update tokens set expires_at = ? where id = ?")
      .bind(Date.now() - 1, made.id)
      .run();
    forgetTokens();
    expect((await whoAmI(made.token)).status).toBe(401);
  });

  it("say when they were last used, without a write per request", async () => {
    const made = await makeToken("read");
    await whoAmI(made.token);
    const lastUsed = async () => {
      const answer = (await (await call("/api/v1/tokens", { token: ADMIN })).json()) as TokensAnswer;
      return answer.tokens.find((t) => t.id === made.id)?.lastUsedAt ?? null;
    };
    await expect.poll(lastUsed).not.toBeNull();
    const first = await lastUsed();
    forgetTokens();
    await whoAmI(made.token);
    expect(await lastUsed()).toBe(first);
  });

  it("cannot be made with an unknown scope, a wrong type or a field that means nothing", async () => {
    const bodies = [
      { name: "x", scope: "root" },
      { name: "", scope: "read" },
      { name: "a\u0000b", scope: "read" },
      { name: "x".repeat(101), scope: "read" },
      { name: "x", scope: "read", expiresInDays: -1 },
      { name: "x", scope: "read", hash: "0".repeat(64) },
      [],
      null,
      "{",
    ];
    for (const body of bodies) {
      const response = await call("/api/v1/tokens", { method: "POST", token: ADMIN, body: body ?? "null" });
      expect(response.status, JSON.stringify(body)).toBe(400);
    }
  });

  it("that do not exist cannot be revoked", async () => {
    const response = await call("/api/v1/tokens/tok_nobody", { method: "DELETE", token: ADMIN });
    expect(response.status).toBe(404);
  });

  it("are not read past the limit of the body", async () => {
    const body = JSON.stringify({ name: "x".repeat(20_000), scope: "read" });
    const response = await call("/api/v1/tokens", { method: "POST", token: ADMIN, body });
    expect([response.status, await errorCode(response)]).toEqual([413, "body_too_large"]);
  });
});

describe("the audit log", () => {
  it("has a row for each change, with who did it, and no secret", async () => {
    const made = await makeToken("ingest");
    const cookie = await logIn(made.token);
    await call("/api/v1/session", { method: "DELETE", cookie, headers: { "sec-fetch-site": "same-origin" } });
    await call(`/api/v1/tokens/${made.id}`, { method: "DELETE", token: ADMIN });
    const response = await call("/api/v1/audit?limit=4", { token: ADMIN });
    const text = await response.text();
    expect(text).not.toContain(made.token);
    const { rows } = JSON.parse(text) as AuditAnswer;
    expect(rows.map((r) => [r.action, r.target, r.actor])).toEqual([
      ["token.revoke", made.id, "bootstrap"],
      ["session.close", made.id, `a ingest token (${made.id})`],
      ["session.open", made.id, `a ingest token (${made.id})`],
      ["token.create", made.id, "bootstrap"],
    ]);
    expect(rows[3]?.detail).toMatchObject({ scope: "ingest" });
  });

  it("is read page by page, newest first", async () => {
    for (let i = 0; i < 3; i++) await makeToken("read");
    const page = async (query: string) =>
      (await (await call(`/api/v1/audit?${query}`, { token: ADMIN })).json()) as AuditAnswer;
    const first = await page("limit=2");
    const second = await page(`limit=2&before=${first.next}`);
    const ids = [...first.rows, ...second.rows].map((r) => r.id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(ids.length);
    for (const bad of ["limit=0", "limit=x", "limit=1e9", "before=-1"])
      expect((await call(`/api/v1/audit?${bad}`, { token: ADMIN })).status, bad).toBe(400);
  });
});
