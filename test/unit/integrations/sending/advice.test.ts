/** What happened, then what to do, once. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../../workers/integrations/contract.ts";
import { withAdvice } from "../../../../workers/integrations/sending/advice.ts";

const failure = (message: string, kind: Failure["kind"] = "misplaced"): Failure => ({ kind, message, status: 404 });

describe("advice", () => {
  test.each([
    ["Status 404: no", "Status 404: no. Look."],
    ["Network connection lost.", "Network connection lost. Look."],
    ["Is this the right address?", "Is this the right address? Look."],
    ["It said …", "It said … Look."],
    ["lost..", "lost. Look."],
  ])("stands behind one mark: %s", (message, expected) => {
    expect(withAdvice(failure(message), { misplaced: "Look." }).message).toBe(expected);
  });

  test("is given once, by the integration that knows more", () => {
    const advised = withAdvice(failure("Status 401", "unauthorized"), { unauthorized: "Check the license key." });
    expect(withAdvice(advised)).toBe(advised);
    expect(withAdvice(failure("Status 401", "unauthorized")).message).toMatch(/^Status 401\. Check the key/);
  });

  test("is not given where the message is one", () => {
    const blocked = failure("Only https is sent to.", "blocked");
    expect(withAdvice(blocked)).toBe(blocked);
  });
});
