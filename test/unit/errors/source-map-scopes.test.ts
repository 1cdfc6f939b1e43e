/** Which function a place of generated code is in, and what the source calls it. */

import { build as esbuild } from "esbuild";
import { minify } from "terser";
import { build as vite } from "vite";
import { describe, expect, test } from "vitest";
import type { SeekableMap } from "../../../workers/errors/source-map/open.ts";
import { readScopes } from "../../../workers/errors/source-map/scopes.ts";
import { open, rawMap, type Segment } from "../../support/source-maps.ts";

/** A map that says nothing but that every character comes from somewhere. */
async function withCode(code: string): Promise<SeekableMap> {
  const scopes = readScopes(code);
  if (!scopes.ok) throw new Error(scopes.problem);
  const lines = code
    .split("\n")
    .map((text, line) => Array.from({ length: text.length + 1 }, (_, i): Segment => [i, 0, line, i]));
  return open(rawMap(lines), scopes.scopes);
}

/** The function that `here` stands in, in code that is not minified. */
async function functionAround(code: string): Promise<string | null | undefined> {
  const before = code.slice(0, code.indexOf("here")).split("\n");
  return (await (await withCode(code)).locate(before.length, (before.at(-1)?.length ?? 0) + 1))?.function;
}

const NAMES: [code: string, name: string][] = [
  ["function add() { here }", "add"],
  ["async function* add() { here }", "add"],
  ["const add = () => here", "add"],
  ["let add; add = function () { here }", "add"],
  ["const add = function plus() { here }", "plus"],
  ["const a = (b = () => here) => {}", "b"],
  ["class Cart { add() { here } }", "Cart.add"],
  ["class Cart { static make() { here } }", "Cart.make"],
  ["class Cart { constructor() { here } }", "Cart"],
  ["class Cart { #take() { here } }", "Cart.#take"],
  ["class Cart { get total() { return here } }", "Cart.total"],
  ["class Cart { add = () => here }", "Cart.add"],
  ["class Cart { 'add'() { here } }", "Cart.add"],
  ["class Cart { [key]() { here } }", ""],
  ["const Cart = class { add() { here } }", "Cart.add"],
  ["const Cart = class Inner { add() { here } }", "Inner.add"],
  ["export default class { add() { here } }", "add"],
  ["export default { async fetch() { here } }", "fetch"],
  ["const handlers = { onClick: () => here }", "handlers.onClick"],
  ["const a = { b: { c() { here } } }", "a.b.c"],
  ["const routes = { '/cart': () => here }", "routes./cart"],
  ["Cart.prototype.add = function () { here }", "Cart.add"],
  ["exports.add = () => here", "add"],
  ["module.exports = { add() { here } }", "add"],
  ["this.add = () => here", "add"],
  ["a.b.c = async () => here", "a.b.c"],
  ["list[0] = () => here", ""],
  ["x ||= () => here", "x"],
  ["const add = __name(() => here, 'plus')", "plus"],
  ["class Cart { add = n(() => here, 'plus') }", "Cart.plus"],
  ["n(function () { here }, 'kept')", "kept"],
  ["function outer() { items.map((item) => here) }", "outer.<anonymous>"],
  ["function outer() { items.map(() => () => here) }", "outer.<anonymous>"],
  ["function outer() { function inner() { here } }", "inner"],
  ["function outer() { () => {}; here }", "outer"],
  ["function outer() {} here", ""],
  ["(() => { here })()", ""],
  ["items.map((item) => here)", ""],
  ["here", ""],
  ["var m = __commonJS({ 'node_modules/x/index.js'(exports) { here } })", ""],
  ["var m = __commonJS({ 'node_modules/x/index.js'(exports) { function deep() { here } } })", "deep"],
  ["var modules = { 123: (e, t, n) => { here } }", ""],
  ["with (a) { var add = function () { here } }", "add"],
];

describe("without a map that knows names", () => {
  test.each(NAMES)("%s is in %j", async (code, name) => {
    expect(await functionAround(code)).toBe(name);
  });

  test("the ends of functions are exact, nested, on one line and over many", async () => {
    const code = "function a(){function b(){}}function c(){\n}const d=()=>1;";
    const map = await withCode(code);
    const names = Array.from({ length: 41 }, (_, i) => map.locateCached(1, i + 1) as { function: string } | "absent");
    expect(names[0]).toBe("absent");
    await map.locate(1, 1);
    const at = async (line: number, column: number) => (await map.locate(line, column + 1))?.function;
    expect([
      await at(1, 0),
      await at(1, 12),
      await at(1, 13),
      await at(1, 26),
      await at(1, 27),
      await at(1, 28),
    ]).toEqual(["a", "a", "b", "b", "a", "c"]);
    expect([await at(2, 0), await at(2, 1), await at(2, 8), await at(2, 9), await at(2, 13), await at(2, 14)]).toEqual([
      "c",
      "",
      "",
      "d",
      "d",
      "",
    ]);
  });

  test("a map stored without its code does not say in which function a place is", async () => {
    const map = await open(rawMap([[[0, 0, 0, 0]]]));
    expect(map.hasFunctions).toBe(false);
    expect((await map.locate(1, 1))?.function).toBeNull();
  });

  test("a function over many blocks is known in each", async () => {
    const body = "x();".repeat(5000);
    const map = await withCode(`function long(){${body}}function next(){y()}`);
    for (const column of [20, 9_000, 15_000, 20_010]) expect((await map.locate(1, column))?.function).toBe("long");
    expect((await map.locate(1, body.length + 36))?.function).toBe("next");
  });
});

const SOURCE = `
interface Item { price: number }
export class Cart {
  #items: Item[] = [];
  constructor(readonly limit: number) { if (limit < 0) throw new RangeError("at constructor"); }
  add(item: Item) { if (item.price < 0) throw new TypeError("at add"); this.#items.push(item); return this.#sum(item.price); }
  #sum(price: number) { if (price > 1000) throw new Error("at sum"); return price; }
  checkout = async (limit: number) => { if (limit > 1) throw new Error("at checkout"); return limit; };
}
const parsePrice = (text: string): number => {
  if (Number.isNaN(Number(text))) throw new Error("at parsePrice");
  return Number(text);
};
const handlers = { order(text: string) { if (text === "") throw new Error("at order"); return [text].map((one) => { if (one === "!") throw new Error("at each"); return parsePrice(one); }); } };
export default {
  async fetch(request: { url: string }) {
    const cart = new Cart(Number(request.url));
    if (request.url === "7") throw new Error("at fetch");
    handlers.order(request.url);
    await cart.checkout(cart.limit);
    return cart.add({ price: 1 });
  },
};
`;
/** What throws, and in which function of the source. */
const THROWN: [message: string, name: string][] = [
  ["at constructor", "Cart"],
  ["at add", "Cart.add"],
  ["at sum", "Cart.#sum"],
  ["at checkout", "Cart.checkout"],
  ["at parsePrice", "parsePrice"],
  ["at order", "handlers.order"],
  ["at each", "handlers.order.<anonymous>"],
  ["at fetch", "fetch"],
];

interface Built {
  code: string;
  map: unknown;
}

async function withEsbuild(options: { minify: boolean; keepNames: boolean }): Promise<Built> {
  const stdin = { contents: SOURCE, sourcefile: "shop.ts", loader: "ts" as const };
  const built = await esbuild({
    stdin,
    ...options,
    bundle: true,
    format: "esm",
    sourcemap: "external",
    outfile: "/out.js",
    write: false,
  });
  const text = (end: string) => built.outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  return { code: text(".js"), map: JSON.parse(text(".map")) };
}

async function withVite(): Promise<Built> {
  const source = {
    name: "source",
    resolveId: (id: string) => (id === "shop.ts" ? id : null),
    load: (id: string) => (id === "shop.ts" ? SOURCE : null),
  };
  const built = await vite({
    configFile: false,
    logLevel: "error",
    plugins: [source],
    build: {
      write: false,
      minify: true,
      sourcemap: true,
      rollupOptions: { input: "shop.ts", preserveEntrySignatures: "strict" },
    },
  });
  const [output] = [built].flat();
  const chunk =
    output !== undefined && "output" in output ? output.output.find((one) => one.type === "chunk") : undefined;
  return { code: chunk?.code ?? "", map: JSON.parse(chunk?.map?.toString() ?? "null") };
}

describe.each([
  ["esbuild", () => withEsbuild({ minify: false, keepNames: false })],
  ["esbuild, minified", () => withEsbuild({ minify: true, keepNames: false })],
  ["esbuild, minified, names kept (wrangler)", () => withEsbuild({ minify: true, keepNames: true })],
  ["vite", withVite],
])("a bundle by %s", (_name, build) => {
  test("leads every throw to its line and to its function's name in the source", async () => {
    const { code, map } = await build();
    const scopes = readScopes(code);
    const seekable = await open(map, scopes.ok ? scopes.scopes : undefined);
    const sourceLines = SOURCE.split("\n");
    const generated = code.split("\n");
    const found = [];
    for (const [message] of THROWN) {
      // A minifier may leave `new` out.
      const thrown = new RegExp(`(new )?\\w*Error\\(.${message}`);
      const line = generated.findIndex((text) => thrown.test(text));
      const column = generated[line]?.search(thrown) ?? -1;
      const place = await seekable.locate(line + 1, column + 1);
      expect(sourceLines[(place?.line ?? 0) - 1]).toContain(message);
      found.push([message, place?.function]);
    }
    expect(found).toEqual(THROWN);
  });
});

/** Each thrown text is the name of the function that it is thrown in. */
const PRIVATE = `export class Cart {
  #plain(x) { throw new Error("Cart.#plain" + x); }
  static #shared(x) { throw new Error("Cart.#shared" + x); }
  static async *#stream(x) { throw new Error("Cart.#stream" + x); }
  async #slow(x) { throw new Error("Cart.#slow" + x); }
  get #total() { throw new Error("Cart.#total"); }
  static #field = (x) => { throw new Error("Cart.#field" + x); };
  run(x) { return [this.#plain(x), Cart.#shared(x), Cart.#stream(x), this.#slow(x), this.#total, Cart.#field(x)]; }
}`;

test("private members that terser renamed have the names of their source, modifiers or none", async () => {
  const { code = "", map } = await minify(
    { "src/cart.js": PRIVATE },
    { module: true, toplevel: true, sourceMap: { includeSources: true } },
  );
  expect(code).toMatch(/get#\w\(/);
  const scopes = readScopes(code);
  const read = await open(JSON.parse(String(map)), scopes.ok ? scopes.scopes : undefined);
  const thrown = [...code.matchAll(/"(Cart\.#\w+)"/g)];
  const found = await Promise.all(thrown.map(({ index }) => read.locate(1, index + 1)));
  expect(thrown).toHaveLength(6);
  expect(found.map((place) => place?.function)).toEqual(thrown.map(([, name]) => name));
});
