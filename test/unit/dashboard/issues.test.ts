/** Words, filters and small decisions of the issue pages. */
import { expect, test } from "vitest";
import { backOffMs } from "../../../dashboard/src/lib/back-off.ts";
import { readOccurrence, writeOccurrence } from "../../../dashboard/src/lib/event-row.ts";
import { alikeText, comparedText, findingText, intervalText, oddsText } from "../../../dashboard/src/lib/findings.ts";
import { activityText, goesOn, ignoreText, listedIn, listParams, TABS } from "../../../dashboard/src/lib/issues.ts";
import { issueOf } from "../../../dashboard/src/lib/query-text.ts";
import { lineProblems } from "../../../dashboard/src/lib/rule-problems.ts";
import type { ActivityKind } from "../../../workers/api/contract.ts";

test("the URL's parameters become the API's; noise is a tab of its own", () => {
  expect(listParams({})).toEqual({ state: "open" });
  expect(listParams({ state: "noise", kind: "log", script: "shop" })).toEqual({
    state: "all",
    kind: "noise",
    script: "shop",
  });
  expect(listParams({ assignee: "nobody", sort: "count", q: "", from: "-1h" })).toEqual({
    state: "open",
    assignee: null,
    sort: "count",
  });
});

test("counts of the tabs add up", () => {
  const answer = { states: { unresolved: 3, regressed: 2, ignored: 5, resolved: 7 }, noise: 11 };
  expect(TABS.map((t) => [t.id, t.count(answer)])).toEqual([
    ["open", 5],
    ["unresolved", 3],
    ["regressed", 2],
    ["ignored", 5],
    ["resolved", 7],
    ["all", 17],
    ["noise", 11],
  ]);
});

test("an issue stays listed where its new state belongs", () => {
  expect(listedIn("open", "regressed")).toBe(true);
  expect(listedIn("open", "resolved")).toBe(false);
  expect(listedIn("resolved", "resolved")).toBe(true);
  expect(listedIn("all", "ignored")).toBe(true);
});

const said = (kind: ActivityKind, detail: Record<string, unknown> = {}) => activityText({ kind, detail });

test("activities read as sentences", () => {
  const version = { id: "592564cb-185f-8078-a969-233169545c6b", tag: "v2", message: "" };
  expect(said("first_seen", { version })).toBe("first saw it in v2 (592564cb)");
  expect(said("resolved", { in: "next" })).toBe("resolved it in the next version");
  expect(said("resolved", { in: version.id })).toBe("resolved it in 592564cb");
  expect(said("resolved", {})).toBe("resolved it");
  expect(said("regressed", { version: version.id })).toBe("saw it again in 592564cb after it was resolved");
  expect(said("ignored", { count: 100 })).toBe("ignored it until 100 more events");
  expect(said("reopened", { undo: true })).toBe("took the last change back");
  expect(said("escalated", { count: 100 })).toBe("stopped ignoring it, which was until 100 more events");
  expect(said("unmerged", { to: 4 })).toBe("took #4 out of it again");
  expect(said("regrouped", { from: 4, version: version.id })).toBe(
    "led stacks of #4 here, with the source map of 592564cb",
  );
  expect(said("regrouped", { into: 2 })).toBe("led its stacks to #2, with a source map that came later");
  expect(said("symbolicated", { version })).toBe("led its stack to the source, with the source map of v2 (592564cb)");
  expect(said("assigned", { to: "" })).toBe("took the assignee away");
  expect(said("merged", { from: [3, 4] })).toBe("merged #3, #4 into it");
  expect(said("merged", { into: 2 })).toBe("merged it into #2");
});

test("what ends an ignore is told whole", () => {
  expect(ignoreText({ count: 1000, rate: 10 })).toBe("until 1,000 more events or until more than 10 per minute");
  expect(ignoreText({ until: null, count: null, rate: null })).toBe("");
});

test("an issue goes on until it was quiet for a quarter of an hour", () => {
  expect(goesOn(0, 14 * 60_000)).toBe(true);
  expect(goesOn(0, 16 * 60_000)).toBe(false);
});

test("odds have two digits, and no more than make sense", () => {
  expect([20.94, 1.234, 1390, Number.POSITIVE_INFINITY, 0.001].map(oddsText)).toEqual([
    "21×",
    "1.2×",
    "> 1,000×",
    "> 1,000×",
    "< 0.01×",
  ]);
  expect(oddsText(null)).toBe("> 1,000×");
  expect(intervalText([53.2, 10_563])).toBe("53 to 1,000+");
});

test("a finding is a plain sentence", () => {
  const finding = {
    attribute: "colo",
    value: "SIN",
    issueCount: 74,
    workerCount: 120,
    issueShare: 0.74,
    workerShare: 0.12,
    oddsRatio: 20.9,
    interval: [17, 25] as [number, number],
    effect: 0.4,
    q: 1e-8,
    filter: "colo:SIN",
    alike: ["country SG", "region Asia", "city Singapore"].map((pair) => {
      const [attribute = "", value = ""] = pair.split(" ");
      return { attribute, value };
    }),
  };
  expect(alikeText(finding, (a) => a.value)).toBe("the same ones: country SG, region Asia and 1 more");
  expect(findingText(finding, "shop")).toBe(
    "colo is SIN in 74 % of this issue's invocations, and in 12 % of all of shop's.",
  );
});

test("what was compared is told, samples as such", () => {
  const text = comparedText({
    inIssue: 40,
    inWorker: 100_040,
    looked: { issue: 40, rest: 5000, fractions: { issue: 1, rest: 0.05 } },
    comparisons: { attributes: 12, values: 340 },
  });
  expect(text).toMatch(
    /^40 invocations of the issue beside a sample of 5,000 of 100k others; 340 values of 12 attributes/,
  );
});

test.each([
  ["issue:12", 12],
  ["script:shop issue:12 | stats count() by route", 12],
  ["(issue:12 OR colo:LHR)", 12],
  ["-issue:12", undefined],
  ["issue:12 OR issue:13", undefined],
  ['"issue:12 or so"', undefined],
  ["tissue:12", undefined],
  ["", undefined],
])("the issue that a query narrows to: %s", (q, expected) => {
  expect(issueOf(q)).toBe(expected);
});

test("an occurrence in the URL is read back; anything else is none", () => {
  expect(readOccurrence(writeOccurrence("a".repeat(32), 7))).toEqual({ invocation: "a".repeat(32), seq: 7 });
  expect(readOccurrence("nonsense")).toBeUndefined();
  expect(readOccurrence(undefined)).toBeUndefined();
});

test("problems of rules are taken from a failure as far as they are problems", () => {
  expect(lineProblems({ problems: [{ line: 3, message: "no" }, { message: "all" }, { line: 1 }, null] })).toEqual([
    { line: 3, message: "no" },
    { line: 0, message: "all" },
  ]);
  expect(lineProblems(undefined)).toEqual([]);
  expect(lineProblems({ problems: "x" })).toEqual([]);
});

test("connecting again is tried later and later, up to a minute, and spread out", () => {
  expect([0, 1, 2, 5, 6, 100].map((n) => backOffMs(n, 1))).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
  expect(backOffMs(6, 0)).toBe(30_000);
});
