/** What is printed on a terminal, and what in a log. */
import { beforeEach, expect, it } from "vitest";
import { count, Output, size } from "../../../cli/output.ts";

let out: string;
let err: string;
let now: number;
beforeEach(() => {
  out = "";
  err = "";
  now = 1_000;
});
const output = (isTTY: boolean) => {
  const streams = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text), isTTY, columns: 70 },
  };
  return new Output(streams, () => now);
};
const CLEAR = "\r\u001b[2K";
const MB = 1_000_000;
const uploaded = { file: "index.js", bytes: 20 * MB, sources: 1, mappings: 1_234, total: 25 * MB };

it("a terminal has one line that is drawn over, at most every 80 ms, never wrapped, and gone before results", () => {
  const terminal = output(true);
  terminal.converting("index.js", 20 * MB);
  terminal.progress("index.js", 5 * MB, 25 * MB);
  terminal.progress("index.js", 6 * MB, 25 * MB);
  now += 100;
  terminal.progress("index.js", 12.5 * MB, 25 * MB);
  const lines = err.split(CLEAR).slice(1);
  expect(lines).toEqual([
    "  reading index.js, 20.0 MB",
    "  █████░░░░░░░░░░░░░░░░░░░  20 %  5.0 MB of 25.0 MB  index.js",
    "  ████████████░░░░░░░░░░░░  50 %  12.5 MB of 25.0 MB  index.js",
  ]);
  terminal.progress(`${"a-long-name/".repeat(20)}index.js`, 25 * MB, 25 * MB);
  expect(err.split(CLEAR).at(-1)?.length).toBe(69);
  terminal.uploaded({ ...uploaded, sent: 25 * MB, found: 0 });
  expect(err.endsWith(CLEAR)).toBe(true);
  expect(out).toBe("  index.js  20.0 MB, 1 source, 1,234 mappings: uploaded\n");
});

it("a log has a line per 8 MiB of a large map, none for small ones, and no control characters", () => {
  const log = output(false);
  log.converting("small.js", 1_000);
  log.progress("small.js", 1_000, 1_000);
  log.converting("index.js", 20 * MB);
  for (let done = 0; done <= 25; done++) log.progress("index.js", done * MB, 25 * MB);
  log.progress("index.js", 25 * MB, 25 * MB);
  expect(err.split("\n").filter(Boolean)).toEqual([
    "  reading index.js, 20.0 MB",
    "  index.js  0 B of 25.0 MB",
    "  index.js  9.0 MB of 25.0 MB",
    "  index.js  18.0 MB of 25.0 MB",
    "  index.js  25.0 MB of 25.0 MB",
  ]);
});

it("says what became of a map", () => {
  const log = output(false);
  log.uploaded({ ...uploaded, sent: 0, found: 25 * MB });
  log.uploaded({ ...uploaded, sent: 5 * MB, found: 20 * MB });
  expect(out).toMatch(/: in place already\n.*: uploaded, 20\.0 MB were there already\n/);
  log.problem("a.js.map", ["not JSON", "and more"]);
  expect(err).toBe("error: a.js.map is no valid source map: not JSON\n       and more\n");
});

it("sizes and counts are for people", () => {
  expect([0, 999, 1_000, 999_499, 999_500, 23_473_691].map(size)).toEqual([
    "0 B",
    "999 B",
    "1 kB",
    "999 kB",
    "1.0 MB",
    "23.5 MB",
  ]);
  expect([count(1, "map"), count(0, "map"), count(1_234, "map")]).toEqual(["1 map", "0 maps", "1,234 maps"]);
});
