/** A Courier that can do nothing asks nobody again and again. */
import { expect, it } from "vitest";
import { again, failureOf, World } from "./courier-support.ts";

const MINUTE_MS = 60_000;

it("leaves an Ingester that puts it off alone for a while, also where errors alone are sent", async () => {
  const world = new World();
  await world.start();
  world.isBusy = true;
  world.log("shop", ["one"]);
  await world.nudge("shop");
  await world.settle(MINUTE_MS);
  expect(world.reads).toBeLessThanOrEqual(61);
  world.isBusy = false;
  await world.settle(5_000);
  expect(world.receiver.texts).toEqual(["one"]);
});

it("counts what waits while it is paused, and reads none of it", async () => {
  const world = new World();
  await world.start();
  world.row = { state: "paused" };
  await world.stub.refresh(world.id);
  await world.settle();
  const { reads } = world;
  world.log("shop", ["one", "two", "three"]);
  world.log("cart", ["four"]);
  for (const script of ["shop", "cart"]) await world.nudge(script);
  await world.settle(10 * MINUTE_MS);
  expect((await world.stub.health()).queued).toBe(4);
  expect(world.reads).toBe(reads);
  // One question for all Workers.
  expect(world.counts).toBeLessThanOrEqual(13);
});

it("one that only a person can mend, and then cannot be reached, is not asked without a pause", async () => {
  const world = new World();
  await world.start();
  world.receiver.behave = (items, receiver) => {
    if (receiver.tries > 200) return receiver.take(items);
    return again(items, receiver.tries === 1 ? failureOf("unauthorized", { status: 401 }) : failureOf("unreachable"));
  };
  world.log("shop", ["one", "two"]);
  await world.nudge("shop");
  await world.settle(5 * MINUTE_MS);
  expect(world.receiver.tries).toBeGreaterThan(3);
  expect(world.receiver.tries).toBeLessThan(60);
});
