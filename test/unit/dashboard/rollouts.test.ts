/** The words and the lines of rollouts: evidence as progress, intervals, headlines, marks, plans in forms, notifications. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noticeHref, noticeText, summaryOf } from "../../../dashboard/src/lib/notices.ts";
import { draftOf, readDraft } from "../../../dashboard/src/lib/rollout-draft.ts";
import {
  differenceChart,
  stepMarks,
  timeFrame,
  trafficSeries,
  withLastLook,
} from "../../../dashboard/src/lib/rollout-series.ts";
import {
  differenceText,
  evidenceShare,
  gateWord,
  headline,
  isOpen,
  leftOut,
  maySteer,
  points,
  share,
  stepText,
  verdictSince,
} from "../../../dashboard/src/lib/rollouts.ts";
import { DEFAULT_PLAN, type Judgement, type Notification, ROLLOUT_STATES } from "../../../workers/api/contract.ts";
import { BUCKET_MS, blind, gate, NEW, OLD, running, takenBack } from "../../browser/rollout-fixtures.ts";

const NOW = 1_795_000_000_000;

test("a gate without a verdict is open only while a step waits for it; what was never compared is named", () => {
  const nothing = { n: 0, hits: 0, value: null };
  const cpu = gate({ id: "cpu:request", label: "CPU time of requests", holds: false, old: nothing, new: nothing });
  const queue = gate({ id: "errors:queue", label: "Error rate of queue batches", holds: false });
  const bad = gate({ id: "errors:scheduled", holds: false, verdict: "worse" });
  expect([gate(), cpu, queue, bad].map(gateWord)).toEqual(["unknown", "not_compared", "too_rare", "worse"]);
  expect([gate(), cpu, queue, bad].map(isOpen)).toEqual([true, false, false, false]);
  const judgement = { ...(running(NOW).judgement as Judgement), gates: [gate(), cpu, queue, bad] };
  expect(leftOut(judgement, DEFAULT_PLAN)).toEqual([
    "CPU time of requests",
    "Error rate of queue batches",
    "Durable Object calls",
  ]);
  const quiet = { ...DEFAULT_PLAN, gates: { ...DEFAULT_PLAN.gates, errors: null } };
  expect(leftOut(judgement, { ...quiet })).toEqual(["CPU time of requests", "Error rate of queue batches"]);
});

describe("evidence as progress", () => {
  test("each like observation brings it as far; nothing and less than nothing are no way at all", () => {
    expect(evidenceShare(10, 1000)).toBeCloseTo(1 / 3);
    expect(evidenceShare(100, 1000)).toBeCloseTo(2 / 3);
    expect([evidenceShare(1, 1000), evidenceShare(0.01, 1000)]).toEqual([0, 0]);
    expect([evidenceShare(1000, 1000), evidenceShare(1e9, 1000)]).toEqual([1, 1]);
  });
  test("an e-value that JSON cannot hold is more than enough", () => {
    expect(evidenceShare(null, 1000)).toBe(1);
  });
  test("it is complete exactly when the threshold is reached", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, noNaN: true }),
        fc.double({ min: 1.5, max: 1e6, noNaN: true }),
        (e, threshold) => {
          const done = evidenceShare(e, threshold);
          expect(done).toBeGreaterThanOrEqual(0);
          expect(done === 1).toBe(e >= threshold || Math.log(e) / Math.log(threshold) >= 1);
        },
      ),
    );
  });
});

test("differences are in points with their sign, and never a zero with one", () => {
  expect([points(0.324), points(-0.0081), points(0.0009), points(0), points(-0.0000001)]).toEqual([
    "+32",
    "−0.81",
    "+0.090",
    "0",
    "0",
  ]);
  expect(differenceText(gate())).toEqual({ estimate: "+0.14", interval: "−0.81 to +1.6", unit: "points" });
  expect(differenceText(gate({ difference: null }))).toBeNull();
  expect([share(0.1), share(5), share(33.333)]).toEqual(["0.1 %", "5 %", "33.3 %"]);
});

test("every state has a headline, and what cannot be seen comes before what is good news", () => {
  for (const state of ROLLOUT_STATES) {
    const answer = running(NOW, { state });
    expect(headline(answer).text).not.toBe("");
  }
  expect(headline(blind(NOW)).text).toContain("cannot see");
  const { judgement } = takenBack(NOW);
  expect(headline({ ...blind(NOW), judgement }).text).toBe("The new version is worse");
  expect(headline(takenBack(NOW))).toMatchObject({ tone: "bad" });
  expect(headline(running(NOW, { state: "rolled_back", isWatched: true })).text).not.toContain("taken back");
});

test("where it is in words, and who may change it", () => {
  expect(stepText(running(NOW).rollout)).toBe("step 2 of 5");
  expect(stepText({ step: -1, plan: DEFAULT_PLAN, isWatched: false })).toBe("before the first step");
  expect((["read", "ingest", "deploy", "admin"] as const).map(maySteer)).toEqual([false, false, true, true]);
});

test("a verdict is known since the first decision of the last run of alike ones", () => {
  const { events, rollout } = takenBack(NOW);
  expect(verdictSince(events, "worse")).toBe((rollout.endedAt ?? 0) - 3000);
  expect(verdictSince(events, "not_worse")).toBeNull();
  expect(verdictSince([], "unknown")).toBeNull();
});

describe("what the charts draw", () => {
  test("a mark where the split changed, by what the guard did", () => {
    const marks = stepMarks(takenBack(NOW));
    expect(marks.map((m) => m.label)).toEqual(["1 %", "5 %", "taken back"]);
    expect(marks[0]?.t).toBe(takenBack(NOW).rollout.startedAt + 1200);
  });
  test("of a split that somebody else makes, by what was seen", () => {
    const answer = running(NOW, { isWatched: true });
    expect(stepMarks({ ...answer, events: answer.events.slice(0, 1) }).map((m) => m.label)).toEqual(["1 %", "5 %"]);
  });
  test("the axis is made for the interval as it is now, not as wide as it began", () => {
    const { points: all, rollout } = takenBack(NOW);
    const calm = all.filter((p) => p.difference !== null && p.difference.estimate < 0.1);
    const chart = differenceChart(calm, 0.01, rollout);
    expect(chart.high).toBeLessThan(calm[0]?.difference?.high ?? 0);
    expect(chart.high).toBeGreaterThanOrEqual(0.025);
    expect(chart.low).toBeLessThanOrEqual(-0.025);
    expect(differenceChart([], 0.01, rollout)).toMatchObject({ low: -0.025, high: 0.025 });
  });
  test("the interval ends with what the last look saw", () => {
    const answer = takenBack(NOW);
    const seen = withLastLook(answer.points, answer);
    const at = seen.findIndex((p) => p.t + BUCKET_MS > (answer.rollout.endedAt ?? 0));
    expect(seen[at]?.difference).toEqual(answer.judgement?.gates[0]?.difference);
    expect(seen.slice(0, at)).toEqual(answer.points.slice(0, at));
    expect(withLastLook(running(NOW).points, running(NOW))).toEqual(running(NOW).points);
  });
  test("the frame is the rollout and a little around it; rates are over the time that was counted", () => {
    const answer = running(NOW);
    const frame = timeFrame(answer, NOW);
    expect(frame.from).toBeLessThanOrEqual(answer.rollout.startedAt);
    expect(frame.to).toBeGreaterThanOrEqual(NOW);
    const early = { ...answer, points: [{ ...answer.points[0], t: frame.from - 1e7 }, ...answer.points] };
    expect(timeFrame(early as typeof answer, NOW).points.length).toBe(answer.points.length);

    const at = answer.points.length - 1;
    const last = answer.points[at];
    const half = { ...answer, points: [{ ...(last as NonNullable<typeof last>), t: NOW - BUCKET_MS / 2 }] };
    const [, old] = trafficSeries(half.points, half, NOW);
    expect(old?.values[0]).toBeCloseTo((last?.old.requests ?? 0) / (BUCKET_MS / 2000));
  });
});

describe("plans in a form", () => {
  test("the default plan comes back as it is", () => {
    expect(readDraft(draftOf())).toEqual({ ok: true, plan: DEFAULT_PLAN });
  });
  test("gates that are off are not asked, and their values stay for when they are on again", () => {
    const draft = draftOf({ ...DEFAULT_PLAN, gates: { ...DEFAULT_PLAN.gates, cpu: null } });
    const read = readDraft(draft);
    expect(read.ok && read.plan.gates.cpu).toBeNull();
    expect(draft.cpu.minMs).toBe(String(DEFAULT_PLAN.gates.cpu?.minMs));
  });
  test.each([
    [[{ percent: "5", soak: "" }], "Step 1, minutes: write a number."],
    [[{ percent: "5", soak: "1" }], "The last step is 100 %: then the new version has all of it."],
    [
      [
        { percent: "50", soak: "1" },
        { percent: "50", soak: "1" },
      ],
      "Step 2: each step gives the new version more than the one before.",
    ],
    [[{ percent: "0", soak: "1" }], "Step 1: each step gives the new version more than the one before."],
  ])("%j is told in one sentence", (steps, message) => {
    expect(readDraft({ ...draftOf(), steps })).toEqual({ ok: false, message });
  });
  test("whatever is typed is read or told, never thrown", () => {
    const text = fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom("", " 5 ", "1,5", "-1", "∞", "1e400"));
    fc.assert(
      fc.property(text, text, text, (percent, soak, effect) => {
        const draft = draftOf();
        const read = readDraft({
          ...draft,
          steps: [{ percent, soak }, ...draft.steps.slice(-1)],
          errors: { on: true, effect },
        });
        if (read.ok) expect(Number.isFinite(read.plan.gates.errors?.minEffect)).toBe(true);
        else expect(read.message).not.toBe("");
      }),
    );
  });
});

describe("notifications", () => {
  const notice = (kind: Notification["kind"], part: Partial<Notification["detail"]> = {}): Notification => ({
    id: 1,
    at: NOW,
    kind,
    issueId: 7,
    script: "shop",
    detail: { type: "rollout", title: "8 % of 50 requests fail", culprit: "v2", version: NEW, ...part },
  });
  test("of a rollout lead to it and give its reason; of an issue they are as they were", () => {
    const back = notice("rollout.rolled_back", { rolloutId: "r/1" });
    expect([noticeHref(back), noticeText(back)]).toEqual([
      "/rollouts/r%2F1",
      "Taken back: shop. 8 % of 50 requests fail",
    ]);
    const issue = notice("issue.new", { type: "TypeError", title: "no price", version: OLD });
    expect([noticeHref(issue), noticeText(issue)]).toEqual(["/issues/7", "New issue in shop: TypeError: no price"]);
    expect(noticeHref(notice("rollout.held"))).toBe("/rollouts");
  });
  test("many at once are one message, of what they are about", () => {
    const held = notice("rollout.held");
    expect(summaryOf([held, held, held])).toEqual({ text: "3 messages of rollouts", href: "/rollouts" });
    expect(summaryOf([notice("issue.new"), held]).text).toContain("issues, regressions and messages");
  });
});
