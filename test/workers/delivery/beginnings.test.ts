/** From when on a destination gets events: nothing is left out between the moment that a person chose and its cursors, nothing comes twice. */
import { expect, it } from "vitest";
import { RULES } from "../../support/destination-rules.ts";
import { invocationOf, World } from "./courier-support.ts";

const HOUR_MS = 3_600_000;

it("a new destination also gets what was sealed between the moment it was made and its cursors", async () => {
  const world = new World();
  world.log("shop", ["before"]);
  world.backfilled = [
    invocationOf("shop", ["before"], world.clock - 1_000),
    invocationOf("shop", ["meanwhile"], world.clock + 5),
  ];
  await world.start();
  world.log("shop", ["after"]);
  await world.nudge("shop");
  await world.settle(60_000);
  expect(world.receiver.texts.sort()).toEqual(["after", "meanwhile"]);
  // Nobody asked for it, so no back-fill is shown, and a later one ends where this began.
  expect((await world.stub.health()).backfill).toBeNull();
  await world.stub.backfill({ from: world.clock - HOUR_MS });
  await world.settle(60_000);
  expect(world.receiver.texts.sort()).toEqual(["after", "before", "meanwhile"]);
});

it("its first back-fill has no end: what came before its cursors has its turn, whatever its clock says", async () => {
  const world = new World();
  world.row = { backfillFrom: world.clock - HOUR_MS };
  world.backfilled = [
    invocationOf("shop", ["of before"], world.clock - 1_000),
    invocationOf("shop", ["ahead of time"], world.clock + HOUR_MS),
  ];
  await world.start();
  await world.settle(60_000);
  expect(world.receiver.texts.sort()).toEqual(["ahead of time", "of before"]);
});

it("a Worker that rules begin to want comes from the moment of the edit on; the others do not come again", async () => {
  const world = new World();
  world.row = { rules: { ...RULES, workers: ["cart"] } };
  world.log("shop", ["before"]);
  world.log("cart", ["before"]);
  await world.start();
  world.clock += HOUR_MS;
  world.row = { rules: RULES, updatedAt: world.clock };
  world.backfilled = [
    invocationOf("shop", ["before the edit"], world.clock - 1_000),
    invocationOf("shop", ["after the edit"], world.clock + 1),
    invocationOf("cart", ["of one that it has"], world.clock + 1),
  ];
  await world.start();
  await world.settle(60_000);
  expect(world.receiver.texts).toEqual(["after the edit"]);
});

it("one that stood by begins when it does so no more", async () => {
  const world = new World();
  world.row = { standby: true };
  await world.start();
  world.clock += HOUR_MS;
  world.row = { standby: false, updatedAt: world.clock };
  world.backfilled = [
    invocationOf("shop", ["while it stood by"], world.clock - 1_000),
    invocationOf("shop", ["after that"], world.clock + 1),
  ];
  await world.start();
  await world.settle(60_000);
  expect(world.receiver.texts).toEqual(["after that"]);
});
