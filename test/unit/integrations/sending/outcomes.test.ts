/** What the status of an answer says about what was sent. */
import { expect, it } from "vitest";
import { kindOf } from "../../../../workers/integrations/notices/exchange.ts";
import { failureOf } from "../../../../workers/integrations/sending/outcomes.ts";
import { retryAfterMs } from "../../../../workers/util/retry-after.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21, 10);

const answer = (status: number, headers: Record<string, string> = {}) =>
  ({ ok: true, status, headers: new Headers(headers), text: "", bytes: new Uint8Array(), cut: false }) as const;

it.each([100, 101, 102, 103, 199])("%i is no word about the content: nothing is thrown away for it", (status) => {
  expect(failureOf(answer(status), NOW)).toMatchObject({ kind: "misplaced", status });
  expect(kindOf(status)).toBe("misplaced");
});

it.each([
  ["1000000000", HOUR_MS],
  ["9".repeat(400), HOUR_MS],
  ["3599", 3_599_000],
  ["1.5", 1_500],
  ["0", 0],
  [new Date(NOW + 10 * 365 * 24 * HOUR_MS).toUTCString(), HOUR_MS],
  ["1e9", null],
  ["-5", null],
  ["soon", null],
  ["", null],
] as const)("Retry-After of %s", (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
