/** A rollout that was taken back, with everything in it, for the golden file; and the same with text that wants to break out. */
import type {
  EvidenceAnswer,
  GateResult,
  Judgement,
  RolloutEvent,
  RolloutPlan,
} from "../../../workers/api/contract.ts";

const START = Date.UTC(2026, 10, 21, 3, 14, 0);
const at = (seconds: number) => START + seconds * 1000;

const OLD = "6a1d2f0e-1111-4222-8333-444455556666";
const NEW = "9c3b7e42-aaaa-4bbb-8ccc-ddddeeeeffff";

/** Of its own: the default may change, and a report is of what was asked for. */
const planWith = (query: string): RolloutPlan => ({
  steps: [
    { percent: 1, soakMinutes: 5 },
    { percent: 5, soakMinutes: 5 },
    { percent: 100, soakMinutes: 0 },
  ],
  gates: {
    errors: { minEffect: 0.005 },
    duration: { quantile: 0.99, tolerance: 0.5, minMs: 50 },
    cpu: null,
    issues: { max: 0 },
    queries: [{ name: "declined", filter: query, minEffect: 0.01 }],
  },
  minSamples: 100,
  stepLimitMinutes: 120,
  mode: "act",
});

const errors: GateResult = {
  id: "errors:request",
  label: "Error rate of requests",
  kind: "errors",
  unit: "share",
  verdict: "worse",
  reason: "3.2 % of the new version's requests failed, 1.0 % of the old one's.",
  old: { n: 57_000, hits: 570, value: 0.01 },
  new: { n: 3_000, hits: 96, value: 0.032 },
  difference: { estimate: 0.022, low: 0.0124, high: 0.0331 },
  statistic: 4_213.7,
  threshold: 1_000,
  clearStatistic: 0.0002,
  clearThreshold: 20,
  margin: 0.005,
};
const duration: GateResult = {
  ...errors,
  id: "duration:request",
  label: "p99 duration of requests",
  kind: "duration",
  unit: "ms",
  verdict: "unknown",
  reason: "Too few requests of the new version for a p99.",
  old: { n: 57_000, hits: 570, value: 212.5 },
  new: { n: 3_000, hits: 31, value: 230 },
  difference: null,
  statistic: 1.8,
  clearStatistic: 3.25,
};
const judgement: Judgement = {
  verdict: "worse",
  isDisaster: false,
  reason: "The error rate of requests is worse.",
  gates: [errors, duration],
  present: { old: 57_000, new: 3_000 },
};

export interface Texts {
  /** Written by whoever can make a Worker fail, upload a version, or press a button. */
  title: string;
  frame: string;
  message: string;
  reason: string;
  actor: string;
  query: string;
}

export const ORDINARY: Texts = {
  title: "TypeError: Cannot read properties of undefined (reading 'zone')",
  frame: "src/v2/delivery.ts:18:9 in estimate",
  message: "Delivery estimates by zone",
  reason: "customers call",
  actor: "ci (tok_7STQ)",
  query: 'message:"card declined"',
};

export function evidenceWith({ title, frame, message, reason, actor, query }: Texts): EvidenceAnswer {
  const events: Omit<RolloutEvent, "seq">[] = [
    {
      at: at(0),
      kind: "preflight",
      actor: "guard",
      text: "Nothing stands in the way.",
      findings: [{ level: "warn", code: "secret_changed", message: `The secret ${message} changed.` }],
    },
    { at: at(0), kind: "started", actor, text: `Started by ${actor}: 1 % for 5 min, then 5 %.` },
    {
      at: at(2),
      kind: "action",
      actor: "guard",
      text: "1 % of the traffic to the new version.",
      request: {
        versions: [
          { version: OLD, percent: 99 },
          { version: NEW, percent: 1 },
        ],
        expected: "dep-1",
      },
      answer: { ok: false, status: 0, message, attempts: 1 },
    },
    {
      at: at(5),
      kind: "action",
      actor: "guard",
      text: "1 % of the traffic to the new version, asked again.",
      request: {
        versions: [
          { version: OLD, percent: 99 },
          { version: NEW, percent: 1 },
        ],
        expected: "dep-1",
      },
      answer: { ok: true, status: 200, deployment: "dep-2", attempts: 2 },
    },
    { at: at(60), kind: "command", actor, text: `Paused: ${reason}` },
    {
      at: at(120),
      kind: "decision",
      actor: "guard",
      text: `Worse: ${title}`,
      judgement,
      issues: [
        { id: 7, title, type: "TypeError", frame, isMapped: true, count: 96, firstSeen: at(10) },
        { id: 8, title: "", type: "Error", frame: null, isMapped: false, count: 1, firstSeen: at(11) },
      ],
    },
    {
      at: at(121),
      kind: "action",
      actor: "guard",
      text: "Taken back.",
      request: { versions: [{ version: OLD, percent: 100 }], expected: "dep-2" },
      answer: { ok: true, status: 200, deployment: "dep-3", attempts: 1 },
    },
    { at: at(122), kind: "ended", actor: "guard", text: "All traffic is with the old version again." },
  ];
  return {
    rollout: {
      id: "r-2026-11-21",
      script: "shop-storefront",
      state: "rolled_back",
      mode: "act",
      isWatched: false,
      old: { id: OLD, tag: "v1.9", message: "" },
      new: { id: NEW, tag: "v2.0", message },
      plan: planWith(query),
      step: 0,
      percent: 0,
      verdict: "worse",
      reason: `Taken back: ${title}`,
      startedAt: at(0),
      startedBy: actor,
      endedAt: at(122),
      changedAt: at(122),
    },
    events: events.map((event, seq) => ({ seq, ...event })),
    judgement,
    // The count went on after the decision.
    issues: [{ id: 7, title, type: "TypeError", frame, isMapped: true, count: 101, firstSeen: at(10) }],
  };
}
