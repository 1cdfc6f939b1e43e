/** A rollout as the API tells it, to be changed by tests. */
import {
  DEFAULT_PLAN,
  type GateResult,
  type Rollout,
  type RolloutAnswer,
  type RolloutEvent,
} from "../../../../workers/api/contract.ts";

export const START = 1_000_000;

export const rolloutOf = (more: Partial<Rollout> = {}): Rollout => ({
  id: "r-1",
  script: "shop",
  state: "running",
  mode: "act",
  isWatched: false,
  old: { id: "6a1d2f0e-1111-4222-8333-444455556666", tag: "v1.9", message: "" },
  new: { id: "9c3b7e42-aaaa-4bbb-8ccc-ddddeeeeffff", tag: "v2.0", message: "faster" },
  plan: DEFAULT_PLAN,
  step: 1,
  percent: 5,
  verdict: "unknown",
  reason: "Too few requests yet.",
  startedAt: START,
  startedBy: "ci",
  endedAt: null,
  changedAt: START,
  ...more,
});

export const gateOf = (more: Partial<GateResult> = {}): GateResult => ({
  id: "errors:request",
  label: "Error rate of requests",
  kind: "errors",
  unit: "share",
  verdict: "unknown",
  reason: "Too few requests yet.",
  old: { n: 2_000, hits: 20, value: 0.01 },
  new: { n: 100, hits: 3, value: 0.03 },
  difference: { estimate: 0.02, low: -0.005, high: 0.06 },
  statistic: 4,
  threshold: 1_000,
  clearStatistic: 0.1,
  clearThreshold: 20,
  margin: 0.005,
  ...more,
});

export const eventOf = (seq: number, text: string, more: Partial<RolloutEvent> = {}): RolloutEvent => ({
  seq,
  at: START + seq * 1_000,
  kind: "decision",
  actor: "guard",
  text,
  ...more,
});

export function answerOf(rollout: Partial<Rollout> = {}, more: Partial<RolloutAnswer> = {}): RolloutAnswer {
  return {
    rollout: rolloutOf(rollout),
    judgement: {
      verdict: "unknown",
      isDisaster: false,
      reason: "",
      gates: [gateOf()],
      present: { old: 2_000, new: 100 },
    },
    soak: { ms: 60_000, ofMs: 300_000, limitMs: 7_200_000 },
    bucketMs: 10_000,
    points: [
      { t: 0, old: { requests: 2_000, errors: 20 }, new: { requests: 100, errors: 3 }, percent: 5, difference: null },
    ],
    issues: [],
    events: [eventOf(0, "Started.")],
    blind: [],
    ...more,
  };
}
