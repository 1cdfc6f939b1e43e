/** The order of reading: an invocation first, then by time; invocations as they came. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { inReadingOrder } from "../../../../workers/api/contract.ts";
import { event } from "./world.ts";

const of = (invocation: string, seq: number, time: string, kind = "log") =>
  event(0, { invocation_id: invocation, seq, time: `2026-11-21T05:36:39${time}Z`, kind });

test("times do not run backwards within an invocation, whose own event comes first", () => {
  const own = of("a", 0, ".940000", "invocation");
  const first = of("a", 3, ".94");
  const same = of("a", 1, ".946000");
  const after = of("a", 4, ".946000");
  const last = of("a", 2, ".951");
  const other = of("b", 0, ".100");
  expect(inReadingOrder([other, same, last, first, after, own, other])).toEqual([
    other,
    own,
    first,
    same,
    after,
    last,
    other,
  ]);
});

test("nothing is lost or doubled, and invocations keep their turn", () => {
  const events = fc.array(
    fc
      .tuple(fc.constantFrom("a", "b"), fc.nat(9), fc.nat(999), fc.constantFrom("log", "invocation"))
      .map(([id, seq, ms, kind]) => of(id, seq, `.${ms}`, kind)),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(events, (list) => {
      const ordered = inReadingOrder(list);
      expect(new Set(ordered).size).toBe(list.length);
      expect(ordered.map((e) => e.invocation_id)).toEqual(list.map((e) => e.invocation_id));
    }),
  );
});
