/** Whatever an event holds, what is sent is an envelope that a receiver can read, within Sentry's limits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AttributeValue, TailraceEvent } from "../../../../workers/event/event.ts";
import sentry from "../../../../workers/integrations/catalog/sentry.ts";
import type { Item } from "../../../../workers/integrations/contract.ts";
import type { ResolvedFrame, ResolvedTrace } from "../../../../workers/integrations/frames.ts";
import { bodyOf, fakeIo, newDsn, readEnvelope } from "../../../support/sentry.ts";

const MB = 1_000_000;
/** Of an event told in the least detail. */
const LAST_BYTES = 200_000;
/** Halves of surrogate pairs, NUL, line ends, JSON's own signs, names of prototypes, and very long texts. */
const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "",
      "\ud800",
      "a\udfffb",
      "\u0000",
      "\n",
      '"\\',
      "__proto__",
      "constructor",
      "toString",
      "\\ud800",
      "REDACTED",
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("x", "é", "\ud83d\ude00", "\ud83d", "\u0001", "\n"), fc.constantFrom(300, 9_000, 60_000))
      .map(([unit, n]) => unit.repeat(n)),
  },
);
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e308));
const attributes = fc
  .array(
    fc.tuple(
      fc.oneof(
        text,
        fc.constantFrom("user.id", "url.full", "client.address", "error.message", "http.request.header.x"),
      ),
      fc.oneof(text, number, fc.boolean()),
    ),
    { maxLength: 12 },
  )
  .map((pairs) => Object.fromEntries(pairs) as Record<string, AttributeValue>);
const hostile = {
  time: fc.oneof(fc.integer({ min: 1_700_000_000_000_000, max: 1_900_000_000_000_000 }), number),
  kind: fc.constantFrom("invocation", "log", "exception", "span", "raw"),
  script: text,
  invocation_id: fc.oneof(text, fc.constant("0192f3a4b5c6d7e8f90a1b2c3d4e5f60")),
  seq: fc.nat(50),
  sample_weight: fc.oneof(fc.constantFrom(1, 10, 0), number),
  ...Object.fromEntries(
    [
      "entrypoint",
      "version_id",
      "version_tag",
      "event_type",
      "outcome",
      "level",
      "message",
      "name",
      "trace_id",
      "span_id",
      "parent_span_id",
      "ray_id",
      "method",
      "route",
      "colo",
      "country",
      "durable_object_id",
      "fingerprint",
      "stack",
    ].map((field) => [field, text]),
  ),
  duration: number,
  cpu_time: number,
  status: fc.oneof(fc.integer({ min: 100, max: 599 }), number),
  attributes,
} as { [K in keyof TailraceEvent]-?: fc.Arbitrary<NonNullable<TailraceEvent[K]>> };
const event: fc.Arbitrary<TailraceEvent> = fc.record(hostile, {
  requiredKeys: ["time", "kind", "script", "invocation_id", "seq", "sample_weight"],
});
const frame: fc.Arbitrary<ResolvedFrame> = fc.record({
  function: text,
  file: text,
  line: fc.nat(),
  column: fc.nat(),
  inApp: fc.boolean(),
  mapped: fc.boolean(),
  pre: fc.array(text, { maxLength: 5 }),
  at: text,
  post: fc.array(text, { maxLength: 5 }),
});
const traceAbove = (below: fc.Arbitrary<ResolvedTrace> | undefined): fc.Arbitrary<ResolvedTrace> =>
  fc.record({
    type: text,
    message: text,
    frames: fc.array(frame, { maxLength: 120, size: "small" }),
    omitted: fc.nat(),
    cause: below === undefined ? fc.constant(null) : fc.option(below),
    errors: below === undefined ? fc.constant([]) : fc.array(below, { maxLength: 3 }),
  });
const trace = traceAbove(traceAbove(traceAbove(undefined)));
const tags = fc.dictionary(text, text, { maxKeys: 5 });

/** Half of a surrogate pair: serde_json refuses it. */
function expectWellFormed(value: unknown): void {
  if (typeof value === "string") {
    expect(value.isWellFormed()).toBe(true);
    expect(value).not.toContain("\u0000");
  } else if (typeof value === "object" && value !== null) {
    for (const [name, own] of Object.entries(value)) {
      expectWellFormed(name);
      expectWellFormed(own);
    }
  }
}

describe("hostile events", () => {
  it("give valid envelopes below the limits, and an outcome for each", async () => {
    const dsn = newDsn();
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 8 }),
        trace,
        tags,
        async (events, resolved, given) => {
          const invocation = { script: events[0]?.script ?? "", id: events[0]?.invocation_id ?? "", events };
          const items = events.map((each, i): Item => {
            const feed = (["errors", "logs", "traces"] as const)[i % 3] ?? "errors";
            return { id: `${i}`.padStart(32, "a"), tags: given, feed, event: each, invocation };
          });
          const io = fakeIo([], { trace: async () => resolved, issueOf: async () => 1 });
          const { outcomes } = await sentry.send({ dsn }, items, io);
          expect(outcomes).toEqual(items.map(() => "delivered"));
          for (const request of io.requests) {
            const { header, items: sent } = readEnvelope(bodyOf(request));
            expectWellFormed(header);
            expect(sent).toHaveLength(1);
            for (const { payload, bytes } of sent) {
              expect(bytes).toBeLessThan(MB);
              expectWellFormed(payload);
              if (payload.items !== undefined) continue;
              expect(payload.event_id).toMatch(/^[0-9a-f]{32}$/);
              expect(payload.contexts.trace.trace_id).toMatch(/^[0-9a-f]{32}$/);
              expect(payload.contexts.trace.span_id).toMatch(/^[0-9a-f]{16}$/);
              expect(Number.isFinite(payload.timestamp)).toBe(true);
              for (const [name, value] of Object.entries(payload.tags)) {
                expect(name).toMatch(/^[\w.:-]{1,32}$/);
                expect((value as string).length).toBeLessThanOrEqual(200);
                expect(value).not.toMatch(/\n/);
              }
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("as large as they may be: an event of the widest kind is cut until it fits", async () => {
    const wide = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`attribute ${i}`, "\u0001".repeat(8_192)]));
    const frames = Array.from(
      { length: 100 },
      (_, i): ResolvedFrame => ({
        ...{ function: "\u0001".repeat(512), file: "é".repeat(512), line: i, column: 1, inApp: true, mapped: true },
        ...{
          pre: Array(5).fill("\u0001".repeat(256)),
          at: "\u0001".repeat(256),
          post: Array(5).fill("\u0001".repeat(256)),
        },
      }),
    );
    let chain: ResolvedTrace | null = null;
    for (let i = 0; i < 9; i++)
      chain = { type: "E".repeat(256), message: "\u0001".repeat(32_768), frames, omitted: 0, cause: chain, errors: [] };
    const one = {
      time: 1.7e15,
      script: "s".repeat(255),
      invocation_id: "a".repeat(32),
      sample_weight: 1,
      event_type: "fetch",
    };
    const events = Array.from(
      { length: 2_000 },
      (_, seq): TailraceEvent => ({
        ...one,
        time: one.time + seq,
        kind: seq === 0 ? "invocation" : "log",
        seq,
        message: "\u0001".repeat(32_768),
        attributes: wide,
      }),
    );
    const error: TailraceEvent = {
      ...one,
      time: one.time + 5_000,
      kind: "exception",
      seq: 2_000,
      message: "\u0001".repeat(32_768),
      attributes: wide,
    };
    const invocation = { script: one.script, id: one.invocation_id, events: [...events, error] };
    const manyTags = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`tag${i}`, "\u0001".repeat(500)]));
    const io = fakeIo([], { trace: async () => chain as ResolvedTrace });
    const items: Item[] = [
      { id: "b".repeat(32), tags: manyTags, feed: "errors", event: error, invocation },
      ...events
        .slice(1, 40)
        .map(
          (each, i): Item => ({ id: `${i}`.padStart(32, "c"), tags: manyTags, feed: "logs", event: each, invocation }),
        ),
    ];
    const { outcomes } = await sentry.send({ dsn: newDsn() }, items, io);
    expect(outcomes).toEqual(items.map(() => "delivered"));
    for (const request of io.requests)
      for (const { bytes } of readEnvelope(bodyOf(request)).items) expect(bytes).toBeLessThan(MB);

    const never = fakeIo([{ status: 413 }], { trace: io.trace });
    await sentry.send({ dsn: newDsn() }, items.slice(0, 1), never);
    expect(bodyOf(never.requests.at(-1) ?? { url: "" }).length).toBeLessThan(LAST_BYTES);
  });
});
