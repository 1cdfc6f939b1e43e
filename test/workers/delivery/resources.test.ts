/** A resource's life in D1, with an account whose Workers fail one by one. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  chooseWorkers,
  createResource,
  type FilledIn,
  openEntered,
  removeResource,
  rotateResource,
} from "../../../workers/delivery/resources/resources.ts";
import { readResource, rowOf, type StoredResource } from "../../../workers/delivery/resources/rows.ts";
import type { SecretWriter, Written } from "../../../workers/delivery/resources/write.ts";
import turso from "../../../workers/integrations/catalog/turso.ts";

const TOKEN = "a-platform-token-that-stays-here-0123";

/** Secrets of an account's Workers; `broken` ones answer with what they were sent. */
class FakeAccount implements SecretWriter {
  readonly workers = new Map<string, Map<string, string>>();
  readonly broken = new Set<string>();
  /** Says no, so that nothing is done; else an answer may have been lost. */
  isCertain = false;

  constructor(...scripts: string[]) {
    for (const script of scripts) this.workers.set(script, new Map());
  }
  of(script: string): Record<string, string> {
    return Object.fromEntries(this.workers.get(script) ?? []);
  }
  async put(script: string, name: string, text: string): Promise<Written> {
    if (this.broken.has(script))
      return { ok: false, message: `cannot take ${text} at present`, certain: this.isCertain };
    this.workers.get(script)?.set(name, text);
    return { ok: true };
  }
  async remove(script: string, name: string): Promise<Written> {
    if (this.broken.has(script)) return { ok: false, message: "not at present" };
    this.workers.get(script)?.delete(name);
    return { ok: true };
  }
  async names(script: string) {
    const has = this.workers.get(script);
    if (has === undefined) return { ok: false as const, message: `There is no Worker ${script}.` };
    return { ok: true as const, names: [...has.keys()] };
  }
}

let minted: number;
let refuses: boolean;
const jwt = (n: number) => `jwt-number-${n}-which-is-long-enough`;

beforeEach(() => {
  [minted, refuses] = [0, false];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const url = String(input);
    if (refuses) return Response.json({ error: `no to ${TOKEN}` }, { status: 401 });
    if (url.includes("/auth/tokens?")) return Response.json({ jwt: jwt(++minted) });
    return Response.json({ database: { Hostname: "carts-acme.turso.io" } });
  });
});
afterEach(() => vi.restoreAllMocks());

const filled = (more: Record<string, string> = {}): FilledIn => {
  const values = { organization: "acme", database: "carts", ...more };
  return { values, secrets: { token: TOKEN }, all: { token: TOKEN, ...values } };
};

async function made(
  account: SecretWriter,
  workers: string[],
  more: Record<string, string> = {},
): Promise<StoredResource> {
  const options = { name: "carts", filled: filled(more), workers, by: "ann" };
  const result = await createResource(env, account, turso, options);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.resource;
}
const states = ({ workers }: StoredResource) => Object.fromEntries(workers.map(({ script, error }) => [script, error]));
const secretsOf = ({ workers }: StoredResource) =>
  Object.fromEntries(workers.map(({ script, secrets }) => [script, secrets]));

describe("a resource that is set up", () => {
  it("is in its Workers, and shown without any secret", async () => {
    const account = new FakeAccount("shop", "api");
    const stored = await made(account, ["shop", "api"]);
    expect(states(stored)).toEqual({ shop: null, api: null });
    const expected = { TURSO_DATABASE_URL: "libsql://carts-acme.turso.io", TURSO_AUTH_TOKEN: jwt(1) };
    expect(account.of("shop")).toEqual(expected);
    expect(account.of("api")).toEqual(expected);
    const row = rowOf(stored, turso);
    expect(row).toMatchObject({
      secretsSet: ["token"],
      workers: [{ secrets: Object.keys(expected), error: null }, {}],
    });
    expect(row.usage.code).toContain("TURSO_AUTH_TOKEN");
    const raw = JSON.stringify([row, (await env.DB.prepare("select * from resources").all()).results]);
    for (const secret of [TOKEN, jwt(1)]) expect(raw).not.toContain(secret);
    expect(await openEntered(env, stored)).toEqual({ ok: true, values: { token: TOKEN } });
  });

  it("is not stored when the service refuses; what it said is told without the token", async () => {
    refuses = true;
    const account = new FakeAccount("shop");
    const options = { name: "x", filled: filled(), workers: ["shop"], by: "ann" };
    const result = await createResource(env, account, turso, options);
    expect(result).toMatchObject({ ok: false, at: "service", failure: { kind: "unauthorized" } });
    expect(JSON.stringify(result)).not.toContain(TOKEN);
    expect(account.of("shop")).toEqual({});
  });

  it("shows which Worker could not be written, and why; the others have theirs; choosing it again writes the same", async () => {
    const account = new FakeAccount("shop", "api");
    account.broken.add("api");
    const stored = await made(account, ["shop", "api", "gone"]);
    const { shop, api, gone } = states(stored);
    expect(shop).toBeNull();
    expect(api).toBe("TURSO_DATABASE_URL was not written: cannot take [secret] at present");
    expect(gone).toBe("There is no Worker gone.");
    // Its answer may have been lost: what may be there is not forgotten.
    expect(secretsOf(stored)).toEqual({ shop: Object.keys(account.of("shop")), api: ["TURSO_DATABASE_URL"], gone: [] });
    account.broken.clear();
    const again = await chooseWorkers(env, account, stored.id, ["shop", "api"]);
    expect(again.ok && states(again.resource)).toEqual({ shop: null, api: null });
    expect(account.of("api").TURSO_AUTH_TOKEN).toBe(jwt(1));
    expect(minted).toBe(1);
  });

  it("has no secrets in a Worker that said no", async () => {
    const account = new FakeAccount("shop");
    account.broken.add("shop");
    account.isCertain = true;
    const stored = await made(account, ["shop"]);
    expect(states(stored).shop).toContain("was not written");
    expect(secretsOf(stored)).toEqual({ shop: [] });
    // What it had before it has still.
    account.broken.clear();
    await chooseWorkers(env, account, stored.id, ["shop"]);
    account.broken.add("shop");
    const rotated = await rotateResource(env, account, turso, stored.id, filled());
    expect(rotated.ok && secretsOf(rotated.resource)).toEqual({ shop: Object.keys(account.of("shop")) });
  });

  it("never overwrites a secret of somebody else, nor removes it later", async () => {
    const account = new FakeAccount("shop");
    account.workers.get("shop")?.set("TURSO_AUTH_TOKEN", "their own");
    const stored = await made(account, ["shop"]);
    expect(states(stored).shop).toContain("TURSO_AUTH_TOKEN already");
    await removeResource(env, account, stored.id, false);
    expect(account.of("shop")).toEqual({ TURSO_AUTH_TOKEN: "their own" });
    expect(states(await made(account, ["shop"], { prefix: "CARTS" }))).toEqual({ shop: null });
  });
});

describe("Workers chosen anew", () => {
  it("get its secrets; those left out lose them", async () => {
    const account = new FakeAccount("shop", "api");
    const { id } = await made(account, ["shop"]);
    const changed = await chooseWorkers(env, account, id, ["api"]);
    expect(changed.ok && states(changed.resource)).toEqual({ api: null });
    expect(account.of("shop")).toEqual({});
    expect(account.of("api").TURSO_AUTH_TOKEN).toBe(jwt(1));
  });

  it("that could not lose them stay in the list until they did", async () => {
    const account = new FakeAccount("shop");
    const { id } = await made(account, ["shop"]);
    account.broken.add("shop");
    const first = await chooseWorkers(env, account, id, []);
    expect(first.ok && states(first.resource)).toEqual({ shop: "TURSO_DATABASE_URL was not removed: not at present" });
    account.broken.clear();
    const second = await chooseWorkers(env, account, id, []);
    expect(second.ok && second.resource.workers).toEqual([]);
    expect(account.of("shop")).toEqual({});
  });
});

describe("rotating", () => {
  it("makes a new token and writes it to all; a Worker that failed is shown and gets it later", async () => {
    const account = new FakeAccount("shop", "api");
    const { id } = await made(account, ["shop", "api"]);
    account.broken.add("api");
    const rotated = await rotateResource(env, account, turso, id, filled());
    if (!rotated.ok) throw new Error(JSON.stringify(rotated));
    expect(rotated.resource.rotatedAt).not.toBeNull();
    expect(account.of("shop").TURSO_AUTH_TOKEN).toBe(jwt(2));
    expect(account.of("api").TURSO_AUTH_TOKEN).toBe(jwt(1));
    expect(states(rotated.resource).api).toContain("was not written");
    account.broken.clear();
    const after = await chooseWorkers(env, account, id, ["shop", "api"]);
    expect(after.ok && states(after.resource)).toEqual({ shop: null, api: null });
    expect(account.of("api").TURSO_AUTH_TOKEN).toBe(jwt(2));
  });

  it("under another prefix takes the secrets of the old one away", async () => {
    const account = new FakeAccount("shop");
    const { id } = await made(account, ["shop"]);
    await rotateResource(env, account, turso, id, filled({ prefix: "CARTS" }));
    expect(Object.keys(account.of("shop")).sort()).toEqual(["CARTS_AUTH_TOKEN", "CARTS_DATABASE_URL"]);
  });

  it("that the service refuses changes nothing", async () => {
    const account = new FakeAccount("shop");
    const before = await made(account, ["shop"]);
    refuses = true;
    expect(await rotateResource(env, account, turso, before.id, filled())).toMatchObject({ ok: false, at: "service" });
    expect(await readResource(env, before.id)).toEqual(before);
    expect(account.of("shop").TURSO_AUTH_TOKEN).toBe(jwt(1));
  });
});

describe("removing", () => {
  it("takes the secrets out of the Workers, and then it is gone", async () => {
    const account = new FakeAccount("shop");
    const { id } = await made(account, ["shop"]);
    account.workers.get("shop")?.set("OTHER", "stays");
    expect(await removeResource(env, account, id, false)).toMatchObject({ ok: true, removed: true });
    expect(account.of("shop")).toEqual({ OTHER: "stays" });
    expect(await readResource(env, id)).toBeUndefined();
    expect(await removeResource(env, account, id, false)).toMatchObject({ ok: false, at: "not_found" });
  });

  it("stays while a Worker keeps them, unless it is forced", async () => {
    const account = new FakeAccount("shop", "api");
    const { id } = await made(account, ["shop", "api"]);
    account.broken.add("shop");
    const kept = await removeResource(env, account, id, false);
    expect(kept).toMatchObject({ ok: true, removed: false });
    expect(kept.ok && kept.resource.workers.map(({ script }) => script)).toEqual(["shop"]);
    expect(account.of("api")).toEqual({});
    expect(await removeResource(env, account, id, true)).toMatchObject({ removed: true });
    expect(await readResource(env, id)).toBeUndefined();
  });
});
