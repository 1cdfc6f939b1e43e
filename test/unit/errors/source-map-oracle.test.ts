/** The seekable form says the same as the `source-map` package does of the map that it was made of. */

import { build as esbuild } from "esbuild";
import fc from "fast-check";
import { type RawIndexMap, type RawSourceMap, SourceMapConsumer } from "source-map";
import { describe, expect, test } from "vitest";
import { displayPath } from "../../../workers/errors/source-map/display-path.ts";
import type { SeekableMap } from "../../../workers/errors/source-map/open.ts";
import { open, type RawMap, rawMap, type Segment } from "../../support/source-maps.ts";

interface Place {
  line: number;
  column: number;
}

/** From 1 and from 0, as `source-map` counts. */
async function answers(map: SeekableMap, place: Place): Promise<unknown> {
  const found = await map.locate(place.line, place.column + 1, "ecma");
  return found === undefined
    ? { source: null, line: null, column: null, name: null }
    : { source: found.file, line: found.line, column: found.column - 1, name: found.name };
}

async function expectSame(raw: unknown, places: Place[]): Promise<void> {
  const map = await open(raw);
  await SourceMapConsumer.with(raw as RawSourceMap | RawIndexMap, null, async (consumer) => {
    for (const place of places) {
      const expected = consumer.originalPositionFor(place);
      const source = expected.source === null ? null : displayPath(expected.source, "");
      expect({ ...place, ...((await answers(map, place)) as object) }).toEqual({ ...place, ...expected, source });
    }
  });
}

const position = fc.nat({ max: 60 });
const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.tuple(position),
  fc.tuple(position, fc.nat({ max: 2 }), fc.nat({ max: 5000 }), fc.nat({ max: 300 })),
  fc.tuple(position, fc.nat({ max: 2 }), fc.nat({ max: 5000 }), fc.nat({ max: 300 }), fc.nat({ max: 1 })),
);
/** In any order, but one segment a position: which of several counts, packages do not agree on. */
const line = fc.uniqueArray(segment, { selector: (segment) => segment[0], maxLength: 12 });
const lines = fc.array(line, { maxLength: 8 });
const everywhere = (lines: number) =>
  Array.from({ length: lines * 64 }, (_, i) => ({ line: 1 + Math.floor(i / 64), column: i % 64 }));

describe("the seekable form and source-map agree", () => {
  test("about any map", async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (lines) => expectSame(rawMap(lines), everywhere(lines.length + 1))),
      { numRuns: 150 },
    );
  });

  test("about any index map", async () => {
    const sections = fc.array(fc.record({ lines, down: fc.nat({ max: 6 }), column: fc.nat({ max: 30 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(sections, async (sections) => {
        let at = 0;
        let last = -1;
        const raw = {
          version: 3,
          sections: sections.map(({ lines, down, column }) => {
            at += down;
            last = down === 0 ? last + 1 + column : column;
            return { offset: { line: at, column: last }, map: rawMap(lines) };
          }),
        };
        await expectSame(raw, everywhere(at + 10));
      }),
      { numRuns: 100 },
    );
  });

  test("about a line with many thousand mappings, over the borders of blocks", async () => {
    const long: Segment[] = Array.from({ length: 10_000 }, (_, i) => [i * 3, i % 3, i >> 3, (i * 7) % 100, i & 1]);
    const places = Array.from({ length: 3000 }, (_, i) => ({ line: 2, column: i * 10 }));
    await expectSame(rawMap([[], long, [[4, 0, 0, 0]]]), [...places, { line: 1, column: 5 }, { line: 3, column: 3 }]);
  });

  test.each([false, true])("about a bundle by esbuild (minified: %s)", async (minify) => {
    const { raw, code } = await bundle(minify);
    const places: Place[] = [];
    for (const [i, text] of code.split("\n").entries()) {
      for (let column = 0; column <= text.length; column += minify ? 37 : 17) places.push({ line: i + 1, column });
    }
    expect(places.length).toBeGreaterThan(2000);
    await expectSame(raw, places);
  });
});

/** The validator of this repository's own API, with what it imports: some hundred modules. */
async function bundle(minify: boolean): Promise<{ raw: RawMap; code: string }> {
  const built = await esbuild({
    stdin: { contents: 'export * as hono from "hono"; export * as valibot from "valibot";', resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    minify,
    sourcemap: "external",
    outfile: "/bundle.js",
    write: false,
  });
  const text = (end: string) => built.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  return { raw: JSON.parse(text(".map")), code: text(".js") };
}
