/** Maps and blobs that are meant to hurt: bounded time and memory, an answer or a clear error. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressBlock } from "../../../workers/errors/source-map/compress.ts";
import { convertSourceMap } from "../../../workers/errors/source-map/convert.ts";
import { openSeekable, SeekableMapError } from "../../../workers/errors/source-map/open.ts";
import { readScopes } from "../../../workers/errors/source-map/scopes.ts";
import { convert, open, openBytes, rawMap, type Segment, vlq } from "../../support/source-maps.ts";

const problems = (map: unknown) => {
  const converted = convertSourceMap(map);
  return converted.ok ? [] : converted.problems;
};

describe("maps", () => {
  test("a map that holds itself", () => {
    const map: { version: number; sections: unknown[] } = { version: 3, sections: [] };
    map.sections.push({ offset: { line: 0, column: 0 }, map });
    expect(problems(map)).toEqual([
      expect.stringMatching(/^(sections\[0\]\.map\.){5}sections: index maps are nested more than 5 deep$/),
    ]);
  });

  test("a map that holds itself a thousand times at each depth", () => {
    const map: { version: number; sections: unknown[] } = { version: 3, sections: [] };
    for (let line = 0; line < 1000; line++) map.sections.push({ offset: { line, column: 0 }, map });
    expect(problems(map).length).toBeGreaterThan(0);
    const wide = (depth: number): unknown =>
      depth === 0
        ? rawMap([])
        : {
            version: 3,
            sections: Array.from({ length: 20 }, (_, line) => ({ offset: { line, column: 0 }, map: wide(depth - 1) })),
          };
    expect(problems(wide(4))[0]).toMatch(/more than 100000 sections$/);
  });

  test("far away columns and lines", async () => {
    const max = 2 ** 31 - 1;
    const map = await open(rawMap([[[max, 0, max, max]], [[0, 1, 0, 0]]]));
    expect(await map.locate(1, max + 1)).toMatchObject({ line: max + 1, column: max + 1 });
    expect(await map.locate(1, 2 ** 40)).toMatchObject({ line: max + 1, column: max + 1 });
    expect(await map.locate(2, 1)).toMatchObject({ file: "b.js" });
    const far = {
      version: 3,
      sections: [{ offset: { line: max, column: max }, map: rawMap([[[0, 0, 0, 0]], [[0, 0, 0, 0]]]) }],
    };
    expect(problems(far)).toEqual([expect.stringMatching(/is beyond line or column 2147483647$/)]);
    expect(
      problems({ version: 3, sections: [{ offset: { line: 2 ** 31, column: 0 }, map: rawMap([]) }] }),
    ).toHaveLength(1);
  });

  test("a million empty lines, a million mappings of one place, a million of them backwards", async () => {
    expect(
      await (await open(rawMap([], { mappings: `${";".repeat(1_000_000)}AAAA` }))).locate(1_000_001, 1),
    ).toMatchObject({ line: 1 });
    const same = await open(
      rawMap([], { mappings: "AAAA,".repeat(1_000_000).slice(0, -1), names: Array.from({ length: 100 }, String) }),
    );
    expect(same.mappings).toBe(1);
    const backwards = await open(
      rawMap([], { mappings: `${vlq(2_000_000)}AAA,${"FAAC,".repeat(500_000).slice(0, -1)}` }),
    );
    expect(backwards.mappings).toBe(500_001);
    expect(await backwards.locate(1, 1_000_001)).toMatchObject({ column: 500_001 });
  });

  test("sections that run on into the next, and code between sections", async () => {
    const line: Segment[] = [
      [0, 0, 0, 0],
      [10, 0, 0, 10],
      [20, 0, 0, 20],
    ];
    const map = await open({
      version: 3,
      sections: [
        { offset: { line: 0, column: 0 }, map: rawMap([line, line, line]) },
        { offset: { line: 0, column: 15 }, map: rawMap([[[5, 1, 7, 0]]]) },
        { offset: { line: 4, column: 2 }, map: rawMap([]) },
      ],
    });
    expect(await map.locate(1, 12)).toMatchObject({ column: 11 });
    expect(await map.locate(1, 17)).toBeUndefined();
    expect(await map.locate(1, 21)).toMatchObject({ file: "b.js", line: 8 });
    expect(await map.locate(2, 1)).toBeUndefined();
    expect(map.sources).toBe(9);
  });

  test("a source of ten million empty lines", async () => {
    const map = await open(
      rawMap(
        [
          [
            [0, 0, 0, 0],
            [4, 0, 9_000_000, 0],
          ],
        ],
        { sourcesContent: ["\n".repeat(10_000_000)] },
      ),
    );
    const found = await map.locate(1, 5);
    expect(found).toMatchObject({ line: 9_000_001 });
    expect(await map.context({ source: 0, line: 9_000_001 }, 1)).toEqual({ firstLine: 9_000_000, lines: ["", "", ""] });
  });

  test("names and sources of absurd length are cut", async () => {
    const map = await open(
      rawMap([[[0, 0, 0, 0, 0]]], { names: ["n".repeat(1_000_000)], sources: [`${"../d".repeat(300_000)}/x`] }),
    );
    const found = await map.locate(1, 1);
    expect(found?.name).toHaveLength(256);
    expect(found?.file.length).toBeLessThanOrEqual(1024);
  });

  test("names of an object's own members", async () => {
    const map = await open(
      JSON.parse(
        '{"version":3,"sources":["__proto__","constructor"],"names":["__proto__"],"mappings":"AAAAA,CCAAA","__proto__":{"sections":[]}}',
      ),
    );
    expect(await map.locate(1, 2)).toMatchObject({ file: "constructor", name: "__proto__" });
  });
});

describe("code", () => {
  test.each([
    ["that is none", "<!doctype html>"],
    ["nested deeper than a call stack", `${"(".repeat(100_000)}1${")".repeat(100_000)}`],
  ])("%s has no functions, and says why", (_name, code) => {
    const read = readScopes(code);
    expect(read.ok ? "" : read.problem).toMatch(/^the code cannot be parsed, so function names are left out: /);
  });

  test("with a thousand operands in one expression is read", () => {
    const read = readScopes(`function f(){return ${"1+".repeat(1_000)}1}`);
    expect(read.ok && read.scopes.functions).toHaveLength(1);
  });
});

describe("blobs", () => {
  const good = convert(
    rawMap(
      Array.from({ length: 50 }, (_, line) =>
        Array.from({ length: 120 }, (_, i): Segment => [i * 3, i % 3, line, i, i & 1]),
      ),
      { sourcesContent: ["a\nb\nc", null, "x".repeat(40_000)] },
    ),
    {
      functions: Array.from({ length: 40 }, (_, line) => ({
        line,
        column: 1,
        endLine: line,
        endColumn: 90,
        name: [{ text: `f${line}`, line, column: 4 }],
        isModule: false,
      })),
      places: [{ line: 3, column: 2, mappedColumn: 3, isKeyword: false }],
    },
  );

  /** Everything that can be asked; anything but SeekableMapError fails the test. */
  async function ask(bytes: Uint8Array, size = bytes.length): Promise<void> {
    const read = async (offset: number, length: number) => {
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(length).toBeLessThanOrEqual(16 * 1024 * 1024);
      return bytes.subarray(offset, offset + length);
    };
    const quiet = (error: unknown) => {
      if (!(error instanceof SeekableMapError)) throw error;
      return undefined;
    };
    const map = await openSeekable({ size, read }).catch(quiet);
    if (map === undefined) return;
    for (const [line, column] of [
      [1, 1],
      [10, 50],
      [30, 200],
      [50, 400],
      [900, 1],
    ] as const) {
      const found = await map.locate(line, column).catch(quiet);
      if (found !== undefined) expect(found.line).toBeGreaterThan(0);
      map.locateCached(line, column);
      await map.locateAll([{ line, column }]).catch(quiet);
    }
    for (const source of [0, 1, 2, 3]) await map.context({ source, line: 1 }, 5).catch(quiet);
    expect(map.bytes).toBeLessThan(8 * 1024 * 1024);
  }

  test("as written", async () => {
    const { map } = await openBytes(good);
    expect(await map.locate(30, 1)).toMatchObject({ line: 30, function: "" });
    expect(await map.locate(30, 4)).toMatchObject({ line: 30, function: "f29" });
    await ask(good);
  });

  test("cut off anywhere", async () => {
    for (let length = 0; length < good.length; length += 7) {
      const bytes = good.subarray(0, length);
      await expect(openSeekable({ size: length, read: async (o, l) => bytes.subarray(o, o + l) })).rejects.toThrow(
        SeekableMapError,
      );
      await ask(bytes, good.length);
    }
  });

  test("with bytes changed, in the index and in the blocks", async () => {
    const change = fc.tuple(fc.oneof(fc.nat({ max: 400 }), fc.nat({ max: good.length - 1 })), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        await ask(bytes);
      }),
      { numRuns: 400 },
    );
  });

  test("with blocks that hold anything", async () => {
    // One block that lies right behind the index of a map with a single one.
    const small = convert(rawMap([[[0, 0, 0, 0]]]));
    const view = new DataView(small.buffer);
    const pageOffset = view.getUint32(60 + 8, true);
    const pageLength = view.getUint32(60 + 12, true);
    const blocksAt = view.getUint32(60 + 16, true);
    const page = (length: number) => Uint8Array.of(1, 0, 0, (length & 0x7f) | 0x80, (length >> 7) & 0x7f);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (raw) => {
        const block = compressBlock(raw);
        const grown = page(block.length).length - pageLength;
        const bytes = new Uint8Array(blocksAt + grown + block.length);
        bytes.set(small.subarray(0, pageOffset));
        bytes.set(page(block.length), pageOffset);
        bytes.set(block, blocksAt + grown);
        const out = new DataView(bytes.buffer);
        out.setUint32(12, bytes.length, true);
        out.setUint32(32, 0, true);
        out.setUint32(40, bytes.length, true);
        out.setUint32(60 + 12, page(block.length).length, true);
        out.setUint32(60 + 16, blocksAt + grown, true);
        await ask(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("that claim more than they have are not given the memory", async () => {
    const bytes = good.slice();
    for (const at of [12, 16, 20, 32, 36, 40]) {
      const huge = bytes.slice();
      new DataView(huge.buffer).setUint32(at, 0xffffffff, true);
      await ask(huge);
    }
  });
});
