/** Connecting Workers while Cloudflare, or somebody else, is not as one would wish: what stands afterwards, and what is said. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditAnswer, ConnectionAnswer, ConnectionsAnswer } from "../../../workers/api/contract.ts";
import { forgetConnection } from "../../../workers/cloudflare/connection.ts";
import { ADMIN, call, makeToken } from "./client.ts";

const PATH = "/api/v1/connections";
const ACCOUNT = "0123456789abcdef0123456789abcdef";
const TOKEN = "cfut_A-Secret-That-Must-Not-Be-Seen_0123456789";

interface Settings {
  tail_consumers: { service: string; [field: string]: unknown }[] | null;
  logpush: boolean;
}
/** What the account holds; script → settings. */
let account: Map<string, Settings>;
/** What is done in place of a call, once. */
let instead: { [call: string]: () => Response | undefined };
let patches: { script: string; body: unknown }[];
let listsTails: boolean;

const envelope = (status: number, result: unknown, code?: number) =>
  Response.json(
    { success: code === undefined, errors: code ? [{ code, message: "no" }] : [], messages: [], result },
    { status },
  );

function cloudflare(method: string, path: string, body: unknown): Response {
  const faked = instead[method]?.();
  if (faked !== undefined) return faked;
  if (path === "workers/account-settings") return envelope(200, {});
  if (path === "workers/scripts") {
    const all = [...account].map(([id, { tail_consumers }]) => (listsTails ? { id, tail_consumers } : { id }));
    return envelope(200, all);
  }
  const [, script = "", what] = /^workers\/scripts\/([^/]+)\/([\w-]+)$/.exec(path) ?? [];
  const settings = account.get(script);
  if (settings === undefined || what !== "script-settings") return envelope(404, null, 10_007);
  if (method === "PATCH") {
    patches.push({ script, body });
    Object.assign(settings, body);
  }
  return envelope(200, settings);
}

beforeEach(async () => {
  account = new Map([
    ["shop", { tail_consumers: [{ service: "other", environment: "staging", odd: 1 }], logpush: true }],
    ["own", { tail_consumers: [{ service: "tailrace" }], logpush: false }],
    ["bare", { tail_consumers: null, logpush: false }],
  ]);
  instead = {};
  patches = [];
  listsTails = true;
  forgetConnection();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    const path = new URL(request.url).pathname.split(`/accounts/${ACCOUNT}/`)[1] ?? "";
    const text = await request.text();
    return cloudflare(request.method, path, text === "" ? undefined : JSON.parse(text));
  });
  const body = { accountId: ACCOUNT, token: TOKEN };
  expect((await call("/api/v1/cloudflare", { method: "PUT", token: ADMIN, body })).status).toBe(200);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.batch(
    ["cloudflare_accounts", "worker_connections", "audit", "workers"].map((table) =>
      env.DB.prepare(`delete from ${table}`),
    ),
  );
});

type Body = ConnectionAnswer & { error?: { code: string; message: string } };
async function ask(method: string, script: string, query = ""): Promise<{ status: number; body: Body }> {
  const response = await call(`${PATH}/${script}${query}`, { method, token: ADMIN });
  return { status: response.status, body: (await response.json()) as Body };
}
const consumers = (script: string) => account.get(script)?.tail_consumers;
const rows = async () => (await env.DB.prepare("select script from worker_connections").all()).results;
const audited = async () => {
  const { rows } = (await (await call("/api/v1/audit?limit=20", { token: ADMIN })).json()) as AuditAnswer;
  return rows.filter(({ action }) => action.startsWith("worker."));
};

describe("connecting", () => {
  it("writes the list and nothing else, and whatever was in it goes back as it came", async () => {
    expect(await ask("PUT", "shop")).toMatchObject({
      status: 200,
      body: { connection: { connected: true, byTailrace: true, others: ["other (staging)"], verified: false } },
    });
    expect(patches).toEqual([
      {
        script: "shop",
        body: { tail_consumers: [{ service: "other", environment: "staging", odd: 1 }, { service: "tailrace" }] },
      },
    ]);
    expect(account.get("shop")?.logpush).toBe(true);
    expect(await audited()).toMatchObject([{ action: "worker.connect", target: "shop" }]);
  });

  it("changes nothing where the entry is", async () => {
    expect((await ask("PUT", "own")).body.connection).toMatchObject({ connected: true, byTailrace: false });
    expect(patches).toEqual([]);
    expect(await rows()).toEqual([]);
  });

  it("says so when somebody else's list stands afterwards", async () => {
    instead.PATCH = () => envelope(200, { tail_consumers: [{ service: "theirs" }] });
    const lost = await ask("PUT", "shop");
    expect(lost).toMatchObject({ status: 409, body: { error: { code: "changed_meanwhile" } } });
    expect(lost.body.error?.message).toContain("other");
    expect(await rows()).toEqual([]);
  });

  it("is done, and says so, when somebody else added one at the same moment", async () => {
    const { tail_consumers: before } = account.get("shop") as Settings;
    instead.PATCH = () => {
      const mine = [...(before ?? []), { service: "theirs" }, { service: "tailrace" }];
      Object.assign(account.get("shop") as Settings, { tail_consumers: mine });
      return envelope(200, account.get("shop"));
    };
    const done = await ask("PUT", "shop");
    expect(done.body).toMatchObject({ connection: { connected: true }, notice: expect.stringContaining("theirs") });
  });

  it("believes what it reads, not an answer that got lost", async () => {
    instead.PATCH = () => {
      delete instead.PATCH;
      cloudflare("PATCH", "workers/scripts/shop/script-settings", { tail_consumers: [{ service: "tailrace" }] });
      return envelope(500, null, 10_013);
    };
    expect((await ask("PUT", "shop")).body.connection).toMatchObject({ connected: true, byTailrace: true });
  });

  it("leaves no trace when Cloudflare says no", async () => {
    instead.PATCH = () => envelope(403, null, 10_000);
    expect(await ask("PUT", "shop")).toMatchObject({ status: 424, body: { error: { code: "cloudflare" } } });
    expect(await rows()).toEqual([]);
    expect(await audited()).toEqual([]);
  });

  it("is verified by an event that began after it", async () => {
    const item = (time: number) => ({
      ...{ event: null, eventTimestamp: time, logs: [], exceptions: [], diagnosticsChannelEvents: [] },
      ...{ scriptName: "bare", outcome: "ok", executionModel: "stateless", truncated: false, cpuTime: 1, wallTime: 1 },
    });
    const ingest = (time: number) => call("/api/v1/ingest/tail", { method: "POST", token: ADMIN, body: [item(time)] });
    expect((await ingest(Date.now() - 60_000)).status).toBe(200);
    const { connectedAt } = (await ask("PUT", "bare")).body.connection;
    expect((await ask("GET", "bare")).body.connection.verified).toBe(false);
    expect((await ingest((connectedAt ?? 0) + 1)).status).toBe(200);
    expect((await ask("GET", "bare")).body.connection).toMatchObject({
      verified: true,
      lastSeen: (connectedAt ?? 0) + 1,
    });
    const list = (await (await call(PATH, { token: ADMIN })).json()) as ConnectionsAnswer;
    expect(list.connections[0]).toMatchObject({ script: "bare", verified: true, lastSeen: (connectedAt ?? 0) + 1 });
  });

  it("is verified in the list at once, whatever was asked for before", async () => {
    const listed = async () => ((await (await call(PATH, { token: ADMIN })).json()) as ConnectionsAnswer).connections;
    const { connectedAt } = (await ask("PUT", "shop")).body.connection;
    const of = async () => (await listed()).find(({ script }) => script === "shop");
    expect(await of()).toMatchObject({ verified: false });
    const time = (connectedAt ?? 0) + 1;
    const item = {
      ...{ event: null, eventTimestamp: time, logs: [], exceptions: [], diagnosticsChannelEvents: [] },
      ...{ scriptName: "shop", outcome: "ok", executionModel: "stateless", truncated: false, cpuTime: 1, wallTime: 1 },
    };
    expect((await call("/api/v1/ingest/tail", { method: "POST", token: ADMIN, body: [item] })).status).toBe(200);
    expect(await of()).toMatchObject({ verified: true, lastSeen: time });
  });

  it("is not for Tailrace itself, for names that are none, or without an account", async () => {
    expect(await ask("PUT", "tailrace")).toMatchObject({ status: 400 });
    expect(await ask("PUT", "a%2Fb")).toMatchObject({ status: 400 });
    expect(await ask("PUT", "nobody")).toMatchObject({ status: 404 });
    await env.DB.prepare("delete from cloudflare_accounts").run();
    expect(await ask("PUT", "shop")).toMatchObject({ status: 409, body: { error: { code: "not_connected" } } });
  });
});

describe("disconnecting", () => {
  it("takes out our entry alone", async () => {
    await ask("PUT", "shop");
    expect((await ask("DELETE", "shop")).body.connection).toMatchObject({ connected: false, connectedAt: null });
    expect(consumers("shop")).toEqual([{ service: "other", environment: "staging", odd: 1 }]);
    expect(await rows()).toEqual([]);
    expect((await audited()).map(({ action }) => action)).toEqual(["worker.disconnect", "worker.connect"]);
  });

  it("leaves the entry of a Worker's own configuration, unless somebody insists", async () => {
    expect(await ask("DELETE", "own")).toMatchObject({ status: 409, body: { error: { code: "not_ours" } } });
    expect(consumers("own")).toEqual([{ service: "tailrace" }]);
    expect((await ask("DELETE", "own", "?force=true")).body.notice).toContain("next deploy");
    expect(consumers("own")).toEqual([]);
  });

  it("forgets a Worker that is gone, and one that a deploy has taken out", async () => {
    await ask("PUT", "shop");
    await ask("PUT", "bare");
    account.delete("shop");
    (account.get("bare") as Settings).tail_consumers = [];
    expect((await ask("GET", "bare")).body.connection).toMatchObject({ connected: false, byTailrace: true });
    expect((await ask("DELETE", "shop")).status).toBe(200);
    expect((await ask("DELETE", "bare")).status).toBe(200);
    expect(await rows()).toEqual([]);
    expect(patches).toHaveLength(2);
  });
});

describe("the list", () => {
  it.each([true, false])(
    "knows where tails lead, whether Cloudflare's list says it (%s) or each has to be asked",
    async (says) => {
      listsTails = says;
      await ask("PUT", "shop");
      const { token } = await makeToken("read");
      const answer = (await (await call(PATH, { token })).json()) as ConnectionsAnswer;
      expect(answer.account).toEqual({ connected: true, accountId: ACCOUNT });
      expect(answer.connections).toMatchObject([
        { script: "bare", connected: false, byTailrace: false },
        { script: "own", connected: true, byTailrace: false },
        { script: "shop", connected: true, byTailrace: true, others: ["other (staging)"] },
      ]);
      expect(JSON.stringify(answer)).not.toContain(TOKEN);
    },
  );

  it("is of the Workers that events came from, when no account is connected", async () => {
    await env.DB.batch([
      env.DB.prepare("delete from cloudflare_accounts"),
      env.DB.prepare("insert into workers (script, first_seen, last_seen) values ('seen', 1, 5), ('set', 1, 0)"),
    ]);
    const answer = (await (await call(PATH, { token: ADMIN })).json()) as ConnectionsAnswer;
    expect(answer).toMatchObject({
      account: { connected: false },
      connections: expect.arrayContaining([
        expect.objectContaining({ script: "seen", connected: false, byTailrace: false, lastSeen: 5 }),
      ]),
    });
    expect(answer.connections.map(({ script }) => script)).not.toContain("set");
  });
});
