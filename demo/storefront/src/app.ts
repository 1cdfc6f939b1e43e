/** The router: finds the route, the session, and logs one line for every request. */
import { problem } from "../../shared/http.ts";
import { log } from "../../shared/log.ts";
import type { Call, Env, Release } from "./env.ts";
import { addToCart, removeFromCart, showCart } from "./routes/cart.ts";
import { checkout, showOrder } from "./routes/checkout.ts";
import { home } from "./routes/home.ts";
import { logIn } from "./routes/login.ts";
import { listProducts, searchProducts, showProduct } from "./routes/products.ts";
import { readSession } from "./session.ts";

type Handler = (call: Call, release: Release) => Response | Promise<Response>;

const ROUTES: [method: string, path: string, handler: Handler][] = [
  ["GET", "/", home],
  ["GET", "/api/products", listProducts],
  ["GET", "/api/products/:sku", showProduct],
  ["GET", "/api/search", searchProducts],
  ["GET", "/api/cart", showCart],
  ["POST", "/api/cart", addToCart],
  ["DELETE", "/api/cart/:sku", removeFromCart],
  ["POST", "/api/checkout", checkout],
  ["GET", "/api/orders/:id", showOrder],
  ["POST", "/api/login", logIn],
  ["GET", "/live", (call) => call.env.LIVE.fetch(call.request)],
];

const TABLE = ROUTES.map(([method, pathname, handler]) => ({ method, pattern: new URLPattern({ pathname }), handler }));

export function createStorefront(release: Release): ExportedHandler<Env> {
  return {
    async fetch(request, env, ctx) {
      const url = new URL(request.url);
      const route = TABLE.find((entry) => entry.method === request.method && entry.pattern.test(request.url));
      if (route === undefined) {
        log.warn("no such route", { method: request.method, path: url.pathname, release: release.version });
        return problem(404, "not_found", `There is nothing at ${url.pathname}`);
      }
      const session = readSession(request);
      const params = (route.pattern.exec(request.url)?.pathname.groups ?? {}) as Record<string, string>;
      let response: Response | undefined;
      try {
        response = await route.handler({ request, url, env, ctx, session, params }, release);
        return response;
      } finally {
        log.info(response === undefined ? "request failed" : "request served", {
          user: { id: session.userId, country: session.country },
          session_id: session.id,
          status: response?.status,
          release: release.version,
        });
      }
    },
  };
}
