/** Which map a frame's file means. */
import { describe, expect, it } from "vitest";
import { matchFile } from "../../../workers/errors/maps/match.ts";

const find = (files: string[], asked: string) =>
  matchFile(
    files.map((file) => ({ file })),
    asked,
  )?.file;

describe("the file of a frame", () => {
  it.each([
    ["index.js", ["index.js"], "index.js"],
    ["index.js", ["index.js", "dist/index.js"], "index.js"],
    ["./index.js", ["index.js"], "index.js"],
    ["index.js?v=2", ["index.js"], "index.js"],
    ["file:///srv/app/index.js", ["index.js"], "index.js"],
    ["file:///index.js", ["a/index.js", "index.js"], "index.js"],
    ["/srv/app/index.js", ["index.js"], "index.js"],
    ["C:\\srv\\app\\index.js", ["index.js"], "index.js"],
    ["https://cdn.example/assets/chunk.js", ["assets/chunk.js", "chunk.js"], "assets/chunk.js"],
    ["webpack:///assets/chunk.js", ["chunk.js"], "chunk.js"],
    ["index.js", ["dist/index.js"], "dist/index.js"],
    ["a/b.js", ["dist/a/b.js", "dist/c/b.js"], "dist/a/b.js"],
  ])("%s of %j is %s", (asked, files, found) => {
    expect(find(files, asked)).toBe(found);
  });

  it.each([
    ["another file", "worker.js", ["index.js"]],
    ["half a segment", "myindex.js", ["index.js"]],
    ["a relative path: another module, or a source", "src/index.js", ["index.js"]],
    ["another folder", "b/index.js", ["a/index.js"]],
    ["two that fit alike", "index.js", ["a/index.js", "b/index.js"]],
    ["nothing", "", ["index.js"]],
    ["a bare root", "/", ["index.js"]],
    ["no maps", "index.js", []],
  ])("is not %s", (_, asked, files) => {
    expect(find(files, asked)).toBeUndefined();
  });
});
