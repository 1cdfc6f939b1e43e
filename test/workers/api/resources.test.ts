/** Resources over the API: credentials go in, are written into Workers, and are in no answer, row or audit. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AuditAnswer, NewResource, ResourceAnswer, ResourcesAnswer } from "../../../workers/api/contract.ts";
import { forgetConnection } from "../../../workers/cloudflare/connection.ts";
import { ADMIN, call, errorCode, makeToken } from "./client.ts";

const PATH = "/api/v1/resources";
const ACCOUNT = "0123456789abcdef0123456789abcdef";
const KEY = "a-momento-key-that-must-not-be-seen";
const OTHER_KEY = "another-momento-key-that-must-not-be-seen";
const CACHE: NewResource = {
  integration: "momento",
  name: "Our cache",
  values: { key: KEY, cache: "shop", endpoint: "https://cache.example.com" },
  workers: ["shop"],
};

const ROLLOUT =
  "insert into rollouts (id, script, state, started_at, ended_at, revision, row) values (?, ?, 'running', 1, null, 1, '{}')";

/** Worker → its secrets. */
let secrets: Map<string, Map<string, string>>;
let values: Map<string, string>;
let goodKeys: string[];

function momento(request: Request, body: string): Response {
  if (!goodKeys.includes(request.headers.get("authorization") ?? "")) return new Response("no", { status: 401 });
  const key = new URL(request.url).searchParams.get("key") ?? "";
  if (request.method === "PUT") values.set(key, body);
  if (request.method === "DELETE") values.delete(key);
  if (request.method !== "GET") return new Response(null, { status: 204 });
  const value = values.get(key);
  return value === undefined ? new Response("none", { status: 404 }) : new Response(value);
}

function cloudflare(method: string, path: string, body: string): Response {
  const envelope = (status: number, result: unknown, code?: number) => {
    const errors = code === undefined ? [] : [{ code, message: `you said ${body}` }];
    return Response.json({ success: code === undefined, errors, messages: [], result }, { status });
  };
  if (path === "workers/account-settings") return envelope(200, {});
  const [, script = "", name] = /^workers\/scripts\/([^/]+)\/secrets(?:\/(.+))?$/.exec(path) ?? [];
  const of = secrets.get(script);
  if (of === undefined) return envelope(404, null, 10_007);
  if (method === "GET")
    return envelope(
      200,
      [...of.keys()].map((one) => ({ name: one, type: "secret_text" })),
    );
  if (method === "DELETE") return of.delete(name ?? "") ? envelope(200, null) : envelope(404, null, 10_056);
  const given = JSON.parse(body) as { name: string; text: string };
  of.set(given.name, given.text);
  return envelope(200, { name: given.name });
}

beforeEach(async () => {
  secrets = new Map([
    ["shop", new Map()],
    ["orders", new Map()],
  ]);
  values = new Map();
  goodKeys = [KEY, OTHER_KEY];
  forgetConnection();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    const { hostname, pathname } = new URL(request.url);
    const body = await request.text();
    if (hostname === "cache.example.com") return momento(request, body);
    return cloudflare(request.method, pathname.split(`/accounts/${ACCOUNT}/`)[1] ?? "", body);
  });
  const body = { accountId: ACCOUNT, token: "cfut_0123456789_0123456789_0123456789" };
  expect((await call("/api/v1/cloudflare", { method: "PUT", token: ADMIN, body })).status).toBe(200);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.batch(
    ["resources", "cloudflare_accounts", "audit", "rollouts"].map((table) => env.DB.prepare(`delete from ${table}`)),
  );
});

const send = (method: string, path: string, body?: unknown) =>
  call(`${PATH}${path}`, { method, token: ADMIN, ...(body === undefined ? {} : { body }) });
async function resource(response: Response, status = 200) {
  expect(response.status, await response.clone().text()).toBe(status);
  return ((await response.json()) as ResourceAnswer).resource;
}
const keyOf = (script: string) => secrets.get(script)?.get("MOMENTO_API_KEY");

it("is written into the chosen Workers, moved to others, rotated, and taken out again", async () => {
  const made = await resource(await send("POST", "", CACHE), 201);
  expect(made).toMatchObject({
    ...{ name: "Our cache", secretsSet: ["key"], values: { cache: "shop" } },
    workers: [{ script: "shop", error: null, secrets: expect.arrayContaining(["MOMENTO_API_KEY"]) }],
  });
  expect(keyOf("shop")).toBe(KEY);

  const { name, values: fields } = made;
  const moved = await resource(await send("PUT", `/${made.id}`, { name, values: fields, workers: ["orders"] }));
  expect(moved.workers.map(({ script }) => script)).toEqual(["orders"]);
  expect([secrets.get("shop")?.size, keyOf("orders")]).toEqual([0, KEY]);

  const rotated = await resource(await send("POST", `/${made.id}/rotate`, { values: { key: OTHER_KEY } }));
  expect(rotated.rotatedAt).toEqual(expect.any(Number));
  expect(keyOf("orders")).toBe(OTHER_KEY);

  expect((await send("DELETE", `/${made.id}`)).status).toBe(204);
  expect(secrets.get("orders")?.size).toBe(0);
  expect(((await (await send("GET", "")).json()) as ResourcesAnswer).resources).toEqual([]);
});

it("says no to what the service refuses, and to another address without the key", async () => {
  goodKeys = [];
  const refused = await send("POST", "", CACHE);
  expect([refused.status, await errorCode(refused)]).toEqual([424, "service"]);
  goodKeys = [KEY];
  const made = await resource(await send("POST", "", CACHE), 201);
  const values = { ...made.values, endpoint: "https://evil.example.net" };
  const moved = await send("PUT", `/${made.id}`, { name: made.name, values, workers: ["shop"] });
  expect([moved.status, await errorCode(moved)]).toEqual([422, "bad_fields"]);
  expect(await errorCode(await send("POST", "", { ...CACHE, name: "OUR cache" }))).toBe("bad_fields");
  expect((await send("POST", "", { ...CACHE, integration: "slack" })).status).toBe(400);
  expect((await send("POST", "", { ...CACHE, workers: ["a/b"] })).status).toBe(400);
});

it("leaves a Worker's own secret of that name alone, and Tailrace's altogether", async () => {
  secrets.get("orders")?.set("MOMENTO_API_KEY", "theirs");
  const made = await resource(await send("POST", "", { ...CACHE, workers: ["orders", "tailrace"] }), 201);
  expect(made.workers.map(({ error }) => error)).toEqual([expect.any(String), expect.any(String)]);
  expect(keyOf("orders")).toBe("theirs");
  expect((await send("DELETE", `/${made.id}`)).status).toBe(204);
  expect(keyOf("orders")).toBe("theirs");
});

it("stays while its secrets cannot be taken out, unless somebody insists", async () => {
  const made = await resource(await send("POST", "", CACHE), 201);
  await env.DB.prepare("delete from cloudflare_accounts").run();
  const refused = await send("DELETE", `/${made.id}`);
  expect([refused.status, await errorCode(refused)]).toEqual([409, "in_use"]);
  expect((await send("DELETE", `/${made.id}?force=true`)).status).toBe(204);
});

it("writes into no Worker that a rollout runs on: a secret makes a version, and everybody would get it", async () => {
  const start = (script: string) => env.DB.prepare(ROLLOUT).bind(script, script).run();
  await start("shop");
  const made = await resource(await send("POST", "", { ...CACHE, workers: ["shop", "orders"] }), 201);
  const errorOf = (of: typeof made, script: string) => of.workers.find((one) => one.script === script)?.error;
  expect([errorOf(made, "shop"), errorOf(made, "orders")]).toEqual([expect.stringMatching(/rollout/), null]);
  expect([secrets.get("shop")?.size, keyOf("orders")]).toEqual([0, KEY]);

  await start("orders");
  // A key is not made anew while it cannot be written everywhere.
  const rotated = await send("POST", `/${made.id}/rotate`, { values: { key: OTHER_KEY } });
  expect([rotated.status, await errorCode(rotated)]).toEqual([409, "rollout_running"]);
  const removed = await send("DELETE", `/${made.id}`);
  expect([removed.status, await errorCode(removed)]).toEqual([409, "rollout_running"]);
  expect(keyOf("orders")).toBe(KEY);

  await env.DB.prepare("update rollouts set ended_at = 2").run();
  const again = await send("PUT", `/${made.id}`, { name: made.name, values: made.values, workers: ["shop", "orders"] });
  expect((await resource(again)).workers.map(({ error }) => error)).toEqual([null, null]);
  expect((await send("DELETE", `/${made.id}`)).status).toBe(204);
});

it("holds its credentials nowhere where somebody could read them", async () => {
  const made = await resource(await send("POST", "", { ...CACHE, workers: ["shop", "gone"] }), 201);
  const { token } = await makeToken("read");
  const answers = await Promise.all(
    [PATH, "/api/v1/secrets"].map(async (path) => (await call(path, { token })).text()),
  );
  const { rows } = (await (await call("/api/v1/audit?limit=9", { token: ADMIN })).json()) as AuditAnswer;
  const stored = (await env.DB.prepare("select * from resources").all()).results;
  expect(JSON.stringify([answers, rows, stored, made])).not.toContain(KEY);
  expect(rows.find(({ target }) => target === made.id)).toMatchObject({
    action: "resource.create",
    detail: { workers: ["shop", "gone"] },
  });
});
