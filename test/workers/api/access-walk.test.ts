/** Who may do what, proven over the router's own list: a route that someone adds is in here by itself. */
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../../workers/api/app.ts";
import { SCOPES, type Scope } from "../../../workers/api/contract.ts";
import { ROUTES } from "../../../workers/api/routes.ts";
import { call, errorCode, makeToken } from "./client.ts";

/** The chain of middleware is mounted under all paths; everything else is a route. */
const mounted = [
  ...new Map(
    app.routes
      .filter((route) => !(route.method === "ALL" && route.path === "/*"))
      .map(({ method, path }) => [`${method} ${path}`, { method, path }]),
  ).values(),
];
const scopeOf = (method: string, path: string) => ROUTES.find((r) => r.method === method && r.path === path)?.scope;
const concrete = (path: string) => path.replace(/:(\w+)/g, "some-$1");
const guarded = mounted.filter(({ method, path }) => scopeOf(method, path) !== "public");

const tokens = {} as Record<Scope, string>;
beforeAll(async () => {
  for (const scope of SCOPES) tokens[scope] = (await makeToken(scope)).token;
});

describe("every route", () => {
  it("is in the table, with a scope", () => {
    expect(mounted.length).toBeGreaterThan(5);
    for (const { method, path } of mounted) expect(scopeOf(method, path), `${method} ${path}`).toBeDefined();
    expect(mounted).toHaveLength(ROUTES.length);
  });

  it("is guarded, but for health, log-in and what brings a secret of its own", () => {
    const open = mounted.filter(({ method, path }) => scopeOf(method, path) === "public");
    // The socket of a tail has a secret in its address, which its hub checks (cloudflare.test.ts).
    const names = ["GET /healthz", "GET /metrics", "POST /api/v1/session", "GET /client/v4/tails"];
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual(names);
  });

  it("lets nobody change anything with a scope that only reads", () => {
    const changing = ROUTES.filter((r) => r.method !== "GET" && r.scope === "read");
    const tails = "/client/v4/accounts/:account/workers/scripts/:script/tails";
    expect(changing.map((r) => `${r.method} ${r.path}`)).toEqual([
      ...["POST /api/v1/query", "POST /api/v1/symbolicate"],
      // One's own way of looking.
      ...[`POST ${tails}`, `DELETE ${tails}/:id`],
      // A query, too: what rules would have sent.
      "POST /api/v1/destinations/preview",
    ]);
  });

  it.each(guarded)("$method $path answers 401 without a credential", async ({ method, path }) => {
    const response = await call(concrete(path), { method });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await codeOf(path, response)).toBe(path.startsWith("/client/v4") ? 10_000 : "unauthorized");
  });

  it.each(guarded)("$method $path answers 401 to a token nobody has made", async ({ method, path }) => {
    const response = await call(concrete(path), { method, token: `trl_${"x".repeat(43)}` });
    expect(response.status).toBe(401);
  });

  const wrong = guarded.flatMap(({ method, path }) => {
    const asked = scopeOf(method, path);
    if (asked === undefined || asked === "any") return [];
    const enough = asked.split(" or ");
    return SCOPES.filter((s) => s !== "admin" && !enough.includes(s)).map((scope) => ({ method, path, scope }));
  });
  it.each(wrong)("$method $path answers 403 to the scope $scope", async ({ method, path, scope }) => {
    const response = await call(concrete(path), { method, token: tokens[scope] });
    expect(response.status).toBe(403);
    expect(await codeOf(path, response)).toBe(path.startsWith("/client/v4") ? 10_000 : "forbidden");
  });

  it.each(guarded)("$method $path lets its own scope and admin in", async ({ method, path }) => {
    const asked = scopeOf(method, path) ?? "";
    const enough = SCOPES.filter((scope) => scope === "admin" || asked.split(" or ").includes(scope));
    for (const scope of enough) {
      const response = await call(concrete(path), { method, token: tokens[scope], body: bodyFor(method) });
      await response.body?.cancel();
      expect([401, 403], `${scope}`).not.toContain(response.status);
      expect(response.status, `${scope}`).not.toBe(500);
    }
  });
});

/** Under /client/v4 errors are Cloudflare's envelopes. */
async function codeOf(path: string, response: Response): Promise<unknown> {
  if (!path.startsWith("/client/v4")) return errorCode(response);
  return ((await response.json()) as { errors: { code: number }[] }).errors[0]?.code;
}

const bodyFor = (method: string) => (method === "GET" || method === "DELETE" ? undefined : {});

describe("what is not a route", () => {
  it("is 404 as JSON under /api", async () => {
    for (const path of ["/api", "/api/", "/api/v1/nothing", "/api/v2/query"]) {
      const response = await call(path, { headers: { accept: "text/html" } });
      expect(response.status, path).toBe(404);
      expect(await errorCode(response)).toBe("not_found");
    }
  });

  it("is 405 with Allow when only the method is wrong", async () => {
    const response = await call("/api/v1/session", { method: "PATCH" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")?.split(", ").sort()).toEqual(["DELETE", "GET", "HEAD", "POST"]);
    expect(await errorCode(response)).toBe("method_not_allowed");
    expect((await call("/healthz", { method: "POST" })).status).toBe(405);
  });
});
