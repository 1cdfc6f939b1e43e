/** New issues with their line, and query gates, against real stores. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { checkQueries } from "../../../workers/rollouts/evidence/queries.ts";
import { appendOf, ingester } from "../buffer/support.ts";
import { CART, errorAt, mapOf, PAY, putMap } from "../issues/bundle.ts";
import { appendDeltas, delta } from "../issues/support.ts";
import { AT_US, BEGIN, look, MINUTE_MS, NEW, OLD, eventOf as of, rolloutOf, withFeed } from "./evidence-support.ts";

async function occur(script: string, deltas: Parameters<typeof appendDeltas>[1]): Promise<void> {
  const stub = ingester(script);
  await stub.append(appendDeltas(script, deltas));
  await stub.flushIssues();
}

describe("new issues", () => {
  it("are those that the old version did not have, with counts of both arms and the line in the source", async () => {
    const script = "evidence-issues";
    const earlier = BEGIN - 10 * MINUTE_MS;
    const of = (fingerprint: string, versionId: string, at: number, count = 1) =>
      delta({ script, fingerprint, versionId, at, count, title: fingerprint });
    await putMap(script, NEW, mapOf([CART, PAY]));
    await occur(script, [
      of("known-to-old", OLD, earlier),
      of("known-long-ago", "44444444-4444-4444-8444-444444444444", earlier),
      of("of-both", OLD, BEGIN + 1),
      delta({ script, fingerprint: "noise", versionId: NEW, at: BEGIN + 1, kind: "noise", noise: "network" }),
    ]);
    const mapped = await errorAt(script, NEW, 110, {
      lastSeen: BEGIN + 5,
      firstSeen: BEGIN + 5,
      count: 7,
      minutes: [BEGIN / 1000, 7],
    });
    await occur(script, [
      of("known-to-old", NEW, BEGIN + 2, 9),
      of("known-long-ago", NEW, BEGIN + 2, 9),
      of("of-both", NEW, BEGIN + 2, 3),
      mapped,
    ]);
    const { issues, sight } = await look(script);
    expect(sight.blind).toEqual([]);
    expect(issues.map(({ issue, old, new: n }) => [issue.title, old, n])).toEqual([
      [mapped.title, 0, 7],
      ["of-both", 1, 3],
    ]);
    expect(issues[0]?.issue).toMatchObject({ frame: `${PAY}:1:1 in fn1`, isMapped: true, count: 7, type: "TypeError" });
  });

  it("make it blind when D1 is away, but not where no gate asks for them", async () => {
    let isAway = false;
    const away = {
      DB: new Proxy(env.DB, {
        get(on, property) {
          if (isAway && (property === "batch" || property === "prepare"))
            return () => {
              throw new Error("D1 is away");
            };
          return Reflect.get(on, property, on).bind(on) as unknown;
        },
      }),
    };
    const later = Date.now() + 120_000;
    const lookTwice = (script: string, decidesIssues: boolean) =>
      withFeed(
        script,
        async (feed) => {
          isAway = false;
          feed.begin(rolloutOf(script, { decidesIssues }));
          await feed.look(later - 120_000);
          isAway = true;
          await feed.look(later);
          return feed.evidence().sight;
        },
        away,
      );
    for (const script of ["evidence-issues-away", "evidence-issues-not-asked"])
      await ingester(script).append(appendOf(script, [of(script, NEW)]));
    expect((await lookTwice("evidence-issues-away", true)).blind).toEqual(["New issues cannot be read: D1 is away."]);
    const { blind, notes } = await lookTwice("evidence-issues-not-asked", false);
    expect(blind).toEqual([]);
    expect(notes.join()).toContain("The list of Ingesters is old");
    expect(notes.join()).toContain("New issues cannot be read: D1 is away");
  });

  it("are marked where the old version has had errors of the type and message, within days, whatever the numbers in it", async () => {
    const script = "evidence-known";
    const error = (fingerprint: string, versionId: string, at: number, more: Partial<IssueDelta>) =>
      delta({ script, fingerprint, versionId, at, ...more });
    const charge = (cents: number) => ({ type: "PaymentError", title: `could not charge ${cents} cents` });
    const days = 24 * 60 * MINUTE_MS;
    await occur(script, [
      error("charge", OLD, BEGIN - 2 * days, charge(1_200)),
      error("in-both", OLD, BEGIN + 1, { title: "met by both", count: 2 }),
      error("long-ago", OLD, BEGIN - 8 * days, { title: "of last month" }),
      error("other-type", OLD, BEGIN - days, { title: "x is undefined", type: "RangeError" }),
      error("frequent", OLD, BEGIN + 1, { title: "gone in the new one", count: 40 }),
    ]);
    await occur(script, [
      error("charge-moved", NEW, BEGIN + 2, { ...charge(7), count: 9 }),
      error("in-both", NEW, BEGIN + 2, { title: "met by both", count: 3 }),
      error("recent", NEW, BEGIN + 2, { title: "of last month", count: 5 }),
      error("other-type-new", NEW, BEGIN + 2, { title: "x is undefined", count: 4 }),
    ]);
    const { issues, oldIssues } = await look(script);
    expect(issues.map(({ issue, apart }) => [issue.title, apart])).toEqual([
      ["could not charge 7 cents", "known"],
      ["of last month", undefined],
      ["x is undefined", undefined],
      ["met by both", undefined],
    ]);
    expect(issues[0]?.issue.note).toContain("The old version has had errors of this type and message");
    expect(issues[1]?.issue.note).toBeUndefined();
    expect(oldIssues).toEqual([{ kind: "exception", title: "gone in the new one", old: 40, new: 0 }]);
  });

  it.each([
    ["neither has one", [], undefined],
    ["only the new version has one", [NEW], "old_unmapped"],
    ["only the old version has one", [OLD], "new_unmapped"],
    ["both have one", [OLD, NEW], undefined],
  ] as const)(
    "are marked where only one version has its source map, and were told by a stack: %s",
    async (name, versions, apart) => {
      const script = `evidence-maps-${name.replaceAll(" ", "-")}`;
      for (const version of versions) await putMap(script, version, mapOf([CART, PAY]));
      const at = { lastSeen: BEGIN + 5, firstSeen: BEGIN + 5, minutes: [BEGIN / 1000, 1] as [number, number] };
      await occur(script, [
        await errorAt(script, NEW, 110, at),
        delta({
          script,
          versionId: NEW,
          fingerprint: `${script}-logged`,
          title: "by its words",
          at: BEGIN + 5,
          count: 9,
        }),
      ]);
      const { issues } = await look(script);
      expect(issues.map((one) => [one.issue.title, one.apart])).toEqual([
        ["by its words", undefined],
        ["x is not a function", apart],
      ]);
    },
  );

  it("count an isolate's death once", async () => {
    const script = "evidence-dead-issue";
    const victims = Array.from({ length: 200 }, (_, i) => ["AMS", BEGIN + 1_000 + i]).flat();
    await occur(script, [
      delta({ script, versionId: NEW, at: BEGIN + 1_000, kind: "death", type: "exceededMemory", count: 200, victims }),
    ]);
    const { issues } = await look(script);
    expect(issues).toMatchObject([{ old: 0, new: 1, issue: { count: 1 } }]);
  });
});

describe("query gates", () => {
  const gate = { name: "slow", filter: "route:/checkout duration:>1000", minEffect: 0.01 };

  it("compare invocations with a match, each once, with all of the same minute", async () => {
    const script = "evidence-queries";
    const slow = { route: "/checkout", duration: 2_000 };
    const twice = of(script, NEW, slow);
    const stub = ingester(script);
    await stub.append(
      appendOf(script, [
        twice,
        { ...twice, kind: "log", seq: 1 },
        of(script, NEW),
        of(script, NEW, { outcome: "canceled", status: undefined }),
        of(script, OLD, slow),
        of(script, OLD),
        of(script, "55555555-5555-4555-8555-555555555555", slow),
      ]),
    );
    const { queries, sight } = await look(script, { queries: [gate] });
    expect(sight.blind).toEqual([]);
    const minute = BEGIN / 1000;
    expect([...queries].sort((a, b) => a.arm.localeCompare(b.arm))).toEqual([
      { gate: "slow", minute, arm: "new", n: 3, hits: 1 },
      { gate: "slow", minute, arm: "old", n: 2, hits: 1 },
    ]);
    // Sealed, and asked again: nothing twice.
    await stub.append(appendOf(script, [of(script, NEW, slow, AT_US + 1_000)]));
    await stub.seal();
    const again = await look(script, { queries: [gate] });
    expect(again.queries.find(({ arm }) => arm === "new")).toMatchObject({ n: 4, hits: 2 });
  });

  it("take a match that stands for ten for evidence of one: the rates are of all, the certainty is not", async () => {
    const script = "evidence-queries-sampled";
    const slow = { route: "/checkout", duration: 2_000, sample_weight: 10 };
    await ingester(script).append(
      appendOf(script, [
        of(script, NEW, slow),
        ...Array.from({ length: 3 }, () => of(script, NEW, { sample_weight: 10 })),
        of(script, OLD, slow),
        of(script, OLD, slow),
        ...Array.from({ length: 6 }, () => of(script, OLD, { sample_weight: 10 })),
      ]),
    );
    const { queries } = await look(script, { queries: [gate] });
    const minute = BEGIN / 1000;
    expect([...queries].sort((a, b) => a.arm.localeCompare(b.arm))).toEqual([
      { gate: "slow", minute, arm: "new", n: 4, hits: 1 },
      { gate: "slow", minute, arm: "old", n: 8, hits: 2 },
    ]);
  });

  it("make it blind when they cannot be answered", async () => {
    const script = "evidence-queries-away";
    await ingester(script).append(appendOf(script, [of(script, NEW)]));
    const stores = {
      DB: new Proxy(env.DB, {
        get(on, property) {
          if (property === "batch") return () => Promise.reject(new Error("D1 is away"));
          return Reflect.get(on, property, on).bind(on) as unknown;
        },
      }),
    };
    const { queries, sight } = await look(script, { queries: [gate], stores });
    expect(queries).toEqual([]);
    expect(sight.blind.join()).toContain("Query gates cannot be answered");
  });

  it("are refused before the start when they cannot work", () => {
    const check = (filter: string) => checkQueries([{ ...gate, filter }], Date.now());
    expect(check(gate.filter)).toBe("");
    expect(check("issue:12 level:error")).toBe("");
    expect(check("status:>=500 | stats count()")).toContain("without pipes");
    expect(check('"unclosed')).toContain("slow: ");
    expect(check("message:/(/")).not.toBe("");
    expect(check("issue:abc")).toContain("number of an issue");
    expect(check("")).toContain("needs a filter");
    expect(checkQueries([gate, gate], Date.now())).toContain("same name");
  });
});
