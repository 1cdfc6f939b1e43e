/** Stacks as the issue page shows and copies them. */
import { expect, test } from "vitest";
import {
  brokenAt,
  frameToOpen,
  headline,
  libraryNames,
  placeOf,
  segments,
  stackText,
} from "../../../dashboard/src/lib/stack-frames.ts";
import type { StackFrame, StackTrace } from "../../../workers/api/contract.ts";

function frame(name: string | null, file: string | null, more: Partial<StackFrame> = {}): StackFrame {
  return {
    function: name,
    file,
    line: file === null ? null : 3,
    column: file === null ? null : 7,
    inApp: true,
    mapped: true,
    isAsync: false,
    isConstructor: false,
    raw: { function: "a", file: "index.js", line: 1, column: 99 },
    ...more,
  };
}
const library = (pkg: string) => frame("x", `node_modules/${pkg}/dist/x.js`, { inApp: false });
const context = { firstLine: 1, lines: ["a", "b", "c"] };
function trace(frames: StackFrame[], more: Partial<StackTrace> = {}): StackTrace {
  return { type: "TypeError", message: "no", frames, omitted: 0, cause: null, errors: [], ...more };
}

test("two and more library frames in a row are folded; a single one, and a stack of nothing else, is not", () => {
  const own = frame("f", "src/a.ts");
  const kinds = (frames: StackFrame[]) =>
    segments(frames).map((s) => (s.kind === "library" ? s.frames.length : "frame"));
  expect(kinds([own, library("a"), library("b"), own, library("c")])).toEqual(["frame", 2, "frame", "frame"]);
  expect(kinds([library("a"), library("b")])).toEqual(["frame", "frame"]);
  expect(segments([own, library("a"), library("b"), own]).map((s) => s.index)).toEqual([0, 1, 3]);
});

test("a fold says whose frames they are", () => {
  expect(libraryNames([library("hono"), library("@acme/mw"), library("hono")])).toBe("hono, @acme/mw");
  expect(libraryNames([library("a/node_modules/b")])).toBe("b");
  expect(libraryNames(["a", "b", "c", "d"].map(library))).toBe("a, b, c and others");
  expect(libraryNames([frame("x", null)])).toBe("");
});

test("the first frame of one's own with source is open, else the first with source, else none", () => {
  expect(frameToOpen([{ ...library("a"), context }, frame("f", "a.ts"), frame("g", "b.ts", { context })])).toBe(2);
  expect(frameToOpen([frame("f", "a.ts"), { ...library("a"), context }])).toBe(1);
  expect(frameToOpen([frame("f", "a.ts")])).toBe(-1);
});

test("it broke at the frame that the issue is named after, in the error that it is named after", () => {
  const wanted = frame("open", "src/pool.ts");
  const chain = trace([library("hono"), frame("fetch", "src/index.ts")], {
    type: "PaymentError",
    cause: trace([frame("open", "src/pool.ts")], {
      type: "ConnectionError",
      cause: trace([library("net"), wanted], { type: "Error" }),
    }),
  });
  expect(brokenAt(chain, { type: "Error", culprit: "open (src/pool.ts)" })).toBe(wanted);
  expect(brokenAt(chain, { type: "other", culprit: "open (src/pool.ts)" })?.function).toBe("open");
  expect(brokenAt(chain, { type: "PaymentError", culprit: "GET /pay" })?.function).toBe("fetch");
  expect(brokenAt(trace([]), { type: "", culprit: "x" })).toBeUndefined();
});

test("a place is written as editors take it", () => {
  expect(placeOf(frame("f", "src/a.ts"))).toBe("src/a.ts:3:7");
  expect(placeOf(frame("f", "src/a.ts", { column: null }))).toBe("src/a.ts:3");
  expect(placeOf(frame("f", null))).toBe("native");
});

test("copied as text, causes and parts included, in the source or in the bundle", () => {
  const t = trace(
    [frame("total", "src/cart.ts"), frame("Cart", "src/cart.ts", { isAsync: true, isConstructor: true })],
    {
      omitted: 4,
      errors: [trace([], { type: "Error", message: "part\ntwo lines" })],
      cause: trace([frame(null, "src/json.ts")], { type: null, message: "why" }),
    },
  );
  expect(stackText(t, "source")).toBe(
    [
      "TypeError: no",
      "    at total (src/cart.ts:3:7)",
      "    at async new Cart (src/cart.ts:3:7)",
      "    … 4 more",
      "  [1 of 1] Error: part",
      "  two lines",
      "Caused by: why",
      "    at <anonymous> (src/json.ts:3:7)",
    ].join("\n"),
  );
  expect(stackText(trace([frame("total", "src/cart.ts")]), "bundled")).toBe("TypeError: no\n    at a (index.js:1:99)");
});

test("a headline does with what there is", () => {
  expect(headline({ type: "TypeError", message: null })).toBe("TypeError");
  expect(headline({ type: "", message: "no" })).toBe("no");
  expect(headline({ type: null, message: null })).toBe("Error");
});
