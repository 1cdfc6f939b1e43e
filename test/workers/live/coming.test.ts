/** A tail that has been let in and is not there yet: what Ingesters are told meanwhile. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { entranceRequest } from "../../../workers/live/contract.ts";
import type { LiveHub } from "../../../workers/live/hub.ts";
import { LINGER_MS } from "../../../workers/live/limits.ts";
import { until } from "../buffer/support.ts";
import { hubOf, Shard } from "./support.ts";

/** What its door is kept by, and the end of its lingering: a hub that nobody has watched for long. */
type Inside = { doorkeeper: { mayStay(): Promise<boolean> }; leases: { lingersUntil: number } };

describe("a push that comes while a tail is being let in", () => {
  it("neither ends nor shortens the lease, and is told that items are wanted", async () => {
    const hub = hubOf("coming");
    const shard = new Shard("coming");
    let asked = false;
    let letIn = (_: boolean) => {};
    await runInDurableObject(hub, (instance: LiveHub) => {
      const inside = instance as unknown as Inside;
      inside.leases.lingersUntil = 0;
      inside.doorkeeper.mayStay = () =>
        new Promise((resolve) => {
          asked = true;
          letIn = resolve;
        });
    });
    expect(await hub.push(shard.push([shard.some(1)]))).toEqual({ until: 0, items: false });
    const who = { credential: "token wrangler" };
    const ticket = await hub.createTail({ script: "coming", filters: [], clientIp: "", who });
    if (ticket === "full") throw new Error("full");
    const opening = hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }));
    await until(async () => asked);
    const answer = await hub.push(shard.push([shard.some(1)]));
    expect(answer.items).toBe(true);
    expect(answer.until).toBeGreaterThan(Date.now() + LINGER_MS);
    await runInDurableObject(hub, () => letIn(true));
    const { webSocket, status } = await opening;
    expect(status).toBe(101);
    webSocket?.accept();
  });

  it("that is sent away after all is nobody", async () => {
    const hub = hubOf("turned-away");
    const shard = new Shard("turned-away");
    await runInDurableObject(hub, (instance: LiveHub) => {
      const inside = instance as unknown as Inside;
      inside.leases.lingersUntil = 0;
      inside.doorkeeper.mayStay = async () => false;
    });
    const who = { credential: "token wrangler" };
    const ticket = await hub.createTail({ script: "turned-away", filters: [], clientIp: "", who });
    if (ticket === "full") throw new Error("full");
    expect((await hub.fetch(entranceRequest({ kind: "trace", secret: ticket.secret }))).status).toBe(401);
    expect(await hub.push(shard.push([shard.some(1)]))).toEqual({ until: 0, items: false });
  });
});
