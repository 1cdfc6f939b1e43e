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

describe("a share of the invocations that is not the version's percentage", () => {
  const seen = (old: number, fresh: number, more: Partial<Judgement> = {}) =>
    judged("not_worse", { present: { old, new: fresh }, ...more });

  test.each<[string, number, number, number, ReturnType<typeof nextMove>["type"]]>([
    ["made-up invocations of the new version", 20, 107, 2_821, "hold"],
    ["made-up ones at half of the traffic, where three times as many cannot be", 50, 500, 5_000, "hold"],
    ["half of what is the new version's, pinned by affinity", 5, 19_500, 500, "promote"],
    ["twice as many, pinned by affinity", 5, 18_000, 2_000, "promote"],
    ["a fourth of what is the new version's: it hangs, or its tail is lost", 5, 19_750, 250, "hold"],
    ["the old version's tail is lost", 5, 1_000, 1_000, "hold"],
    ["too few to say so", 5, 1_500, 60, "promote"],
  ])("%s", (_, percent, old, fresh, move) => {
    const { type, reason } = nextMove(at({ percent }), seen(old, fresh), SEEING);
    expect(type).toBe(move);
    expect(reason.includes("Nothing is promoted on such counts")).toBe(move === "hold");
  });

  test("is told in plain words, also while there is no verdict, and at the limit", () => {
    const odd = judged("unknown", { present: { old: 107, new: 2_821 } });
    const words =
      "The new version has 20 % of the traffic, and 96 % of the 2,928 invocations of this step are said to be its own";
    const { type, reason } = nextMove(at({ percent: 20 }), odd, SEEING);
    expect(type).toBe("hold");
    expect(reason).toContain(words);
    expect(reason).toContain("ingest token");
    const end = nextMove(at({ percent: 20, ...limit }), odd, SEEING);
    expect(end.type).toBe("take_back");
    expect(end.reason).toContain(words);
  });

  test("is no news in the first seconds of a step, when telemetry of the one before comes in; nothing is promoted on it either", () => {
    const young = at({ percent: 20, visibleMs: 10_000 });
    expect(nextMove(young, judged("unknown", { present: { old: 2_000, new: 20 } }), SEEING).reason).toBe("The reason.");
    const plan = { ...DEFAULT_PLAN, steps: DEFAULT_PLAN.steps.map((step) => ({ ...step, soakMinutes: 0 })) };
    expect(nextMove({ ...young, plan }, seen(107, 2_821), SEEING).type).toBe("hold");
  });

  test("does not count Durable Objects, which move by id", () => {
    const drawn = { old: 1_900, new: 100 };
    expect(nextMove(at(), seen(190_000, 100, { drawn }), SEEING).type).toBe("promote");
    expect(nextMove(at(), seen(1_900, 100, { drawn: { old: 30, new: 9_000 } }), SEEING).type).toBe("hold");
  });

  test("worse is worse, whatever the share is", () => {
    expect(nextMove(at(), judged("worse", { present: { old: 10, new: 9_000 } }), SEEING).type).toBe("take_back");
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
