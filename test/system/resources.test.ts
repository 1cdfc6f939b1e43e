/**
 * A database for Workers, over HTTP: a token is made at a stand-in for Turso, written
 * into Workers of the local edge, used by them, rotated, taken out again.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  OptionsAnswer,
  ResourceAnswer,
  ResourcesAnswer,
  SecretsAnswer,
  TestAnswer,
} from "../../workers/api/contract.ts";
import { until } from "../support/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { createProject, type Project } from "../support/wrangler.ts";

const PLATFORM_TOKEN = "turso-platform-token-0123456789";
const DEADLINE_MS = 20_000;
const WORKER = "resources-reader";
/** Shows what it has: a stand-in for a client of the database. */
const CODE = `export default {
  fetch: (_, env) => new Response([env.TURSO_DATABASE_URL, env.TURSO_AUTH_TOKEN, env.OTHER].join(" ")),
};`;

let tailrace: TestStack;
let edge: NonNullable<TestStack["stack"]["edge"]>;
let project: Project;
let turso: Server;
let minted = 0;
const jwt = (n: number) => `jwt-${n}-of-the-stand-in-for-turso`;

beforeAll(async () => {
  turso = createServer((request, response) => {
    const { url = "", headers } = request;
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    if (headers.authorization !== `Bearer ${PLATFORM_TOKEN}`)
      return answer(401, { error: `no: ${headers.authorization}` });
    if (url.includes("/auth/tokens")) return answer(200, { jwt: jwt(++minted) });
    if (url.endsWith("/databases")) return answer(200, { databases: [{ Name: "carts" }] });
    return answer(200, { database: { Hostname: "carts-acme.turso.io" } });
  });
  await new Promise<void>((done) => turso.listen(0, "127.0.0.1", done));
  tailrace = await startTestStack({ demo: true });
  edge = tailrace.stack.edge as typeof edge;
  project = createProject(edge);
  project.write("src/index.js", CODE);
  const vars = `[vars]\nOTHER = "stays"\n`;
  project.write(
    "wrangler.toml",
    `name = "${WORKER}"\nmain = "src/index.js"\ncompatibility_date = "2026-11-01"\n${vars}`,
  );
  const { code, said } = await project.wrangler(["deploy"]);
  expect(code, said).toBe(0);
});
afterAll(async () => {
  project?.remove();
  await tailrace?.stop();
  await new Promise((done) => turso.close(done));
});

const values = (token = PLATFORM_TOKEN) => ({
  ...{ token, organization: "acme", database: "carts" },
  endpoint: `http://127.0.0.1:${(turso.address() as AddressInfo).port}`,
});
function api<T>(method: string, path: string, body?: unknown) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string> = sent === undefined ? {} : { "content-type": "application/json" };
  return tailrace.client.call<T & { error?: { code: string; message: string } }>(
    method,
    `/api/v1/${path}`,
    sent,
    headers,
  );
}

const visit = () =>
  fetch(`http://127.0.0.1:${new URL(tailrace.stack.shopUrl ?? "").port}/`, {
    headers: { "x-demo-worker": WORKER },
  }).then((answer) => answer.text());
const shows = (text: string) => until(visit, (said) => said === text, DEADLINE_MS);

let id: string;

test("a wrong token is told in words, and not repeated", async () => {
  const wrong = "a-wrong-token-0123456789";
  const tried = await api<TestAnswer>("POST", "destinations/test", { integration: "turso", values: values(wrong) });
  expect(tried.body).toMatchObject({ ok: false, message: expect.stringContaining("turso auth api-tokens mint") });
  expect(JSON.stringify(tried.body)).not.toContain(wrong);
});

test("what there is to choose from is asked of the service", async () => {
  const asked = { integration: "turso", field: "database", values: values() };
  expect((await api<OptionsAnswer>("POST", "resources/options", asked)).body.options).toEqual(["carts"]);
});

test("the Worker gets a token of its own and uses it; one that is not there is named", async () => {
  const workers = [WORKER, "no-such-worker"];
  const made = await api<ResourceAnswer>("POST", "resources", {
    integration: "turso",
    name: "Carts",
    values: values(),
    workers,
  });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  const { resource } = made.body;
  id = resource.id;
  expect(resource.workers).toMatchObject([
    { script: WORKER, error: null },
    { script: "no-such-worker", secrets: [], error: expect.any(String) },
  ]);
  await shows(`libsql://carts-acme.turso.io ${jwt(1)} stays`);
  const all = JSON.stringify((await api<ResourcesAnswer>("GET", "resources")).body);
  for (const secret of [PLATFORM_TOKEN, jwt(1)]) expect(all).not.toContain(secret);
});

test("choosing again leaves out what is not there, and makes no new token", async () => {
  const { token: _, ...rest } = values();
  const body = { name: "Carts", values: rest, workers: [WORKER] };
  const changed = await api<ResourceAnswer>("PUT", `resources/${id}`, body);
  expect(changed.status, JSON.stringify(changed.body)).toBe(200);
  expect(changed.body.resource.workers).toMatchObject([{ script: WORKER, error: null }]);
  expect(changed.body.resource.workers).toHaveLength(1);
  expect(minted).toBe(1);
});

test("rotating brings the Worker a new token", async () => {
  const before = minted;
  const rotated = await api<ResourceAnswer>("POST", `resources/${id}/rotate`);
  expect(rotated.status, JSON.stringify(rotated.body)).toBe(200);
  expect(minted).toBe(before + 1);
  await shows(`libsql://carts-acme.turso.io ${jwt(minted)} stays`);
  expect((await api<SecretsAnswer>("GET", "secrets")).body.unreadable).toEqual([]);
});

test("removing takes the secrets out of the Worker, and nothing else", async () => {
  expect((await api("DELETE", `resources/${id}`)).status).toBe(204);
  await shows("  stays");
  expect((await api<ResourcesAnswer>("GET", "resources")).body.resources).toEqual([]);
});
