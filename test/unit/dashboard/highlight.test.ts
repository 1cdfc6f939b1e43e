/** Colours of source excerpts: what is what, from anywhere in a file, and never a character lost. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { highlight, markAt, type Token } from "../../../dashboard/src/lib/highlight.ts";

/** `kind:text` of all that has a colour. */
const coloured = (...lines: string[]): string[] =>
  highlight(lines)
    .flat()
    .filter((t) => t.kind !== "")
    .map((t) => `${t.kind}:${t.text}`);
const textOf = (tokens: Token[]) => tokens.map((t) => t.text).join("");

test.each<[string, string[], string[]]>([
  ["keywords, calls and numbers", ["const x = f(1_000n);"], ["keyword:const", "call:f", "number:1_000n"]],
  ["strings with escapes", [`a = 'it\\'s' + "b"`], [`string:'it\\'s'`, 'string:"b"']],
  ["a comment to the end", ["x // const y"], ["comment:// const y"]],
  ["a comment over lines", ["/* a", "const b", "*/ c"], ["comment:/* a", "comment:const b", "comment:*/"]],
  [
    "an excerpt that begins in a comment",
    [" * says const", " */", "let a"],
    ["comment: * says const", "comment: */", "keyword:let"],
  ],
  [
    "a template with code in it",
    ["`a$" + "{f(`$" + "{b}`)}c`"],
    ["string:`a", "call:f", "string:`", "string:`", "string:c`"],
  ],
  ["a template over lines", ["`a", "const", "b` + 1"], ["string:`a", "string:const", "string:b`", "number:1"]],
  ["a regular expression, not a division", ["s.match(/[/'\"]+/g)"], ["call:match", "regex:/[/'\"]+/g"]],
  ["a division, not a regular expression", ["a / b / 2"], ["number:2"]],
  ["a regular expression after return", ["return /x/.test(a)"], ["keyword:return", "regex:/x/", "call:test"]],
  ["JSX tags", ["return <Line key={id} />;"], ["keyword:return", "tag:<Line"]],
  ["a comparison, not a tag", ["if (a < b) return"], ["keyword:if", "keyword:return"]],
  ["types", ["let a: Promise<Cart>"], ["keyword:let", "type:Promise", "type:Cart"]],
  ["words that are names here", ["const type = o.delete; get(of)"], ["keyword:const", "call:get"]],
  ["constants", ["this.a = null ?? undefined"], ["constant:this", "constant:null", "constant:undefined"]],
])("%s", (_, lines, expected) => {
  expect(coloured(...lines)).toEqual(expected);
});

test("whatever the text, its lines come back as they were", () => {
  const piece = fc.constantFrom(
    "`",
    "${",
    "}",
    "{",
    "/",
    "*/",
    "/*",
    "'",
    '"',
    "\\",
    "<a",
    "//",
    "x ",
    "return ",
    "\t",
    "1e",
    "é",
    "🦕",
  );
  const line = fc
    .array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 12 })
    .map((p) => p.join("").replace(/[\r\n]/g, ""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 11 }), (lines) => {
      expect(highlight(lines).map(textOf)).toEqual(lines);
    }),
  );
});

test("long lines that a pattern could stumble over are done in a blink", () => {
  const lines = [
    "/".repeat(20_000),
    `/${"[".repeat(20_000)}`,
    "${`".repeat(7000),
    `"${"\\".repeat(20_001)}`,
    "<".repeat(20_000),
  ];
  expect(highlight(lines).map(textOf)).toEqual(lines);
});

test("the word at a column is marked, and a sign alone where there is no word", () => {
  const [line = []] = highlight(["  region.code + 1"]);
  const marked = (column: number) => markAt(line, column).find((t) => t.hit)?.text;
  expect(marked(10)).toBe("code");
  expect(marked(9)).toBe(".");
  expect(marked(3)).toBe("region");
  expect(marked(99)).toBeUndefined();
  expect(textOf(markAt(line, 10))).toBe("  region.code + 1");
});
