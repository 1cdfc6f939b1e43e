/** Whether a map is one of the code beside it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertMap } from "../../../cli/maps/convert.ts";
import { findMaps } from "../../../cli/maps/find.ts";
import { doubtOf } from "../../../cli/maps/plausible.ts";
import { BUNDLERS, type Bundle, withEsbuild } from "../../support/bundled-app.ts";
import { rawMap, type Segment } from "../../support/source-maps.ts";

const bundles: [name: string, bundle: Bundle][] = [];
let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tailrace-plausible-"));
  for (const [name, build] of Object.entries(BUNDLERS)) bundles.push([name, await build()]);
  bundles.push(["esbuild, other names", await withEsbuild(false)]);
}, 60_000);
afterAll(() => rmSync(root, { recursive: true }));

const of = (name: string): Bundle => bundles.find(([of]) => of === name)?.[1] ?? { code: "", map: {} };

async function convert(code: string, map: Record<string, unknown>) {
  writeFileSync(join(root, "index.js"), code);
  writeFileSync(join(root, "index.js.map"), JSON.stringify(map));
  const [found] = findMaps(root).maps;
  if (found === undefined) throw new Error("not found");
  return convertMap(found);
}

describe("a map of this code", () => {
  it("raises no doubt, whatever bundler made it", () => {
    for (const [name, { code, map }] of bundles)
      expect([name, doubtOf(map, code, "index.js")]).toEqual([name, undefined]);
  });

  it.each([
    ["character", /./gs],
    ["word", /\w+|\W/g],
    ["line", /^/gm],
  ])("raises none when it maps every %s", (_, each) => {
    const code = of("esbuild").code.replaceAll(";", ";\n");
    const lines = code
      .split("\n")
      .map((text, line) => [...text.matchAll(each)].map(({ index }): Segment => [index, 0, line, index]));
    expect(doubtOf(rawMap(lines), code, "a.js")).toBeUndefined();
  });

  it("raises none when it counts bytes, or maps the end of the last line", () => {
    const code = 'let é="ééééé";x';
    expect(
      doubtOf(
        rawMap([
          [
            [0, 0, 0, 0],
            [Buffer.byteLength(code), 0, 0, 1],
          ],
          [[0, 0, 1, 0]],
        ]),
        code,
        "a.js",
      ),
    ).toBeUndefined();
  });
});

describe("a map of another build", () => {
  it("that is longer than the code is refused, with the place", async () => {
    const { code } = of("esbuild");
    expect(await convert(code, of("webpack").map)).toEqual({
      ok: false,
      problems: [expect.stringMatching(/^it maps line 1, column \d+, which index\.js does not have: .*two builds/)],
    });
    expect(doubtOf(rawMap([[], [], [], [], [[0, 0, 0, 0]]]), "a;\nb;\n", "a.js")).toMatchObject({
      kind: "beyond",
      sentence: expect.stringContaining("line 5, column 1"),
    });
  });

  it("that fits into the code is taken with a warning", async () => {
    const { code } = of("esbuild");
    expect(await convert(code, of("rollup + terser").map)).toMatchObject({
      ok: true,
      map: { warnings: [expect.stringMatching(/^index\.js: \d+ % of its mappings begin in the middle of a word/)] },
    });
  });

  it("is noticed for every pair of bundlers", () => {
    for (const [name, { code }] of bundles) {
      const others = bundles.filter(([of]) => of.slice(0, 7) !== name.slice(0, 7));
      for (const [from, { map }] of others)
        expect([name, from, doubtOf(map, code, "index.js") === undefined]).toEqual([name, from, false]);
    }
  });
});
