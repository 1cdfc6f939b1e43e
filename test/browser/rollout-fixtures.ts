/** Rollouts as the API answers them, for the tests of their pages: one that runs, one whose guard is blind, one that was taken back. */
import {
  DEFAULT_PLAN,
  type DeploymentAnswer,
  type GateResult,
  type Judgement,
  type Preflight,
  type Rollout,
  type RolloutAnswer,
  type RolloutEvent,
  type RolloutPoint,
  type VersionName,
} from "../../workers/api/contract.ts";

const MINUTE_MS = 60_000;
export const BUCKET_MS = 10_000;

export const OLD: VersionName = {
  id: "0b7d1f60-aaaa-4aaa-8aaa-000000000001",
  tag: "v1",
  message: "Delivery estimates by carrier",
};
export const NEW: VersionName = {
  id: "c41e9a22-bbbb-4bbb-8bbb-000000000002",
  tag: "v2",
  message: "Delivery estimates by region, with holidays",
};
export const LONG: VersionName = {
  id: "f00dfeed-cccc-4ccc-8ccc-000000000003",
  tag: "release-2026.11.21-rc.4+build.20261121T0735Z",
  message: "Merge pull request #4812: move the whole checkout to the new price service and drop the old one at last",
};

const SCRIPT = "shop-storefront";

export function rollout(now: number, part: Partial<Rollout> = {}): Rollout {
  return {
    id: "7d0c5c1e-0000-4000-8000-000000000001",
    script: SCRIPT,
    state: "running",
    mode: "act",
    isWatched: false,
    old: OLD,
    new: NEW,
    plan: DEFAULT_PLAN,
    step: 1,
    percent: 5,
    verdict: "unknown",
    reason: "5 % since 3 minutes: too few failures on either version to tell them apart.",
    startedAt: now - 8 * MINUTE_MS,
    startedBy: "ci",
    endedAt: null,
    changedAt: now - 3 * MINUTE_MS,
    ...part,
  };
}

export function gate(part: Partial<GateResult> = {}): GateResult {
  return {
    id: "errors:request",
    label: "Error rate of requests",
    kind: "errors",
    unit: "share",
    verdict: "unknown",
    reason: "1.1 % against 0.9 % is within chance; 1,900 more requests on the new version may tell.",
    old: { n: 12_480, hits: 118, value: 0.00946 },
    new: { n: 642, hits: 7, value: 0.0109 },
    difference: { estimate: 0.0014, low: -0.0081, high: 0.0162 },
    statistic: 1.7,
    threshold: 1000,
    clearStatistic: 9.2,
    clearThreshold: 20,
    margin: 0.01,
    ...part,
  };
}

const duration = (part: Partial<GateResult> = {}): GateResult =>
  gate({
    id: "duration:request",
    label: "p99 duration of requests",
    kind: "duration",
    unit: "ms",
    verdict: "not_worse",
    reason: "92 ms against 88 ms: not more than half as slow again.",
    old: { n: 12_480, hits: 125, value: 88.4 },
    new: { n: 642, hits: 7, value: 92.1 },
    difference: { estimate: 0.0009, low: -0.006, high: 0.0098 },
    statistic: 0.4,
    clearStatistic: 41,
    ...part,
  });

const cpu = (): GateResult =>
  gate({
    id: "cpu:request",
    label: "p99 CPU time of requests",
    kind: "cpu",
    unit: "ms",
    holds: false,
    reason: "The platform reports no CPU time here, so there is nothing to compare: this gate does not block.",
    old: { n: 0, hits: 0, value: null },
    new: { n: 0, hits: 0, value: null },
    difference: null,
    statistic: 1,
    clearStatistic: 1,
  });

const batches = (): GateResult =>
  gate({
    id: "errors:queue",
    label: "Error rate of queue batches",
    holds: false,
    reason: "Too few for a verdict: 41 are missing. Fewer than 2 % of the Worker's invocations are queue batches.",
    old: { n: 118, hits: 0, value: 0 },
    new: { n: 9, hits: 0, value: 0 },
    difference: { estimate: 0, low: -0.2, high: 0.3 },
    statistic: 1,
    clearStatistic: 1,
  });

const issuesGate = (part: Partial<GateResult> = {}): GateResult =>
  gate({
    id: "issues",
    label: "New issues",
    kind: "issues",
    unit: "issues",
    verdict: "not_worse",
    reason: "No issue is new in this version.",
    old: { n: 12_480, hits: 0, value: 0 },
    new: { n: 642, hits: 0, value: 0 },
    difference: null,
    statistic: 1,
    clearStatistic: 20,
    ...part,
  });

export const judgement = (part: Partial<Judgement> = {}): Judgement => ({
  verdict: "unknown",
  isDisaster: false,
  reason: "The error rate of requests is not known well enough yet.",
  gates: [cpu(), batches(), gate(), duration(), issuesGate()],
  present: { old: 12_480, new: 642 },
  ...part,
});

/** Buckets from the start to `until`; after `badFrom` a third of the new version's fail. */
export function points(from: number, until: number, badFrom = Number.POSITIVE_INFINITY): RolloutPoint[] {
  const made: RolloutPoint[] = [];
  const start = Math.floor(from / BUCKET_MS) * BUCKET_MS;
  for (let t = start, i = 0; t < until; t += BUCKET_MS, i++) {
    const percent = t < from ? 0 : t < from + 5 * MINUTE_MS ? 1 : 5;
    const requests = Math.round((900 + 60 * Math.sin(i / 5)) * (percent / 100));
    const width = 0.6 / Math.sqrt(i + 1);
    const shift = t >= badFrom ? 0.3 : 0.002;
    made.push({
      t,
      old: { requests: 900 - requests, errors: (i * 7) % 13 },
      new: { requests, errors: t >= badFrom ? Math.ceil(requests / 3) : i % 6 === 0 && requests > 0 ? 1 : 0 },
      percent,
      difference:
        i < 2
          ? null
          : { estimate: shift, low: Math.max(-1, shift - width * 0.25), high: Math.min(1, shift + width * 0.25) },
    });
  }
  return made;
}

function begun(r: Rollout): RolloutEvent[] {
  const to = (percent: number) => ({
    versions: [
      { version: r.old.id, percent: 100 - percent },
      { version: r.new.id, percent },
    ],
    expected: "d-00000000",
  });
  return [
    { seq: 1, at: r.startedAt, kind: "started", actor: r.startedBy, text: "Rollout of v2 began, by the default plan." },
    {
      seq: 2,
      at: r.startedAt + 400,
      kind: "preflight",
      actor: "guard",
      text: "The old version can come back.",
      findings: [{ level: "info", code: "secret_changed", message: "No secret differs between the versions." }],
    },
    {
      seq: 3,
      at: r.startedAt + 1200,
      kind: "action",
      actor: "guard",
      text: "Set v2 to 1 %.",
      request: to(1),
      answer: { ok: true, status: 200, deployment: "d-11111111", attempts: 1 },
    },
    {
      seq: 4,
      at: r.startedAt + 5 * MINUTE_MS,
      kind: "decision",
      actor: "guard",
      text: "Go on to 5 %: not worse at 1 %.",
      judgement: judgement({ verdict: "not_worse", reason: "No gate is worse." }),
    },
    {
      seq: 5,
      at: r.startedAt + 5 * MINUTE_MS + 900,
      kind: "action",
      actor: "guard",
      text: "Set v2 to 5 %.",
      request: to(5),
      answer: { ok: true, status: 200, deployment: "d-22222222", attempts: 2 },
    },
  ];
}

export function running(now: number, part: Partial<Rollout> = {}): RolloutAnswer {
  const r = rollout(now, part);
  return {
    rollout: r,
    judgement: judgement(),
    soak: { ms: 3 * MINUTE_MS, ofMs: 5 * MINUTE_MS, limitMs: 120 * MINUTE_MS },
    bucketMs: BUCKET_MS,
    points: points(r.startedAt, now),
    issues: [],
    events: begun(r),
    blind: [],
  };
}

export const BLIND = "2 of 3 Ingesters have not answered for 40 s, so the newest minute is not known.";

export function blind(now: number): RolloutAnswer {
  const answer = running(now, {
    id: "7d0c5c1e-0000-4000-8000-000000000002",
    reason: "Held at 5 %: telemetry is missing.",
  });
  return { ...answer, blind: [BLIND] };
}

export const FRAME = "src/v2/delivery.ts:18:9 in estimate";

export function takenBack(now: number): RolloutAnswer {
  const startedAt = now - 40 * MINUTE_MS;
  const badFrom = startedAt + 6 * MINUTE_MS;
  const endedAt = badFrom + 24_000;
  const reason = "2 of 6 requests fail on v2 against 1 of 100 on v1: worse, beyond any doubt that chance leaves.";
  const r = rollout(now, {
    id: "7d0c5c1e-0000-4000-8000-000000000003",
    state: "rolled_back",
    verdict: "worse",
    percent: 0,
    reason,
    startedAt,
    endedAt,
    changedAt: endedAt,
  });
  const worse = judgement({
    verdict: "worse",
    reason,
    gates: [
      gate({
        verdict: "worse",
        reason,
        new: { n: 642, hits: 214, value: 0.333 },
        difference: { estimate: 0.324, low: 0.21, high: 0.44 },
        statistic: 48_211,
        clearStatistic: 0.0001,
      }),
      issuesGate({
        verdict: "worse",
        reason: "One issue is new in v2, and chance does not explain how often it came.",
        new: { n: 642, hits: 214, value: 1 },
        difference: { estimate: 1, low: 1, high: 1 },
        statistic: 3_100,
      }),
      duration(),
      cpu(),
    ],
  });
  const issues = [
    {
      id: 42,
      title: "Cannot read properties of undefined (reading 'holidays')",
      type: "TypeError",
      frame: FRAME,
      isMapped: true,
      count: 214,
      firstSeen: badFrom,
    },
  ];
  return {
    rollout: r,
    judgement: worse,
    soak: { ms: 84_000, ofMs: 5 * MINUTE_MS, limitMs: 120 * MINUTE_MS },
    bucketMs: BUCKET_MS,
    points: points(startedAt, endedAt, badFrom),
    issues,
    events: [
      ...begun(r),
      { seq: 6, at: endedAt - 3000, kind: "decision", actor: "guard", text: "Take it back.", judgement: worse, issues },
      {
        seq: 7,
        at: endedAt - 800,
        kind: "action",
        actor: "guard",
        text: "Set v1 to 100 %, at once.",
        request: { versions: [{ version: r.old.id, percent: 100 }], expected: "d-22222222" },
        answer: { ok: true, status: 200, deployment: "d-33333333", attempts: 1 },
      },
      { seq: 8, at: endedAt, kind: "ended", actor: "guard", text: "Taken back: v1 has all traffic." },
    ],
    blind: [],
  };
}

export const deployment = (now: number): DeploymentAnswer => ({
  live: { id: "d-00000000", createdAt: now - 86_400_000, versions: [{ ...OLD, percent: 100 }], message: "" },
  versions: [
    { ...NEW, number: 12, createdAt: now - 4 * MINUTE_MS },
    { ...LONG, number: 11, createdAt: now - 50 * MINUTE_MS },
    { ...OLD, number: 10, createdAt: now - 86_400_000 },
  ],
  rollout: null,
});

/** Somebody else's split, as it is before anybody chose which of its versions is good. */
export const splitDeployment = (now: number): DeploymentAnswer => ({
  ...deployment(now),
  live: {
    id: "d-00000000",
    createdAt: now - MINUTE_MS,
    versions: [
      { ...OLD, percent: 75 },
      { ...NEW, percent: 25 },
    ],
    message: "",
  },
});

export const WARNING = "The secret PRICE_KEY changed since v1 was uploaded: v1 would come back with the new one.";
export const REFUSAL = "v2 has the migration v3 of Durable Objects, v1 has v2: v1 could not come back.";

export const preflight = (level: "warn" | "refuse" | undefined): Preflight => ({
  ok: level !== "refuse",
  old: OLD,
  new: NEW,
  plan: DEFAULT_PLAN,
  findings:
    level === undefined
      ? []
      : [
          { level: "info", code: "version_window", message: "v1 is the 3rd newest of the 100 that can come back." },
          level === "warn"
            ? { level, code: "secret_changed", message: WARNING }
            : { level, code: "migration_differs", message: REFUSAL },
        ],
});
