/** From a judgement to a move: bad news counts always, good news only with evidence, open eyes and patience. */
import { describe, expect, test } from "vitest";
import { DEFAULT_PLAN, type Judgement } from "../../../workers/api/contract.ts";
import type { Sight, Situation } from "../../../workers/rollouts/contract.ts";
import { nextMove } from "../../../workers/rollouts/decide/policy.ts";
import { SEEING, START } from "../../support/rollout-evidence.ts";

const MINUTE = 60_000;

const at = (more: Partial<Situation> = {}): Situation => ({
  plan: DEFAULT_PLAN,
  step: 1,
  percent: 5,
  stepSince: START,
  visibleMs: 6 * MINUTE,
  isPaused: false,
  ...more,
});
const judged = (verdict: Judgement["verdict"], more: Partial<Judgement> = {}): Judgement => ({
  verdict,
  isDisaster: false,
  reason: "The reason.",
  gates: [],
  present: { old: 19_000, new: 1_000 },
  ...more,
});
const blind: Sight = { ...SEEING, blind: ["shard shop-0 does not answer"] };
const limit = { visibleMs: DEFAULT_PLAN.stepLimitMinutes * MINUTE };
const none = { present: { old: 0, new: 0 } };

describe("the next move", () => {
  test.each<[string, Situation, Judgement, Sight, ReturnType<typeof nextMove>["type"]]>([
    ["not worse, soaked", at(), judged("not_worse"), SEEING, "promote"],
    ["not worse, not soaked yet", at({ visibleMs: 4 * MINUTE }), judged("not_worse"), SEEING, "hold"],
    ["not worse, paused", at({ isPaused: true }), judged("not_worse"), SEEING, "hold"],
    ["not worse, blind", at(), judged("not_worse"), blind, "hold"],
    ["not worse, but nothing of this step", at(), judged("not_worse", none), SEEING, "hold"],
    [
      "not worse, too little of this step",
      at(),
      judged("not_worse", { present: { old: 900, new: 49 } }),
      SEEING,
      "hold",
    ],
    [
      "not worse, too little of the old one",
      at(),
      judged("not_worse", { present: { old: 9, new: 900 } }),
      SEEING,
      "hold",
    ],
    ["not worse at the limit", at(limit), judged("not_worse"), SEEING, "promote"],
    ["unknown", at(), judged("unknown"), SEEING, "hold"],
    ["unknown just before the limit", at({ visibleMs: limit.visibleMs - 1 }), judged("unknown"), SEEING, "hold"],
    ["unknown at the limit", at(limit), judged("unknown"), SEEING, "take_back"],
    ["no traffic", at(), judged("unknown", none), SEEING, "hold"],
    ["no traffic at the limit", at(limit), judged("unknown", none), SEEING, "take_back"],
    [
      "no traffic at the limit, nothing ever seen",
      at(limit),
      judged("unknown", none),
      { ...SEEING, newestOld: null, newestNew: null },
      "take_back",
    ],
    ["unknown at the limit, paused", at({ ...limit, isPaused: true }), judged("unknown"), SEEING, "hold"],
    ["unknown at the limit, blind", at(limit), judged("unknown"), blind, "hold"],
    ["worse", at(), judged("worse"), SEEING, "take_back"],
    ["worse in the first second", at({ visibleMs: 0 }), judged("worse"), SEEING, "take_back"],
    ["worse, paused", at({ isPaused: true }), judged("worse"), SEEING, "take_back"],
    ["worse, blind", at(), judged("worse"), blind, "take_back"],
    ["worse, blind and paused", at({ isPaused: true }), judged("worse", { isDisaster: true }), blind, "take_back"],
    ["the last step: nothing is left to compare", at({ step: 4, percent: 100 }), judged("unknown"), SEEING, "hold"],
    ["a clock that says nothing was visible", at({ visibleMs: Number.NaN }), judged("not_worse"), SEEING, "hold"],
  ])("%s: %#", (_, situation, judgement, sight, move) => {
    const found = nextMove(situation, judgement, sight);
    expect(found.type).toBe(move);
    expect(found.reason.length).toBeGreaterThan(10);
  });

  test("goes on by one step", () => {
    expect(nextMove(at(), judged("not_worse"), SEEING)).toEqual({
      type: "promote",
      step: 2,
      reason: "On to 25 %. The reason.",
    });
  });

  test("only the whole plan with good news at each step reaches 100 %, and never without", () => {
    for (const verdict of ["unknown", "worse"] as const) {
      for (const step of [0, 1, 2, 3]) {
        for (const visibleMs of [0, 10 * MINUTE, 1e9]) {
          expect(nextMove(at({ step, visibleMs }), judged(verdict), SEEING).type).not.toBe("promote");
        }
      }
    }
  });
});

describe("silence", () => {
  const heard = (newestNew: number | null): Sight => ({ ...SEEING, newestNew });

  test("many of its invocations should have come, and none did: holds, says why, and where to look", () => {
    const never = judged("unknown", { present: { old: 19_000, new: 0 } });
    const { type, reason } = nextMove(at(), never, heard(null));
    expect(type).toBe("hold");
    expect(reason).toContain(
      "called 19,000 times since this step began, so the new one should have been some 1,000 times",
    );
    expect(reason).toContain("tail_consumers");
    expect(nextMove(at(limit), never, heard(null))).toMatchObject({ type: "take_back" });
  });

  test("few would have come: no alarm", () => {
    const { reason } = nextMove(at(), judged("unknown", { present: { old: 100, new: 0 } }), heard(null));
    expect(reason).toBe("No traffic of the new version at this step yet: not yet known.");
  });

  test("it fell silent in the middle of a step: looks good is not good enough", () => {
    const last = (START - 120) * 1000;
    const found = nextMove(at(), judged("not_worse"), heard(last));
    expect(found.type).toBe("hold");
    expect(found.reason).toContain("Nothing was heard of the new version for 2 min");
  });

  test("some seconds behind is not silence", () => {
    expect(nextMove(at(), judged("not_worse"), heard((START - 20) * 1000)).type).toBe("promote");
  });
});
