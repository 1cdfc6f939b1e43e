/** Frames as V8 prints them lead to the line that failed, also where V8 and the makers of maps mean different places. */
import { runInNewContext } from "node:vm";
import { build as esbuild } from "esbuild";
import { minify as terser } from "terser";
import { describe, expect, test } from "vitest";
import { readScopes } from "../../../workers/errors/source-map/scopes.ts";
import { open, rawMap } from "../../support/source-maps.ts";

/** Each function fails on the line that says `fails`. A variable used once is inlined by minifiers. */
const SOURCE = `
const find = (id) => (id === "none" ? undefined : { tier: undefined, list: [] });
export function property() {
  const card = find("none");
  return card.tier; // fails
}
export function second() {
  const card = find("one");
  return card.tier.share; // fails
}
export function index(key = "tier") {
  const card = find("none");
  return card[key]; // fails
}
export function secondIndex(key = "tier") {
  const card = find("one");
  return card[key][key]; // fails
}
export function optional() {
  const card = find("one");
  return card?.tier.share; // fails
}
export function optionalIndex(key = "tier") {
  const card = find("one");
  return card?.[key].share; // fails
}
export function method() {
  const card = find("one");
  return card.save(); // fails
}
export function chained() {
  return find("one")
    .list.map((one) => one)
    .at(0)
    .share; // fails
}
export function written() {
  const card = find("none");
  card.tier = 1; // fails
}
export function constructed() {
  const Card = find("none");
  return new Card(); // fails
}
export function tagged() {
  const card = find("one");
  return card.tier\`x\`; // fails
}
export function thrown() {
  const error = find("one");
  throw Object.assign(error, new Error("x")); // passes
}
export function argument() {
  return [find][0](
    find("none").tier, // fails
  );
}
export function called() {
  const handlers = [undefined];
  return handlers[0]( // fails
    find("one"),
  );
}
`;
const NAMES = [...SOURCE.matchAll(/export function (\w+)/g)]
  .map(([, name]) => name as string)
  .filter((name) => name !== "thrown");

interface Built {
  /** Leaves its exports in `app`. */
  code: string;
  map: unknown;
}

async function withEsbuild(minify: boolean): Promise<Built> {
  const stdin = { contents: SOURCE, sourcefile: "shop.js" };
  const built = await esbuild({
    stdin,
    minify,
    bundle: true,
    format: "iife",
    globalName: "app",
    sourcemap: "external",
    outfile: "/out.js",
    write: false,
  });
  const text = (end: string) => built.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  return { code: text(".js"), map: JSON.parse(text(".map")) };
}

async function withTerser(): Promise<Built> {
  const built = await terser(
    { "shop.js": SOURCE.replaceAll(/export function (\w+)/g, "exports.$1 = function $1") },
    { toplevel: true, sourceMap: { includeSources: true } },
  );
  return { code: `${built.code}`, map: JSON.parse(`${built.map}`) };
}

/** Line and column of the topmost frame. */
function failure(code: string, name: string): { line: number; column: number } {
  const stack: unknown = runInNewContext(
    `var app = {}, exports = app;${"\n"}${code}${"\n"};try { app.${name}(); "" } catch (error) { error.stack }`,
    {},
    { filename: "bundle.js", lineOffset: -1 },
  );
  const [, line, column] = /bundle\.js:(\d+):(\d+)/.exec(String(stack)) ?? [];
  return { line: Number(line), column: Number(column) };
}

describe.each([
  ["esbuild", () => withEsbuild(false)],
  ["esbuild, minified", () => withEsbuild(true)],
  ["terser", withTerser],
])("a bundle by %s", (_name, build) => {
  test.each(NAMES)("%s", async (name) => {
    const { code, map } = await build();
    const scopes = readScopes(code);
    const seekable = await open(map, scopes.ok ? scopes.scopes : undefined);
    const { line, column } = failure(code, name);
    const place = await seekable.locate(line, column);
    expect(SOURCE.split("\n")[(place?.line ?? 0) - 1]).toContain("// fails");
    expect(place?.function).toBe(name);
  });
});

describe("a map without its code", () => {
  test.each([
    ["esbuild, minified", () => withEsbuild(true)],
    ["terser", withTerser],
  ])("by %s: the source's text tells most of it", async (_name, build) => {
    const { code, map } = await build();
    const seekable = await open(map);
    const lines = SOURCE.split("\n");
    const wrong = [];
    for (const name of NAMES) {
      const { line, column } = failure(code, name);
      const place = await seekable.locate(line, column);
      if (!lines[(place?.line ?? 0) - 1]?.includes("// fails")) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });
});

describe("the dot of a property that is read from what a call gave", () => {
  const code = "var a=1;f(x).tier.share;g";
  const map = rawMap([
    [
      [0, 0, 0, 0],
      [9, 0, 4, 2],
      [13, 1, 5, 9, 1],
      [18, 1, 6, 14],
    ],
  ]);
  const scopes = readScopes(code);

  test("is where its name is, for V8, and as ECMA-426 has it otherwise", async () => {
    const seekable = await open(map, scopes.ok ? scopes.scopes : undefined);
    expect(await seekable.locate(1, 13)).toMatchObject({ file: "b.js", line: 6, column: 10, name: "two" });
    expect(await seekable.locate(1, 18)).toMatchObject({ file: "b.js", line: 7, column: 15, name: null });
    expect(await seekable.locate(1, 13, "ecma")).toMatchObject({ file: "a.js", line: 5, column: 3 });
    expect(await seekable.locate(1, 18, "ecma")).toMatchObject({ file: "b.js", line: 6, column: 10 });
    expect(await seekable.locate(1, 12)).toMatchObject({ file: "a.js", line: 5 });
    expect(await seekable.locate(1, 14)).toMatchObject({ file: "b.js", line: 6 });
    expect(seekable.mappings).toBe(4);
  });

  test("is nothing special where the map has a mapping of its own for it, or none for the name", async () => {
    const own = await open(
      rawMap([
        [
          [0, 0, 0, 0],
          [12, 0, 2, 2],
          [13, 0, 3, 3],
        ],
      ]),
      scopes.ok ? scopes.scopes : undefined,
    );
    expect(await own.locate(1, 13)).toMatchObject({ line: 3 });
    const none = await open(rawMap([[[0, 0, 0, 0], [13], [18]]]), scopes.ok ? scopes.scopes : undefined);
    expect(await none.locate(1, 13)).toMatchObject({ line: 1 });
    expect(await none.locate(1, 18)).toBeUndefined();
  });

  test("changes nothing for others, wherever blocks and groups begin", async () => {
    const count = 6000;
    const code = "f().x;".repeat(count);
    const segments = Array.from({ length: count * 2 }, (_, i): [number, number, number, number] => [
      (i >> 1) * 6 + (i & 1) * 4,
      i % 3,
      i,
      0,
    ]);
    const scopes = readScopes(code);
    const plain = await open(rawMap([segments]));
    const seekable = await open(rawMap([segments]), scopes.ok ? scopes.scopes : undefined);
    for (let column = 1; column <= code.length; column++) {
      const expected = await plain.locate(1, column);
      const where = (place: typeof expected) => [place?.file, place?.line];
      expect(where(await seekable.locate(1, column, "ecma"))).toEqual(where(expected));
      const frame = column % 6 === 4 ? await plain.locate(1, column + 1) : expected;
      expect(where(await seekable.locate(1, column))).toEqual(where(frame));
    }
  });
});
