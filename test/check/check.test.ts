/** `npm run check` as tests, so that one command runs, and one report counts, all that CI runs. */
import { expect, test } from "vitest";
import { CHECKS, runCheck } from "../../scripts/lib/checks.mjs";

test.each(CHECKS)("$name: nothing to complain about", async (check) => {
  const { code, output } = await runCheck(check);
  expect(code, output).toBe(0);
});
