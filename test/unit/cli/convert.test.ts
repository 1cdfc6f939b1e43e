/** One map to its two blobs: the same every time, checked by the source-map package, named without the machine. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareWithSourceMap, samplePositions } from "../../../cli/maps/check.ts";
import { type Conversion, convertMap } from "../../../cli/maps/convert.ts";
import { findMaps } from "../../../cli/maps/find.ts";
import { convertSourceMap } from "../../../workers/errors/source-map/convert.ts";
import { openSeekable } from "../../../workers/errors/source-map/open.ts";

let root: string;
let code: string;
let map: Record<string, unknown>;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "tailrace-convert-"));
  const built = buildSync({
    entryPoints: ["demo/storefront/src/v2.ts"],
    bundle: true,
    minify: true,
    sourcemap: "external",
    format: "esm",
    external: ["cloudflare:*", "node:*"],
    write: false,
    outfile: join(root, "index.js"),
  });
  for (const { path, text } of built.outputFiles) {
    if (path.endsWith(".map")) map = JSON.parse(text);
    else code = text;
  }
});
afterAll(() => rmSync(root, { recursive: true }));

async function convert(of: Record<string, unknown>, text = code): Promise<Conversion> {
  writeFileSync(join(root, "index.js"), text);
  writeFileSync(join(root, "index.js.map"), JSON.stringify(of));
  const [found] = findMaps(root).maps;
  if (found === undefined) throw new Error("not found");
  return convertMap(found);
}

async function seekable(conversion: Conversion) {
  if (!conversion.ok) throw new Error(conversion.problems.join());
  const { bytes } = conversion.map.seekable;
  return openSeekable({ size: bytes.length, read: async (at, length) => bytes.subarray(at, at + length) });
}

describe("a conversion", () => {
  it("is the same every time, under the hash of what it is, and has nothing to warn of", async () => {
    const [first, again] = [await convert(map), await convert(map)];
    expect(first).toEqual(again);
    if (!first.ok) throw new Error(first.problems.join());
    const { original, seekable, warnings, file, sources } = first.map;
    for (const blob of [original, seekable])
      expect(createHash("sha256").update(blob.bytes).digest("hex")).toBe(blob.hash);
    expect([warnings, file, sources]).toEqual([[], "index.js", (map.sources as string[]).length]);
  });

  it("names functions when the code is there, and says so when the code cannot be read", async () => {
    const broken = await convert(map, `${code}\n}}}`);
    expect(broken).toMatchObject({ ok: true, map: { warnings: [expect.stringContaining("functions are not named")] } });
  });

  it("has no path of this machine in its names, however wrangler was told where to write", async () => {
    const direct = await convert({
      ...map,
      sources: ["../src/a.ts"],
      sourcesContent: [null],
      sourceRoot: root,
      mappings: "AAAA",
    });
    const here = relative(process.cwd(), join(root, "../src/a.ts"));
    const { file } = (await (await seekable(direct)).locate(1, 1)) ?? {};
    expect(file).toBe(here.replace(/^(\.\.\/)+/, ""));
  });

  it("lists what is wrong with a map", async () => {
    expect(await convert({ ...map, version: 4 })).toMatchObject({
      ok: false,
      problems: [expect.stringContaining("version")],
    });
  });
});

describe("the comparison with source-map", () => {
  it("finds a form that is of another map", async () => {
    // Every mapping one line further down.
    const other = convertSourceMap({ ...map, mappings: `AACA,${map.mappings}` });
    const right = convertSourceMap(map);
    if (!other.ok || !right.ok) throw new Error("neither is wrong in itself");
    expect(await compareWithSourceMap(map, right.bytes, code)).toBeUndefined();
    expect(await compareWithSourceMap(map, other.bytes, code)).toMatch(
      /leads to .* as the source-map package reads it/,
    );
  });

  it("looks all over the code, at positions that exist", () => {
    expect(samplePositions("", 10)).toEqual([]);
    const text = "ab\n\ncdef\r\ng";
    const lines = text.split("\n");
    const positions = samplePositions(text, 100);
    expect(positions).toHaveLength(text.length);
    for (const { line, column } of positions) expect(column).toBeLessThanOrEqual((lines[line - 1] as string).length);
    expect(new Set(positions.map(({ line }) => line))).toEqual(new Set([1, 2, 3, 4]));
    expect(samplePositions("x".repeat(1_000_000), 256).length).toBeGreaterThanOrEqual(256);
  });
});
