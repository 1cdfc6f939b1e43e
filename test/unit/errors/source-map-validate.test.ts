/** What is a source map and what is not, after ECMA-426; and that a problem says what is wrong and where. */
import { describe, expect, test } from "vitest";
import { convertSourceMap } from "../../../workers/errors/source-map/convert.ts";
import { parseSourceMap } from "../../../workers/errors/source-map/parse.ts";
import { open, rawMap, vlq } from "../../support/source-maps.ts";

const BASE = { version: 3, sources: ["a.js"], names: ["x"], mappings: "AAAAA" };
const MAX = 2 ** 31 - 1;
const section = (line: number, column: number, map: unknown = BASE) => ({ offset: { line, column }, map });
const index = (...sections: unknown[]) => ({ version: 3, sections });

/** Members that replace those of BASE, or a whole map; and the problem. */
const WRONG: [name: string, map: unknown, problem: string | RegExp][] = [
  ["nothing", null, "a source map must be a JSON object, is null"],
  ["a list", [BASE], "a source map must be a JSON object, is an array"],
  ["text", "AAAA", 'a source map must be a JSON object, is "AAAA"'],
  ["no version", { ...BASE, version: undefined }, "version is missing, must be the number 3"],
  ["a version in quotes", { ...BASE, version: "3" }, 'version is "3", must be the number 3'],
  ["a later version", { ...BASE, version: 3.5 }, "version is 3.5, must be the number 3"],
  ["no mappings", { ...BASE, mappings: undefined }, "mappings is missing"],
  ["mappings that are a list", { ...BASE, mappings: [] }, "mappings must be a string, is an array"],
  ["no sources", { ...BASE, sources: undefined }, "sources is missing"],
  ["sources that are an object", { ...BASE, sources: { 0: "a" } }, "sources must be an array, is an object"],
  ["a source that is a number", { ...BASE, sources: ["a", 7] }, "sources[1] must be a string or null, is 7"],
  ["content that is a string", { ...BASE, sourcesContent: "x" }, 'sourcesContent must be an array, is "x"'],
  ["content of a number", { ...BASE, sourcesContent: [1] }, "sourcesContent[0] must be a string or null, is 1"],
  ["names that hold null", { ...BASE, names: [null] }, "names[0] must be a string, is null"],
  ["a file that is a number", { ...BASE, file: 1 }, "file must be a string, is 1"],
  ["a source root that is a list", { ...BASE, sourceRoot: [] }, "sourceRoot must be a string, is an array"],
  ["a debug id that is a number", { ...BASE, debugId: 5 }, "debugId must be a string, is 5"],
  ["an ignore list that is a number", { ...BASE, ignoreList: 0 }, "ignoreList must be an array, is 0"],
  ["ignored by name", { ...BASE, ignoreList: ["a.js"] }, 'ignoreList[0] must be a whole number from 0, is "a.js"'],
  ["ignored by half", { ...BASE, ignoreList: [0.5] }, "ignoreList[0] must be a whole number from 0, is 0.5"],
  ["ignored beyond the sources", { ...BASE, ignoreList: [0, 1] }, "ignoreList[1] is 1, but there is only 1 source"],
  [
    "the older ignore list too",
    { ...BASE, x_google_ignoreList: [3] },
    "x_google_ignoreList[0] is 3, but there is only 1 source",
  ],

  [
    "a sign that is no digit",
    { ...BASE, mappings: "AAAA,A!AA" },
    /^mappings, line 1, segment 2 \(character 6 of mappings\): "!" is not a base64 digit$/,
  ],
  [
    "a letter beyond ASCII",
    { ...BASE, mappings: ";ÄAAA" },
    /^mappings, line 2, segment 1 .*"Ä" is not a base64 digit$/,
  ],
  ["a number that does not end", { ...BASE, mappings: "AAAg" }, /a number ends in the middle$/],
  ["a number that ends at a comma", { ...BASE, mappings: "AAAg,AAAA" }, /a number ends in the middle$/],
  ["a number of 33 bits", { ...BASE, mappings: "ggggggE" }, /a number has more than 32 bits$/],
  ["a number of a thousand digits", { ...BASE, mappings: `${"/".repeat(1000)}A` }, /a number has more than 32 bits$/],
  ["two fields", { ...BASE, mappings: "AA" }, /2 fields, only 1, 4 or 5 have a meaning$/],
  ["three fields", { ...BASE, mappings: "AAA" }, /3 fields/],
  ["six fields", { ...BASE, mappings: "AAAAAA" }, /more than 5 fields$/],
  ["an empty segment", { ...BASE, mappings: "AAAA,,AAAA" }, /line 1, segment 2 .*an empty segment$/],
  ["a comma at the end of a line", { ...BASE, mappings: "AAAA,;AAAA" }, /an empty segment$/],
  ["a comma at the end", { ...BASE, mappings: "AAAA," }, /an empty segment$/],
  [
    "a column before the line",
    { ...BASE, mappings: "AAAA;CAAA,FAAA" },
    /line 2, segment 2 .*generated column -1 is negative$/,
  ],
  [
    "billions of columns",
    { ...BASE, mappings: `${vlq(MAX)},${vlq(MAX)}` },
    /generated column 4294967294 is larger than 2147483647$/,
  ],
  ["the smallest number there is", { ...BASE, mappings: "B" }, /generated column -2147483648 is negative$/],
  ["a source that is not there", { ...BASE, mappings: "ACAA" }, /source 1, but there is only 1 source$/],
  ["a source before the first", { ...BASE, mappings: "ADAA" }, /source -1, but/],
  ["a line before the first", { ...BASE, mappings: "AADA" }, /original line -1 is negative$/],
  ["a line beyond 32 bits", { ...BASE, mappings: `AA${vlq(MAX)}A,AACA` }, /original line 2147483648 is larger/],
  ["an original column before its line", { ...BASE, mappings: "AAAD" }, /original column -1 is negative$/],
  ["a name that is not there", { ...BASE, mappings: "AAAAC" }, /name 1, but there is only 1 name$/],
  ["names that are not there at all", { ...BASE, names: undefined }, /name 0, but there are only 0 names$/],

  ["sections that are text", index() && { version: 3, sections: "x" }, 'sections must be an array, is "x"'],
  ["sections beside mappings", { ...BASE, sections: [] }, "mappings and sections: a map has one or the other"],
  ["a section without a map", index({ offset: { line: 0, column: 0 } }), "sections[0].map is missing"],
  [
    "a section that is elsewhere",
    index({ offset: { line: 0, column: 0 }, url: "http://x/" }),
    /sections\[0\]\.url: maps of sections are not fetched/,
  ],
  ["a section without an offset", index({ map: BASE }), "sections[0].offset is missing"],
  ["half an offset", index({ offset: { line: 0 }, map: BASE }), "sections[0].offset.column is missing"],
  ["an offset before the file", index(section(-1, 0)), "sections[0].offset.line must be a whole number from 0, is -1"],
  [
    "sections out of order",
    index(section(2, 0), section(1, 9)),
    "sections[1].offset: 1:9 is not behind the section before it (2:0)",
  ],
  [
    "sections at one place",
    index(section(0, 4), section(0, 4)),
    "sections[1].offset: 0:4 is not behind the section before it (0:4)",
  ],
  [
    "a broken map within",
    index(section(0, 0), section(3, 0, { ...BASE, mappings: "A" + "?" })),
    /^sections\[1\]\.map\.mappings, line 1, segment 1 .*"\?"/,
  ],
  [
    "a broken map within a map within",
    index(section(0, 0, index(section(0, 0, { ...BASE, version: 2 })))),
    "sections[0].map.sections[0].map.version is 2, must be the number 3",
  ],
];

describe("not a source map", () => {
  test.each(WRONG)("%s", (_name, map, problem) => {
    const converted = convertSourceMap(map);
    expect(converted.ok).toBe(false);
    expect(converted.ok ? [] : converted.problems).toEqual([
      typeof problem === "string" ? problem : expect.stringMatching(problem),
    ]);
  });

  test("all that is wrong is said at once, but not without end", () => {
    const some = convertSourceMap({ version: 2, sources: [1, 2], mappings: 7 });
    expect(some.ok ? [] : some.problems).toHaveLength(4);
    const many = convertSourceMap({ ...BASE, sources: new Array(1000).fill(1) });
    expect(many.ok ? [] : many.problems).toHaveLength(10);
  });
});

const RIGHT: [name: string, map: unknown][] = [
  ["nothing mapped", { version: 3, sources: [], mappings: "" }],
  ["empty lines only", { ...BASE, mappings: ";;;;" }],
  ["members nobody knows", { ...BASE, x_tool: { a: 1 }, scopes: "ignored" }],
  [
    "members that are null where they may be missing",
    { ...BASE, file: null, sourceRoot: null, sourcesContent: null, ignoreList: null },
  ],
  ["less content than sources", { ...BASE, sources: ["a", "b"], sourcesContent: ["a"] }],
  ["more content than sources", { ...BASE, sourcesContent: ["a", "b"] }],
  ["a source without a name", { ...BASE, sources: [null], sourcesContent: ["a"] }],
  ["the largest numbers", { ...BASE, mappings: `${vlq(MAX)}A${vlq(MAX)}${vlq(MAX)}A` }],
  ["a number with digits that add nothing", { ...BASE, mappings: `${"g".repeat(500)}A` }],
  ["no sections", index()],
  ["sections within sections", index(section(0, 0, index(section(0, 0), section(0, 9))), section(4, 0))],
  ["a debug id that is no UUID", { ...BASE, debugId: "no" }],
];

describe("a source map", () => {
  test.each(RIGHT)("%s", (_name, map) => {
    const converted = convertSourceMap(map);
    expect(converted.ok ? [] : converted.problems).toEqual([]);
  });

  test("keeps its debug id, by either name, but not something else in its place", async () => {
    const id = "1aad9d9e-2b50-454f-a5f2-0dd5e95c154c";
    expect((await open({ ...BASE, debugId: id.toUpperCase() })).debugId).toBe(id);
    expect((await open({ ...BASE, debug_id: id })).debugId).toBe(id);
    expect((await open({ ...BASE, debugId: "no" })).debugId).toBe("");
    expect((await open(index(section(0, 0, { ...BASE, debugId: id })))).debugId).toBe("");
  });

  test("says which sources are not the team's own, by either name", async () => {
    const lines = [
      [
        [0, 0, 0, 0],
        [5, 1, 0, 0],
      ],
    ] as [number, number, number, number][][];
    for (const member of ["ignoreList", "x_google_ignoreList"]) {
      const map = await open(rawMap(lines, { [member]: [1] }));
      expect((await map.locate(1, 1))?.ignored).toBe(false);
      expect((await map.locate(1, 6))?.ignored).toBe(true);
    }
  });

  test("a position is what is mapped at or before it on its line; behind a mapping to nowhere is nowhere", async () => {
    const map = await open(rawMap([[], [[4, 0, 9, 2, 0], [8], [12, 1, 3, 0]], [], [[0, 0, 0, 0]]]));
    expect(await map.locate(2, 4)).toBeUndefined();
    expect(await map.locate(2, 5)).toMatchObject({ file: "a.js", line: 10, column: 3, name: "one", function: null });
    expect(await map.locate(2, 8)).toMatchObject({ line: 10, column: 3 });
    expect(await map.locate(2, 9)).toBeUndefined();
    expect(await map.locate(2, 1_000_000)).toMatchObject({ file: "b.js", line: 4, column: 1, name: null });
    expect(await map.locate(3, 1)).toBeUndefined();
    expect(await map.locate(9, 1)).toBeUndefined();
    for (const [line, column] of [
      [0, 1],
      [1, 0],
      [-1, -1],
      [1.5, 1],
      [Number.NaN, 1],
      [2 ** 40, 2 ** 40],
    ] as const) {
      expect(await map.locate(line, column)).toBeUndefined();
    }
  });

  test("of several mappings of one position the last counts", async () => {
    const map = await open(
      rawMap([
        [
          [0, 0, 1, 0],
          [3, 0, 5, 5],
          [3, 1, 7, 7],
          [3, 2, 9, 9],
        ],
      ]),
    );
    expect(await map.locate(1, 4)).toMatchObject({ file: "c.js", line: 10 });
    expect(map.mappings).toBe(2);
  });
});

describe("bytes of a source map", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  test.each([
    ["plain", JSON.stringify(BASE)],
    ["behind the guard line", `)]}'\n${JSON.stringify(BASE)}`],
    ["behind a guard line with more", `)]}'garbage\r\n${JSON.stringify(BASE)}`],
    ["behind a byte order mark", `\ufeff${JSON.stringify(BASE)}`],
  ])("%s", (_name, json) => {
    expect(parseSourceMap(text(json))).toEqual({ ok: true, map: BASE });
  });

  test.each([
    ["nothing", text(""), "the file is empty"],
    ["white space", text(" \n"), "the file is empty"],
    ["a guard line alone", text(")]}'"), "the file is empty"],
    ["cut off", text('{"version":3,"sources":["a'), /^not JSON: /],
    ["a page that says not found", text("<!doctype html>"), /^not JSON: /],
    ["not text", Uint8Array.of(0xff, 0xfe, 0x00), "the file is not UTF-8 text"],
  ])("%s", (_name, bytes, problem) => {
    const parsed = parseSourceMap(bytes);
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      typeof problem === "string" ? problem : expect.stringMatching(problem),
    ]);
  });

  test("too many of them are not even looked at", () => {
    const parsed = parseSourceMap({ length: 300 * 1024 * 1024 } as Uint8Array);
    expect(parsed).toEqual({ ok: false, problems: ["the file has 300 MB, the limit is 256 MB"] });
  });
});
