/** docs/issues.md and docs/access.md are what people go by: they must not lag behind the code. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRules } from "../../../workers/errors/grouping/rules.ts";
import {
  MAX_Q,
  MIN_COVERAGE,
  MIN_EFFECT,
  MIN_REST,
  MIN_WITH_VALUE,
} from "../../../workers/errors/statistics/compare.ts";
import {
  COMPARE_MS,
  MAX_ISSUE_INVOCATIONS,
  MAX_REST_EVENTS,
  MAX_REST_INVOCATIONS,
} from "../../../workers/query/attributes/limits.ts";

const issues = readFileSync("docs/issues.md", "utf8");

describe("docs/issues.md", () => {
  test("has rules that compile", () => {
    const rules = issues.split("```")[1]?.trim().split("\n") ?? [];
    expect(rules.length).toBeGreaterThan(3);
    expect(compileRules(rules)).toMatchObject({ ok: true });
  });

  test("has the numbers of the code", () => {
    const number = (n: number) => n.toLocaleString("en-US");
    for (const text of [
      `q ≤ ${MAX_Q}, V ≥ ${MIN_EFFECT}`,
      `at least ${MIN_WITH_VALUE} of the issue's invocations`,
      `at least ${MIN_REST} others`,
      `${number(MAX_ISSUE_INVOCATIONS)} invocations of the issue and ${number(MAX_REST_INVOCATIONS)} others`,
      `(${MAX_REST_EVENTS / 1e6} million events at most, ${COMPARE_MS / 1_000} s)`,
    ])
      expect(issues).toContain(text);
    expect(MIN_COVERAGE).toBe(0.1);
  });
});
