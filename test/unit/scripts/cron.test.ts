/** Which minutes a cron expression names. */
import { expect, test } from "vitest";
import { parseCron } from "../../../scripts/local/cron.mjs";

test.each([
  ["7 * * * *", "2026-11-20T10:07:00Z", true],
  ["7 * * * *", "2026-11-20T10:08:00Z", false],
  ["17 3 * * *", "2026-11-20T03:17:00Z", true],
  ["17 3 * * *", "2026-11-20T04:17:00Z", false],
  ["*/15 * * * *", "2026-11-20T04:45:00Z", true],
  ["*/15 * * * *", "2026-11-20T04:46:00Z", false],
  ["5/20 * * * *", "2026-11-20T04:45:00Z", true],
  ["0 9-17 * * *", "2026-11-20T17:00:00Z", true],
  ["0 9-17 * * *", "2026-11-20T18:00:00Z", false],
  ["0,30 0 * * *", "2026-11-20T00:30:00Z", true],
  // 20 November 2026 is a Friday.
  ["0 0 * * 5", "2026-11-20T00:00:00Z", true],
  ["0 0 1 * 5", "2026-11-20T00:00:00Z", true],
  ["0 0 1 * *", "2026-11-20T00:00:00Z", false],
  ["0 0 * 12 *", "2026-11-20T00:00:00Z", false],
])("%s at %s: %s", (cron, time, expected) => {
  expect(parseCron(cron)(new Date(time))).toBe(expected);
});

test.each(["", "* * * *", "60 * * * *", "* 24 * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 L * *"])(
  "refused: %j",
  (cron) => {
    expect(() => parseCron(cron)).toThrow(/^cron /);
  },
);
