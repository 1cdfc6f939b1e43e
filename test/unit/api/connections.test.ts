/** Our entry among tail consumers: whatever else is there stays as it is. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  hasOurs,
  othersOf,
  sameOthers,
  tomlOf,
  withOurs,
  withoutOurs,
} from "../../../workers/api/connections/entries.ts";
import type { TailConsumer } from "../../../workers/cloudflare/contract.ts";

const SELF = "tailrace";
const consumers = fc.array(
  fc.record(
    {
      service: fc.constantFrom(SELF, "other", "tailrace-staging", 'a "quoted" \\ name'),
      environment: fc.constantFrom("production", "staging"),
      namespace: fc.constantFrom("dispatch"),
      unknown: fc.integer(),
    },
    { requiredKeys: ["service"] },
  ),
  { maxLength: 6 },
) as fc.Arbitrary<TailConsumer[]>;

it("is put in once, and taken out alone, whatever is there", () => {
  fc.assert(
    fc.property(consumers, (before) => {
      const connected = withOurs(before, SELF);
      expect(hasOurs(connected, SELF)).toBe(true);
      expect(withOurs(connected, SELF)).toEqual(connected);
      expect(connected.slice(0, before.length)).toEqual(before);
      expect(hasOurs(withoutOurs(connected, SELF), SELF)).toBe(false);
      expect(sameOthers(before, connected, SELF)).toBe(true);
      if (!hasOurs(before, SELF)) expect(withoutOurs(connected, SELF)).toEqual(before);
    }),
  );
});

it("is not that of another environment, another namespace, or another Tailrace", () => {
  const foreign: TailConsumer[] = [
    { service: SELF, environment: "staging" },
    { service: SELF, namespace: "dispatch" },
    { service: "tailrace-eu" },
  ];
  expect(hasOurs(foreign, SELF)).toBe(false);
  expect(othersOf(foreign, SELF)).toEqual(["tailrace (staging)", "tailrace", "tailrace-eu"]);
  expect(hasOurs([{ service: SELF, environment: "production" }], SELF)).toBe(true);
});

it("stands in a line for wrangler.toml beside the others, which that line would replace", () => {
  expect(tomlOf([], SELF)).toBe('tail_consumers = [{ service = "tailrace" }]');
  expect(tomlOf([{ service: "other", environment: "staging" }], SELF)).toBe(
    'tail_consumers = [{ service = "other", environment = "staging" }, { service = "tailrace" }]',
  );
});

it("notices what others changed", () => {
  const [one, two] = [{ service: "one" }, { service: "two" }];
  expect(sameOthers([one, two], [two, { service: SELF }, one], SELF)).toBe(true);
  expect(sameOthers([one], [one, two], SELF)).toBe(false);
  expect(sameOthers([one, two], [one], SELF)).toBe(false);
});
