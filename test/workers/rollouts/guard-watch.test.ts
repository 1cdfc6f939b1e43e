/** Splits that somebody else made: noticed, watched, followed, and never touched. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { World } from "./guard-support.ts";

const split = (percent: number) => [
  { version: "old", percent: 100 - percent },
  { version: "new", percent },
];

/** A split of somebody else, and the rollout that watches it. */
async function watched(name: string, percent = 10): Promise<{ world: World; id: string }> {
  const world = new World(name);
  world.cloudflare.act(world.script, split(percent), "by hand");
  await world.stub.noticed();
  const id = await world.stub.current();
  if (id === null) throw new Error("it is not watched");
  return { world, id };
}

it("is noticed: the version that was uploaded first is the old one", async () => {
  const { world, id } = await watched("noticed");
  expect(await world.rollout(id)).toMatchObject({
    isWatched: true,
    mode: "advise",
    state: "running",
    percent: 10,
    old: { id: "old" },
    new: { id: "new", tag: "v2" },
    startedBy: "somebody else",
  });
  expect(world.wakes.at(-1)).toBe(10_000);
});

it("is advised on, once, and never touched, however bad it is and whatever somebody commands", async () => {
  const { world, id } = await watched("advice");
  world.verdict = "worse";
  await world.looks(20, 10_000);
  expect((await world.rollout(id)).reason).toContain("Advice: take v2 (new) back.");
  expect(await world.stub.command(id, "promote", {}, "kim")).toMatchObject({ ok: false, code: "bad_request" });
  const held = await env.DB.prepare(
    "SELECT count(*) AS n FROM notifications WHERE script = ? AND kind = 'rollout.held'",
  )
    .bind(world.script)
    .first("n");
  expect(held).toBe(1);
  expect(await world.stub.command(id, "abort", {}, "kim")).toMatchObject({
    ok: true,
    value: { state: "aborted", percent: 10 },
  });
  expect(world.asked).toEqual([]);
  // The same split is not watched again against somebody's will.
  world.clock += 3_600_000;
  await world.stub.noticed();
  expect(await world.stub.current()).toBe(null);
});

it("is followed to another percentage", async () => {
  const { world, id } = await watched("followed");
  await world.looks(2, 10_000);
  world.cloudflare.act(world.script, split(60), "more");
  await world.looks(1, 10_000);
  expect(await world.rollout(id)).toMatchObject({ state: "running", percent: 60, step: 3 });
  expect((await world.stub.read(id))?.soak.ms).toBeLessThan(10_000);
});

it.each([
  [100, "promoted"],
  [0, "aborted"],
])("ends when the new version has %i %%", async (percent, state) => {
  const { world, id } = await watched(`ends-${percent}`);
  world.cloudflare.act(world.script, [{ version: percent === 100 ? "new" : "old", percent: 100 }], "done");
  await world.looks(1, 10_000);
  expect(await world.rollout(id)).toMatchObject({ state, percent });
  expect(world.asked).toEqual([]);
});

it("ends when other versions are deployed", async () => {
  const { world, id } = await watched("others");
  world.cloudflare.upload(world.script, { id: "third" });
  world.cloudflare.act(world.script, [{ version: "third", percent: 100 }]);
  await world.looks(1, 10_000);
  expect(await world.rollout(id)).toMatchObject({ state: "stopped" });
});

it("is looked for seldom: not without an account, not again for the same deployment, not while a rollout runs", async () => {
  const world = new World("seldom");
  world.isConnected = false;
  world.cloudflare.act(world.script, split(10));
  await world.stub.noticed();
  expect(world.cloudflare.asked).toEqual([]);
  const single = new World("single");
  for (let i = 0; i < 5; i++) await single.stub.noticed();
  expect(single.cloudflare.asked.length).toBeLessThanOrEqual(1);
  expect(await single.stub.current()).toBe(null);
  const { id } = await single.start();
  const asked = single.cloudflare.asked.length;
  single.clock += 3_600_000;
  await single.stub.noticed();
  expect(single.cloudflare.asked).toHaveLength(asked);
  expect(await single.stub.current()).toBe(id);
});

it("made-up names use up nothing of what Cloudflare allows: unknown ones are asked for once, all together a few a minute", async () => {
  const unknown = new World("unknown");
  unknown.cloudflare.remove(unknown.script);
  unknown.clock += 86_400_000;
  expect(await unknown.stub.noticed()).toEqual({ againAfterMs: 3_600_000 });
  for (let i = 0; i < 20; i++) {
    unknown.clock += 60_000;
    await unknown.stub.noticed();
  }
  expect(unknown.cloudflare.asked).toHaveLength(1);
  const many = Array.from({ length: 40 }, () => new World("made-up"));
  for (const world of many) {
    world.clock += 10 * 86_400_000;
    await world.stub.noticed();
  }
  expect(many.flatMap((world) => world.cloudflare.asked)).toHaveLength(10);
});

it("a rollout that only advises waits for somebody to split the traffic", async () => {
  const world = new World("advise");
  const { id } = await world.start({ plan: { mode: "advise" } });
  expect(await world.rollout(id)).toMatchObject({ state: "running", step: -1, percent: 0, isWatched: false });
  world.cloudflare.act(world.script, split(25), "by hand");
  await world.looks(6);
  expect(await world.rollout(id)).toMatchObject({ state: "running", step: 2, percent: 25 });
  expect(world.asked).toEqual([]);
});

it("advice that nobody followed for a week is over", async () => {
  const world = new World("unheard");
  const { id } = await world.start({ plan: { mode: "advise" } });
  await runInDurableObject(world.stub, (_, { storage }) => {
    storage.sql.exec("UPDATE guard_runs SET json = json_set(json, '$.visibleMs', ?)", 7 * 24 * 3_600_000);
  });
  await evictDurableObject(world.stub);
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "stopped", percent: 0 });
  expect(world.asked).toEqual([]);
});

it("a split that stays is read about once a minute", async () => {
  const { world } = await watched("stays");
  await world.looks(100, 10_000);
  const before = world.cloudflare.asked.length;
  await world.looks(60, 10_000);
  expect(world.cloudflare.asked.length - before).toBeLessThanOrEqual(11);
});

it("once it is over, a rollout can be started at once", async () => {
  const { world } = await watched("after");
  world.cloudflare.act(world.script, [{ version: "old", percent: 100 }], "taken back by hand");
  expect((await world.start()).state).toBe("running");
  expect(world.percent).toBe(5);
});
