import { describe, expect, it } from "vitest";
import { judgeProgress } from "../../../workers/self/progress.ts";
import { again, failureOf, World } from "./courier-support.ts";

const MINUTE = 60_000;
const texts = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `line ${from + i}`);

/** As log files are: a batch grows for a minute, or to so many bytes. */
async function growing(bytes = 1 << 20, more = {}): Promise<World> {
  const linger = () => ({ ms: MINUTE, bytes });
  const world = new World({ ordered: true, limits: { items: 5_000, bytes: 4 << 20 }, linger, ...more });
  await world.start();
  return world;
}

async function happen(world: World, script: string, n: number, from: number): Promise<void> {
  world.log(script, texts(n, from));
  await world.nudge(script);
}

describe("a batch that may grow", () => {
  it("is sent when its oldest item is a minute old, one for each Worker", async () => {
    const world = await growing();
    for (let s = 0; s < 50; s += 5) {
      await happen(world, "shop", 2, (s / 5) * 2);
      await happen(world, "cart", 1, 1_000 + s);
      await world.settle(5_000);
    }
    expect(world.receiver.batches).toEqual([]);
    await world.settle(15_000);
    expect(world.receiver.batches.map((batch) => batch.length).toSorted((a, b) => a - b)).toEqual([10, 20]);
    expect(world.receiver.batches.find(({ length }) => length === 20)).toEqual(texts(20));
  });

  it("is sent at once when it holds enough", async () => {
    const world = await growing(10_000);
    await happen(world, "shop", 200, 0);
    await world.settle();
    expect(world.receiver.texts).toEqual(texts(200));
  });

  it("costs no alarms while it grows, and nobody calls it trouble", async () => {
    const world = await growing();
    const seen: string[] = [];
    const { alarms } = world;
    await happen(world, "shop", 1, 0);
    for (let s = 0; s < 55; s += 5) {
      await world.settle(5_000);
      const { condition, queued, oldestWaiting, movedAt, dueAt } = await world.stub.health();
      const facts = { paused: false, hasWork: true, movedAt: (movedAt ?? 0) - MINUTE, since: 0, dueAt: dueAt ?? null };
      seen.push(`${condition} ${judgeProgress(facts, world.clock).condition}`);
      expect([queued, oldestWaiting !== null]).toEqual([1, true]);
    }
    expect(new Set(seen)).toEqual(new Set(["ok moving"]));
    expect(world.alarms - alarms).toBeLessThan(6);
    await world.settle(5_000);
    expect(world.receiver.texts).toEqual(["line 0"]);
  });

  it("is as old after an eviction as it was before", async () => {
    const world = await growing();
    await happen(world, "shop", 3, 0);
    for (let s = 0; s < 60; s += 10) {
      await world.settle(10_000);
      const { wakeAt } = world;
      await world.evict();
      // Its alarm outlives it.
      world.wakeAt = wakeAt;
    }
    await world.settle(1_000);
    expect(world.receiver.texts).toEqual(texts(3));
  });

  it("begins with the same item when it is tried again, also after an eviction that forgot how large it was", async () => {
    const world = await growing();
    const tried: string[][] = [];
    world.receiver.behave = (items, receiver) => {
      tried.push(items.map((item) => (item.feed === "notices" ? "" : `${item.event.script} ${item.event.message}`)));
      // The first tries are put down, and nobody hears of it.
      return tried.length <= 2 ? again(items, failureOf("timeout")) : receiver.take(items);
    };
    await happen(world, "shop", 5, 0);
    await happen(world, "cart", 5, 100);
    await world.settle(MINUTE);
    await world.evict();
    await happen(world, "shop", 5, 5);
    await world.settle(3 * MINUTE);
    for (const batch of tried) expect(new Set(batch.map((text) => text.split(" ")[0])).size).toBe(1);
    for (const script of ["shop", "cart"]) {
      const own = tried.filter(([first]) => first?.startsWith(script));
      expect(own.length).toBeGreaterThan(1);
      expect(own[1]?.[0]).toBe(own[0]?.[0]);
    }
    expect(world.receiver.texts.toSorted()).toEqual([...texts(10), ...texts(5, 100)].toSorted());
  });

  it("keeps the failover out of it", async () => {
    const world = await growing();
    const row = world.rows.get(world.id);
    if (row === undefined) throw new Error("no row");
    world.rows.set("failover", { ...row, id: "failover", name: "The other", failoverTo: null });
    world.row = { failoverTo: "failover" };
    await world.stub.refresh(world.id);
    for (let s = 0; s < 180; s += 5) {
      await happen(world, "shop", 1, s / 5);
      await world.settle(5_000);
    }
    expect((await world.stub.health()).failedOverSince).toBeNull();
    await world.settle(2 * MINUTE);
    expect(world.receiver.texts).toEqual(texts(36));
    expect(world.receiver.batches.length).toBeLessThanOrEqual(4);
  });

  it("takes what is being caught up on by the page", async () => {
    const world = await growing();
    world.log("shop", texts(9_000), world.clock - 3_600_000);
    await world.nudge("shop");
    await world.settle(5_000);
    expect(world.receiver.texts).toEqual(texts(9_000));
  });
});
