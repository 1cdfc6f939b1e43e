/**
 * The HTTP side of Tailrace. `index.ts` hands requests in; the routes are the
 * table of `routes.ts`. Each passes the same chain: request id, security
 * headers, 405, then per route the guard with its declared scope and the limit
 * of its body, then the handler. What no route answers is the dashboard's; under
 * /client/v4, where Cloudflare's own clients ask, it gets Cloudflare's envelope.
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { guard } from "./auth/guard.ts";
import { isCloudflarePath } from "./cloudflare/envelope.ts";
import { unserved } from "./cloudflare/unserved.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { fail, isDatabaseFailure, logFailure, sendFailure, withoutSecrets } from "./errors.ts";
import { ROUTES, type Route } from "./routes.ts";
import { securityHeaders } from "./security-headers.ts";
import { serveStatic } from "./static.ts";

export const app = new Hono<ApiEnv>();

app.use(async (c, next) => {
  // Ours, not the client's: what is logged must not be chosen from outside.
  c.set("requestId", crypto.randomUUID());
  await next();
  c.res.headers.set("X-Request-Id", c.get("requestId"));
  // An answer is for the one who asked. Static files have said how they may be kept.
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
});
app.use(securityHeaders);
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      c.header("Allow", methods.join(", "));
      return sendFailure(c, fail("method_not_allowed", `This path takes ${methods.join(", ")}.`));
    },
  }),
);

for (const route of ROUTES) {
  app.on(
    route.method,
    route.path,
    async function authorize(c, next) {
      const refused = await guard(c, route.scope);
      if (refused !== undefined) return sendFailure(c, refused);
      await next();
    },
    ...limitsOf(route),
    (c: ApiContext) => answer(c, route.handler),
  );
}
assertDeclared();

app.notFound((c) => (isCloudflarePath(c.req.path) ? sendFailure(c, unserved(c.req.path)) : answer(c, serveStatic)));

app.onError((error, c) => {
  const id = c.get("requestId");
  if (error instanceof HTTPException && error.status < 500)
    return sendFailure(c, fail("bad_request", withoutSecrets(error.message) || "The request cannot be read."));
  logFailure(c, error);
  const details = { requestId: id };
  if (isDatabaseFailure(error))
    return sendFailure(c, fail("unavailable", "The database did not answer. Try again.", { details, retryAfterS: 5 }));
  return sendFailure(
    c,
    fail("internal", `Something broke on our side. Look for ${id} in the Worker's log.`, { details }),
  );
});

async function answer(c: ApiContext, handler: Route["handler"]): Promise<Response> {
  const result = await handler(c);
  return result instanceof Response ? result : sendFailure(c, result);
}

function limitsOf(route: Route) {
  if (route.maxBody === undefined) return [];
  const message = `The body is larger than ${route.maxBody} bytes.`;
  return [bodyLimit({ maxSize: route.maxBody, onError: (c) => sendFailure(c, fail("body_too_large", message)) })];
}

/** A route that bypassed the table would be open to everyone: refuse to start. */
function assertDeclared(): void {
  const declared = new Set(ROUTES.map((r) => `${r.method} ${r.path}`));
  for (const { method, path } of app.routes) {
    const isChain = method === "ALL" && path === "/*";
    if (!isChain && !declared.has(`${method} ${path}`))
      throw new Error(`BUG: route without a scope: ${method} ${path}`);
  }
}
