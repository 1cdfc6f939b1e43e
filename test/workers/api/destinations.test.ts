/** Destinations over the API: what is checked before anything is stored, and that a secret goes in and never comes out. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type {
  AuditAnswer,
  DestinationAnswer,
  DestinationsAnswer,
  NewDestination,
  TestAnswer,
} from "../../../workers/api/contract.ts";
import { write } from "../../../workers/api/destinations/save.ts";
import { Engine } from "../../../workers/delivery/courier/engine.ts";
import { MAX_DESTINATIONS, readDestination, type StoredDestination } from "../../../workers/delivery/destinations.ts";
import { ADMIN, call, makeToken } from "./client.ts";

const PATH = "/api/v1/destinations";
/** Of 32 bytes; what no answer, row or log may hold. */
const SECRET = `whsec_${btoa("a secret that must not be seen!!")}`;
const KEY = "a-key-that-must-not-be-seen-0123456789";

const asked: { url: string; body: string; headers: Headers }[] = [];
let answer: () => Response;
let printed: string[];

beforeEach(() => {
  asked.length = 0;
  printed = [];
  answer = () => new Response("{}", { status: 200 });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    asked.push({ url: request.url, body: await request.text(), headers: request.headers });
    return answer();
  });
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...said) => void printed.push(said.map(String).join(" ")));
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  const { destinations } = await list();
  for (const { id, failoverTo } of destinations) if (failoverTo !== null) await put(id, { failoverTo: null });
  for (const { id } of destinations) await call(`${PATH}/${id}`, { method: "DELETE", token: ADMIN });
});

const WEBHOOK: NewDestination = {
  integration: "webhook",
  name: "Our hook",
  values: { url: "https://hooks.example.com/tailrace", secret: SECRET },
  rules: {},
};
const OTLP: NewDestination = {
  integration: "otlp",
  name: "Our collector",
  values: { endpoint: "https://otlp.example.com", headers: `authorization: Bearer ${KEY}` },
  rules: { feeds: ["logs", "traces"] },
};

type Refused = { error: { code: string; message: string; details?: { problems?: Record<string, string> } } };
const read = async <T>(response: Response) => (await response.json()) as T;
const list = async () => read<DestinationsAnswer>(await call(PATH, { token: ADMIN }));
const post = (body: unknown, token = ADMIN) => call(PATH, { method: "POST", token, body });

async function made(body: NewDestination) {
  const response = await post(body);
  expect(response.status, await response.clone().text()).toBe(201);
  return (await read<DestinationAnswer>(response)).destination;
}
/** As it is, with changes. */
async function put(id: string, changes: Partial<NewDestination>): Promise<Response> {
  const { destination } = await read<DestinationAnswer>(await call(`${PATH}/${id}`, { token: ADMIN }));
  const { name, values, rules, standby, failoverTo } = destination;
  return call(`${PATH}/${id}`, {
    method: "PUT",
    token: ADMIN,
    body: { name, values, rules, standby, failoverTo, ...changes },
  });
}
async function problems(response: Response): Promise<Record<string, string>> {
  const body = await read<Refused>(response);
  expect(body.error, JSON.stringify(body)).toMatchObject({ code: "bad_fields" });
  expect(response.status).toBe(422);
  return body.error.details?.problems ?? {};
}
const stored = async () => JSON.stringify((await env.DB.prepare("select * from destinations").all()).results);
const auditOf = async () => {
  const { rows } = await read<AuditAnswer>(await call("/api/v1/audit?limit=50", { token: ADMIN }));
  return rows.filter(({ action }) => action.startsWith("destination."));
};

describe("a new destination", () => {
  it("is stored with its rules filled in, and told without its secrets", async () => {
    const row = await made(WEBHOOK);
    expect(row).toMatchObject({
      ...{ integration: "webhook", name: "Our hook", state: "enabled", standby: false, failoverTo: null },
      ...{ values: {}, secretsSet: ["secret", "url"], hosts: { url: "hooks.example.com" } },
      rules: { feeds: ["notices"], otherwise: 1, workers: [] },
    });
    expect((await list()).destinations.map(({ id }) => id)).toEqual([row.id]);
  });

  it("holds its secret nowhere where somebody could read it", async () => {
    const { id } = await made({ ...WEBHOOK, values: { ...WEBHOOK.values, url: `https://hooks.example.com/${KEY}` } });
    await put(id, { values: { url: `https://hooks.example.com/other/${KEY}` } });
    const answers = await Promise.all(
      [PATH, `${PATH}/${id}`, "/api/v1/audit", "/api/v1/secrets", "/api/v1/integrations"].map(async (path) =>
        (await call(path, { token: ADMIN })).text(),
      ),
    );
    const raw = SECRET.slice("whsec_".length);
    for (const text of [...answers, await stored(), ...printed]) {
      expect(text).not.toContain(raw);
      expect(text).not.toContain(KEY);
    }
    expect(await stored()).toContain("v1.");
  });

  it.each<[string, Partial<NewDestination>, string, RegExp]>([
    ["a needed field is missing", { values: { secret: SECRET } }, "url", /needed/],
    ["a secret cannot be one", { values: { ...WEBHOOK.values, secret: "short" } }, "secret", /whsec_/],
    ["a field is not one of it", { values: { ...WEBHOOK.values, uri: "x" } }, "uri", /no field/],
    ["the address is no URL", { values: { ...WEBHOOK.values, url: "hooks" } }, "url", /not a URL/],
    [
      "an address that everybody sees holds a credential",
      { ...OTLP, values: { endpoint: "https://o.example.com/?tok=a" } },
      "endpoint",
      /secret/,
    ],
    ["the address is private", { values: { ...WEBHOOK.values, url: "https://10.0.0.1/" } }, "url", /public/],
    ["the address is not https", { values: { ...WEBHOOK.values, url: "http://example.com/" } }, "url", /https/],
    ["the failover is not there", { failoverTo: "dst_nobody" }, "failoverTo", /no destination/],
    ["a standby has a failover", { failoverTo: "dst_nobody", standby: true }, "failoverTo", /standby/i],
    ["it would begin tomorrow", { backfillFrom: Date.now() + 86_400_000 }, "backfillFrom", /past/],
  ])("is refused with what to do when %s", async (_, change, field, message) => {
    expect((await problems(await post({ ...WEBHOOK, ...change })))[field]).toMatch(message);
    expect((await list()).destinations).toEqual([]);
  });

  it("is there once when it is asked for twice at once", async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post({ ...WEBHOOK, name: "At once" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422]);
    expect((await list()).destinations).toHaveLength(1);
    const created = (await auditOf()).filter(({ action }) => action === "destination.create");
    expect(created.filter(({ detail }) => JSON.stringify(detail).includes("At once"))).toHaveLength(1);
  });

  it("is refused when its rules ask for what it cannot take", async () => {
    expect(Object.keys(await problems(await post({ ...WEBHOOK, rules: { feeds: ["logs"] } })))).not.toEqual([]);
  });

  it("needs a name of its own, an integration that there is, and a body that fits", async () => {
    await made(WEBHOOK);
    expect((await problems(await post({ ...WEBHOOK, name: "our HOOK " }))).name).toMatch(/already/);
    expect((await post({ ...WEBHOOK, integration: "nothing" })).status).toBe(404);
    expect((await post({ ...WEBHOOK, integration: "turso", name: "A database" })).status).toBe(400);
    expect((await post({ ...WEBHOOK, name: " " })).status).toBe(400);
    expect((await post({ ...WEBHOOK, surprise: 1 })).status).toBe(400);
    expect((await post([])).status).toBe(400);
  });

  it("is an admin's to make; who reads sees it", async () => {
    const { token } = await makeToken("read");
    expect((await post(WEBHOOK, token)).status).toBe(403);
    const { id } = await made(WEBHOOK);
    expect((await call(`${PATH}/${id}`, { token })).status).toBe(200);
    expect((await call(`${PATH}/${id}/pause`, { method: "POST", token })).status).toBe(403);
  });
});

describe("a change", () => {
  it("keeps the secrets that are left out, and takes away those that are emptied", async () => {
    const { id } = await made({ ...WEBHOOK, values: { ...WEBHOOK.values, authorization: `Bearer ${KEY}` } });
    const kept = await put(id, { name: "Renamed" });
    expect((await read<DestinationAnswer>(kept)).destination).toMatchObject({
      ...{ name: "Renamed", secretsSet: ["authorization", "secret", "url"] },
      hosts: { url: "hooks.example.com" },
    });
    const emptied = await put(id, { values: { url: WEBHOOK.values.url as string, authorization: "" } });
    expect((await read<DestinationAnswer>(emptied)).destination.secretsSet).toEqual(["secret", "url"]);
    const without = await put(id, { values: { url: WEBHOOK.values.url as string, secret: "" } });
    expect((await problems(without)).secret).toMatch(/needed/);
  });

  it("does not take a stored secret along to another host, but to another path of the same", async () => {
    const { id } = await made(WEBHOOK);
    expect((await put(id, { values: { url: "https://hooks.example.com/elsewhere" } })).status).toBe(200);
    const moved = await problems(await put(id, { values: { url: "https://evil.example.net/tailrace" } }));
    expect(moved.secret).toMatch(/again/);
    expect((await put(id, { values: { url: "https://evil.example.net/", secret: SECRET } })).status).toBe(200);
  });

  it("does not let failovers run in a circle, or take over for what they cannot take", async () => {
    const a = await made({ ...OTLP, name: "A" });
    const b = await made({ ...OTLP, name: "B", failoverTo: a.id });
    expect((await problems(await put(a.id, { failoverTo: b.id }))).failoverTo).toMatch(/B → this one/);
    expect((await problems(await put(a.id, { failoverTo: a.id }))).failoverTo).toMatch(/itself/);
    const hook = await made(WEBHOOK);
    expect((await problems(await put(a.id, { failoverTo: hook.id }))).failoverTo).toMatch(/cannot take logs, traces/);
  });

  it("is written down without values", async () => {
    const { id } = await made(WEBHOOK);
    await put(id, { values: { url: "https://hooks.example.com/b", authorization: KEY } });
    await call(`${PATH}/${id}/pause`, { method: "POST", token: ADMIN });
    const rows = (await auditOf()).filter(({ target }) => target === id);
    expect(rows.map(({ action }) => action)).toEqual([
      ...["destination.pause", "destination.update", "destination.create"],
    ]);
    expect(rows[1]?.detail).toMatchObject({ changed: ["authorization", "url"] });
    expect(JSON.stringify(rows)).not.toContain("hooks.example.com");
  });

  it("that only pauses leaves secrets alone that are sealed anew meanwhile; one that came too late is not written down", async () => {
    const { id } = await made(WEBHOOK);
    const before = (await readDestination(env, id)) as StoredDestination;
    await env.DB.prepare("update destinations set sealed = '{}' where id = ?").bind(id).run();
    const entry = { action: "destination.pause", actor: "test", detail: {} } as const;
    expect(await write(env, before, { ...before, state: "paused" }, entry)).toMatchObject({ ok: true });
    expect(await readDestination(env, id)).toMatchObject({ state: "paused", revision: 2 });
    expect((await readDestination(env, id))?.sealed).toEqual({});
    expect(await write(env, before, { ...before, state: "paused" }, entry)).toMatchObject({ ok: false });
    expect((await auditOf()).filter(({ target }) => target === id).map(({ action }) => action)).toEqual([
      ...["destination.pause", "destination.create"],
    ]);
  });

  it("pauses, resumes, and says what a paused one cannot do", async () => {
    const { id } = await made(WEBHOOK);
    const turn = (verb: string) => call(`${PATH}/${id}/${verb}`, { method: "POST", token: ADMIN });
    expect((await read<DestinationAnswer>(await turn("pause"))).destination).toMatchObject({
      ...{ state: "paused", health: { condition: "paused" } },
    });
    expect((await turn("retry")).status).toBe(400);
    expect((await read<DestinationAnswer>(await turn("resume"))).destination.state).toBe("enabled");
    expect((await turn("retry")).status).toBe(200);
  });
});

describe("a back-fill", () => {
  it("is of the past, and is said to be under way", async () => {
    const { id } = await made(OTLP);
    const fill = (body: unknown) => call(`${PATH}/${id}/backfill`, { method: "POST", token: ADMIN, body });
    const now = Date.now();
    expect((await problems(await fill({ from: now + 60_000 }))).from).toMatch(/past/);
    expect((await problems(await fill({ from: now - 1_000, to: now - 2_000 }))).from).toMatch(/ends/);
    expect((await fill({ from: "yesterday" })).status).toBe(400);
    expect((await fill({ from: now - 3_600_000 })).status).toBe(200);
    expect((await auditOf())[0]).toMatchObject({ action: "destination.backfill", target: id });
  });
});

describe("the number of destinations", () => {
  it("is bounded, and the refusal says so", async () => {
    const rows = Array.from({ length: MAX_DESTINATIONS }, (_, n) => n);
    await env.DB.prepare(
      "insert into destinations (id, integration, name, state, rules, field_values, sealed, revision, created_at, created_by, updated_at) select 'full' || value, 'webhook', 'Full ' || value, 'paused', '{}', '{}', '{}', 1, 1, 'test', 1 from json_each(?)",
    )
      .bind(JSON.stringify(rows))
      .run();
    const refused = await post(WEBHOOK);
    expect(await read<Refused>(refused)).toMatchObject({
      error: { code: "limit_reached", message: expect.stringContaining(String(MAX_DESTINATIONS)) },
    });
    await env.DB.prepare("delete from destinations where id = 'full0'").run();
    const answers = await Promise.all(["A", "B", "C"].map((name) => post({ ...WEBHOOK, name })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    await env.DB.prepare("delete from destinations where id like 'full%'").run();
  });
});

describe("a key that does not open what is stored", () => {
  /** As if it had been sealed under a key that is not there any more. */
  const strange = (id: string) =>
    env.DB.prepare("update destinations set sealed = replace(sealed, 'v1.', 'v1.00000000x') where id = ?")
      .bind(id)
      .run();

  it("takes nothing away behind somebody's back: it is entered again, or taken out on purpose", async () => {
    const { id } = await made(OTLP);
    await strange(id);
    const before = await stored();
    const found = await problems(await put(id, { name: "Other name" }));
    expect(found.headers).toMatch(/again/);
    expect(await stored()).toBe(before);
    const said = await call(`${PATH}/test`, {
      ...{
        method: "POST",
        token: ADMIN,
        body: { id, integration: "otlp", values: { endpoint: OTLP.values.endpoint } },
      },
    });
    expect(await read<TestAnswer>(said)).toMatchObject({ ok: false, problems: { headers: expect.any(String) } });
    expect(asked).toEqual([]);
    const out = await put(id, { values: { ...OTLP.values, headers: "" } });
    expect((await read<DestinationAnswer>(out)).destination.secretsSet).toEqual([]);
  });
});

describe("a failover", () => {
  it("that is paused, resumed or changed is told to those that it takes over for", async () => {
    const a = await made({ ...OTLP, name: "A" });
    const b = await made({ ...OTLP, name: "B", failoverTo: a.id });
    await made({ ...OTLP, name: "C" });
    const told = vi.spyOn(Engine.prototype, "refreshFailover");
    const names = () => told.mock.contexts.splice(0).map((engine) => (engine as Engine).id);
    for (const turn of ["pause", "resume"]) {
      await call(`${PATH}/${a.id}/${turn}`, { method: "POST", token: ADMIN });
      expect(names()).toEqual([b.id]);
    }
    await put(a.id, { name: "A renamed" });
    expect(names()).toEqual([b.id]);
    await put(b.id, { name: "B renamed" });
    expect(names()).toEqual([]);
  });
});

describe("a removed destination", () => {
  it("is gone, unless another one leans on it", async () => {
    const a = await made({ ...OTLP, name: "A" });
    const b = await made({ ...OTLP, name: "B", failoverTo: a.id });
    const refused = await call(`${PATH}/${a.id}`, { method: "DELETE", token: ADMIN });
    expect(await read<Refused>(refused)).toMatchObject({
      error: { code: "in_use", message: expect.stringContaining("B") },
    });
    expect((await call(`${PATH}/${b.id}`, { method: "DELETE", token: ADMIN })).status).toBe(204);
    expect((await call(`${PATH}/${a.id}`, { method: "DELETE", token: ADMIN })).status).toBe(204);
    expect((await call(`${PATH}/${a.id}`, { token: ADMIN })).status).toBe(404);
  });
});

describe("a test", () => {
  const test = async (body: unknown) =>
    read<TestAnswer>(await call(`${PATH}/test`, { method: "POST", token: ADMIN, body }));
  const { integration, values } = WEBHOOK;

  it("is a real round trip, and stores nothing", async () => {
    expect(await test({ integration, values })).toMatchObject({ ok: true });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe(values.url);
    expect(asked[0]?.body).toContain("tailrace.test");
    expect((await list()).destinations).toEqual([]);
  });

  it("says what the receiver said, without the secret that it was sent", async () => {
    answer = () => new Response(`who is ${KEY}, and what is ${SECRET}?`, { status: 401 });
    const said = await test({ integration, values: { ...values, authorization: KEY } });
    expect(said.ok).toBe(false);
    expect(said.message).not.toContain(KEY);
    expect(said.message).not.toContain(SECRET);
  });

  it.each([
    ["webhook", 500, /^[^.]*500: oops\. The trouble is at the receiver/],
    ["webhook", 401, /key/],
    ["log-files-http", 401, /^Status 401: oops\. Check the headers/],
    ["log-files-http", 500, /^Status 500: oops\. The trouble is at the receiver/],
    ["log-files-http", 400, /^Status 400: oops\. Check what is filled in/],
  ])("of %s that is answered %d says what to do, and not that it is tried again", async (of, status, expected) => {
    answer = () => new Response("oops.", { status });
    const { url = "", secret = "" } = values;
    const said = await test({ integration: of, values: of === "webhook" ? { url, secret } : { url } });
    expect(said).toMatchObject({ ok: false, message: expect.stringMatching(expected) });
    expect(said.message).not.toMatch(/tried again|\.\.|\. \./);
  });

  it("sends nothing when a field is wrong", async () => {
    const said = await test({ integration, values: { ...values, url: "http://169.254.169.254/latest" } });
    expect(said).toMatchObject({ ok: false, problems: { url: expect.stringContaining("https") } });
    expect(asked).toEqual([]);
  });

  it("uses the stored secret for the stored host only", async () => {
    const { id } = await made({ ...WEBHOOK, values: { ...values, authorization: `Bearer ${KEY}` } });
    expect(await test({ id, integration, values: { url: `${values.url}/new` } })).toMatchObject({ ok: true });
    expect(asked[0]?.headers.get("authorization")).toBe(`Bearer ${KEY}`);
    const moved = await test({ id, integration, values: { url: "https://evil.example.net/" } });
    expect(moved).toMatchObject({ ok: false, problems: { secret: expect.stringMatching(/again/) } });
    expect(asked).toHaveLength(1);
  });
});

describe("dead letters", () => {
  it("of a destination that is not there are not asked for", async () => {
    expect((await call(`${PATH}/dst_nobody/dead-letters`, { token: ADMIN })).status).toBe(404);
  });

  it("are listed, and refuse what is no selection and no item", async () => {
    const { id } = await made(WEBHOOK);
    const page = await call(`${PATH}/${id}/dead-letters?limit=10`, { token: ADMIN });
    expect(await page.json()).toEqual({ deadLetters: [], total: 0 });
    const send = (path: string, method: string, body: unknown) =>
      call(`${PATH}/${id}/dead-letters${path}`, { method, token: ADMIN, body });
    expect((await send("/1", "PUT", { item: "{}" })).status).toBe(404);
    expect((await send("/1", "PUT", { item: "[]" })).status).toBe(400);
    expect((await send("/replay", "POST", { ids: [] })).status).toBe(400);
    expect(await (await send("/discard", "POST", { ids: "all" })).json()).toMatchObject({ changed: 0 });
  });

  it("that are edited into nonsense are refused with what is wrong", async () => {
    const { id } = await made(WEBHOOK);
    await call(`${PATH}/${id}/pause`, { method: "POST", token: ADMIN });
    const invocation_id = "0".repeat(32);
    const event = { time: 1, kind: "log", script: "shop", invocation_id, seq: 1, sample_weight: 1, message: "x" };
    const item = { id: invocation_id, feed: "logs", tags: {}, event };
    const whole = { ...item, invocation: { script: "shop", id: invocation_id, events: [event] } };
    await runInDurableObject(env.COURIERS.getByName(id), (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO dead_letters (id, at, script, feed, title, failure, tries, bytes, item)
          VALUES (1, 1, 'shop', 'logs', 'x', '{"kind":"refused","status":400,"message":"no"}', 1, 1, ?)`,
        JSON.stringify(whole),
      );
    });
    const edit = (changes: object) => {
      const body = { item: JSON.stringify({ ...whole, event: { ...event, ...changes } }) };
      return call(`${PATH}/${id}/dead-letters/1`, { method: "PUT", token: ADMIN, body });
    };
    const nonsense = { time: -1e18, kind: "invocation", attributes: null, message: 7, stack: [1] };
    expect(await problems(await edit(nonsense))).toEqual({ item: expect.stringMatching(/^event\.time must be/) });
    expect(await problems(await edit({ kind: "nonsense" }))).toEqual({ item: expect.stringMatching(/^event\.kind/) });
    expect((await edit({ message: "mended" })).status).toBe(200);
  });
});
