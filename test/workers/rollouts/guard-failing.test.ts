/** What fails in the guard itself, or is found after the end: it goes on, and somebody hears of it. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RolloutGuard } from "../../../workers/rollouts/guard.ts";
import { World } from "./guard-support.ts";

beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterAll(() => vi.restoreAllMocks());

const heldTitles = async (script: string) => {
  const { results } = await env.DB.prepare(
    "SELECT detail FROM notifications WHERE script = ? AND kind = 'rollout.held'",
  )
    .bind(script)
    .all<{ detail: string }>();
  return results.map(({ detail }) => (JSON.parse(detail) as { title: string }).title);
};

it("looks that fail one after the other are told to somebody, once; the first that succeeds goes on", async () => {
  const world = new World("failing");
  const { id } = await world.start();
  world.judge = () => {
    throw new Error("no judgement today");
  };
  await world.looks(20);
  expect(await heldTitles(world.script)).toEqual([]);
  await world.looks(30);
  expect(await heldTitles(world.script)).toEqual(["The guard failed, and tries again: no judgement today"]);
  expect(await world.rollout(id)).toMatchObject({ state: "running", percent: 5 });
  world.judge = undefined;
  world.verdict = "worse";
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back", percent: 0 });
});

it("a look that is cut off does not keep the next from looking", async () => {
  const world = new World("cut-off");
  const { id } = await world.start();
  await runInDurableObject(world.stub, async (guard: RolloutGuard) => {
    const { outbox } = guard as unknown as { outbox: { deliver(): Promise<void> } };
    vi.spyOn(outbox, "deliver").mockRejectedValueOnce(new Error("the disk is gone"));
    await expect(guard.alarm()).rejects.toThrow("the disk is gone");
  });
  world.verdict = "worse";
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back", percent: 0 });
});

it("what is found after the end changes no outcome, and is not looked for without end", async () => {
  const world = new World("after-the-end");
  const { id } = await world.start();
  world.cloudflare.next("deploy", "timeout_before");
  world.verdict = "not_worse";
  for (let i = 0; i < 60 && world.asked.length < 2; i++) await world.looks(1);
  world.verdict = "worse";
  await world.until(id, ({ state }) => state === "rolled_back", 4);
  world.cloudflare.remove(world.script);
  await world.looks(60);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back" });
  const { length } = await world.events(id);
  await world.looks(60);
  expect(await world.events(id)).toHaveLength(length);
  expect(world.wakes.at(-1)).toBeNull();
});

it("goes on with a rollout that an earlier release wrote, without what later ones remember", async () => {
  const world = new World("earlier-release");
  const { id } = await world.start();
  await runInDurableObject(world.stub, (_guard: RolloutGuard, ctx) => {
    const { sql } = ctx.storage;
    const [row] = sql.exec<{ json: string }>("SELECT json FROM guard_runs WHERE id = ?", id).toArray();
    const { quiet: _, told: __, hasLoose: ___, ...known } = JSON.parse(row?.json ?? "{}");
    sql.exec("UPDATE guard_runs SET json = ? WHERE id = ?", JSON.stringify(known), id);
  });
  await world.evict();
  world.verdict = "not_worse";
  await world.until(id, ({ step }) => step === 1);
  world.verdict = "worse";
  await world.looks(1);
  expect(await world.rollout(id)).toMatchObject({ state: "rolled_back", percent: 0 });
});
