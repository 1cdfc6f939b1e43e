import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MAX_CAUSES,
  MAX_ERRORS,
  MAX_FRAMES,
  MAX_NAME_CHARS,
  MAX_TRACES,
} from "../../../workers/errors/stack/limits.ts";
import { parseStack } from "../../../workers/errors/stack/parse.ts";
import type { ErrorTrace, Frame } from "../../../workers/errors/trace.ts";

const one = (line: string): Partial<Frame> | undefined => {
  const [frame] = parseStack(`Error: x\n    ${line}`).frames;
  if (frame === undefined) return undefined;
  // What is false or null says nothing.
  return Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== null && value !== false));
};
const at = (file: string, line: number, column: number) => ({ file, line, column });

describe("a frame", () => {
  test.each<[string, Partial<Frame>]>([
    ["at add (src/cart.ts:1:2)", { function: "add", ...at("src/cart.ts", 1, 2) }],
    ["at index.js:1:2", at("index.js", 1, 2)],
    ["at async load (file:///srv/x.js:10:20)", { function: "load", isAsync: true, ...at("file:///srv/x.js", 10, 20) }],
    ["at async file:///srv/x.js:10:20", { isAsync: true, ...at("file:///srv/x.js", 10, 20) }],
    ["at async Promise.all (index 0)", { function: "Promise.all", isAsync: true }],
    ["at new Cart (cart.js:3:4)", { function: "Cart", isConstructor: true, ...at("cart.js", 3, 4) }],
    ["at new Promise (<anonymous>)", { function: "Promise", isConstructor: true }],
    ["at Cart.add [as put] (cart.js:3:4)", { function: "Cart.add", alias: "put", ...at("cart.js", 3, 4) }],
    ["at get total [as total] (cart.js:3:4)", { function: "get total", alias: "total", ...at("cart.js", 3, 4) }],
    ["at Object.<anonymous> (x.js:1:2)", { function: "Object.<anonymous>", ...at("x.js", 1, 2) }],
    ["at <anonymous> (x.js:1:2)", at("x.js", 1, 2)],
    ["at Array.map (<anonymous>)", { function: "Array.map" }],
    ["at Array.map (native)", { function: "Array.map", isNative: true }],
    ["at ~run (index.js:1:6354)", { function: "~run", ...at("index.js", 1, 6354) }],
    ["at #dispatch (index.js:1:6)", { function: "#dispatch", ...at("index.js", 1, 6) }],
    ["at node:internal/process/task_queues:105:5", at("node:internal/process/task_queues", 105, 5)],
    [
      "at D1.all (cloudflare-internal:d1-api:140:19)",
      { function: "D1.all", ...at("cloudflare-internal:d1-api", 140, 19) },
    ],
    [
      "at f (C:\\Program Files (x86)\\my shop\\x.js:5:6)",
      { function: "f", ...at("C:\\Program Files (x86)\\my shop\\x.js", 5, 6) },
    ],
    ["at C:\\my shop (1)\\x.js:5:6", at("C:\\my shop (1)\\x.js", 5, 6)],
    ["at f (file:///srv/(app)/a b.js:5:6)", { function: "f", ...at("file:///srv/(app)/a b.js", 5, 6) }],
    ["at f (https://shop.test:8443/x.js?v=1:5:6)", { function: "f", ...at("https://shop.test:8443/x.js?v=1", 5, 6) }],
    ["at f (data:text/javascript,x:1:2)", { function: "f", ...at("data:text/javascript,x", 1, 2) }],
    ["at f (blob:https://shop.test/1-2:1:2)", { function: "f", ...at("blob:https://shop.test/1-2", 1, 2) }],
    [
      "at wasm://wasm/7a3c:wasm-function[12]:0x1a",
      { function: "wasm-function[12]", file: "wasm://wasm/7a3c", column: 26, isWasm: true },
    ],
    [
      "at add (wasm://wasm/7a3c:wasm-function[12]:0x1a)",
      { function: "add", file: "wasm://wasm/7a3c", column: 26, isWasm: true },
    ],
    ["at eval (eval at run (x.js:3:4), <anonymous>:1:1)", { function: "eval", isEval: true, ...at("x.js", 3, 4) }],
    [
      "at a (eval at b (eval at c (/s (1)/x.js:3:4), <anonymous>:1:5), <anonymous>:1:1)",
      { function: "a", isEval: true, ...at("/s (1)/x.js", 3, 4) },
    ],
    ["at last (x.js:1:2) {", { function: "last", ...at("x.js", 1, 2) }],
    ["at f (x.js:1)", { function: "f", file: "x.js", line: 1 }],
    ["at f (x.js:99999999999:2)", { function: "f", file: "x.js", column: 2 }],
  ])("%s", (line, frame) => {
    expect(one(line)).toEqual(frame);
  });

  test.each([
    "at the corner",
    "at the shop (closed)",
    "at 10:30:15",
    "at localhost:8787",
    "at",
    "attention (x.js:1:2)",
  ])("is not: %s", (line) => expect(one(line)).toBeUndefined());
});

describe("a message", () => {
  test("is told apart from its type, and may have many lines", () => {
    const { type, message, frames } = parseStack(
      "Uncaught TypeError: no\n  price\n    at the corner\n    at f (x.js:1:2)",
    );
    expect({ type, message }).toEqual({ type: "TypeError", message: "no\nprice\nat the corner" });
    expect(frames).toHaveLength(1);
  });

  test.each([
    ["Error", "Error", ""],
    ["TypeError [ERR_X]: bad", "TypeError", "bad"],
    ["D1_ERROR: no such table", "D1_ERROR", "no such table"],
    ["Uncaught (in promise) Error: x", "Error", "x"],
    ["just words: and more", null, "just words: and more"],
  ])("%s", (header, type, message) => {
    expect(parseStack(`${header}\n    at f (x.js:1:2)`)).toMatchObject({ type, message });
  });

  test("that looks like frames is skipped where it is known", () => {
    const message = "meet me\n    at corner (x.js:1:2)\n    at y.js:3:4";
    const frame = "    at f (z.js:5:6)";
    for (const text of [`Error: ${message}\n${frame}`, `${message.slice(8)}\n${frame}`, frame]) {
      const trace = parseStack(text, { type: "Error", message });
      expect(trace.frames.map(({ file }) => file)).toEqual(["z.js"]);
      expect(trace).toMatchObject({ type: "Error", message });
    }
  });

  test("follows the source line that Node prints before it", () => {
    const text = "/srv/x.js:3\n  throw new Error(1)\n  ^\n\nRangeError: far\n    at f (x.js:3:2)";
    expect(parseStack(text)).toMatchObject({ type: "RangeError", message: "far" });
  });

  test("of a stack without a first line is what the caller says", () => {
    expect(parseStack("    at f (x.js:1:2)", { type: "Oops", message: "m" })).toMatchObject({
      type: "Oops",
      message: "m",
    });
    expect(parseStack(undefined)).toMatchObject({ type: null, message: null, frames: [] });
  });
});

/** Types of a trace and all in it. */
const shape = (trace: ErrorTrace): unknown => [
  trace.type,
  trace.frames.length > 0,
  trace.cause && shape(trace.cause),
  trace.errors.map(shape),
];

describe("causes and parts", () => {
  test("as Node's inspect prints them", () => {
    const deep = new RangeError("b", { cause: new TypeError("deep") });
    const parts = new AggregateError([new Error("a\n  two lines"), Object.assign(deep, { code: 7 })], "parts");
    const text = inspect(new Error("outer", { cause: Object.assign(parts, { x: 1 }) }), { depth: 9 });
    expect(shape(parseStack(text))).toEqual([
      "Error",
      true,
      [
        "AggregateError",
        true,
        null,
        [
          ["Error", true, null, []],
          ["RangeError", true, ["TypeError", true, null, []], []],
        ],
      ],
      [],
    ]);
  });

  test("gets back the frames that Node leaves out because the cause has them", () => {
    function inner() {
      return new Error("inner");
    }
    function outer(cause: Error) {
      return new Error("outer", { cause });
    }
    const error = outer(inner());
    const text = inspect(error);
    const { frames, omitted } = parseStack(text);
    expect(frames.length + omitted).toBe(error.stack?.split("\n    at ").slice(1).length);
  });

  test("as loggers print them, one below the other", () => {
    const text =
      "Error: a\n    at f (x.js:1:2)\nCaused by: TypeError: b\n    at g (y.js:1:2)\ncaused by: RangeError: c\n    at h (z.js:1:2)";
    expect(shape(parseStack(text))).toEqual([
      "Error",
      true,
      ["TypeError", true, ["RangeError", true, null, []], []],
      [],
    ]);
  });

  test("as the Collector writes them", () => {
    const text =
      "    at f (x.js:1:1)\n  [cause]: TypeError: b\n      at g (y.js:1:2)\n  [cause]: RangeError: c\n      at h (y.js:2:2)\n  [errors]: Error: p\n      at p (z.js:1:1)";
    expect(shape(parseStack(text, { type: "Error", message: "m" }))).toEqual([
      "Error",
      true,
      ["TypeError", true, ["RangeError", true, null, []], []],
      [["Error", true, null, []]],
    ]);
  });

  test("a cause that is no error is left out", () => {
    expect(parseStack(inspect(new Error("a", { cause: "why" }))).cause).toBeNull();
    expect(parseStack(inspect(new Error("a", { cause: { code: 1 } }))).cause).toBeNull();
  });
});

test("stacks of Firefox and Safari keep their frames", () => {
  expect(parseStack("add@http://x/y.js:1:2\nasync*run/<@z.js:3:4\n@z.js:5:6").frames).toMatchObject([
    { function: "add", file: "http://x/y.js", line: 1, column: 2 },
    { function: "run", isAsync: true, file: "z.js" },
    { function: null, line: 5 },
  ]);
});

function bounded(trace: ErrorTrace, depth = 0): number {
  expect(depth).toBeLessThanOrEqual(MAX_CAUSES + 1);
  expect(trace.frames.length).toBeLessThanOrEqual(MAX_FRAMES);
  expect(trace.errors.length).toBeLessThanOrEqual(MAX_ERRORS);
  for (const { function: name, file } of trace.frames) {
    expect(Math.max(name?.length ?? 0, file?.length ?? 0)).toBeLessThanOrEqual(MAX_NAME_CHARS);
  }
  const inner = trace.cause === null ? trace.errors : [trace.cause, ...trace.errors];
  return inner.reduce((sum, next) => sum + bounded(next, depth + 1), 1);
}

describe("hostile text", () => {
  test("of 10,000 frames keeps the first, and counts the rest", () => {
    const { frames, omitted } = parseStack(`Error: x\n${"    at f (x.js:1:2)\n".repeat(10_000)}`);
    expect(frames.length + omitted).toBe(10_000);
    expect(frames).toHaveLength(MAX_FRAMES);
  });

  test.each([
    ["one line of a megabyte", `    at ${"a".repeat(1 << 20)}`],
    ["a frame of a megabyte", `    at f (${"a ( ".repeat(1 << 18)}:1:2)`],
    ["evals in evals", `    at f (${"eval at g (".repeat(1 << 16)}x.js:1:2)`],
    ["causes without end", "  [cause]: Error: x\n".repeat(50_000)],
    [
      "causes in causes",
      Array.from(
        { length: 2_000 },
        (_, i) => `${" ".repeat(i)}[cause]: Error: x\n${" ".repeat(i)}    at f (x.js:1:2)`,
      ).join("\n"),
    ],
    [
      "lists in lists",
      Array.from({ length: 2_000 }, (_, i) => `${" ".repeat(2 * i)}[errors]: [\n${" ".repeat(2 * i + 2)}Error: x`).join(
        "\n",
      ),
    ],
    ["line breaks", "\n".repeat(1 << 20)],
    ["at signs", "@:1:2\n".repeat(100_000)],
  ])("%s stays bounded", (_, text) => {
    expect(bounded(parseStack(text))).toBeLessThanOrEqual(MAX_TRACES);
  });

  test("of any kind never throws", () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        "\n",
        "    at ",
        "  [cause]: ",
        "  [errors]: [\n",
        "Caused by: ",
        "Error: ",
        " (",
        ")",
        ":1:2",
        "eval at ",
        "[as ",
        "]",
        "}",
        " {",
        "async ",
        "new ",
        "... 4 lines matching cause stack trace ...",
        "wasm://x:wasm-function[",
        "@",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.option(fc.string({ maxLength: 20 })), (pieces, message) => {
        bounded(parseStack(pieces.join(""), { message: message ?? undefined }));
      }),
      { numRuns: 500 },
    );
  });
});
