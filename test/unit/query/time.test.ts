import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AUTO_BUCKETS } from "../../../workers/query/language/limits.ts";
import {
  autoBinUs,
  formatTimeUs,
  parseDuration,
  parseTime,
  parseTimeUs,
} from "../../../workers/query/language/time.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

describe("times", () => {
  test.each([
    ["now", NOW],
    ["-1h", NOW - 3_600_000],
    ["now-15m", NOW - 900_000],
    ["+2d", NOW + 172_800_000],
    ["-1w", NOW - 604_800_000],
    ["-1.5s", NOW - 1_500],
    ["2026-11-20", Date.UTC(2026, 10, 20)],
    ["2026-11", Date.UTC(2026, 10)],
    ["2026-11-20T10:30", Date.UTC(2026, 10, 20, 10, 30)],
    ["2026-11-20 10:30:01", Date.UTC(2026, 10, 20, 10, 30, 1)],
    ["2026-11-20T10:30:01Z", Date.UTC(2026, 10, 20, 10, 30, 1)],
    ["2026-11-20T10:30:01+02:00", Date.UTC(2026, 10, 20, 8, 30, 1)],
    [String(NOW), NOW],
    [NOW, NOW],
  ])("%s", (text, ms) => expect(parseTime(text, NOW)).toBe(ms));

  test("keep microseconds", () => {
    expect(parseTimeUs("2026-11-20T12:00:00.123456Z", NOW)).toBe(NOW * 1_000 + 123_456);
    expect(formatTimeUs(NOW * 1_000 + 123_456)).toBe("2026-11-20T12:00:00.123456Z");
  });

  test.each([
    "",
    "yesterday",
    "-1y",
    "--1h",
    "2026-13-01",
    "2026-02-30",
    "2026-02-29T10:00",
    "2026-11-20T25:00",
    "Infinity",
    "1e3",
    "-",
    "99999999999999999999",
  ])("%s is no time", (text) => expect(parseTimeUs(text, NOW)).toBeUndefined());

  test("what is formatted is parsed back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_102_444_800_000_000 }),
        (us) => parseTimeUs(formatTimeUs(us), NOW) === us,
      ),
    );
  });

  test("no text makes the parser throw", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const us = parseTimeUs(text, NOW);
        return us === undefined || Number.isSafeInteger(us);
      }),
    );
  });
});

test("durations have units", () => {
  expect(parseDuration("1.5s")).toBe(1_500);
  expect(parseDuration("250us")).toBe(0.25);
  expect(parseDuration("5")).toBeUndefined();
});

test("an automatic bucket is a round one, and there are not too many", () => {
  expect(autoBinUs(0, 3_600_000_000)).toBe(30_000_000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 15 }), (range) => range / autoBinUs(0, range) <= AUTO_BUCKETS + 1e-9),
  );
});
