/** Connecting an account: what is asked of Cloudflare, what is stored, and that the token is nowhere else. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditAnswer, CloudflareAnswer } from "../../../workers/api/contract.ts";
import { connectedClient, forgetConnection } from "../../../workers/cloudflare/connection.ts";
import { ADMIN, call, errorCode, logIn, makeToken } from "./client.ts";

const PATH = "/api/v1/cloudflare";
const ACCOUNT = "0123456789abcdef0123456789abcdef";
const OTHER_ACCOUNT = "fedcba9876543210fedcba9876543210";
const TOKEN = "cfut_A-Secret-That-Must-Not-Be-Seen_0123456789";

const envelope = (status: number, result: unknown, error?: { code: number; message: string }) =>
  Response.json({ success: error === undefined, errors: error ? [error] : [], messages: [], result }, { status });
const noWorker = () => envelope(404, null, { code: 10_007, message: "This Worker does not exist on your account." });
const noAuth = () => envelope(403, null, { code: 10_000, message: `Authentication error for Bearer ${TOKEN}` });

type Peer = (request: Request) => Response | Promise<Response>;
const asked: { url: string; authorization: string | null }[] = [];
let peer: Peer;
/** What the Worker prints while a test runs. */
let printed: string[];

/** Cloudflare that accepts the token for everything. */
const accepting: Peer = (request) => (request.method === "GET" ? envelope(200, {}) : noWorker());

beforeEach(async () => {
  peer = accepting;
  asked.length = 0;
  printed = [];
  forgetConnection();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    asked.push({ url: request.url, authorization: request.headers.get("authorization") });
    return peer(request);
  });
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...said) => void printed.push(said.map(String).join(" ")));
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.batch([env.DB.prepare("delete from cloudflare_accounts"), env.DB.prepare("delete from rollouts")]);
});

const put = (body: unknown = { accountId: ACCOUNT, token: TOKEN }, query = "") =>
  call(`${PATH}${query}`, { method: "PUT", token: ADMIN, body });
const read = async () => (await (await call(PATH, { token: ADMIN })).json()) as CloudflareAnswer;
const stored = async () => (await env.DB.prepare("select * from cloudflare_accounts").all()).results;
const auditOf = async () => {
  const { rows } = (await (await call("/api/v1/audit?limit=5", { token: ADMIN })).json()) as AuditAnswer;
  return rows.filter(({ action }) => action.startsWith("cloudflare."));
};

async function rollout(script: string, endedAt: number | null): Promise<void> {
  await env.DB.prepare(
    "insert into rollouts (id, script, state, started_at, ended_at, revision, row) values (?, ?, 'running', 1, ?, 1, '{}')",
  )
    .bind(`rol_${script}`, script, endedAt)
    .run();
}

describe("connecting an account", () => {
  it("asks Cloudflare first, then stores the token encrypted", async () => {
    expect(await read()).toMatchObject({ connected: false, accountId: null, tokenHint: null });
    const response = await put();
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      connected: true,
      accountId: ACCOUNT,
      tokenHint: "6789",
      problem: null,
    });
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual([
      `/client/v4/accounts/${ACCOUNT}/workers/account-settings`,
      `/client/v4/accounts/${ACCOUNT}/workers/scripts/tailrace.may-it-deploy/deployments`,
    ]);
    expect(asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    const rows = await stored();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(TOKEN);
    expect(rows[0]?.sealed_token).toMatch(/^v1\./);
    expect((await auditOf())[0]).toMatchObject({ action: "cloudflare.connect", target: ACCOUNT, actor: "bootstrap" });
  });

  it("hands out a client with that token", async () => {
    await put();
    peer = () => envelope(200, { tail_consumers: [{ service: "tailrace" }] });
    const client = await connectedClient(env);
    expect(await client?.tailConsumers("shop")).toMatchObject({ ok: true, value: ["tailrace"] });
    expect(asked.at(-1)).toEqual({
      url: `${env.CLOUDFLARE_API_BASE_URL}/accounts/${ACCOUNT}/workers/scripts/shop/script-settings`,
      authorization: `Bearer ${TOKEN}`,
    });
    expect(JSON.stringify(client)).not.toContain(TOKEN);
  });

  it.each<[string, Peer]>([
    ["may not read", noAuth],
    ["may read, but not deploy", (request) => (request.method === "GET" ? envelope(200, {}) : noAuth())],
    ["is of another account", () => envelope(404, null, { code: 7003, message: "Could not route to /accounts/x" })],
  ])("stores nothing when the token %s, and says what is missing", async (_, answers) => {
    peer = answers;
    const response = await put();
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([422, "token_refused"]);
    expect(text).toMatch(/Workers Scripts: Edit|connected account/);
    expect(text).not.toContain(TOKEN);
    expect(await stored()).toEqual([]);
  });

  it.each<[string, Peer]>([
    ["is down", () => envelope(500, null, { code: 10_013, message: "An unknown error has occurred." })],
    ["throttles", () => envelope(429, null, { code: 971, message: "Please wait" })],
    [
      "is behind a log-in page",
      () => new Response(`<html>${TOKEN}</html>`, { headers: { "content-type": "text/html" } }),
    ],
    ["cannot be reached", () => Promise.reject(new Error(`connect failed with ${TOKEN}`))],
    ["redirects", () => Response.redirect("https://elsewhere.example/")],
  ])("stores nothing while Cloudflare %s", async (_, answers) => {
    peer = answers;
    const response = await put();
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([503, "unavailable"]);
    expect(response.headers.get("retry-after")).not.toBeNull();
    expect(text).not.toContain(TOKEN);
    expect(await stored()).toEqual([]);
  });

  it("keeps the account that works when its replacement is refused", async () => {
    await put();
    peer = noAuth;
    expect((await put({ accountId: ACCOUNT, token: `${TOKEN}-worse` })).status).toBe(422);
    expect(await read()).toMatchObject({ connected: true, tokenHint: "6789" });
  });

  it("refuses what is neither an account nor a token, without repeating it", async () => {
    const bodies: unknown[] = [
      { accountId: "ACCOUNT", token: TOKEN },
      { accountId: "../../zones/x", token: TOKEN },
      { accountId: ACCOUNT, token: `${TOKEN} with a space` },
      { accountId: ACCOUNT, token: `${TOKEN}\r\nx-evil: 1` },
      { accountId: ACCOUNT, token: [TOKEN] },
      { accountId: ACCOUNT, token: TOKEN, baseUrl: "https://elsewhere.example" },
      [ACCOUNT, TOKEN],
      `{"accountId":"${ACCOUNT}","token":"${TOKEN}"`,
      TOKEN,
    ];
    for (const body of bodies) {
      const response = await put(body);
      const text = await response.text();
      expect(response.status, JSON.stringify(body)).toBe(400);
      expect(text).not.toContain(TOKEN);
    }
    expect(asked).toEqual([]);
  });

  it("is for admins; whoever reads may see that it is connected, not the token", async () => {
    await put();
    const reader = await makeToken("read");
    const seen = await call(PATH, { token: reader.token });
    const text = await seen.text();
    expect(seen.status).toBe(200);
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain("sealed");
    expect((await call(PATH, { method: "DELETE", token: reader.token })).status).toBe(403);
    const cookie = await logIn(ADMIN, "192.0.2.77");
    const forged = await call(PATH, { method: "DELETE", cookie, headers: { "sec-fetch-site": "cross-site" } });
    expect(forged.status).toBe(403);
  });
});

describe("what is stored", () => {
  it("is of no use under another account, or another key", async () => {
    await put();
    await env.DB.prepare("update cloudflare_accounts set account_id = ?").bind(OTHER_ACCOUNT).run();
    forgetConnection();
    expect((await read()).problem).toContain("cannot be decrypted");
    const client = await connectedClient(env);
    const before = asked.length;
    expect(await client?.deployments("shop")).toMatchObject({ ok: false, kind: "unauthorized" });
    expect(asked).toHaveLength(before);
  });

  it("is never sent to another API than the one that accepted it", async () => {
    await put();
    const before = asked.length;
    const moved = { ...env, DB: env.DB, CLOUDFLARE_API_BASE_URL: "https://elsewhere.example/client/v4" };
    forgetConnection();
    expect(await (await connectedClient(moved))?.deployments("shop")).toMatchObject({
      ok: false,
      kind: "unauthorized",
    });
    expect(asked).toHaveLength(before);
  });

  it("is asked about again after some minutes, once however many look; a revoked token is told", async () => {
    await put();
    const verifiedAt = (ms: number) => env.DB.prepare("update cloudflare_accounts set verified_at = ?").bind(ms).run();
    const before = asked.length;
    expect((await read()).problem).toBeNull();
    expect(asked).toHaveLength(before);
    await verifiedAt(Date.now() - 3_600_000);
    expect((await read()).verifiedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(asked).toHaveLength(before + 2);
    await put({ accountId: ACCOUNT, token: `${TOKEN}-2` });
    await verifiedAt(1);
    peer = noAuth;
    const later = asked.length;
    for (const answer of [await read(), await read(), await read()]) {
      expect(answer).toMatchObject({
        connected: true,
        verifiedAt: 1,
        problem: expect.stringContaining("does not accept"),
      });
    }
    expect(asked).toHaveLength(later + 1);
  });

  it("cannot be stored, nor read, without a key: the answer says how to make one", async () => {
    await put();
    const keyless = { ...env, TAILRACE_SECRET_KEY: undefined, DB: env.DB };
    forgetConnection();
    const client = await connectedClient(keyless);
    expect(await client?.verify()).toMatchObject({ ok: false, message: expect.stringContaining("openssl rand") });
  });

  it("is asked of D1 once in a short while; while D1 is away, guards go on with the client that was there", async () => {
    await put();
    const first = await connectedClient(env);
    const d1 = vi.spyOn(env.DB, "prepare");
    expect(await connectedClient(env)).toBe(first);
    expect(d1).not.toHaveBeenCalled();
    d1.mockImplementation(() => {
      throw new Error("D1_ERROR: away");
    });
    const start = Date.now();
    const clock = vi.spyOn(Date, "now").mockImplementation(() => start + 60_000);
    expect(await connectedClient(env)).toBe(first);
    clock.mockImplementation(() => start + 3_600_000);
    expect(await (await connectedClient(env))?.deployments("shop")).toMatchObject({ ok: false, kind: "unavailable" });
    expect(d1).toHaveBeenCalledTimes(2);
  });
});

describe("disconnecting", () => {
  it("forgets the token at once", async () => {
    await put();
    expect(await connectedClient(env)).not.toBeNull();
    const response = await call(PATH, { method: "DELETE", token: ADMIN });
    expect(await response.json()).toMatchObject({ connected: false });
    expect(await connectedClient(env)).toBeNull();
    expect(await stored()).toEqual([]);
    expect((await auditOf())[0]).toMatchObject({ action: "cloudflare.disconnect", target: ACCOUNT });
    expect((await call(PATH, { method: "DELETE", token: ADMIN })).status).toBe(200);
  });

  it("is refused while a rollout runs, unless it is forced; so is another account, but not another token", async () => {
    await put();
    await rollout("over", 2);
    await rollout("under-way", null);
    const refused = await call(PATH, { method: "DELETE", token: ADMIN });
    const text = await refused.clone().text();
    expect([refused.status, await errorCode(refused)]).toEqual([409, "rollout_running"]);
    expect(text).toContain("under-way");
    expect(text).not.toContain("over,");
    expect((await put({ accountId: OTHER_ACCOUNT, token: TOKEN })).status).toBe(409);
    expect((await put({ accountId: ACCOUNT, token: `${TOKEN}-2` })).status).toBe(200);
    expect((await put({ accountId: OTHER_ACCOUNT, token: TOKEN }, "?force=true")).status).toBe(200);
    expect(await stored()).toHaveLength(1);
    expect((await call(`${PATH}?force=true`, { method: "DELETE", token: ADMIN })).status).toBe(200);
  });
});

it("shows the token to Cloudflare and to nobody else, in a connect, a failure, and a connect", async () => {
  const answers: string[] = [];
  const keep = async (response: Response) =>
    void answers.push(JSON.stringify([...response.headers]), await response.text());
  await keep(await put());
  for (const failing of [noAuth, () => Promise.reject(new Error(TOKEN)), () => new Response(TOKEN, { status: 502 })]) {
    peer = failing;
    await keep(await put());
    const client = await connectedClient(env);
    answers.push(JSON.stringify(await client?.deployments("shop")));
    answers.push(JSON.stringify(await client?.deploy("shop", { versions: [], message: "", mode: "immediate" })));
  }
  peer = accepting;
  await keep(await put());
  for (const path of [PATH, "/api/v1/audit?limit=50", "/api/v1/settings", "/api/v1/rollouts"]) {
    await keep(await call(path, { token: ADMIN }));
  }
  const tables = await env.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
  ).all<{ name: string }>();
  for (const { name } of tables.results)
    answers.push(JSON.stringify(await env.DB.prepare(`select * from "${name}"`).all()));
  expect(answers.length).toBeGreaterThan(20);
  // Any long part of it would do harm, and its base64 as well.
  for (const secret of [TOKEN, TOKEN.slice(0, 20), TOKEN.slice(-20), btoa(TOKEN).slice(0, 40)]) {
    for (const text of [...answers, ...printed]) expect(text).not.toContain(secret);
  }
});
