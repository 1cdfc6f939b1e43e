import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DestinationRules, Feed } from "../../../../workers/api/contract.ts";
import { readRules } from "../../../../workers/delivery/rules/rules.ts";

const ALL = { takes: ["errors", "logs", "traces", "notices"] as const satisfies readonly Feed[] };
const DEFAULTS: DestinationRules = {
  workers: [],
  exceptWorkers: [],
  versions: [],
  feeds: ["errors", "logs", "traces", "notices"],
  minLevel: "debug",
  notices: [],
  sampling: [],
  otherwise: 1,
  perMinute: null,
  tags: {},
};

const problems = (given: unknown, takes: readonly Feed[] = ALL.takes) => {
  const read = readRules({ takes }, given);
  return read.ok ? {} : read.problems;
};

describe("rules that nobody filled in", () => {
  it("send everything that the integration takes", () => {
    expect(readRules(ALL, {})).toEqual({ ok: true, rules: DEFAULTS });
    expect(readRules(ALL, undefined)).toEqual({ ok: true, rules: DEFAULTS });
    expect(readRules({ takes: ["notices"] }, {})).toMatchObject({ ok: true, rules: { feeds: ["notices"] } });
  });

  it("leave out what an integration only sends when it is chosen", () => {
    const sparing = { ...ALL, defaultFeeds: ["errors", "logs"] as const };
    expect(readRules(sparing, {})).toMatchObject({ ok: true, rules: { feeds: ["errors", "logs"] } });
    expect(readRules(sparing, { feeds: ["traces"] })).toMatchObject({ ok: true, rules: { feeds: ["traces"] } });
  });
});

describe("rules that are right", () => {
  it("come back as they are, without doubles, blanks and empty conditions", () => {
    const given = {
      workers: ["shop-*", " shop-* ", ""],
      versions: ["v1.*"],
      feeds: ["logs", "errors", "errors"],
      notices: ["issue.new", "issue.new"],
      sampling: [
        { feed: "", status: "5xx", outcome: undefined, rate: 1 },
        { exception: "Http*", rate: 0.1 },
      ],
      otherwise: 0.25,
      perMinute: 600,
      tags: { team: "checkout" },
    };
    expect(readRules(ALL, given)).toEqual({
      ok: true,
      rules: {
        ...DEFAULTS,
        workers: ["shop-*"],
        versions: ["v1.*"],
        feeds: ["errors", "logs"],
        notices: ["issue.new"],
        sampling: [
          { status: "5xx", rate: 1 },
          { exception: "Http*", rate: 0.1 },
        ],
        otherwise: 0.25,
        perMinute: 600,
        tags: { team: "checkout" },
      },
    });
  });

  it("read again, are the same", () => {
    const once = readRules(ALL, { sampling: [{ feed: "logs", rate: 0 }], tags: { a: "b" } });
    expect(once.ok && readRules(ALL, once.rules)).toEqual(once);
  });
});

describe("a problem names its field and what to do", () => {
  it.each<[string, unknown, string, RegExp]>([
    ["no object", [], "rules", /object/],
    ["an unknown rule", { worker: ["shop"] }, "rules", /"worker"/],
    ["Workers that are no list", { workers: "shop" }, "workers", /list of names/],
    [
      "too many patterns",
      { exceptWorkers: Array.from({ length: 201 }, (_, i) => `w${i}`) },
      "exceptWorkers",
      /At most 200/,
    ],
    ["a pattern too long", { versions: ["x".repeat(256)] }, "versions", /longer than 255/],
    ["a feed that it does not take", { feeds: ["metrics"] }, "feeds", /errors, logs/],
    ["no feed", { feeds: [] }, "feeds", /at least one/],
    ["a level that is none", { minLevel: "fatal" }, "minLevel", /debug, info, warn, error/],
    ["a notice that is none", { notices: ["issue.closed"] }, "notices", /issue\.new/],
    ["a rate above 1", { otherwise: 1.5 }, "otherwise", /0 \(nothing\) to 1/],
    ["a rate that is none", { otherwise: Number.NaN }, "otherwise", /0 \(nothing\) to 1/],
    ["a ceiling of nothing", { perMinute: 0 }, "perMinute", /at least 1/],
    ["a ceiling of half an item", { perMinute: 0.5 }, "perMinute", /whole number/],
    ["a rule without a rate", { sampling: [{ rate: 1 }, { status: "5xx" }] }, "sampling", /Rule 2: it needs a rate/],
    ["a status that is none", { sampling: [{ status: "6xx", rate: 1 }] }, "sampling", /Rule 1: its status/],
    ["a status of one digit", { sampling: [{ status: "5", rate: 1 }] }, "sampling", /5xx, 404/],
    ["a condition that there is not", { sampling: [{ route: "/x", rate: 1 }] }, "sampling", /"route"/],
    ["a rule of another feed", { sampling: [{ feed: "metrics", rate: 1 }] }, "sampling", /feed/],
    ["too many rules", { sampling: Array(51).fill({ rate: 1 }) }, "sampling", /At most 50/],
    ["tags that are a list", { tags: ["a"] }, "tags", /Names and values/],
    ["a tag of two lines", { tags: { a: "b\nc" } }, "tags", /one line/],
    ["a tag's name with spaces", { tags: { "a b": "c" } }, "tags", /cannot be a tag's name/],
    ["a name of a prototype", { tags: JSON.parse('{"__proto__":"x"}') }, "tags", /cannot be/],
    ["too many tags", { tags: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`t${i}`, "x"])) }, "tags", /32/],
  ])("%s", (_, given, field, text) => {
    const found = problems(given);
    expect(Object.keys(found)).toEqual([field]);
    expect(found[field as keyof typeof found]).toMatch(text);
  });

  it("several at once, one for each", () => {
    expect(Object.keys(problems({ feeds: 1, otherwise: 2, tags: null })).sort()).toEqual([
      "feeds",
      "otherwise",
      "tags",
    ]);
  });
});

it("whatever is given, it is read or refused, never thrown at", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.object({ key: fc.constantFrom(...Object.keys(DEFAULTS)), maxDepth: 3 })),
      (given) => {
        const read = readRules(ALL, given);
        if (read.ok) expect(readRules(ALL, JSON.parse(JSON.stringify(read.rules)))).toEqual(read);
      },
    ),
  );
});
