import fc from "fast-check";
import { expect, test } from "vitest";
import { parseStack } from "../../../workers/errors/stack/parse.ts";
import {
  type Place,
  type PlaceMap,
  type PlaceMaps,
  symbolicate,
  symbolicateCached,
  unsymbolicated,
} from "../../../workers/errors/symbolicate/symbolicate.ts";
import type { SourceTrace } from "../../../workers/errors/trace.ts";

const WHERE = { script: "shop", version: "v1" };

const place = (file: string, line: number, more: Partial<Place> = {}): Place => ({
  source: 0,
  file,
  line,
  column: 1,
  name: null,
  function: null,
  ignored: false,
  ...more,
});

/** A map that knows these `line:column` positions. */
class FakeMap implements PlaceMap {
  asked = 0;
  cached = true;
  private readonly places: Record<string, Place>;

  constructor(places: Record<string, Place>) {
    this.places = places;
  }
  locateCached(line: number, column: number) {
    return this.cached ? this.places[`${line}:${column}`] : "absent";
  }
  async locateAll(positions: { line: number; column: number }[]) {
    this.asked++;
    return positions.map(({ line, column }) => this.places[`${line}:${column}`]);
  }
  async context({ line }: Place, radius: number) {
    return { firstLine: line - radius, lines: ["…"] };
  }
}

/** Maps of version v1 of shop, by file. */
function mapsOf(files: Record<string, PlaceMap | "failed">): PlaceMaps {
  const of = (script: string, version: string, file: string) =>
    (script === WHERE.script && version === WHERE.version ? files[file.replace("file:///", "")] : undefined) ?? "none";
  return {
    find: async (script, version, file) => of(script, version, file),
    findCached: (script, version, file) => {
      const map = of(script, version, file);
      return map === "failed" ? undefined : map;
    },
    hasAny: () => Object.keys(files).length > 0,
  };
}

const shown = ({ frames }: SourceTrace) =>
  frames.map((f) => `${f.function} ${f.file}:${f.line}${f.inApp ? "" : " (library)"}${f.mapped ? "" : " raw"}`);

const MINIFIED = `TypeError: no price
    at t (file:///index.js:1:100)
    at async n.r (file:///index.js:1:200)
    at o (file:///index.js:1:300)
    at new Promise (<anonymous>)
    at node:internal/timers:5:6`;

test("every frame is led back, by scopes first, else by what the caller called it; a minified name is none", async () => {
  const map = new FakeMap({
    "1:100": place("src/cart.ts", 10, { function: "Cart.priceOf" }),
    "1:200": place("src/cart.ts", 20),
    "1:300": place("src/index.ts", 30, { name: "checkout" }),
  });
  const { trace, state } = await symbolicate(parseStack(MINIFIED), WHERE, mapsOf({ "index.js": map }), {
    context: false,
  });
  expect(shown(trace)).toEqual([
    "Cart.priceOf src/cart.ts:10",
    "checkout src/cart.ts:20",
    "null src/index.ts:30",
    "Promise null:null (library) raw",
    expect.stringMatching(/node:internal.* \(library\) raw$/),
  ]);
  expect([state, trace.type, trace.message]).toEqual(["mapped", "TypeError", "no price"]);
  expect(trace.frames[0]?.raw).toMatchObject({ function: "t", file: "file:///index.js", line: 1, column: 100 });
});

test("names that are not minified are kept where the map tells none, without the minified object before them", async () => {
  const stack = "    at n.addItem (index.js:1:1)\n    at Object.fetch (index.js:1:1)\n    at h.#t (index.js:1:1)";
  const map = new FakeMap({ "1:1": place("a.ts", 1) });
  const { trace } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: false });
  expect(trace.frames.map((f) => f.function)).toEqual(["addItem", "Object.fetch", null]);
  const raw = await symbolicate(parseStack(stack), WHERE, mapsOf({}), { context: false });
  expect(raw.trace.frames.map((f) => f.function)).toEqual(["n.addItem", "Object.fetch", "h.#t"]);
});

test("the caller's name is not taken across an await, nor the top of a module for a function", async () => {
  const stack = "    at t (index.js:1:1)\n    at async n (index.js:1:2)\n    at index.js:1:3";
  const map = new FakeMap({
    "1:1": place("a.ts", 1),
    "1:2": place("a.ts", 2, { name: "wrong" }),
    "1:3": place("a.ts", 3, { function: "" }),
  });
  const { trace } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: false });
  expect(trace.frames.map((f) => f.function)).toEqual([null, null, null]);
});

test("libraries are told by ignoreList, by folder, and by what bundlers add", async () => {
  const map = new FakeMap({
    "1:1": place("src/a.ts", 1),
    "1:2": place("vendor/a.ts", 1, { ignored: true }),
    "1:3": place("node_modules/hono/dist/hono.js", 1),
    "1:4": place("webpack/bootstrap", 1),
  });
  const stack = [1, 2, 3, 4].map((n) => `    at f${n} (index.js:1:${n})`).join("\n");
  const { trace } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: false });
  expect(trace.frames.map((f) => f.inApp)).toEqual([true, false, false, false]);
});

test("a bundle without a map is the team's own code", async () => {
  const { trace, state } = await symbolicate(parseStack(MINIFIED), WHERE, mapsOf({}), { context: false });
  expect(shown(trace)[0]).toBe("t file:///index.js:1 raw");
  expect(state).toBe("missing");
});

test.each([
  ["none", "    at node:internal/x:1:2\n    at native", mapsOf({})],
  ["missing", "    at f (index.js:1:1)", mapsOf({})],
  ["failed", "    at f (index.js:1:1)", mapsOf({ "index.js": "failed" })],
  ["mapped", "    at f (index.js:1:1)", mapsOf({ "index.js": new FakeMap({ "1:1": place("a.ts", 1) }) })],
  [
    "partly",
    "    at f (index.js:1:1)\n    at g (index.js:9:9)",
    mapsOf({ "index.js": new FakeMap({ "1:1": place("a.ts", 1) }) }),
  ],
  [
    "partly",
    "    at f (index.js:1:1)\n    at g (other.js:1:1)",
    mapsOf({ "index.js": new FakeMap({ "1:1": place("a.ts", 1) }) }),
  ],
  [
    "failed",
    "    at f (index.js:1:1)\n    at g (other.js:1:1)",
    mapsOf({ "index.js": new FakeMap({ "1:1": place("a.ts", 1) }), "other.js": "failed" }),
  ],
])("the state is %s", async (state, stack, maps) => {
  expect((await symbolicate(parseStack(stack), WHERE, maps, { context: false })).state).toBe(state);
});

test("a map of another version is never used, and an unknown version has none", async () => {
  const maps = mapsOf({ "index.js": new FakeMap({ "1:100": place("src/cart.ts", 10) }) });
  for (const version of ["v2", ""]) {
    const { state } = await symbolicate(parseStack(MINIFIED), { script: "shop", version }, maps, { context: false });
    expect(state).toBe("missing");
  }
});

test.each([
  ["TypeScript", "    at add (src/cart.ts:1:1)\n    at fetch (index.js:1:1)"],
  ["webpack", "    at add (webpack:///src/cart.js:1:1)\n    at fetch (index.js:1:1)"],
  ["above the bundle", "    at add (../../src/cart.js:1:1)\n    at fetch (index.js:1:1)"],
  ["packages", "    at add (node_modules/hono/hono.js:1:1)\n    at fetch (index.js:1:1)"],
  ["JavaScript in a folder", "    at add (src/cart.js:1:1)"],
])("stacks that were mapped before they came are not mapped again: %s", async (_, stack) => {
  const map = new FakeMap({ "1:1": place("wrong.ts", 1) });
  const { trace, state } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: true });
  expect(state).toBe("none");
  expect(trace.frames.map((f) => f.file)).toEqual(trace.frames.map((f) => f.raw.file));
  expect(map.asked).toBe(0);
});

test("causes and parts are mapped too", async () => {
  const stack = `Error: outer
    at f (index.js:1:1)
  [cause]: TypeError: inner
      at g (index.js:1:2)
  [errors]: RangeError: part
      at h (index.js:1:3)`;
  const map = new FakeMap({ "1:1": place("a.ts", 1), "1:2": place("b.ts", 2), "1:3": place("c.ts", 3) });
  const { trace } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: false });
  const files = (t: SourceTrace): unknown => [
    t.frames.map((f) => f.file),
    t.cause && files(t.cause),
    t.errors.map(files),
  ];
  expect(JSON.stringify(files(trace))).toContain('"b.ts"');
  expect(JSON.stringify(files(trace))).toContain('"c.ts"');
});

test("source lines come on demand, and a frame whose lines cannot be read goes without", async () => {
  const map = new FakeMap({ "1:1": place("a.ts", 10), "1:2": place("b.ts", 20) });
  map.context = async ({ file }, radius) => {
    if (file === "b.ts") throw new Error("R2");
    return { firstLine: 10 - radius, lines: ["x"] };
  };
  const stack = "    at f (index.js:1:1)\n    at g (index.js:1:2)";
  const { trace, state } = await symbolicate(parseStack(stack), WHERE, mapsOf({ "index.js": map }), { context: true });
  expect(trace.frames.map((f) => f.context?.firstLine)).toEqual([5, undefined]);
  expect(state).toBe("mapped");
});

test("a map that throws is one that failed", async () => {
  const map = new FakeMap({});
  map.locateAll = async () => {
    throw new Error("bad block");
  };
  const { trace, state } = await symbolicate(parseStack(MINIFIED), WHERE, mapsOf({ "index.js": map }), {
    context: true,
  });
  expect([state, trace.frames[0]?.mapped]).toEqual(["failed", false]);
});

test("from memory it is the same at once, or nothing where a part is not in memory", async () => {
  const map = new FakeMap({ "1:100": place("src/cart.ts", 10) });
  const maps = mapsOf({ "index.js": map });
  const trace = parseStack(MINIFIED);
  expect(symbolicateCached(trace, WHERE, maps)).toEqual(await symbolicate(trace, WHERE, maps, { context: false }));
  map.cached = false;
  expect(symbolicateCached(trace, WHERE, maps)).toBeUndefined();
  expect(symbolicateCached(trace, WHERE, mapsOf({ "index.js": "failed" }))).toBeUndefined();
  expect(symbolicateCached(parseStack("Error: x\n    at node:x:1:1"), WHERE, maps)?.state).toBe("none");
});

test("without asking, it says what is missing", () => {
  expect(unsymbolicated(parseStack(MINIFIED), "failed").state).toBe("failed");
  expect(unsymbolicated(parseStack("    at f (src/a.ts:1:1)"), "failed").state).toBe("none");
});

test("a stack of ten thousand frames asks for a few hundred places", async () => {
  const map = new FakeMap({});
  let asked = 0;
  map.locateAll = async (positions) => {
    asked += positions.length;
    return [];
  };
  const stack = Array.from({ length: 10_000 }, (_, i) => `    at f (index.js:${i}:1)`).join("\n");
  const causes = Array.from({ length: 8 }, (_, i) => `\n${"  ".repeat(i + 1)}[cause]: Error: x\n${stack}`).join("");
  await symbolicate(parseStack(stack + causes), WHERE, mapsOf({ "index.js": map }), { context: false });
  expect(asked).toBeLessThanOrEqual(250);
});

test("whatever the text, every frame comes back, and nothing throws", async () => {
  const map = new FakeMap({ "1:1": place("a.ts", 1) });
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("    at f (index.js:1:1)", "    at src/a.ts:1:2", "  [cause]: Error: x", "    at g (wasm://x:1:2)"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      const parsed = parseStack(lines.join("\n"));
      const { trace } = await symbolicate(parsed, WHERE, mapsOf({ "index.js": map }), { context: true });
      expect(trace.frames.map((f) => f.raw)).toEqual(parsed.frames);
    }),
  );
});
