/** Whom a hub tells of its viewers: shards that are there, none that somebody made up. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { tailHub } from "../../../workers/live/contract.ts";
import { Leases } from "../../../workers/live/leases.ts";
import { failingDb, ingester } from "../buffer/support.ts";

/** Names of the Ingesters that were called. */
async function told(script: string, DB = env.DB, items = false): Promise<string[]> {
  const names: string[] = [];
  const getByName = (name: string) => {
    names.push(name);
    return ingester(name);
  };
  const INGESTER = { getByName } as unknown as Env["INGESTER"];
  const leases = new Leases({ env: { DB, INGESTER }, name: tailHub(script), script, began: () => undefined }, 0);
  await leases.ensure(items, Date.now());
  return names;
}

it("a Worker that nobody has heard of costs no object: its first shard finds the hub by itself", async () => {
  expect(await told("leases-made-up")).toEqual([]);
});

it("the shards that the catalog knows are told", async () => {
  await env.DB.prepare(
    "INSERT INTO shards (shard, script, sealed_through, updated_at, open) VALUES ('leases-known#1', 'leases-known', 0, 1, 1)",
  ).run();
  expect(await told("leases-known")).toEqual(["leases-known#1"]);
  await env.DB.prepare("DELETE FROM shards WHERE script = 'leases-known'").run();
});

it("the first shard is told when nobody can say which there are", async () => {
  expect(await told("leases-blind", failingDb("before"))).toEqual(["leases-blind"]);
});

it("the first shard is told, before it is there, when whole items are wanted: of its first append, too", async () => {
  expect(await told("leases-items", env.DB, true)).toEqual(["leases-items"]);
});
