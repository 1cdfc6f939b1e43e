/** What was not shown, in plain words: at once, then a few seconds' worth at a time. */
import { expect, it } from "vitest";
import { Tally } from "../../../../cli/tail/tally.ts";
import { FakeClock } from "./fake-stream.ts";

function start() {
  const clock = new FakeClock();
  const said: string[] = [];
  const tally = new Tally((text) => said.push(text), clock);
  tally.rate = 500;
  return { clock, said, tally };
}
const unseen = (log: number, exception = 0) => ({
  notShown: { events: log + exception, errors: exception, kinds: { exception, log } },
});

it("says how many of which kind, and why", () => {
  const { clock, said, tally } = start();
  tally.add({ ...unseen(1_200, 4), because: "rate" });
  expect(said).toEqual([
    "not shown: 1,204 events (1,200 log, 4 exception), of them 4 errors: more than 500 a second (--rate)",
  ]);
  tally.add({ ...unseen(1), because: "slow" });
  tally.add({ ...unseen(2), because: "rate" });
  tally.add({ ...unseen(2, 1), because: "slow" });
  tally.add({ ...unseen(3), because: "size" });
  tally.add({ unchecked: 7 });
  clock.pass(4_999);
  expect(said).toHaveLength(1);
  clock.pass(1);
  expect(said.slice(1)).toEqual([
    "not shown: 4 events (3 log, 1 exception), of them 1 error: more than was read here",
    "not shown: 2 events (2 log), no errors: more than 500 a second (--rate)",
    "not shown: 3 events (3 log), no errors: more at one moment than is sent at once",
    "not compared with the filter: 7 events; there were more than could be looked at",
  ]);
});

it("says nothing where there is nothing to say", () => {
  const { clock, said, tally } = start();
  tally.add({});
  tally.addShown(3);
  clock.pass(60_000);
  tally.stop();
  expect(said).toEqual([]);
  expect(tally.summary()).toBe("3 events shown, 0 not shown, 0 gone while away");
});

it("leaves nothing unsaid at the end", () => {
  const { clock, said, tally } = start();
  tally.add({ ...unseen(1), because: "slow" });
  tally.add({ ...unseen(1_000), because: "slow", unchecked: 5 });
  tally.addGone(9);
  tally.stop();
  expect(said).toHaveLength(3);
  expect(clock.waiting).toBe(0);
  expect(tally.summary()).toBe("0 events shown, 1,001 not shown, 5 not compared with the filter, 9 gone while away");
});
