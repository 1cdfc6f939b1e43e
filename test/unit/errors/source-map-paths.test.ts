/** What a map calls its sources, as people read it: never more than a name. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { displayPath } from "../../../workers/errors/source-map/display-path.ts";

const PATHS: [source: string | null, root: string, shown: string][] = [
  ["src/cart.ts", "", "src/cart.ts"],
  ["./src/cart.ts", "", "src/cart.ts"],
  ["../../src/cart.ts", "", "src/cart.ts"],
  ["../src/../lib/./x.ts", "", "lib/x.ts"],
  ["../../../../etc/passwd", "", "etc/passwd"],
  ["/home/build/app/src/x.ts", "", "/home/build/app/src/x.ts"],
  ["/../../x.ts", "", "/x.ts"],
  ["cart.ts", "src", "src/cart.ts"],
  ["cart.ts", "src/", "src/cart.ts"],
  ["../cart.ts", "src/deep", "src/cart.ts"],
  ["cart.ts", "https://cdn.example/assets", "cdn.example/assets/cart.ts"],
  ["webpack:///./src/cart.ts", "", "src/cart.ts"],
  ["webpack://shop/./src/cart.ts?3f2a", "", "src/cart.ts"],
  ["webpack://shop/node_modules/ky/index.js", "", "node_modules/ky/index.js"],
  ["webpack-internal:///./src/a.ts", "", "src/a.ts"],
  ["turbopack:///[project]/src/a.ts", "", "[project]/src/a.ts"],
  ["file:///srv/app/a.ts", "", "/srv/app/a.ts"],
  ["file:///C:/app/a.ts", "", "C:/app/a.ts"],
  ["C:\\app\\src\\a.ts", "", "C:/app/src/a.ts"],
  ["..\\src\\a.ts", "", "src/a.ts"],
  ["https://user:secret@cdn.example/a.ts?token=1#x", "", "cdn.example/a.ts"],
  ["HTTP://cdn.example/../../a.ts", "", "cdn.example/a.ts"],
  ["data:text/javascript;base64,AAAA", "", "(inline)"],
  ["javascript:alert(1)", "", "(inline)"],
  ["node:internal/timers", "", "node:internal/timers"],
  ["cloudflare:workers", "", "cloudflare:workers"],
  ["\0virtual:config", "", "virtual:config"],
  ["src/\u202egnp.ts\n\u0007", "", "src/gnp.ts"],
  ["", "", "(unnamed)"],
  ["../..", "", "(unnamed)"],
  [null, "src", "(unnamed)"],
];

test.each(PATHS)("%j with root %j is shown as %j", (source, root, shown) => {
  expect(displayPath(source, root)).toBe(shown);
});

test("whatever a map says: short, no way up, no address, nothing that does not show", () => {
  const piece = fc.constantFrom(
    "..",
    ".",
    "/",
    "//",
    "\\",
    ":",
    "a",
    "http",
    "https://",
    "file:",
    "?",
    "#",
    "@",
    "\0",
    "\u202e",
    "%2e%2e",
    "x.ts",
  );
  const source = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(source, fc.oneof(fc.constant(""), source), (source, root) => {
      const shown = displayPath(source, root);
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.length).toBeLessThanOrEqual(1024);
      expect(shown.split(/[/\\]/)).not.toContain("..");
      expect(shown).not.toMatch(/^(https?|javascript|data|blob|file):/i);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }),
    { numRuns: 500 },
  );
});
