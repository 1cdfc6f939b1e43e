/** Turso and Momento over real HTTP, against stand-ins that answer as their documentation says, and as it does not. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRequest } from "../../../workers/delivery/egress/request.ts";
import momento from "../../../workers/integrations/catalog/momento.ts";
import turso from "../../../workers/integrations/catalog/turso.ts";
import type { Io, Values } from "../../../workers/integrations/contract.ts";

const KEY = "a-platform-token-0123456789";
const JWT = "eyJhbGciOiJFZERTQSJ9.eyJhIjoicncifQ.c2lnbmF0dXJl";

interface Asked {
  method: string;
  path: string;
  authorization: string | undefined;
  body: string;
}
type Answer = { status?: number; body?: string };

let server: Server;
let asked: Asked[];
let answer: (asked: Asked) => Answer;
let url: string;

beforeEach(async () => {
  asked = [];
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, authorization: headers.authorization, body: Buffer.concat(chunks).toString() };
    asked.push(one);
    const { status = 200, body = "" } = answer(one);
    response.writeHead(status).end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((done) => server.close(done));
});

const io = { request: createRequest({ allowLoopback: true, secrets: [KEY] }), now: () => Date.now() } as unknown as Io;
const asJson = (value: unknown): Answer => ({ body: JSON.stringify(value) });
const said = (result: { ok: boolean; failure?: { message: string; kind: string } }) =>
  result.ok ? "ok" : `${result.failure?.kind}: ${result.failure?.message}`;

describe("Turso", () => {
  const values = (more: Values = {}): Values => ({
    token: KEY,
    organization: "acme",
    database: "carts",
    endpoint: url,
    ...more,
  });
  const works = ({ method, path }: Asked): Answer => {
    if (path === "/v1/organizations") return asJson([{ slug: "acme" }, { slug: "acme-eu" }]);
    if (path === "/v1/organizations/acme/databases")
      return asJson({ databases: [{ Name: "carts" }, { Name: "users" }] });
    if (path === "/v1/organizations/acme/databases/carts" && method === "GET")
      return asJson({ database: { Name: "carts", Hostname: "carts-acme.turso.io" } });
    if (path.startsWith("/v1/organizations/acme/databases/carts/auth/tokens?") && method === "POST")
      return asJson({ jwt: JWT });
    if (path === "/v1/organizations/acme/databases/carts/auth/rotate" && method === "POST") return {};
    return { status: 404, body: '{"error":"could not find it"}' };
  };
  const minted = () => asked.filter(({ path }) => path.includes("/auth/tokens?")).map(({ path }) => path.split("?")[1]);

  it("is tried by looking the database up and minting a token that ends soon", async () => {
    answer = works;
    const result = await turso.test(values(), io);
    expect(result).toEqual({ ok: true, message: "Turso has carts at carts-acme.turso.io, and made a token for it." });
    expect(asked.every(({ authorization }) => authorization === `Bearer ${KEY}`)).toBe(true);
    expect(minted()).toEqual(["expiration=10m&authorization=full-access"]);
  });

  it("gives Workers the database's address and a token of its own, never the platform's", async () => {
    answer = works;
    expect(await turso.obtain(values({ authorization: "read-only", expiration: "90d" }), io, false)).toEqual({
      ok: true,
      secrets: { TURSO_DATABASE_URL: "libsql://carts-acme.turso.io", TURSO_AUTH_TOKEN: JWT },
    });
    expect(minted()).toEqual(["expiration=90d&authorization=read-only"]);
    const other = await turso.obtain(values({ prefix: "CARTS" }), io, false);
    expect(other.ok && Object.keys(other.secrets)).toEqual(["CARTS_DATABASE_URL", "CARTS_AUTH_TOKEN"]);
    expect(turso.usage({ prefix: "CARTS" }).code).toContain("env.CARTS_AUTH_TOKEN");
  });

  it("ends earlier tokens when rotating only where that was chosen, and not before it can make another", async () => {
    answer = works;
    await turso.obtain(values(), io, true);
    expect(asked.some(({ path }) => path.endsWith("/auth/rotate"))).toBe(false);
    asked.length = 0;
    await turso.obtain(values({ revoke: "true" }), io, true);
    expect(asked.map(({ path }) => path.split("/").at(-1)?.split("?")[0])).toEqual([
      "carts",
      "tokens",
      "rotate",
      "tokens",
    ]);
    answer = (one) => (one.path.includes("/tokens") ? { status: 403, body: '{"error":"may not mint"}' } : works(one));
    asked.length = 0;
    expect(said(await turso.obtain(values({ revoke: "true" }), io, true))).toContain("may not mint");
    expect(asked.some(({ path }) => path.endsWith("/auth/rotate"))).toBe(false);
  });

  it("offers organizations and databases to choose from", async () => {
    answer = works;
    expect(await turso.options?.("organization", values(), io)).toEqual({ ok: true, options: ["acme", "acme-eu"] });
    expect(await turso.options?.("database", values(), io)).toEqual({ ok: true, options: ["carts", "users"] });
    expect(await turso.options?.("database", values({ organization: "" }), io)).toEqual({ ok: true, options: [] });
    answer = () => asJson({ organizations: [{ slug: "acme" }] });
    expect(await turso.options?.("organization", values(), io)).toEqual({ ok: true, options: ["acme"] });
  });

  it("that refuses, fails or lies is told in words, without the token", async () => {
    const cases: [Answer, RegExp][] = [
      [{ status: 401, body: `{"error":"invalid token ${KEY}"}` }, /^unauthorized: .*turso auth api-tokens mint/],
      [{ status: 404, body: '{"error":"could not find database"}' }, /^misplaced: .*could not find database.*names/],
      [{ status: 500, body: "" }, /^unavailable: /],
      [{ body: "<!doctype html><h1>Log in</h1>" }, /^lying: .*Check the address/],
      [asJson({ database: { Hostname: "evil.example.com/?x=" } }), /^lying: /],
      [asJson({ jwt: "" }), /^lying: /],
    ];
    for (const [one, expected] of cases) {
      answer = () => one;
      const message = said(await turso.test(values(), io));
      expect(message).toMatch(expected);
      expect(message).not.toContain(KEY);
    }
  });

  it("is checked before anything is sent", () => {
    const problems = turso.check?.({ organization: "a/b", database: "", expiration: "soon", prefix: "my-db" });
    expect(Object.keys(problems ?? {}).sort()).toEqual(["database", "expiration", "organization", "prefix"]);
    expect(turso.check?.({ organization: "acme", database: "carts", expiration: "1w2d", prefix: "TURSO" })).toEqual({});
  });
});

describe("Momento", () => {
  const values = (more: Values = {}): Values => ({
    key: KEY,
    cache: "sessions",
    mode: "readwrite",
    endpoint: url,
    ...more,
  });
  const kept = new Map<string, string>();
  const works = ({ method, path, body }: Asked): Answer => {
    const at = new URL(path, url);
    if (at.pathname !== "/cache/sessions") return { status: 404, body: "Cache Not Found" };
    const key = at.searchParams.get("key") ?? "";
    if (method === "PUT") kept.set(key, body);
    if (method === "DELETE") kept.delete(key);
    if (method !== "GET") return { status: 204 };
    const value = kept.get(key);
    return value === undefined ? { status: 404, body: '{"title":"Not Found"}' } : { body: value };
  };

  it("is tried by writing a value, reading it back and taking it away", async () => {
    answer = works;
    expect(await momento.test(values(), io)).toMatchObject({ ok: true });
    expect(asked.map(({ method }) => method)).toEqual(["PUT", "GET", "DELETE"]);
    expect(asked[0]?.path).toContain("ttl_seconds=60");
    expect(asked.every(({ authorization }) => authorization === KEY)).toBe(true);
    expect(kept.size).toBe(0);
  });

  it("with a key that may only read is tried by reading what is not there", async () => {
    answer = works;
    expect(await momento.test(values({ mode: "readonly" }), io)).toMatchObject({ ok: true });
    expect(asked.map(({ method }) => method)).toEqual(["GET"]);
    expect(said(await momento.test(values({ mode: "readonly", cache: "other" }), io))).toMatch(
      /^misplaced: .*no such cache/,
    );
  });

  it("gives Workers address, cache and key, once the key was tried", async () => {
    answer = works;
    expect(await momento.obtain(values(), io, false)).toEqual({
      ok: true,
      secrets: { MOMENTO_ENDPOINT: url, MOMENTO_CACHE: "sessions", MOMENTO_API_KEY: KEY },
    });
    answer = () => ({ status: 401, body: "bad key" });
    expect(said(await momento.obtain(values(), io, true))).toMatch(/^unauthorized: .*bad key.*region/);
  });

  it("that lies is found out", async () => {
    answer = ({ method }) => (method === "GET" ? { body: "something else" } : { status: 204 });
    expect(said(await momento.test(values(), io))).toMatch(/^lying: /);
    answer = () => ({ status: 404, body: "<!doctype html>" });
    expect(said(await momento.test(values({ mode: "readonly" }), io))).toMatch(/^misplaced: /);
  });

  it("is asked at the region's own address unless another one is set", async () => {
    const urls: string[] = [];
    const request: Io["request"] = async (one) => {
      urls.push(new URL(one.url).origin);
      return { ok: false, failure: { kind: "unreachable", message: "no", status: 0 } };
    };
    await momento.test(values({ endpoint: "", region: "eu-west-1" }), { ...io, request });
    expect(urls).toEqual(["https://api.cache.cell-1-eu-west-1-1.prod.a.momentohq.com"]);
  });
});
