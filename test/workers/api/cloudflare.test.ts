/** What wrangler tail asks of Cloudflare's API, and what it is told when it asks for anything else. */
import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { SCOPES, type Scope } from "../../../workers/api/contract.ts";
import { appendOf, ingester, invocation, until } from "../buffer/support.ts";
import { ADMIN, type Call, call, logIn, makeToken, ORIGIN } from "./client.ts";

const TAILS = "/client/v4/accounts/any-account/workers/scripts/tailed/tails";
const upgrade = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-protocol": "trace-v1" };

interface Envelope {
  success: boolean;
  errors: { code: number; message: string }[];
  messages: unknown[];
  result: { id: string; url: string; expires_at: string };
}

const tokens = {} as Record<Scope, string>;
beforeAll(async () => {
  for (const scope of SCOPES) tokens[scope] = (await makeToken(scope)).token;
  for (const script of ["tailed", "other"]) await ingester(script).append(appendOf(script, [invocation(script)]));
});

async function ask(path: string, init: Call = {}) {
  const response = await call(path, init);
  const body = (await response.json()) as Envelope;
  expect(Object.keys(body).sort()).toEqual(["errors", "messages", "result", "success"]);
  expect(body.success).toBe(response.status < 300);
  return { status: response.status, body, error: body.errors[0], headers: response.headers };
}

const post = (body: unknown, init: Call = {}) =>
  ask(TAILS, {
    ...{ method: "POST", token: tokens.read, body },
    ...init,
    headers: { "content-type": "text/plain;charset=UTF-8", ...init.headers },
  });

const pathOf = (url: string) => url.slice(url.indexOf("/client/v4"));

async function open(url: string, headers: Record<string, string> = upgrade): Promise<WebSocket> {
  const response = await call(pathOf(url), { headers });
  const { webSocket, status } = response;
  if (webSocket === null) throw new Error(`no socket: ${status} ${await response.text()}`);
  expect(response.headers.get("sec-websocket-protocol")).toBe("trace-v1");
  webSocket.accept();
  return webSocket;
}

describe("a tail", () => {
  it("is made for a token that may read, with the address of its socket on the same host", async () => {
    const { status, body } = await post({ filters: [{ outcome: ["ok"] }] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ errors: [], messages: [], result: { id: expect.stringMatching(/^[0-9a-f]{32}$/) } });
    expect(body.result.url).toMatch(/^ws:\/\/tailrace\.test\/client\/v4\/tails\?worker=tailed&secret=[\w-]{43}$/);
    expect(Date.parse(body.result.expires_at)).toBeGreaterThan(Date.now());
  });

  it("has an encrypted socket behind a proxy that ends TLS", async () => {
    const { body } = await post({}, { headers: { "x-forwarded-proto": "https" } });
    expect(body.result.url).toMatch(/^wss:/);
  });

  it("needs no filters, and no body", async () => {
    expect((await post(undefined)).status).toBe(200);
    expect((await post("")).status).toBe(200);
  });

  it("opens its socket once, and is listed until it is ended", async () => {
    const { token } = await makeToken("read");
    const { body } = await post({}, { token });
    const { id, url } = body.result;
    const socket = await open(url);
    const closed = new Promise<number>((resolve) => socket.addEventListener("close", (e) => resolve(e.code)));
    expect((await ask(pathOf(url), { headers: upgrade })).error?.code).toBe(10_000);
    expect((await ask(TAILS, { token })).body.result).toMatchObject([{ id }]);
    expect((await ask(TAILS, { token: tokens.read })).body.result).toEqual([]);
    expect(await ask(`${TAILS}/${id}`, { method: "DELETE", token: tokens.read })).toMatchObject({ status: 404 });
    expect(await ask(`${TAILS}/${id}`, { method: "DELETE", token })).toMatchObject({ status: 200 });
    expect(await closed).toBe(1000);
    await until(async () => JSON.stringify((await ask(TAILS, { token })).body.result) === "[]");
    expect(await ask(`${TAILS}/${id}`, { method: "DELETE", token })).toMatchObject({ status: 404 });
  });

  it("hears no more when its token is revoked", async () => {
    const { token, id } = await makeToken("read");
    const socket = await open((await post({}, { token })).body.result.url);
    const closed = new Promise<number>((resolve) => socket.addEventListener("close", (e) => resolve(e.code)));
    await until(async () => JSON.stringify((await ask(TAILS, { token })).body.result) !== "[]");
    await call(`/api/v1/tokens/${id}`, { method: "DELETE", token: ADMIN });
    expect(await closed).toBe(4001);
  });
});

describe("the socket of a tail", () => {
  it.each([
    ["no secret", "worker=tailed"],
    ["a wrong one", "worker=tailed&secret=wrong"],
    ["no Worker", "secret=wrong"],
    ["a long one", `worker=tailed&secret=${"x".repeat(5_000)}`],
  ])("with %s is refused", async (_, query) => {
    const { status, error } = await ask(`/client/v4/tails?${query}`, { headers: upgrade });
    expect([status, error?.code]).toEqual([401, 10_000]);
  });

  it("of a Worker that was made up makes no hub of it", async () => {
    const hubs = async () => (await listDurableObjectIds(env.LIVE)).length;
    const before = await hubs();
    for (let k = 0; k < 5; k++)
      await ask(`/client/v4/tails?worker=invented-${k}&secret=${"x".repeat(43)}`, { headers: upgrade });
    expect(await hubs()).toBe(before);
  });

  it("of another Worker is refused", async () => {
    const { url } = (await post({})).body.result;
    const { error } = await ask(pathOf(url).replace("worker=tailed", "worker=other"), { headers: upgrade });
    expect(error?.code).toBe(10_000);
    (await open(url)).close(1000);
  });

  it("is a WebSocket that speaks trace-v1", async () => {
    const { url } = (await post({})).body.result;
    expect(await ask(pathOf(url))).toMatchObject({ status: 426 });
    const { "sec-websocket-protocol": _, ...without } = upgrade;
    expect((await ask(pathOf(url), { headers: without })).error?.message).toContain("trace-v1");
    const others = { ...upgrade, "sec-websocket-protocol": "chat, trace-v1" };
    (await open(url, others)).close(1000);
  });
});

describe("what is wrong is said in Cloudflare's envelope", () => {
  it("a Worker that nobody has seen, with those that are known", async () => {
    const { status, error } = await ask(TAILS.replace("tailed", "tialed"), { method: "POST", token: tokens.read });
    expect([status, error?.code]).toEqual([404, 10_007]);
    expect(error?.message).toMatch(/a Worker called tialed\. It has seen .*\btailed\b/);
  });

  it.each([
    ["no JSON", "{", /not JSON/],
    ["a list", "[]", /JSON object/],
    ["an unknown filter", { filters: [{ verb: "GET" }] }, /filters\[0\] has no filter that is known here: verb/],
    ["a wrong value", { filters: [{ sampling_rate: 2 }] }, /filters\[0\]\.sampling_rate/],
  ])("a body with %s", async (_, body, says) => {
    const { status, error } = await post(body);
    expect([status, error?.code]).toEqual([400, 10_001]);
    expect(error?.message).toMatch(says);
  });

  it("a body that is too large", async () => {
    expect(await post("x".repeat(20_000))).toMatchObject({ status: 413, error: { code: 10_001 } });
  });

  it.each<[string, Call]>([
    ["no token", {}],
    ["a token of Cloudflare's", { token: "v1.0-not-one-of-ours" }],
    ["a revoked one", { token: `trl_${"x".repeat(43)}` }],
    ["an API key", { headers: { "x-auth-key": "k", "x-auth-email": "a@example.com" } }],
  ])("%s", async (_, init) => {
    const { status, error } = await ask(TAILS, { method: "POST", ...init });
    expect([status, error?.code]).toEqual([401, 10_000]);
    expect(error?.message).toMatch(/^Authentication error: /);
  });

  it.each(["ingest", "deploy"] as const)("a token that may only %s", async (scope) => {
    const { status, error } = await ask(TAILS, { method: "POST", token: tokens[scope] });
    expect([status, error?.code]).toEqual([403, 10_000]);
    expect(error?.message).toContain("`read`");
  });

  it("a session from another page", async () => {
    const cookie = await logIn(ADMIN);
    const foreign = { method: "POST", cookie, headers: { origin: "https://evil.example" } };
    expect(await ask(TAILS, foreign)).toMatchObject({ status: 403, error: { code: 10_000 } });
    expect(await ask(TAILS, { method: "POST", cookie, headers: { origin: ORIGIN } })).toMatchObject({ status: 200 });
  });

  it("too many wrong tokens", async () => {
    const wrong = () => call(TAILS, { method: "POST", token: "wrong", address: "192.0.2.77" });
    let last = await wrong();
    for (let k = 0; k < 120 && last.status === 401; k++) last = await wrong();
    expect([last.status, ((await last.json()) as Envelope).errors[0]?.code]).toEqual([429, 971]);
    expect(last.headers.get("retry-after")).toBe("60");
  });

  it("another method", async () => {
    const { status, error, headers } = await ask(TAILS, { method: "PUT", token: ADMIN });
    expect([status, error?.code]).toEqual([405, 7_001]);
    expect(headers.get("allow")).toContain("POST");
  });

  it.each([
    ["/client/v4", /nothing else/],
    ["/client/v4/memberships", /CLOUDFLARE_ACCOUNT_ID/],
    ["/client/v4/accounts", /CLOUDFLARE_ACCOUNT_ID/],
    ["/client/v4/user/tokens/verify", /CLOUDFLARE_ACCOUNT_ID/],
    ["/client/v4/zones?name=shop.example", /by their names/],
    ["/client/v4/accounts/a/pages/projects/p/deployments/d/tails", /Pages/],
    ["/client/v4/accounts/a/workers/scripts/shop/deployments", /unset CLOUDFLARE_API_BASE_URL/],
    ["/client/v4/accounts/a/workers/services/shop", /unset CLOUDFLARE_API_BASE_URL/],
    ["/client/v4/accounts/a/d1/database", /nothing else/],
  ])("%s, which is not served, says what to do", async (path, says) => {
    for (const method of ["GET", "POST", "PATCH"]) {
      const { status, error } = await ask(path, { method, token: ADMIN, headers: { accept: "text/html" } });
      expect([status, error?.code]).toEqual([404, 7_003]);
      expect(error?.message).toMatch(says);
    }
  });
});
