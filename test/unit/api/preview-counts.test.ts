import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DestinationRules, Feed } from "../../../workers/api/contract.ts";
import { PreviewCounts, type PreviewEvent } from "../../../workers/api/destinations/preview-counts.ts";
import { itemsOf, readRules } from "../../../workers/delivery/rules/rules.ts";
import type { TailraceEvent } from "../../../workers/event/event.ts";

const TAKES: readonly Feed[] = ["errors", "logs", "traces"];
const MINUTE_US = 60_000_000;

function rules(given: Partial<DestinationRules> = {}, takes = TAKES): DestinationRules {
  const read = readRules({ takes }, given);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.rules;
}

const kinds = fc.constantFrom(
  "invocation" as const,
  "log" as const,
  "exception" as const,
  "span" as const,
  "raw" as const,
);
const own = fc.record(
  {
    kind: kinds,
    level: fc.constantFrom("debug", "info", "warn", "error"),
    name: fc.constantFrom("TypeError", "HttpError"),
    fingerprint: fc.constant("f"),
    stack: fc.constant("  at x"),
  },
  { requiredKeys: ["kind"] },
);
const invocation = fc
  .record({
    script: fc.constantFrom("shop", "api", "cart"),
    outcome: fc.constantFrom("ok", "exception", "exceededCpu", "canceled"),
    status: fc.option(fc.constantFrom(200, 404, 503), { nil: undefined }),
    version_tag: fc.option(fc.constantFrom("v1", "v2"), { nil: undefined }),
    minute: fc.nat(3),
    id: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    events: fc.array(own, { minLength: 1, maxLength: 5 }),
  })
  .map(({ events, minute, id, ...shared }) =>
    events.map((event, seq): PreviewEvent & TailraceEvent => ({
      ...{ ...shared, ...event, seq, sample_weight: 1 },
      invocation_id: id.toString(16).padStart(32, "0"),
      time: minute * MINUTE_US + seq,
    })),
  );
const anyRules = fc
  .record(
    {
      workers: fc.constantFrom<string[]>(["shop"], ["s*", "api"]),
      versions: fc.constant<string[]>(["v1"]),
      feeds: fc.constantFrom<Feed[]>(["errors"], ["logs"], ["errors", "traces"], ["errors", "logs", "traces"]),
      minLevel: fc.constantFrom("info" as const, "error" as const),
      sampling: fc.constantFrom<DestinationRules["sampling"]>(
        [{ status: "5xx", rate: 0.5 }],
        [{ exception: "Http*", rate: 0 }],
      ),
      otherwise: fc.constantFrom(0, 0.5, 1),
    },
    { requiredKeys: [] },
  )
  .map((given) => rules(given));

describe("a preview", () => {
  it("counts what would really be sent, whatever the rules, in any order of events", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(invocation, { maxLength: 8, selector: (events) => events[0]?.invocation_id }),
        anyRules,
        fc.boolean(),
        (all, chosen, isReversed) => {
          const counts = new PreviewCounts(TAKES, chosen);
          const events = all.flat();
          for (const event of isReversed ? events.reverse() : events) counts.add(event);
          const { feeds, byWorker } = counts.finish(1);
          const expected = all.map((of) => {
            const first = of[0] as TailraceEvent;
            return itemsOf(
              { script: first.script, id: first.invocation_id, events: of.toSorted((a, b) => a.seq - b.seq) },
              chosen,
              "preview",
            );
          });
          const items = expected.flatMap((one) => one.items);
          for (const { feed, sent, candidates, sampled, ceiling, notChosen } of feeds) {
            expect(sent).toBe(items.filter((item) => item.feed === feed).length);
            expect(candidates).toBe(sent + sampled + ceiling + notChosen);
          }
          const sum = (pick: (of: (typeof feeds)[number]) => number) => feeds.reduce((n, of) => n + pick(of), 0);
          expect(sum((of) => of.sampled)).toBe(expected.reduce((n, one) => n + one.dropped.sampled, 0));
          expect(byWorker.reduce((n, of) => n + of.sent, 0)).toBe(items.length);
        },
      ),
    );
  });

  const logs = (count: number, minute: number, script = "shop"): PreviewEvent[] =>
    Array.from({ length: count }, (_, n) => ({
      ...{ kind: "log", script, seq: n, invocation_id: "0".repeat(32), time: minute * MINUTE_US + n },
    }));
  const counted = (events: readonly PreviewEvent[], given: Partial<DestinationRules>, fraction = 1) => {
    const counts = new PreviewCounts(TAKES, rules(given));
    for (const event of events) counts.add(event);
    return counts.finish(fraction);
  };

  it("applies the ceiling to each minute, and shares it among Workers", () => {
    const events = [...logs(100, 1), ...logs(300, 1, "api"), ...logs(7, 2)];
    const { feeds, byWorker } = counted(events, { perMinute: 10 });
    expect(feeds.find(({ feed }) => feed === "logs")).toMatchObject({ candidates: 407, sent: 17, ceiling: 390 });
    expect(byWorker).toEqual([
      { script: "shop", sent: 10 },
      { script: "api", sent: 7 },
    ]);
  });

  it("of a part of the events is scaled before the ceiling, which stays what it is", () => {
    const { feeds } = counted(logs(100, 1), { perMinute: 250 }, 0.25);
    expect(feeds.find(({ feed }) => feed === "logs")).toMatchObject({ candidates: 400, sent: 250, ceiling: 150 });
  });

  it("counts what an integration cannot take as nothing, and what the rules leave out as not chosen", () => {
    const { feeds } = counted(logs(5, 1), { feeds: ["errors"] });
    expect(feeds).toEqual([
      { feed: "errors", candidates: 0, sent: 0, sampled: 0, ceiling: 0, notChosen: 0 },
      { feed: "logs", candidates: 5, sent: 0, sampled: 0, ceiling: 0, notChosen: 5 },
      { feed: "traces", candidates: 0, sent: 0, sampled: 0, ceiling: 0, notChosen: 0 },
    ]);
  });

  it("shows the newest few that would be sent, of every feed", () => {
    const thrown: PreviewEvent = { kind: "exception", script: "shop", seq: 9, invocation_id: "1".repeat(32), time: 5 };
    const { examples } = counted([thrown, ...logs(50, 1)], {});
    expect(examples).toHaveLength(5);
    expect(examples.map(({ feed }) => feed)).toEqual(["logs", "logs", "logs", "logs", "errors"]);
    expect(examples[0]?.time).toBe(MINUTE_US + 49);
  });
});
