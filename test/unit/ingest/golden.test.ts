import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FIXTURES, fixtures, groupedEventsOf } from "./support.ts";

/** What workerd produced (test/fixtures/trace-items/capture.mjs) → what Tailrace makes of it. */
describe("trace items from workerd become these events", () => {
  for (const [name, captured] of fixtures()) {
    test(name, async () => {
      const events = captured.map(({ item, props }, i) =>
        groupedEventsOf({ ...item, invocationId: String(i).padStart(32, "0") }, props),
      );
      await expect(`${JSON.stringify(events, null, 1)}\n`).toMatchFileSnapshot(
        join(FIXTURES, "golden", `${name}.json`),
      );
    });
  }
});
