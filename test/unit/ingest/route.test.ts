import fc from "fast-check";
import { expect, test } from "vitest";
import { normalizeRoute, RouteTable } from "../../../workers/ingest/normalize/route.ts";

test.each([
  ["/", "/"],
  ["", "/"],
  ["/products/", "/products"],
  ["/products/8812", "/products/:id"],
  ["/products/8d9f2c1e-0a44-4a7c-9a83-2f5a9b6e1c77/reviews/123", "/products/:id/reviews/:id"],
  ["/orders/bb3a74404681", "/orders/:id"],
  ["/commit/deadbeefdeadbeefdeadbeef", "/commit/:id"],
  ["/users/REDACTED/cart", "/users/:id/cart"],
  ["/p/blue-suede-shoes-42", "/p/:id"],
  ["/products/sku-1", "/products/:id"],
  ["/blog/how-we-build-things", "/blog/how-we-build-things"],
  ["/api/v1/users", "/api/v1/users"],
  ["/api/v2/users", "/api/v2/users"],
  ["/oauth2/callback", "/oauth2/callback"],
  ["/assets/app-3f2a9c1d.js", "/assets/:id.js"],
  ["/assets/app.js", "/assets/app.js"],
  ["/x;jsessionid=1234/y", "/x/y"],
  ["/u/bob@shop.test", "/u/:id"],
  ["/search/caf%C3%A9", "/search/:id"],
  ["/files/dGhpc0lzQmFzZTY0VGV4dA", "/files/:id"],
  ["/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/*"],
])("%s → %s", (path, route) => expect(normalizeRoute(path)).toBe(route));

test("ids of any kind make one route", () => {
  const id = fc.oneof(
    fc.integer({ min: 0 }).map(String),
    fc.uuid(),
    fc.stringMatching(/^[0-9a-f]{12,40}$/).filter((hex) => /\d/.test(hex) || hex.length >= 16),
  );
  fc.assert(
    fc.property(id, (value) => {
      expect(normalizeRoute(`/orders/${value}`)).toBe("/orders/:id");
    }),
  );
});

test("a route keeps its depth when it is taken for a path", () => {
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      const route = normalizeRoute(path);
      expect(normalizeRoute(route).split("/").length).toBe(route.split("/").length);
    }),
    { numRuns: 30 },
  );
});

test("scanners cannot make more than a bounded number of routes", () => {
  const table = new RouteTable();
  const routes = new Set<string>();
  const word = (n: number) => n.toString(26).replace(/[0-9]/g, (d) => "qrstuvwxyz"[Number(d)] as string);
  for (let n = 0; n < 20_000; n++) routes.add(table.of(`/${word(n)}.php/${word(n * 7)}`).route);
  expect(routes.size).toBeLessThanOrEqual(2_001);
  expect(table.of("/").route).toBeDefined();
});
