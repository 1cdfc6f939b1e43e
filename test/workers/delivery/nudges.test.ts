/** The queue's consumer: who is told of what, and that nobody's trouble is another's. */
import { env } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import type { Nudge } from "../../../workers/delivery/contract.ts";
import { handleNudges } from "../../../workers/delivery/nudges.ts";
import { addDestination } from "./source/support.ts";

const ids = ["all", "errors", "shop", "notices", "paused", "standby"].map((name) => `nudged-${name}`);

afterEach(async () => {
  await env.DB.prepare("DELETE FROM destinations WHERE id LIKE 'nudged-%'").run();
});

async function told(bodies: unknown[], { queue = "tailrace-delivery", fails = "" } = {}) {
  const heard: Record<string, readonly Nudge[]> = {};
  const getByName = (name: string) => ({
    nudge: async (nudges: readonly Nudge[]) => {
      if (name === fails) throw new Error("away");
      if (ids.includes(name)) heard[name.slice("nudged-".length)] = nudges;
    },
  });
  let retried = false;
  const batch = { queue, messages: bodies.map((body) => ({ body })), retryAll: () => (retried = true) };
  await handleNudges(batch as unknown as MessageBatch<unknown>, { ...env, COURIERS: { getByName } });
  return { heard, retried };
}

async function setUp() {
  await addDestination("nudged-all", { state: "enabled" });
  await addDestination("nudged-errors", { state: "enabled", rules: { feeds: ["errors"] } });
  await addDestination("nudged-shop", { state: "enabled", rules: { workers: ["shop*"] } });
  await addDestination("nudged-notices", { state: "enabled", rules: { feeds: ["notices"] } });
  await addDestination("nudged-paused", { state: "paused" });
  await addDestination("nudged-standby", { state: "enabled" });
  await env.DB.prepare("UPDATE destinations SET standby = 1 WHERE id = 'nudged-standby'").run();
}

const log = (shard: string, errors: boolean): Nudge => ({
  kind: "log",
  shard,
  script: shard.split("#")[0] as string,
  errors,
});

it("tells those whose rules want it, one nudge per shard", async () => {
  await setUp();
  const { heard, retried } = await told([
    log("shop-a", false),
    log("shop-a", true),
    log("shop-a", false),
    log("cart#1", false),
  ]);
  const [a, cart] = [log("shop-a", true), log("cart#1", false)];
  expect(heard).toEqual({ all: [a, cart], errors: [a], shop: [a] });
  expect(retried).toBe(false);
  expect((await told([{ kind: "notices" }])).heard).toEqual({ notices: [{ kind: "notices" }] });
});

it("tells all others when one does not answer, and lets the queue try again", async () => {
  await setUp();
  const { heard, retried } = await told([log("shop", true)], { fails: "nudged-all" });
  expect(Object.keys(heard).sort()).toEqual(["errors", "shop"]);
  expect(retried).toBe(true);
});

it("takes no harm from messages of another make, and ends what was given up", async () => {
  await setUp();
  expect(await told([null, 1, "x", {}, { kind: "log", shard: 1 }, { kind: "other" }])).toEqual({
    heard: {},
    retried: false,
  });
  expect(await told([log("shop", true)], { queue: "tailrace-delivery-dead" })).toEqual({ heard: {}, retried: false });
});
