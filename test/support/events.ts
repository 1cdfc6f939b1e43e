/** Arbitrary events for property tests, in Node and in workerd alike. */
import fc from "fast-check";
import type { TailraceEvent } from "../../workers/event/event.ts";

/** Names that collide with core columns, prototypes and one another by case are the interesting ones. */
const attributeName = fc.oneof(
  fc.constantFrom("user.id", "status", "Message", "__proto__", "constructor", "attr.message", "attributes"),
  fc.string({ minLength: 1, maxLength: 20 }),
);
const attributeValue = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

export const arbitraryEvent: fc.Arbitrary<TailraceEvent> = fc.record(
  {
    time: fc.integer({ min: 1_700_000_000_000_000, max: 1_900_000_000_000_000 }),
    kind: fc.constantFrom("invocation", "log", "exception", "span", "raw"),
    script: fc.string({ minLength: 1, maxLength: 12 }),
    invocation_id: fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 }),
    seq: fc.nat(1000),
    sample_weight: fc.constantFrom(1, 2, 10, 100),
    message: fc.string(),
    status: fc.integer({ min: 100, max: 599 }),
    duration: fc.double({ min: 0, max: 1e6, noNaN: true }),
    attributes: fc.array(fc.tuple(attributeName, attributeValue), { minLength: 1, maxLength: 5 }).map((pairs) => {
      const attributes: Record<string, string | number | boolean> = Object.create(null);
      for (const [key, value] of pairs) attributes[key] = value;
      return attributes;
    }),
  },
  { requiredKeys: ["time", "kind", "script", "invocation_id", "seq", "sample_weight"] },
);
