/** What is public: the dashboard's files, with headers that leave scripts from elsewhere no way in. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../../workers/api/app.ts";
import { call, errorCode, ORIGIN } from "./client.ts";

/** A dashboard of three files. */
const files: Record<string, string> = {
  "/": "<!doctype html><title>Tailrace</title>",
  "/assets/index-abc123.js": "export {};",
  "/favicon.svg": "<svg/>",
};
const assets = {
  fetch: async (request: Request) => {
    const body = files[new URL(request.url).pathname];
    return body === undefined ? new Response(null, { status: 404 }) : new Response(body, { headers: { etag: '"1"' } });
  },
} as unknown as Fetcher;

const get = (path: string, { accept = "text/html", method = "GET", base = ORIGIN } = {}) => {
  const request = new Request(new URL(path, base), { method, headers: { accept } });
  return app.fetch(request, { ...env, ASSETS: assets }, createExecutionContext());
};

describe("static files", () => {
  it("are public, and kept for good only when their name has a hash", async () => {
    const script = await get("/assets/index-abc123.js", { accept: "*/*" });
    expect([script.status, await script.text()]).toEqual([200, "export {};"]);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await get("/favicon.svg")).headers.get("cache-control")).toBe("no-cache");
    expect((await get("/")).headers.get("cache-control")).toBe("no-cache");
  });

  it.each(["/login", "/explore", "/workers/shop", "/invocations/a.b", "/settings/tokens"])(
    "%s is the page: its router knows the way",
    async (path) => {
      const response = await get(path);
      expect([response.status, await response.text()]).toEqual([200, files["/"]]);
    },
  );

  it("are the page also for who takes anything, unless a file is meant", async () => {
    expect((await get("/login", { accept: "*/*" })).status).toBe(200);
    expect((await get("/.env", { accept: "*/*" })).status).toBe(404);
    expect((await get("/old.js", { accept: "*/*" })).status).toBe(404);
  });

  it("that are missing are 404, not the page", async () => {
    expect((await get("/assets/old-123.js")).status).toBe(404);
    expect((await get("/logo.png", { accept: "image/*" })).status).toBe(404);
    expect((await get("/explore", { method: "POST" })).status).toBe(404);
  });

  it("never answer for the API", async () => {
    const response = await get("/api/v1/whatever");
    expect([response.status, await errorCode(response)]).toEqual([404, "not_found"]);
  });

  it("that are not built say so", async () => {
    const none = { fetch: async () => new Response(null, { status: 404 }) } as unknown as Fetcher;
    const request = new Request(`${ORIGIN}/`, { headers: { accept: "text/html" } });
    const response = await app.fetch(request, { ...env, ASSETS: none }, createExecutionContext());
    expect([response.status, await errorCode(response)]).toEqual([503, "unavailable"]);
  });
});

describe("every answer", () => {
  it.each(["/", "/assets/index-abc123.js", "/api/v1/session", "/nothing", "/healthz"])(
    "%s carries the strict policy",
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get("strict-transport-security")).toBeNull();
    },
  );

  it("asks for https to be kept, over https", async () => {
    const { headers } = await get("/", { base: "https://tailrace.test" });
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000; includeSubDomains");
  });

  it("with data is kept nowhere", async () => {
    expect((await call("/api/v1/session")).headers.get("cache-control")).toBe("no-store");
  });
});
