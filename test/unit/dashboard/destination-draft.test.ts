import { describe, expect, test } from "vitest";
import {
  backfillFrom,
  draftOf,
  isChanged,
  newRule,
  readDraft,
  readRules,
  readValues,
  share,
} from "../../../dashboard/src/lib/destination-draft.ts";
import { destination, SENTRY } from "../../browser/integration-fixtures.ts";

const NOW = Date.UTC(2026, 10, 21);
const fresh = () => draftOf(SENTRY, "Sentry");

describe("a draft", () => {
  test("of something new takes the defaults of the catalog and sends everything", () => {
    const read = readDraft(SENTRY, { ...fresh(), values: { ...fresh().values, dsn: " https://k@sentry/1 " } }, [], NOW);
    expect(read.problems).toEqual({});
    expect(read.value).toMatchObject({
      integration: "sentry",
      name: "Sentry",
      values: { dsn: "https://k@sentry/1", environment: "production", grouping: "tailrace" },
      rules: { workers: [], feeds: ["errors", "logs"], sampling: [], otherwise: 1, perMinute: null },
      failoverTo: null,
      backfillFrom: null,
    });
  });

  test("of one that is there gives back what it is set to", () => {
    const row = destination(NOW);
    const read = readDraft(SENTRY, draftOf(SENTRY, "", row), row.secretsSet, NOW);
    expect(read.problems).toEqual({});
    expect(read.value.rules).toEqual(row.rules);
    expect(read.value.name).toBe(row.name);
    expect(read.value.values).toEqual(row.values);
  });

  test("is changed by what one writes, not by the names that rules have in the list", () => {
    const row = destination(NOW);
    const before = draftOf(SENTRY, "", row);
    expect(isChanged(before, draftOf(SENTRY, "", row))).toBe(false);
    expect(isChanged(before, { ...before, perMinute: "5" })).toBe(true);
  });

  test("begins a back-fill as long ago as was chosen; one on standby has none", () => {
    expect(backfillFrom("24h", NOW)).toBe(NOW - 86_400_000);
    expect(backfillFrom("none", NOW)).toBeNull();
    expect(readDraft(SENTRY, { ...fresh(), standby: true, backfill: "1h" }, [], NOW).value.backfillFrom).toBeNull();
  });
});

describe("what is wrong is said where it stands", () => {
  test("a secret that is missing, but not one that is stored", () => {
    expect(readValues(SENTRY.fields, {}, []).problems).toEqual({
      "values.dsn": "DSN is needed.",
      "values.grouping": "Grouping is needed.",
    });
    expect(readValues(SENTRY.fields, { grouping: "sentry" }, ["dsn"]).problems).toEqual({});
  });

  test("a stored secret that is not needed is left out to stay, and empty to be taken away", () => {
    const optional = SENTRY.fields.map((f) => ({ ...f, required: false }));
    expect(readValues(optional, {}, ["dsn"]).value).toEqual({});
    expect(readValues(optional, {}, ["dsn"], ["dsn"]).value).toEqual({ dsn: "" });
  });

  test("rules", () => {
    const { problems } = readRules({
      ...fresh(),
      feeds: [],
      allWorkers: false,
      sampling: [newRule({ status: "6xx", percent: "many" })],
      otherwise: "101",
      perMinute: "-1",
      tags: [
        { key: "team", value: "a" },
        { key: "team", value: "b" },
        { key: "", value: "c" },
        { key: "", value: "" },
      ],
    });
    expect(Object.keys(problems).sort()).toEqual([
      "feeds",
      "otherwise",
      "perMinute",
      "sampling.0.percent",
      "sampling.0.status",
      "tags.1",
      "tags.2",
      "workers",
    ]);
  });

  test.each([
    ["12,5 %", 0.125],
    ["100", 1],
    ["0", 0],
    ["", undefined],
    ["-1", undefined],
    ["1e3", undefined],
  ])("the percentage %j is %j", (text, rate) => {
    expect(share(text)).toBe(rate);
  });
});
