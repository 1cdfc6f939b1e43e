/** Keys of TAILRACE_SECRET_KEY change: what is stored in D1 follows. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { database, schema } from "../../../workers/db/client.ts";
import { cloudflareTokenPurpose, destinationPurpose, resourcePurpose } from "../../../workers/secrets/purposes.ts";
import { reseal, secretsState } from "../../../workers/secrets/rotate.ts";
import { keyIds, open, seal } from "../../../workers/secrets/seal.ts";

const key = (byte: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)));
const under = (...bytes: number[]) => ({ ...env, TAILRACE_SECRET_KEY: bytes.map(key).join(",") });
const [OLD, NEW, BOTH] = [under(1), under(2), under(2, 1)];
const idOf = async (of: typeof OLD) => {
  const keys = await keyIds(of);
  return keys.ok ? (keys.ids[0] ?? "") : "";
};

async function sealed(of: typeof OLD, purpose: string, text: string): Promise<string> {
  const result = await seal(of, purpose, text);
  if (!result.ok) throw new Error(result.message);
  return result.sealed;
}

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const rules = "{}";

async function destination(of: typeof OLD, id: string, fields: Record<string, string>): Promise<void> {
  const texts = await Promise.all(
    Object.entries(fields).map(async ([field, text]) => [field, await sealed(of, destinationPurpose(id, field), text)]),
  );
  await database(env.DB)
    .insert(schema.destinations)
    .values({
      ...{ id, integration: "sentry", name: `Sentry ${id}`, state: "paused", rules, fieldValues: "{}" },
      ...{ sealed: JSON.stringify(Object.fromEntries(texts)), revision: 1, createdAt: 1, createdBy: "x", updatedAt: 1 },
    });
}

async function resource(of: typeof OLD, id: string, text: string): Promise<void> {
  const field = await sealed(of, resourcePurpose(id, "token"), text);
  await database(env.DB)
    .insert(schema.resources)
    .values({
      ...{ id, integration: "turso", name: "db", fieldValues: "{}", sealed: JSON.stringify({ token: field }) },
      ...{ workers: "[]", createdAt: 1, createdBy: "x" },
    });
}

async function account(of: typeof OLD): Promise<void> {
  const purpose = cloudflareTokenPurpose(ACCOUNT, env.CLOUDFLARE_API_BASE_URL);
  const sealedToken = await sealed(of, purpose, "cf-token");
  await database(env.DB)
    .insert(schema.cloudflareAccounts)
    .values({ accountId: ACCOUNT, sealedToken, tokenHint: "oken", createdAt: 1, createdBy: "x", verifiedAt: 1 });
}

async function opened(of: typeof OLD, id: string, field: string): Promise<unknown> {
  const rows = await database(env.DB).select().from(schema.destinations);
  const row = rows.find((one) => one.id === id);
  return open(of, destinationPurpose(id, field), JSON.parse(row?.sealed ?? "{}")[field]);
}

beforeEach(async () => {
  for (const table of [schema.destinations, schema.resources, schema.cloudflareAccounts])
    await database(env.DB).delete(table);
});

describe("sealing anew", () => {
  it("brings destinations, resources and the account under the first key; the old one may go then", async () => {
    await destination(OLD, "d1", { dsn: "https://k@example.com/1", token: "t-1" });
    await destination(NEW, "d2", { url: "https://hooks.example.com/x" });
    await resource(OLD, "r1", "db-token");
    await account(OLD);
    const [oldId, newId] = [await idOf(OLD), await idOf(NEW)];
    const before = await secretsState(BOTH);
    expect(before).toMatchObject({ key: newId, unreadable: [] });
    expect(before.sealed).toEqual(
      expect.arrayContaining([
        { key: oldId, count: 4 },
        { key: newId, count: 1 },
      ]),
    );

    expect(await reseal(BOTH)).toEqual({ key: newId, sealed: [{ key: newId, count: 5 }], unreadable: [], resealed: 4 });
    expect(await opened(NEW, "d1", "dsn")).toEqual({ ok: true, text: "https://k@example.com/1" });
    expect(await opened(NEW, "d1", "token")).toEqual({ ok: true, text: "t-1" });
    expect(await secretsState(NEW)).toMatchObject({ unreadable: [] });
    expect((await secretsState(OLD)).unreadable).toHaveLength(5);
    expect(await reseal(BOTH)).toMatchObject({ resealed: 0 });
  });

  it("names what no key opens, leaves it as it is, and goes on with the rest", async () => {
    await destination(under(9), "d1", { dsn: "lost" });
    await destination(OLD, "d2", { url: "fine" });
    await resource(under(9), "r1", "lost");
    const state = await reseal(BOTH);
    expect(state.resealed).toBe(1);
    expect(state.unreadable.sort()).toEqual(['destination "Sentry d1": dsn', 'resource "db": token']);
    expect(await opened(under(9), "d1", "dsn")).toEqual({ ok: true, text: "lost" });
  });

  it("without a key says so and changes nothing", async () => {
    await destination(OLD, "d1", { dsn: "x" });
    const none = { ...env, TAILRACE_SECRET_KEY: undefined };
    const said = {
      key: null,
      sealed: [{ key: await idOf(OLD), count: 1 }],
      unreadable: ['destination "Sentry d1": dsn'],
    };
    expect(await secretsState(none)).toEqual(said);
    expect(await reseal(none)).toEqual({ ...said, resealed: 0 });
  });

  it("says nothing secret", async () => {
    await destination(OLD, "d1", { dsn: "a-secret-nobody-may-see" });
    expect(JSON.stringify([await reseal(BOTH), await secretsState(NEW)])).not.toContain("a-secret-nobody-may-see");
  });
});
