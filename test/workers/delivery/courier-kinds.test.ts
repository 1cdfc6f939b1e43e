import { describe, expect, it } from "vitest";
import type { Item, SendResult } from "../../../workers/integrations/contract.ts";
import { failureOf, invocationOf, textOf, World } from "./courier-support.ts";

/** Logs and errors of one Worker, an invocation each. */
function happen(world: World, script: string, ...kinds: readonly ["logs" | "errors", string][]): void {
  const shard = world.shards.get(script) ?? { script, entries: [] };
  world.shards.set(script, shard);
  const invocations = kinds.map(([feed, text]) => {
    const invocation = invocationOf(script, [text], world.clock);
    if (feed === "logs") return invocation;
    const events = invocation.events.map((event) => ({ ...event, kind: "exception" as const, level: "error" }));
    return { ...invocation, events };
  });
  shard.entries.push({ invocations });
}

/** A quota of logs is used up: Sentry says so of logs, and takes the rest. */
class Quota {
  isUsedUp = true;
  asked = 0;
  waitMs = 60_000;
  readonly taken: string[] = [];

  receive(items: readonly Item[]): SendResult {
    if (items.some(({ feed }) => feed === "logs")) this.asked += 1;
    const limit = failureOf("rate_limited", {
      status: 429,
      retryAfterMs: this.waitMs,
      only: "logs",
      message: "no logs",
    });
    return {
      outcomes: items.map((item) => {
        if (this.isUsedUp && item.feed === "logs") return { again: limit };
        this.taken.push(textOf(item));
        return "delivered";
      }),
      requests: 1,
    };
  }
}

const logs = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i): ["logs", string] => ["logs", `log ${from + i}`]);

async function limited(more = {}): Promise<{ world: World; quota: Quota }> {
  const world = new World(more);
  const quota = new Quota();
  world.receiver.behave = (items) => quota.receive(items);
  await world.start();
  return { world, quota };
}

describe("a limit of one kind", () => {
  it("stops that kind and no other, and ends when it was to", async () => {
    const { world, quota } = await limited();
    happen(world, "shop", ...logs(50), ["errors", "boom"]);
    await world.nudge("shop");
    await world.settle();
    expect(quota.taken).toEqual(["boom"]);
    const health = await world.stub.health();
    expect(health).toMatchObject({ condition: "waiting", circuit: "closed", nextTryAt: null, deadLetters: 0 });
    expect(health.sentence).toBe("Logs wait until 10:01 (UTC), the rest goes on: no logs.");
    happen(world, "shop", ["errors", "bang"]);
    await world.nudge("shop");
    await world.settle(10_000);
    expect(quota.taken).toEqual(["boom", "bang"]);
    // Asked once for each batch that was under way.
    expect(quota.asked).toBeLessThanOrEqual(4);
    quota.isUsedUp = false;
    await world.settle(60_000);
    expect(quota.taken.toSorted()).toEqual(["boom", "bang", ...logs(50).map(([, text]) => text)].toSorted());
    expect((await world.stub.health()).condition).toBe("ok");
  });

  it("is known after an eviction, and forgotten when a person says so", async () => {
    const { world, quota } = await limited();
    happen(world, "shop", ...logs(50));
    await world.nudge("shop");
    await world.settle();
    const { asked } = quota;
    await world.evict();
    happen(world, "shop", ["errors", "boom"]);
    await world.nudge("shop");
    await world.settle(5_000);
    expect([quota.taken, quota.asked]).toEqual([["boom"], asked]);
    quota.isUsedUp = false;
    await world.stub.retryNow();
    await world.settle();
    expect(quota.taken.length).toBe(51);
  });

  it("keeps the order where the protocol has one", async () => {
    const { world, quota } = await limited({ ordered: true });
    happen(world, "shop", ...logs(5), ["errors", "boom"], ...logs(5, 5));
    await world.nudge("shop");
    await world.settle(10_000);
    quota.isUsedUp = false;
    await world.settle(120_000);
    expect(quota.taken).toEqual(["boom", ...logs(10).map(([, text]) => text)]);
  });

  it("keeps errors back no more when the window is full of what waits; all arrives once", async () => {
    const { world, quota } = await limited({ limits: { items: 2_000, bytes: 10_000_000 } });
    quota.waitMs = 600_000;
    happen(world, "shop", ...logs(9_000), ["errors", "boom 1"], ...logs(9_000, 9_000), ["errors", "boom 2"]);
    await world.nudge("shop");
    await world.settle(5_000);
    expect(quota.taken.toSorted()).toEqual(["boom 1", "boom 2"]);
    happen(world, "shop", ["errors", "boom 3"], ...logs(10, 18_000));
    await world.nudge("shop");
    await world.settle(5_000);
    expect(quota.taken.toSorted()).toEqual(["boom 1", "boom 2", "boom 3"]);
    // What lies beyond the window is counted once a minute, with what was sent from there.
    await world.settle(60_000);
    const { queued } = await world.stub.health();
    expect(queued).toBeGreaterThanOrEqual(18_010);
    expect(queued).toBeLessThanOrEqual(18_013);
    await world.evict();
    happen(world, "shop", ["errors", "boom 4"]);
    await world.nudge("shop");
    await world.settle(5_000);
    expect(quota.taken.length).toBe(4);
    quota.isUsedUp = false;
    await world.settle(700_000);
    expect(quota.taken.length).toBe(18_014);
    expect(new Set(quota.taken).size).toBe(18_014);
    expect(await world.stub.health()).toMatchObject({ condition: "ok", queued: 0, delivered: 18_014, lost: 0 });
  });
});
