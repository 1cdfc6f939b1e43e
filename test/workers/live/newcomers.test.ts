/** Viewers that come while much is going on: they cost what they are shown, not what passed. */
import { expect, it } from "vitest";
import { RING_ENTRIES } from "../../../workers/live/limits.ts";
import { until } from "../buffer/support.ts";
import { connect, hubOf, Shard, watch } from "./support.ts";

const RATE = 5;

it("one that has just come is held to its rate from the first event on: it has missed nothing before", async () => {
  const hub = hubOf("v-new");
  const shard = new Shard("v-new");
  const viewer = await connect(hub, { script: "v-new", rate: RATE });
  await hub.push(shard.push([shard.some(60)]));
  await until(async () => viewer.matched === 60);
  // A second's worth at once; another may be owed.
  expect(viewer.events.length).toBeLessThanOrEqual(2 * RATE);
  expect(viewer.events.length + viewer.notShown).toBe(60);
});

it("is told of what came while it was let in and is not in the ring any more", async () => {
  const hub = hubOf("v-trimmed");
  const shard = new Shard("v-trimmed");
  const first = await watch(hub, { script: "v-trimmed" });
  await hub.push(shard.push([shard.some(1)]));
  await until(async () => first.matched === 1);
  const viewer = await connect(hub, { script: "v-trimmed" });
  const trimmed = shard.some(7);
  const tiny = Array.from({ length: RING_ENTRIES }, () => shard.some(1));
  await hub.push(shard.push([trimmed, ...tiny]));
  await until(async () => viewer.matched + viewer.unchecked === RING_ENTRIES + 7);
  expect(viewer.unchecked).toBe(7);
});
