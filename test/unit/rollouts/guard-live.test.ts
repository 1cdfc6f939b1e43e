/** Whose deployment is live, how long to wait, which time counts, and what becomes of a rollout: the pure parts of the guard. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_PLAN, type Rollout } from "../../../workers/api/contract.ts";
import type { Deployment } from "../../../workers/cloudflare/contract.ts";
import { deploymentMessage, overwritten, whoseIsLive } from "../../../workers/rollouts/guard/live.ts";
import { backOff, visibleStep } from "../../../workers/rollouts/guard/retry.ts";
import { isSameSplit, newRun, type Run, stepAt, stepVersions } from "../../../workers/rollouts/guard/run.ts";
import { dropIntent, reached, wantStep, wantTakeBack } from "../../../workers/rollouts/guard/transitions.ts";

const name = (id: string) => ({ id, tag: "", message: "" });
const ROLLOUT: Rollout = {
  ...{ id: "r1", script: "shop", state: "running", mode: "act", isWatched: false, old: name("old"), new: name("new") },
  ...{ plan: DEFAULT_PLAN, step: 0, percent: 1, verdict: "unknown", reason: "", startedAt: 0, startedBy: "kim" },
  ...{ endedAt: null, changedAt: 0 },
};
const RUN: Run = { ...newRun(ROLLOUT, "d2"), past: ["d1"] };

const deployment = (id: string, percent: number, message = ""): Deployment => ({
  ...{ id, createdAt: 0, author: "", message, triggeredBy: "" },
  versions: stepVersions(ROLLOUT, percent),
});

describe("who deployed what is live", () => {
  const ours = deploymentMessage("r1", 2, "5 %");
  it.each<[string, Deployment[], string]>([
    ["the one that we know", [deployment("d2", 1)], "expected"],
    ["ours, though we never heard that it was made", [deployment("d3", 5, ours)], "ours"],
    ["one that was replaced already: an old answer", [deployment("d1", 0)], "stale"],
    ["somebody's", [deployment("d3", 5)], "somebody"],
    ["of another rollout", [deployment("d3", 5, deploymentMessage("r10", 2, "5 %"))], "somebody"],
    [
      "with our message and other versions",
      [{ ...deployment("d3", 5, ours), versions: [{ version: "x", percent: 100 }] }],
      "somebody",
    ],
    ["nobody's", [], "nobody"],
  ])("%s", (_, deployments, who) => {
    expect(whoseIsLive(RUN, deployments).who).toBe(who);
  });

  it("knows what ours replaced that it should not have", () => {
    const human = deployment("d9", 0);
    expect(overwritten(RUN, [deployment("d3", 5, ours), human])).toEqual(human);
    expect(overwritten(RUN, [deployment("d4", 5, ours), deployment("d3", 5, ours), human])).toEqual(human);
    expect(overwritten(RUN, [deployment("d3", 5, ours), deployment("d2", 1), human])).toBeUndefined();
  });

  it("a message keeps to what Cloudflare keeps of it", () => {
    expect(deploymentMessage("r1", 1, "x".repeat(200))).toHaveLength(100);
  });
});

describe("waiting", () => {
  it("grows, is thinned by chance, and is never less than was asked for", () => {
    expect([1, 2, 3, 4, 5, 6, 20].map((n) => backOff(n, null, 0))).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(backOff(6, null, 0.999)).toBe(16);
    expect(backOff(1, 60_000, 0.5)).toBe(30);
    expect(backOff(1, 1e12, 0.5)).toBe(150);
  });

  it("time that counts is never negative, and never more than two looks", () => {
    fc.assert(
      fc.property(fc.option(fc.double({ noNaN: true })), fc.double({ noNaN: true }), (before, now) => {
        const step = visibleStep(before, now, 2_000);
        return step >= 0 && step <= 4_000;
      }),
    );
    expect(visibleStep(10_000, 12_000, 2_000)).toBe(2_000);
  });
});

describe("splits", () => {
  it("a step's versions make 100 %, and belong to that step", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (n) => {
        const versions = stepVersions(ROLLOUT, n / 100);
        const sum = versions.reduce((total, { percent }) => total + percent, 0);
        return Math.abs(sum - 100) < 1e-9 && versions.every(({ percent }) => percent > 0);
      }),
    );
    expect(DEFAULT_PLAN.steps.map(({ percent }) => stepAt(ROLLOUT, percent))).toEqual([0, 1, 2, 3, 4]);
    expect([0, 0.5, 7, 99].map((percent) => stepAt(ROLLOUT, percent))).toEqual([-1, 0, 1, 3]);
  });

  it("a version without traffic makes no other split", () => {
    const all = [{ version: "old", percent: 100 }];
    expect(isSameSplit(all, [...all, { version: "new", percent: 0 }])).toBe(true);
    expect(isSameSplit(all, stepVersions(ROLLOUT, 0.01))).toBe(false);
  });
});

describe("what was wanted", () => {
  it("and is replaced while it may be under way can still come", () => {
    const asked = wantStep(RUN, 1, "guard", "");
    const unsure: Run = { ...asked, intent: asked.intent && { ...asked.intent, posts: 1, unsure: 0 } };
    expect(wantTakeBack(unsure, "aborted", "kim", "").hasLoose).toBe(true);
    expect(dropIntent(unsure, 0, "").hasLoose).toBe(true);
    expect(wantTakeBack(asked, "aborted", "kim", "").hasLoose).toBe(false);
    expect(wantTakeBack(asked, "aborted", "kim", "").intent?.seq).toBe(2);
  });

  it("begins its step anew when it is live: no time and no refusal is taken along", () => {
    const run = { ...wantStep(RUN, 1, "guard", "On."), visibleMs: 600_000, stepHeld: "no", stepWait: 9 };
    if (run.intent === null) throw new Error("nothing is wanted");
    const live = reached(run, run.intent, deployment("d3", 5), 60_000);
    expect(live.run).toMatchObject({ visibleMs: 0, stepHeld: "", stepWait: 0, intent: null, expected: "d3" });
    expect(live.run).toMatchObject({
      past: ["d1", "d2"],
      rollout: { step: 1, percent: 5, state: "running", changedAt: 60_000 },
    });
    expect(live.told).toEqual([]);
  });
});
