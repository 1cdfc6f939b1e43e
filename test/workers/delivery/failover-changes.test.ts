/** What changes of a failover while it carries for another: whoever carries through it hears of it, or sees it within a minute. */
import { describe, expect, it } from "vitest";
import type { StoredDestination } from "../../../workers/delivery/destinations.ts";
import { again, FakeReceiver, failureOf, textOf, World } from "./courier-support.ts";

const texts = (n: number, text = "event") => Array.from({ length: n }, (_, i) => `${text} ${i}`);

/** One that fails, and another that has carried for it; the address by which each item went there. */
async function carried(): Promise<{ world: World; other: string; sent: { text: string; key: string }[] }> {
  const world = new World();
  const sent: { text: string; key: string }[] = [];
  world.failover = new FakeReceiver("failover", {
    send: async ({ key = "" }, items) => {
      for (const item of items) sent.push({ text: textOf(item), key });
      return world.failover.behave(items, world.failover);
    },
  });
  world.addFailover();
  const other = `${world.id}-other`;
  change(world, other, { values: { key: "old" } });
  world.receiver.behave = (items) => again(items, failureOf("unavailable"));
  await world.start();
  await log(world, texts(5));
  await world.settle(60_000);
  expect(world.failover.texts).toHaveLength(5);
  return { world, other, sent };
}

function raise(message: string): never {
  throw new Error(message);
}

function change(world: World, id: string, more: Partial<StoredDestination>): void {
  const row = world.rows.get(id) as StoredDestination;
  world.rows.set(id, { ...row, ...more, revision: row.revision + 1 });
}

async function log(world: World, what: string[]): Promise<void> {
  world.log("shop", what);
  await world.nudge("shop");
}

/** An event a second, so that something is always under way. */
async function flow(world: World, seconds: number, text: string): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    await log(world, [`${text} ${n}`]);
    await world.settle(1_000);
  }
  await world.settle(5_000);
}

describe.each([
  ["that is told", true],
  ["that nobody tells, within a minute", false],
])("a Courier %s", (_name, isTold) => {
  const tell = async (world: World, other: string) => {
    if (isTold) await world.stub.refresh(other);
    else await flow(world, 61, `meanwhile ${world.clock}`);
  };

  it("sends nothing to a failover that is paused, says so, and goes on when it is resumed", async () => {
    const { world, other } = await carried();
    change(world, other, { state: "paused" });
    await tell(world, other);
    const before = world.failover.texts.length;
    const alarms = world.alarms;
    await flow(world, 70, "kept");
    expect(world.failover.texts).toHaveLength(before);
    expect(world.alarms - alarms).toBeLessThan(150);
    const { sentence, failedOverSince } = await world.stub.health();
    expect(sentence).toContain("Its failover The other is paused: it carries nothing.");
    expect(failedOverSince).not.toBeNull();
    await world.evict();
    expect((await world.stub.health()).sentence).toContain("The other is paused");
    change(world, other, { state: "enabled" });
    await tell(world, other);
    await world.settle(60_000);
    const { texts: carriedTexts } = world.failover;
    expect(carriedTexts).toEqual(expect.arrayContaining(texts(70, "kept")));
    expect(new Set(carriedTexts).size).toBe(carriedTexts.length);
    expect((await world.stub.health()).sentence).toContain("The other carries it meanwhile.");
  });

  it("uses the new key of its failover", async () => {
    const { world, other, sent } = await carried();
    change(world, other, { values: { key: "new" } });
    await tell(world, other);
    sent.length = 0;
    await flow(world, 5, "fresh");
    expect(sent.map(({ text }) => text)).toEqual(expect.arrayContaining(texts(5, "fresh")));
    expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(["new"]));
  });

  it("sends nothing to a failover that is gone", async () => {
    const { world, other } = await carried();
    world.rows.delete(other);
    await tell(world, other);
    const before = world.failover.texts.length;
    await flow(world, 5, "kept");
    expect(world.failover.texts).toHaveLength(before);
    expect((await world.stub.health()).sentence).toContain("is gone: it carries nothing.");
    world.receiver.behave = (items, receiver) => receiver.take(items);
    await world.settle(120_000);
    expect(world.receiver.texts).toEqual(expect.arrayContaining([...texts(5), ...texts(5, "kept")]));
    const { sentence } = await world.stub.health();
    expect(sentence).toBe("Delivers.");
  });
});

it("what a failover has under way when its key changes is sent once, and nothing begins under the old one", async () => {
  const { world, other, sent } = await carried();
  let isOpen = false;
  world.failover.behave = async (items, receiver) => {
    while (!isOpen) await scheduler.wait(2);
    return receiver.take(items);
  };
  await log(world, ["under way"]);
  const running = world.settle(5_000);
  await expect.poll(() => sent.map(({ text }) => text)).toContain("under way");
  change(world, other, { values: { key: "new" } });
  await world.stub.refresh(other);
  await log(world, texts(30, "later"));
  await scheduler.wait(20);
  expect(sent.filter(({ text, key }) => text.startsWith("later") && key === "old")).toEqual([]);
  isOpen = true;
  await running;
  await world.settle(60_000);
  expect(sent.filter(({ key }) => key === "old").map(({ text }) => text)).toEqual([...texts(5), "under way"]);
  expect(
    sent
      .filter(({ key }) => key === "new")
      .map(({ text }) => text)
      .sort(),
  ).toEqual(texts(30, "later").sort());
});

it("that was told while all was well fails over as soon as any other", async () => {
  const world = new World();
  world.addFailover();
  await world.start();
  await world.stub.refresh(`${world.id}-other`);
  await world.settle(10_000);
  world.receiver.behave = (items) => again(items, failureOf("unavailable", { retryAfterMs: 3_600_000 }));
  await log(world, texts(5));
  await world.settle(90_000);
  expect(world.failover.texts).toEqual(texts(5));
});

it("sends nothing by old values while it cannot read the new ones", async () => {
  const { world, other, sent } = await carried();
  change(world, other, { values: { key: "new" } });
  const rows = world.rows.get(other) as StoredDestination;
  world.rows.set(other, new Proxy(rows, { get: () => raise("D1 is away") }));
  await world.stub.refresh(other);
  await flow(world, 20, "kept");
  expect(sent).toHaveLength(5);
  world.rows.set(other, rows);
  await world.settle(30_000);
  expect(sent.slice(5).map(({ key }) => key)).toEqual(texts(20).map(() => "new"));
});

it("is told of its failover without trying anew what it fails to deliver itself", async () => {
  const { world, other } = await carried();
  const { tries } = world.receiver;
  await world.stub.refresh(other);
  await world.settle(0);
  expect(world.receiver.tries).toBe(tries);
});

it("the key that a failover did not accept is tried anew when another is given", async () => {
  const { world, other, sent } = await carried();
  world.failover.behave = (items, receiver) =>
    sent.at(-1)?.key === "new" ? receiver.take(items) : again(items, failureOf("unauthorized", { status: 401 }));
  await flow(world, 30, "kept");
  change(world, other, { values: { key: "new" } });
  await world.stub.refresh(other);
  await world.settle(2_000);
  expect(world.failover.texts).toEqual(expect.arrayContaining(texts(30, "kept")));
});
