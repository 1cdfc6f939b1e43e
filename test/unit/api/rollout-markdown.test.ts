/** The export for the incident report: what stands in it, and that no text of others can make more of it than text. */
import fc from "fast-check";
import { marked } from "marked";
import { describe, expect, it } from "vitest";
import { evidenceMarkdown } from "../../../workers/api/rollouts/markdown.ts";
import { evidenceWith, ORDINARY, type Texts } from "./rollout-evidence.ts";

/** What the report looks like, apart from its words: tags in their order, and where links lead. */
const skeletonOf = (texts: Texts) => {
  const html = marked.parse(evidenceMarkdown(evidenceWith(texts)), { async: false, gfm: true });
  // Names are code where they can be, which changes nothing around them.
  return html
    .replace(/<\/?code>/g, "")
    .match(/<[^>]*>/g)
    ?.join("");
};
const ordinary = skeletonOf(ORDINARY);

describe("the report", () => {
  it("says what, who, when, by which figures, on which line, and what Cloudflare answered", async () => {
    await expect(evidenceMarkdown(evidenceWith(ORDINARY))).toMatchFileSnapshot("golden/rollout-evidence.md");
  });

  it("says of an issue that decided nothing why that is", () => {
    const { issues, ...rest } = evidenceWith(ORDINARY);
    const note = "The old version has had errors of this type and message: it is not counted as new.";
    const report = evidenceMarkdown({ ...rest, issues: issues.map((issue) => ({ ...issue, note })) });
    expect(report).toMatch(/^\| 7 \| .*it is not counted as new\. \|/m);
  });

  it("of a rollout without a record yet is whole", () => {
    const { rollout } = evidenceWith(ORDINARY);
    const report = evidenceMarkdown({
      rollout: { ...rollout, endedAt: null, state: "running" },
      events: [],
      judgement: null,
      issues: [],
    });
    expect(report).toContain("| Ended | not yet |");
    expect(report).toContain("## Plan");
  });

  it("leaves out decisions that decided nothing when there are too many, and says so", () => {
    const evidence = evidenceWith(ORDINARY);
    const decision = evidence.events.find((event) => event.kind === "decision");
    if (decision?.judgement === undefined) throw new Error("the fixture has no decision");
    const idle = { ...decision, text: "Held.", judgement: { ...decision.judgement, verdict: "unknown" as const } };
    const report = evidenceMarkdown({ ...evidence, events: [...Array.from({ length: 100 }, () => idle), decision] });
    expect(report.match(/^### /gm)).toHaveLength(40);
    expect(report).toContain("61 decisions are left out here");
    expect(report).toContain("Verdict: **worse**");
  });
});

describe("text of others", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "<!-- ",
    "[click](javascript:alert(1))",
    "![](https://evil.example/x.png)",
    "https://evil.example/ and www.evil.example and mailto:a@evil.example",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "`` ` ``` ",
    "`",
    "\\`",
    "\\|",
    "a\\",
    "# heading\n\n- list\n\n> quote\n\n    code\n\n---\n",
    "**bold** _em_ ~~gone~~ $x$",
    "&lt;b&gt; &#60;script&#62;",
    "\u0000\u001b[31m\u202eeman\u2028\ud800",
    "[ref]: https://evil.example",
    "*[_`|\\<&",
  ];

  it.each(hostile)("stays text: %j", (text) => {
    const texts = { title: text, frame: text, message: text, reason: text, actor: text, query: text };
    expect(skeletonOf(texts)).toBe(ordinary);
  });

  it("stays text whatever it is", () => {
    const piece = fc.constantFrom(
      ..."`*_[]()<>&|\\~#!$:/@.\n\t -=+ab1".split(""),
      "http://",
      "www.a",
      "<b>",
      "&lt;",
      "\ud83d\ude00",
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 30 }).map((parts) => `x${parts.join("")}x`);
    const texts = fc.record({ title: text, frame: text, message: text, reason: text, actor: text, query: text });
    fc.assert(
      fc.property(texts, (some) => {
        expect(skeletonOf(some)).toBe(ordinary);
      }),
      { numRuns: 300 },
    );
  });

  it("calls nobody, and keeps addresses as they are", () => {
    const report = evidenceMarkdown(evidenceWith({ ...ORDINARY, title: "@everyone look, write to a@b.example" }));
    const timeline = report.slice(report.indexOf("## Timeline"), report.indexOf("## What was decided by"));
    expect(timeline).not.toContain("@everyone");
    expect(timeline).toContain("a\\@b.example");
  });

  it("is cut when it is long", () => {
    const report = evidenceMarkdown(evidenceWith({ ...ORDINARY, title: "long ".repeat(10_000) }));
    expect(report.length).toBeLessThan(20_000);
  });
});
