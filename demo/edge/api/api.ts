/**
 * `/client/v4/…`: who may ask, for which account, and which handler answers.
 * A path that is not here is answered with an error that says so: nothing is
 * pretended.
 */
import type { EdgeEnv } from "../env.ts";
import { failure, ok } from "./envelope.ts";
import { withFaults } from "./faults.ts";
import { deployments } from "./routes/deployments.ts";
import { resources } from "./routes/resources.ts";
import { scripts } from "./routes/scripts.ts";
import { secrets } from "./routes/secrets.ts";
import { tails } from "./routes/tails.ts";
import { versions } from "./routes/versions.ts";

export interface Call {
  request: Request;
  env: EdgeEnv;
  ctx: { exports: unknown };
  query: URLSearchParams;
  /** What the path's pattern caught. */
  params: Record<string, string>;
  author: string;
  /** `wrangler` or `api`. */
  source: string;
}
export type Handler = (call: Call) => Promise<Response>;
/** Paths are below `/accounts/:account`. */
export type Route = [method: string, path: string, handler: Handler];

const BASE = "/client/v4";
const AUTHOR = "developer@shop.example";

const TABLE = [...versions, ...deployments, ...scripts, ...secrets, ...resources, ...tails].map(
  ([method, path, handler]) => ({
    method,
    pattern: new URLPattern({ pathname: `${BASE}/accounts/:account${path}` }),
    handler,
  }),
);

export function handleApi(request: Request, env: EdgeEnv, ctx: { exports: unknown }): Promise<Response> {
  return withFaults(request, () => answerApi(request, env, ctx));
}

async function answerApi(request: Request, env: EdgeEnv, ctx: { exports: unknown }): Promise<Response> {
  const url = new URL(request.url);
  const refused = authorize(request, env);
  if (refused !== undefined) return refused;
  const path = url.pathname.slice(BASE.length);
  if (path === "/user/tokens/verify") return ok({ id: "local", status: "active" });
  if (path === "/user") return ok({ id: "local", email: AUTHOR });
  if (path === "/memberships") return ok([{ id: "local", account: accountOf(env) }]);
  if (path === "/accounts") return ok([accountOf(env)]);
  if (path === `/accounts/${env.ACCOUNT}`) return ok(accountOf(env));
  const account = /^\/accounts\/([^/]+)/.exec(path)?.[1];
  if (account !== undefined && account !== env.ACCOUNT)
    return failure({ status: 403, code: 10000, message: "Authentication error" });
  for (const { method, pattern, handler } of TABLE) {
    const match = method === request.method ? pattern.exec({ pathname: url.pathname }) : null;
    if (match === null) continue;
    const params = Object.fromEntries(
      Object.entries(match.pathname.groups).map(([name, value]) => [name, decodeURIComponent(value ?? "")]),
    );
    const source = /wrangler/i.test(request.headers.get("user-agent") ?? "") ? "wrangler" : "api";
    return handler({ request, env, ctx, query: url.searchParams, params, author: AUTHOR, source });
  }
  return failure({ status: 404, code: 7003, message: `Local edge: ${request.method} ${path} is not answered here.` });
}

const accountOf = (env: EdgeEnv) => ({ id: env.ACCOUNT, name: "Local edge" });

function authorize(request: Request, env: EdgeEnv): Response | undefined {
  const given = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) {
    return failure({ status: 401, code: 9106, message: "Missing X-Auth-Key, X-Auth-Email or Authorization headers" });
  }
  return given === env.TOKEN ? undefined : failure({ status: 403, code: 9109, message: "Invalid access token" });
}
