/** Reading the seekable form: how much is read, what stays in memory, which lines come back. */
import { describe, expect, test } from "vitest";
import { BlockCache, openSeekable } from "../../../workers/errors/source-map/open.ts";
import { convert, open, openBytes, rawMap, type Segment } from "../../support/source-maps.ts";

/** A minified line of many mappings, with columns that do not compress. */
const longLine = (count: number) =>
  rawMap([Array.from({ length: count }, (_, i): Segment => [i * 2, i % 3, i >> 2, scattered(i), i & 1])]);
const scattered = (i: number) => (Math.imul(i * i + 1, 0x9e3779b1) >>> 13) & 0xfff;

describe("reads", () => {
  const bytes = convert(longLine(200_000));

  test("one to open and one for a frame, whatever the size; none when it is warm", async () => {
    expect(bytes.length).toBeGreaterThan(200_000);
    const { map, reads } = await openBytes(bytes);
    expect(reads).toEqual([[0, 16_384]]);
    const found = await map.locate(1, 2 * 150_000 + 1);
    expect(found).toEqual({
      source: 0,
      file: "a.js",
      line: 37_501,
      column: scattered(150_000) + 1,
      name: "one",
      function: null,
      ignored: false,
    });
    expect(reads).toHaveLength(2);
    expect(reads[1]?.[1]).toBeLessThan(16_384);
    expect(map.locateCached(1, 2 * 150_000 + 1)).toEqual(found);
    expect(map.locateCached(1, 2 * 150_001 + 2)).toMatchObject({ file: "b.js" });
    expect(map.locateCached(1, 1)).toBe("absent");
    expect(map.locateCached(2, 1)).toBe("absent");
    expect(reads).toHaveLength(2);
  });

  test("of a stack: each block once", async () => {
    const { map, reads } = await openBytes(bytes);
    const positions = [20_000, 20_001, 60_000, 60_001, 120_000, 20_000].map((i) => ({ line: 1, column: 2 * i + 1 }));
    const found = await map.locateAll([...positions, { line: 0, column: 0 }, { line: 5, column: 5 }]);
    expect(found.map((one) => one?.line)).toEqual([5001, 5001, 15_001, 15_001, 30_001, 5001, undefined, undefined]);
    // To open, three blocks, and the last one, behind which line 5 might have been.
    expect(reads).toHaveLength(5);
  });

  test("at the same time of the same are one", async () => {
    const { map, reads } = await openBytes(bytes);
    await Promise.all(Array.from({ length: 100 }, (_, i) => map.locate(1, 2 * 60_000 + i)));
    expect(reads).toHaveLength(2);
  });

  test("that fail are tried again by who asks next", async () => {
    let failing = true;
    const map = await openSeekable({
      size: bytes.length,
      async read(offset, length) {
        if (offset > 0 && failing) throw new Error("R2 is away");
        return bytes.subarray(offset, offset + length);
      },
    });
    await expect(map.locate(1, 200_001)).rejects.toThrow("R2 is away");
    failing = false;
    expect(await map.locate(1, 200_001)).toMatchObject({ line: 25_001 });
  });

  test("that bring less than was asked for are an error", async () => {
    const short = {
      size: bytes.length,
      read: async (offset: number, length: number) => bytes.subarray(offset, offset + length - 1),
    };
    await expect(openSeekable(short)).rejects.toThrow("16383 bytes were read, 16384 asked for");
  });
});

describe("memory", () => {
  test("all maps of a cache share its bound; what was used stays longer", async () => {
    const cache = new BlockCache(200_000);
    const bytes = convert(longLine(60_000));
    const { map } = await openBytes(bytes, cache);
    const { map: other } = await openBytes(bytes, cache);
    await other.locate(1, 1);
    for (let i = 0; i < 60_000; i += 2500) {
      expect(await map.locate(1, 2 * i + 1)).toMatchObject({ line: (i >> 2) + 1 });
      expect(other.locateCached(1, 1)).toMatchObject({ line: 1 });
      expect(cache.bytes).toBeLessThanOrEqual(200_000);
    }
    expect(map.locateCached(1, 1)).toBe("absent");
    expect(map.bytes).toBeLessThan(300_000);
    map.close();
    other.close();
    expect(cache.bytes).toBe(0);
  });

  test("a cache that is too small for one block still answers", async () => {
    const { map } = await openBytes(convert(longLine(10_000)), new BlockCache(10));
    expect(await map.locate(1, 4001)).toMatchObject({ line: 501 });
    expect((await map.locateAll([{ line: 1, column: 4001 }]))[0]).toMatchObject({ line: 501 });
    expect(map.locateCached(1, 4001)).toBe("absent");
  });
});

describe("source context", () => {
  const at = async (content: (string | null)[], source: number, line: number, radius = 2) =>
    (await open(rawMap([], { sources: content.map((_, i) => `s${i}.js`), sourcesContent: content }))).context(
      { source, line },
      radius,
    );

  test("is the lines around, less at the ends", async () => {
    const content = ["1\n2\n3\n4\n5\n6"];
    expect(await at(content, 0, 4)).toEqual({ firstLine: 2, lines: ["2", "3", "4", "5", "6"] });
    expect(await at(content, 0, 1)).toEqual({ firstLine: 1, lines: ["1", "2", "3"] });
    expect(await at(content, 0, 6)).toEqual({ firstLine: 4, lines: ["4", "5", "6"] });
    expect(await at(content, 0, 6, 0)).toEqual({ firstLine: 6, lines: ["6"] });
    expect((await at(content, 0, 3, 1e9))?.lines).toHaveLength(6);
  });

  test("knows every end of a line that JavaScript knows, and text beyond ASCII", async () => {
    expect((await at(["a\r\nb\rc\u2028d\u2029é🎉\n\n"], 0, 3, 9))?.lines).toEqual(["a", "b", "c", "d", "é🎉", "", ""]);
    expect((await at(["a\ud800", "\udc00b"], 1, 1, 0))?.lines).toEqual(["\udc00b"]);
  });

  test("is not there without content, beyond the last line, or for a source that does not exist", async () => {
    expect(await at([null, "x"], 0, 1)).toBeUndefined();
    expect(await at([null, "x"], 1, 2)).toBeUndefined();
    expect(await at([null, "x"], 1, 0)).toBeUndefined();
    expect(await at(["x"], 7, 1)).toBeUndefined();
    expect(await at([""], 0, 1)).toEqual({ firstLine: 1, lines: [""] });
  });

  test("is found in sources of any size, over the borders of chunks, in few reads", async () => {
    const text = (name: string, lines: number) =>
      Array.from({ length: lines }, (_, i) => `${name}:${i + 1} ${"x".repeat(i % 90)}`).join("\n");
    const sizes = Array.from({ length: 150 }, (_, i) => (i === 70 ? 20_000 : (i * 37) % 400));
    const contents = sizes.map((lines, i) => text(`s${i}`, lines));
    const bytes = convert(rawMap([], { sources: sizes.map((_, i) => `s${i}.js`), sourcesContent: contents }));
    for (const [source, line] of [
      [0, 1],
      [70, 1],
      [70, 9_999],
      [70, 20_000],
      [71, 200],
      [149, 3],
    ] as const) {
      const { map, reads } = await openBytes(bytes);
      const context = await map.context({ source, line }, 5);
      const lines = (contents[source] as string).split("\n");
      const first = Math.max(0, line - 6);
      expect(context).toEqual({ firstLine: first + 1, lines: lines.slice(first, line + 5) });
      expect(reads.length).toBeLessThanOrEqual(4);
      expect(reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(40_000);
    }
  });

  test("of a line of a megabyte is its beginning", async () => {
    const lines = (await at([`short\n${"y".repeat(1_000_000)}\nend`], 0, 2, 1))?.lines;
    expect(lines?.map((line) => line.length)).toEqual([5, 1000, 3]);
  });
});
