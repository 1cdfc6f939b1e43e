/** What works while D1 does not: whoever was let in a minute ago still is, and nobody is told that our fault is his. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../../workers/api/app.ts";
import { forgetTokens } from "../../../workers/api/auth/tokens.ts";
import { ADMIN, call, errorCode, logIn, makeToken, ORIGIN } from "./client.ts";

const down = () => Promise.reject(new Error("D1_ERROR: internal error; Bearer trl_abc"));
const statement = { bind: () => statement, all: down, first: down, run: down, raw: down };
const DB = { prepare: () => statement, batch: down, exec: down } as unknown as D1Database;

async function without(path: string, headers: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  const ctx = createExecutionContext();
  const response = await app.fetch(new Request(ORIGIN + path, { headers, ...init }), { ...env, DB }, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

const logged = vi.fn<(line: unknown) => void>();
beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(logged);
});
afterEach(() => {
  vi.restoreAllMocks();
  logged.mockClear();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("while D1 is away", () => {
  it("a token that was used before still works, and one that was not is 503, not 401", async () => {
    const { token } = await makeToken("read");
    expect((await without("/api/v1/session", bearer(token))).status).toBe(503);
    await call("/api/v1/session", { token });
    expect((await without("/api/v1/session", bearer(token))).status).toBe(200);
    forgetTokens();
    const refused = await without("/api/v1/session", bearer(token));
    expect([refused.status, await errorCode(refused)]).toEqual([503, "unavailable"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("so does a session", async () => {
    const cookie = await logIn(ADMIN);
    expect((await call("/api/v1/session", { cookie })).status).toBe(200);
    expect((await without("/api/v1/session", { cookie })).status).toBe(200);
  });

  it("the bootstrap secret works, and what cannot be bound to be one is still 401", async () => {
    expect((await without("/api/v1/session", bearer(ADMIN))).status).toBe(200);
    expect((await without("/api/v1/session", bearer("nonsense"))).status).toBe(401);
  });

  it.each(["overview", "workers/shop", "ledger", "settings", "tokens", "audit", "fields", "query?q=*"])(
    "/api/v1/%s says so with 503",
    async (path) => {
      const response = await without(`/api/v1/${path}`, bearer(ADMIN));
      const text = await response.text();
      expect(response.status, text).toBe(503);
      expect(text).not.toContain("trl_abc");
      for (const [line] of logged.mock.calls) expect(line).not.toContain("trl_abc");
    },
  );

  it.each(["seal", "maintenance", "session"])("POST /api/v1/%s says so with 503", async (path) => {
    const body = JSON.stringify({ token: ADMIN });
    const response = await without(`/api/v1/${path}`, bearer(ADMIN), { method: "POST", body });
    expect([response.status, await errorCode(response)]).toEqual([503, "unavailable"]);
  });
});
