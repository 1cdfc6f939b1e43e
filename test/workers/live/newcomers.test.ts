/** Viewers that come while much is going on: they cost what they are shown, not what passed. */
import { expect, it } from "vitest";
import { until } from "../buffer/support.ts";
import { connect, hubOf, Shard } from "./support.ts";

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
