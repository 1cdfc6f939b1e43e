/** Numbers as the dashboard writes them, buckets as it cuts them, and series as it draws them. */
import { expect, test } from "vitest";
import { bucketFor, bucketStarts } from "../../../dashboard/src/lib/buckets.ts";
import { isoToMs, readRef } from "../../../dashboard/src/lib/event-row.ts";
import {
  count,
  countTick,
  duration,
  durationTick,
  percent,
  quantile,
  rate,
  span,
} from "../../../dashboard/src/lib/format.ts";
import { shapeOf } from "../../../dashboard/src/lib/query-shape.ts";
import { toSeries } from "../../../dashboard/src/lib/result-series.ts";
import type { QueryAnswer } from "../../../workers/api/contract.ts";

test.each([
  [count(0), "0"],
  [count(9999), "9,999"],
  [count(14_000), "14.0k"],
  [count(999_999), "1.00M"],
  [count(null), "–"],
  [countTick(20_000), "20k"],
  [duration(0.84), "840 µs"],
  [duration(12.44), "12.4 ms"],
  [duration(3200), "3.20 s"],
  [duration(250_000), "4 m 10 s"],
  [durationTick(20), "20 ms"],
  [durationTick(100), "100 ms"],
  [quantile(0.99), "1 ms"],
  [quantile(10.1), "10 ms"],
  [quantile(12.44), "12 ms"],
  [quantile(347), "350 ms"],
  [quantile(0.4), "400 µs"],
  [quantile(18_600), "19 s"],
  [quantile(null), "–"],
  [percent(0), "0 %"],
  [percent(0.00001), "< 0.01 %"],
  [percent(0.0421), "4.2 %"],
  [percent(0.99999), "> 99.99 %"],
  [percent(1), "100 %"],
  [rate(36, 3_600_000), "36/h"],
  [rate(7200, 3_600_000), "2/s"],
  [span(8_040_000), "2 h 14 m"],
])("%s is written %s", (text, expected) => {
  expect(text).toBe(expected);
});

test("buckets are whole units and few enough to see", () => {
  expect(bucketFor(3_600_000)).toEqual({ ms: 30_000, text: "30s" });
  expect(bucketFor(30 * 86_400_000)).toEqual({ ms: 6 * 3_600_000, text: "6h" });
  expect(bucketStarts(61_000, 185_000, 60_000)).toEqual([60_000, 120_000, 180_000]);
});

test("times keep their microseconds; an event's name in the URL is read back or refused", () => {
  expect(isoToMs("2026-11-20T10:00:00.123456Z")).toBe(Date.parse("2026-11-20T10:00:00.123Z") + 0.456);
  expect(readRef("abc.3.1700000000000")).toEqual({ invocation: "abc", seq: 3, around: 1_700_000_000_000 });
  for (const bad of [undefined, "", "abc", "abc.x.1", "abc.1"]) expect(readRef(bad)).toBeUndefined();
});

test.each([
  ["", "events"],
  ["script:shop | where status:>400", "events"],
  ["| stats count() by route", "table"],
  ["| fields time, message", "table"],
  ["script: | |", "mistake"],
])("%j is shown as %s", (q, kind) => {
  expect(shapeOf(q, 0).kind).toBe(kind);
});

test("figures over time: a missing bucket is 0 for counts and a gap for quantiles", () => {
  const q = "| stats count(), p99(duration) by version, bin(1m)";
  const shape = shapeOf(q, 0);
  if (shape.kind !== "table" || shape.stats === undefined) throw new Error("BUG: not a stats query");
  expect(shape.stats).toMatchObject({ binMs: 60_000, aggregates: ["count", "p99(duration)"] });
  const at = (minute: number) => `1970-01-01T00:0${minute}:00.000000Z`;
  const answer = {
    columns: [
      { name: "version", type: "string" },
      { name: "time", type: "time" },
      { name: "count", type: "number" },
      { name: "p99(duration)", type: "number", unit: "ms" },
    ],
    rows: [
      ["a", at(0), 3, 10],
      ["a", at(2), 5, 20],
      ["b", at(1), 100, 7],
    ],
  } as unknown as QueryAnswer;
  const range = { from: 0, to: 180_000 };
  const counts = toSeries(answer, shape.stats, "count", range);
  expect(counts.series.map((s) => [s.label, s.values])).toEqual([
    ["b", [0, 100, 0]],
    ["a", [3, 0, 5]],
  ]);
  const slow = toSeries(answer, shape.stats, "p99(duration)", range);
  expect(slow.series.find((s) => s.label === "a")?.values).toEqual([10, null, 20]);
  expect(slow.format(20)).toBe("20.0 ms");
});
