/** Pairing generated code with its map in what builds write. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readComments, readDataUrl } from "../../../cli/maps/comments.ts";
import { findMaps } from "../../../cli/maps/find.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tailrace-find-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
const found = (path = root) =>
  findMaps(path).maps.map(({ file, mapName, codePath }) => [file, mapName, codePath !== undefined]);
const MAP = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });

describe("a directory", () => {
  it("of wrangler or esbuild: the comment names the map", () => {
    write({ "index.js": "x();\n//# sourceMappingURL=index.js.map\n", "index.js.map": MAP, "README.md": "" });
    expect(found()).toEqual([["index.js", "index.js.map", true]]);
  });

  it("with several bundles, in folders, named by their path", () => {
    write({
      "a/index.js": "x();\n//# sourceMappingURL=index.js.map",
      "a/index.js.map": MAP,
      "b/worker.mjs": "x();",
      "b/worker.mjs.map": MAP,
      "c/plain.js": "x();",
      "style.css": "",
      "style.css.map": MAP,
      "types.d.ts.map": MAP,
    });
    expect(found()).toEqual([
      ["a/index.js", "a/index.js.map", true],
      ["b/worker.mjs", "b/worker.mjs.map", true],
    ]);
  });

  it("with maps in another folder, encoded names, and URLs of a server", () => {
    write({
      "js/a b.js": "x();\n//# sourceMappingURL=../maps/a%20b.js.map",
      "maps/a b.js.map": MAP,
      "js/c.js": "x();\n//# sourceMappingURL=https://cdn.example/x/c.js.map?v=3",
      "js/c.js.map": MAP,
    });
    expect(found()).toEqual([
      ["js/a b.js", "maps/a b.js.map", true],
      ["js/c.js", "js/c.js.map", true],
    ]);
  });

  it("with inline maps", () => {
    const data = Buffer.from(MAP).toString("base64");
    write({ "index.js": `x();\n//# sourceMappingURL=data:application/json;base64,${data}\n` });
    const { maps } = findMaps(root);
    expect(maps.map(({ file, mapName }) => [file, mapName])).toEqual([["index.js", "index.js (inline)"]]);
    expect(Buffer.from(maps[0]?.read() ?? []).toString()).toBe(MAP);
  });

  it("with debug ids alone", () => {
    const id = "85314830-023f-4cf1-a267-535f4e37bb17";
    write({
      "index.js": `x();\n//# debugId=${id.toUpperCase()}`,
      "maps/8531.map": JSON.stringify({ ...JSON.parse(MAP), debugId: id }),
      "other.js": "y();\n//# debugId=00000000-0000-4000-8000-000000000000",
    });
    const { maps, warnings } = findMaps(root);
    expect(maps.map(({ file, mapName }) => [file, mapName])).toEqual([["index.js", "maps/8531.map"]]);
    expect(warnings).toEqual([expect.stringContaining("other.js has the debug id")]);
  });

  it("with a map whose code is not there: the map's name says what it is of", () => {
    write({ "index.js.map": MAP });
    expect(found()).toEqual([["index.js", "index.js.map", false]]);
  });

  it("does not look into node_modules and hidden folders", () => {
    write({ "node_modules/a/index.js.map": MAP, ".git/index.js.map": MAP, "index.js.map": MAP });
    expect(found()).toHaveLength(1);
  });

  it("warns of a map that is named and missing", () => {
    write({ "index.js": "x();\n//# sourceMappingURL=gone.js.map" });
    expect(findMaps(root)).toMatchObject({
      maps: [],
      warnings: ["index.js names the source map gone.js.map, which is not there"],
    });
  });
});

describe("code that was copied without its map", () => {
  it("has the map of its original: the same bytes under the same name in the project", () => {
    const code = "x();\n//# sourceMappingURL=index.js.map";
    write({
      ".wrangler/tailrace/out/index.js": code,
      ".wrangler/tailrace/out/chunk.js": "y();",
      "dist/server/index.js": code,
      "dist/server/index.js.map": MAP,
      "dist/server/chunk.js": "another();",
      "dist/server/chunk.js.map": MAP,
      "node_modules/x/index.js": code,
    });
    const out = join(root, ".wrangler/tailrace/out");
    expect(findMaps(out, root).maps.map(({ file, mapName }) => [file, mapName])).toEqual([
      ["index.js", "dist/server/index.js.map"],
    ]);
    expect(findMaps(out)).toMatchObject({ maps: [], warnings: [expect.stringContaining("index.js.map")] });
  });
});

describe("a file", () => {
  it("may be the code or the map", () => {
    write({ "index.js": "x();\n//# sourceMappingURL=index.js.map", "index.js.map": MAP });
    expect(found(join(root, "index.js"))).toEqual([["index.js", "index.js.map", true]]);
    expect(found(join(root, "index.js.map"))).toEqual([["index.js", "index.js.map", false]]);
  });

  it("that is not there is told", () => {
    expect(() => findMaps(join(root, "nothing"))).toThrow(/is not there/);
  });
});

describe("comments", () => {
  it.each([
    ["x();\n//# sourceMappingURL=a.map\n", "a.map"],
    ["x();\n//@ sourceMappingURL=a.map", "a.map"],
    ["//# sourceMappingURL=old.map\nx();\n//# sourceMappingURL=a.map\n\n// end\n", "a.map"],
    ["x(); //# sourceMappingURL=a.map", "a.map"],
    ["//# sourceMappingURL=a.map\nx();", undefined],
    ['write("//# sourceMappingURL=a.map")', undefined],
    ["write('//# sourceMappingURL=' + name);", undefined],
    ["x();", undefined],
    ["", undefined],
  ])("%j", (code, url) => {
    expect(readComments(code).url).toBe(url);
  });

  it("both kinds stand side by side, in any order", () => {
    const lines = ["//# debugId=abc-1", "//# sourceMappingURL=a.map"];
    for (const order of [lines, lines.toReversed()])
      expect(readComments(`x();\n${order.join("\n")}\n`)).toEqual({ url: "a.map", debugId: "abc-1" });
  });

  it("data URLs: base64, percent-encoded, and others", () => {
    const text = (url: string) => {
      const bytes = readDataUrl(url);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString();
    };
    expect(text("data:application/json;charset=utf-8;base64,e30=")).toBe("{}");
    expect(text("data:application/json,%7B%7D")).toBe("{}");
    expect(text("data:text/html,hello")).toBeUndefined();
    expect(text("data:application/json,%zz")).toBeUndefined();
    expect(text("index.js.map")).toBeUndefined();
  });
});
