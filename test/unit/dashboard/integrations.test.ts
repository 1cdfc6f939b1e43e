import { describe, expect, test } from "vitest";
import {
  byTrouble,
  finds,
  freeName,
  lastHour,
  matches,
  samplingText,
  wants,
  workersText,
} from "../../../dashboard/src/lib/integrations.ts";
import { inlineOf, parseMarkdown } from "../../../dashboard/src/lib/markdown.ts";
import { attention, CATALOG, destination, failing, standby } from "../../browser/integration-fixtures.ts";

const NOW = Date.UTC(2026, 10, 21);

describe("Workers that a rule means", () => {
  test.each([
    ["shop-*", "shop-cart", true],
    ["shop-*", "shop", false],
    ["*", "", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["aba*ab", "abab", false],
    ["shop", "shop", true],
    ["shop", "shop-cart", false],
    ["s.op", "shop", false],
  ])("%j and %j: %j", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  test("what is left out is left out of all as well", () => {
    const rules = { workers: [], exceptWorkers: ["*-test"] };
    expect(wants(rules, "shop")).toBe(true);
    expect(wants(rules, "shop-test")).toBe(false);
    expect(workersText(rules)).toBe("All Workers, except *-test");
  });
});

test("what needs somebody comes first", () => {
  const sorted = [destination(NOW), standby(NOW), failing(NOW), attention(NOW)].sort(byTrouble);
  expect(sorted.map((d) => d.health.condition)).toEqual(["attention", "failing", "ok", "standby"]);
});

test("sampling in words", () => {
  const { rules } = destination(NOW);
  expect(samplingText(rules)).toEqual(["100 % of errors, status 5xx", "10 % of the rest"]);
  expect(samplingText({ sampling: [], otherwise: 1 })).toEqual([]);
});

test("the marketplace finds by every word", () => {
  const found = (search: string) => CATALOG.filter((e) => finds(e, search)).map((e) => e.id);
  expect(found("sent")).toEqual(["sentry"]);
  expect(found("traces http")).toEqual(["otlp"]);
  expect(found("alerts traces")).toEqual([]);
  expect(found("")).toHaveLength(CATALOG.length);
});

test("a second one of a kind gets a name of its own", () => {
  expect(freeName("Sentry", [])).toBe("Sentry");
  expect(freeName("Sentry", ["Sentry", "Sentry 2"])).toBe("Sentry 3");
});

describe("documentation", () => {
  test("headings, paragraphs over lines, lists, code", () => {
    expect(parseMarkdown("### Key\nIt is\nthere.\n\n1. one\n   more\n2. two\n\n```\na  b\n```\n- x")).toEqual([
      { kind: "heading", inline: [{ kind: "text", text: "Key" }] },
      { kind: "paragraph", inline: [{ kind: "text", text: "It is there." }] },
      {
        kind: "list",
        ordered: true,
        entries: [[{ kind: "text", text: "one more" }], [{ kind: "text", text: "two" }]],
      },
      { kind: "code", text: "a  b" },
      { kind: "list", ordered: false, entries: [[{ kind: "text", text: "x" }]] },
    ]);
  });

  test("inside a line: code, bold, links; nothing that leads elsewhere than the web and here", () => {
    expect(inlineOf("*e* 2 * 3 * 4")).toEqual([
      { kind: "emphasis", text: "e" },
      { kind: "text", text: " 2 * 3 * 4" },
    ]);
    expect(inlineOf("a `b` **c** [d](https://e.example/) <https://f.example/>")).toEqual([
      { kind: "text", text: "a " },
      { kind: "code", text: "b" },
      { kind: "text", text: " " },
      { kind: "bold", text: "c" },
      { kind: "text", text: " " },
      { kind: "link", text: "d", href: "https://e.example/" },
      { kind: "text", text: " " },
      { kind: "link", text: "https://f.example/", href: "https://f.example/" },
    ]);
    for (const evil of ["[x](javascript:alert(1))", "[x](//evil.example)", "<b>x</b>"])
      expect(inlineOf(evil)).toEqual([{ kind: "text", text: evil }]);
  });
});

test("the last hour has sixty minutes, also where little happened", () => {
  const { health } = destination(NOW);
  const one = { at: NOW - 120_000, delivered: 5, failed: 1, p50: 20 };
  const minutes = lastHour({ ...health, minutes: [one] });
  expect(minutes).toHaveLength(60);
  expect(minutes.at(-1)).toEqual({ at: NOW, delivered: 0, failed: 0, p50: null });
  expect(minutes.at(-3)).toEqual(one);
});
