/**
 * Secrets are planted in every integration of the catalog, and receivers that fail
 * in every way send them back. Then all that is stored is read: every table of D1,
 * every row of every Courier, every object of R2, every answer, every line of log.
 * None holds one, in no spelling.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { CatalogEntry, DeadLettersAnswer, DestinationAnswer, TestAnswer } from "../../../workers/api/contract.ts";
import type { Courier } from "../../../workers/delivery/courier.ts";
import { BatchBuilder } from "../../../workers/event/batch-builder.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";
import { INTEGRATIONS } from "../../../workers/integrations/catalog.ts";
import { ADMIN, call } from "./client.ts";

const NOW = Date.now();
const DESTINATIONS = INTEGRATIONS.filter(({ role }) => role === "destination");
const RESOURCES = INTEGRATIONS.filter(({ role }) => role === "resource");
/** Alarms after something happened: the second tries again what failed in the first. */
const ROUNDS = 2;

/** Random, as real ones; with characters that encodings change. */
const planted: string[] = [];
function plant(prefix = "", suffix = "", odd = "+/="): string {
  const random = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18)))).replace(/[^A-Za-z0-9]/g, "k");
  const secret = `${prefix}${random}${odd}${random.slice(0, 7)}${suffix}`;
  planted.push(secret);
  return secret;
}
const plantPlain = () => plant("", "", "");

/** Values that an integration's own check lets through; others are planted as they come. */
const SHAPES: Record<string, () => string> = {
  "sentry.dsn": () => `https://${plantPlain()}@sentry.example.com/42`,
  "slack.webhook_url": () => `https://hooks.slack.com/services/T0AAAAAA1/B0BBBBBB1/${plantPlain()}`,
  "discord.webhook_url": () => `https://discord.com/api/webhooks/112233445566778899/${plantPlain()}`,
  "pagerduty.routing_key": () => plantPlain().slice(0, 32).padEnd(32, "0"),
  "webhook.url": () => `https://hooks.example.com/tailrace/${plantPlain()}`,
  "webhook.secret": () => `whsec_${btoa(plantPlain())}`,
  "webhook.previous_secret": () => `whsec_${btoa(plantPlain())}`,
  "webhook.authorization": () => `Bearer ${plantPlain()}`,
  "otlp.endpoint": () => "https://otlp.example.com",
  "otlp.headers": () => `authorization: Bearer ${plantPlain()}`,
  "grafana-cloud.endpoint": () => "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp",
  "grafana-cloud.instance": () => "123456",
  "grafana-cloud.token": () => `glc_${plantPlain()}`,
  "axiom.dataset": () => "workers",
  "log-files-http.url": () => `https://logs.example.com/in/${plantPlain()}`,
  "log-files-http.headers": () => `authorization: Bearer ${plantPlain()}`,
  "log-files-r2.folder": () => "archive",
  "turso.organization": () => "acme",
  "turso.database": () => "carts",
  "momento.cache": () => "sessions",
};

function valuesFor({ id, fields }: CatalogEntry): Record<string, string> {
  const filled = fields.flatMap(({ name, secret, required, default: value }) => {
    const shape = SHAPES[`${id}.${name}`];
    if (shape !== undefined) return [[name, shape()] as const];
    if (secret) return [[name, plantPlain()] as const];
    return required ? [[name, value ?? "workers"] as const] : [];
  });
  return Object.fromEntries(filled);
}

/** What a receiver does with what it was sent: all that it knows comes back. */
type Answer = (echo: string, request: Request) => Response;
const WAYS: Record<string, Answer> = {
  refuses: (echo) => Response.json({ message: `bad request: ${echo}`, errors: [echo] }, { status: 400 }),
  "does not know the key": (echo) => new Response(`invalid key ${echo}`, { status: 403 }),
  "is gone": (echo) => new Response(echo, { status: 404 }),
  fails: (echo) => new Response(echo, { status: 503, headers: { "x-echo": "1", "retry-after": "0" } }),
  lies: (echo) => new Response(`<!doctype html>${echo}`, { status: 200, headers: { "content-type": "text/html" } }),
  redirects: (echo) =>
    new Response(null, {
      status: 302,
      headers: { location: `https://x.example.com/?${encodeURIComponent(echo).slice(0, 2_000)}` },
    }),
  "breaks the connection": (echo) => {
    throw new TypeError(`Network connection lost: ${echo}`);
  },
};

/** A service that works: Turso makes a token, Momento gives back what it was given. */
const kept = new Map<string, string>();
const WORKS: Answer = (_, request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.endsWith("/auth/tokens")) return Response.json({ jwt: plantPlain() });
  if (pathname.endsWith("/databases/carts")) return Response.json({ database: { Hostname: "carts-acme.turso.io" } });
  const key = searchParams.get("key") ?? "";
  if (request.method !== "GET") {
    kept.set(key, key);
    return new Response(null, { status: 204 });
  }
  return new Response(kept.get(key));
};

let way: Answer;
const printed: string[] = [];
const answers: string[] = [];

async function append(events: readonly TailraceEvent[]): Promise<void> {
  const builder = new BatchBuilder();
  for (const event of events) builder.push(event);
  const result = await env.INGESTER.getByName("planted").append({
    ...{ script: "planted", batchId: crypto.randomUUID(), batch: builder.encode(), rows: builder.rows },
    ...{ minTime: builder.minTime, maxTime: builder.maxTime, rollups: [], ledger: [], essential: false },
  });
  expect(result.ok).toBe(true);
}

let sequence = 0;
async function happen(): Promise<void> {
  const n = ++sequence;
  const shared = {
    ...{ script: "planted", invocation_id: (NOW * 1_000 + n).toString(16).padStart(32, "0"), sample_weight: 1 },
    ...{ time: (Date.now() + 10) * 1_000, outcome: "exception", status: 500 },
  };
  const own: Partial<TailraceEvent>[] = [
    { kind: "invocation", message: "GET /pay" },
    { kind: "log", level: "error", message: "paying failed" },
    { kind: "exception", level: "error", name: "TypeError", message: "no card", stack: "    at pay (worker.js:1:1)" },
  ];
  await append(own.map((event, seq) => ({ ...shared, ...event, seq }) as TailraceEvent));
  const detail = { type: "TypeError", title: "no card", culprit: "", version: { id: "", tag: "", message: "" } };
  await env.DB.prepare(
    "insert into notifications (at, kind, issue_id, occasion, script, detail) values (?, 'issue.new', ?, 0, 'planted', ?)",
  )
    .bind(Date.now() + 10, n, JSON.stringify(detail))
    .run();
}

async function api<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const response = await call(path, { method, token: ADMIN, body });
  const text = await response.text();
  answers.push(text);
  return JSON.parse(text) as T;
}

const courierOf = (id: string) => env.COURIERS.getByName(id) as unknown as DurableObjectStub<Courier>;

/** As time would: whatever it waits for, it tries now. */
async function work(id: string): Promise<void> {
  const courier = courierOf(id);
  for (let i = 0; i < ROUNDS; i++) {
    await courier.nudge([{ kind: "log", shard: "planted", script: "planted", errors: true }, { kind: "notices" }]);
    await courier.retryNow();
    await runDurableObjectAlarm(courier);
  }
}

const ids: string[] = [];
let requests = 0;
const echoed = new Set<string>();

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as string, init as RequestInit);
    requests++;
    const body = await request.clone().arrayBuffer();
    const echo = JSON.stringify([
      request.url,
      [...request.headers],
      new TextDecoder("latin1").decode(body).slice(0, 4_000),
    ]);
    for (const secret of planted) if (spellings(secret).some((text) => echo.includes(text))) echoed.add(secret);
    return way(echo, request);
  });
  for (const level of ["debug", "log", "info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((...said) => void printed.push(said.map(String).join(" ")));

  for (const integration of DESTINATIONS) {
    const values = valuesFor(integration);
    const body = { integration: integration.id, name: `planted ${integration.id}`, values, rules: {} };
    way = WAYS.fails as Answer;
    const made = await api<DestinationAnswer>("/api/v1/destinations", "POST", body);
    expect(made.destination, `${integration.id}: ${answers.at(-1)}`).toBeDefined();
    const { id } = made.destination;
    ids.push(id);
    await work(id);
    for (const [name, next] of Object.entries(WAYS)) {
      way = next;
      const tested = await api<TestAnswer>("/api/v1/destinations/test", "POST", {
        id,
        integration: integration.id,
        values,
      });
      // Whoever takes any 2xx for an answer cannot see that a page lies.
      const mayPass = integration.id === "log-files-r2" || name === "lies";
      if (!mayPass) expect(tested.ok, `${integration.id} ${name}`).toBe(false);
      await happen();
      await work(id);
      await api(`/api/v1/destinations/${id}`);
    }
    const { destination } = await api<DestinationAnswer>(`/api/v1/destinations/${id}`);
    const { name, rules } = destination;
    await api(`/api/v1/destinations/${id}`, "PUT", { name, rules, values: valuesFor(integration) });
    way = WAYS.refuses as Answer;
    await happen();
    await work(id);
    const letters = await api<DeadLettersAnswer>(`/api/v1/destinations/${id}/dead-letters`);
    for (const letter of letters.deadLetters.slice(0, 3))
      await api(`/api/v1/destinations/${id}/dead-letters/${letter.id}`);
    await api(`/api/v1/destinations/${id}/dead-letters/replay`, "POST", { ids: "all" });
    await api(`/api/v1/destinations/${id}/pause`, "POST");
  }
  for (const integration of RESOURCES) {
    const values = valuesFor(integration);
    for (const next of Object.values(WAYS)) {
      way = next;
      const body = { integration: integration.id, name: "planted resource", values, workers: [] };
      expect(await api("/api/v1/resources", "POST", body)).toHaveProperty("error");
      await api("/api/v1/destinations/test", "POST", { integration: integration.id, values });
    }
    way = WORKS;
    const body = { integration: integration.id, name: `planted ${integration.id}`, values, workers: [] };
    expect(await api("/api/v1/resources", "POST", body), answers.at(-1)).toHaveProperty("resource");
  }
  await api("/api/v1/resources");
  await api("/api/v1/destinations");
  await api("/api/v1/audit?limit=200");
  await api("/api/v1/secrets");
}, 240_000);

/** Before the network is the real one again: what waits would go on. */
afterAll(async () => {
  for (const id of ids) await call(`/api/v1/destinations/${id}`, { method: "DELETE", token: ADMIN });
  vi.restoreAllMocks();
});

/** As it is, URL-encoded, form-encoded, in JSON, in base64 of both alphabets at any alignment, in hex. */
function spellings(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const text = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes));
    // Without what its neighbours have a part in.
    return text.slice(shift === 0 ? 0 : 4, Math.floor(((shift + bytes.length) * 4) / 3) - 1);
  });
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const form = new URLSearchParams({ k: secret }).toString().slice(2);
  const url = [...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
  return [secret, encodeURIComponent(secret), form, JSON.stringify(secret).slice(1, -1), hex, ...url];
}

function found(text: string): string[] {
  return planted.filter((secret) => spellings(secret).some((spelled) => text.includes(spelled)));
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Blobs as text, byte by byte. */
function textOf(rows: readonly Record<string, unknown>[]): string {
  return JSON.stringify(rows, (_, value) =>
    value instanceof ArrayBuffer || ArrayBuffer.isView(value) || isBytes(value) ? latin1(value) : value,
  );
}
const isBytes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((n) => typeof n === "number");
const latin1 = (value: ArrayBuffer | ArrayBufferView | number[]) =>
  new TextDecoder("latin1").decode(Array.isArray(value) ? Uint8Array.from(value) : (value as ArrayBuffer));

async function tablesOfD1(): Promise<Map<string, string>> {
  const tables = await env.DB.prepare("select name from sqlite_master where type = 'table'").all<{ name: string }>();
  const texts = new Map<string, string>();
  for (const { name } of tables.results) {
    if (name.startsWith("_cf_")) continue;
    const { results } = await env.DB.prepare(`select * from ${quoted(name)}`).all();
    texts.set(name, textOf(results));
  }
  return texts;
}

async function rowsOf(id: string): Promise<Map<string, string>> {
  return runInDurableObject(courierOf(id), async (_, { storage }) => {
    const texts = new Map<string, string>();
    const tables = storage.sql.exec<{ name: string }>("select name from sqlite_master where type = 'table'").toArray();
    for (const { name } of tables) {
      if (name.startsWith("_cf_")) continue;
      texts.set(name, textOf(storage.sql.exec(`select * from ${quoted(name)}`).toArray()));
    }
    texts.set("key-value", JSON.stringify([...(await storage.list())]));
    return texts;
  });
}

describe("a planted secret", () => {
  it("was really sent, and sent back: the test looks for what there is", () => {
    expect(requests).toBeGreaterThan(DESTINATIONS.length * 10);
    // Keys that sign are never sent.
    const sent = planted.filter((secret) => echoed.has(secret)).length;
    expect(sent).toBeGreaterThan(planted.length / 2);
  });

  it("is in no row of D1, where much else of the destinations is", async () => {
    const texts = await tablesOfD1();
    expect(texts.get("destinations")).toContain("planted sentry");
    expect(texts.get("resources")).toContain("planted turso");
    expect(texts.size).toBeGreaterThan(20);
    for (const [name, text] of texts) expect(found(text), name).toEqual([]);
  });

  it("is in no row of a Courier, dead letters and errors among them", async () => {
    let rows = "";
    for (const id of ids)
      for (const [name, text] of await rowsOf(id)) {
        rows += text;
        expect(found(text), `${id} ${name}`).toEqual([]);
      }
    // They do hold what failed, and what the receivers said.
    expect(rows).toContain("no card");
    expect(rows).toContain("[secret]");
  });

  it("is in no object of the bucket", async () => {
    for (const { key } of (await env.BUCKET.list()).objects) {
      const object = await env.BUCKET.get(key);
      expect(found(key + latin1(await (object as R2ObjectBody).arrayBuffer())), key).toEqual([]);
    }
  });

  it("is in no answer and no line of log", () => {
    expect(answers.length).toBeGreaterThan(DESTINATIONS.length * 10);
    for (const text of [...answers, ...printed]) expect(found(text), text.slice(0, 500)).toEqual([]);
  });
});
