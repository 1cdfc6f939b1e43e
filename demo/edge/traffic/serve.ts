/**
 * One request from outside. The shop's storefront answers it, unless it names
 * another Worker: by the host `<worker>.localhost`, or the header `x-demo-worker`.
 */
import type { EdgeEnv } from "../env.ts";
import { type Client, readClient } from "./client.ts";
import { workerFor } from "./route.ts";

const FRONT = "shop-storefront";
/** What the Workers believe to be called: names that can never be resolved. */
const PUBLIC_HOST = "shop.example";
const WORKERS_DOMAIN = "workers.example";
const LOCAL_DOMAIN = ".localhost";

/** nginx's status for it; nobody is left to read it. */
const CLIENT_CLOSED_REQUEST = 499;

export async function serve(request: Request, env: EdgeEnv, ctx: { exports: unknown }): Promise<Response> {
  const url = new URL(request.url);
  const client = readClient(request);
  const script = scriptOf(request, url);
  const wish = {
    key: request.headers.get("Cloudflare-Workers-Version-Key"),
    override: request.headers.get("Cloudflare-Workers-Version-Overrides"),
  };
  const worker = await workerFor(env, ctx, { script }, wish);
  if (worker === undefined) return new Response("error code: 1042\n", { status: 404 });
  const host = script === FRONT ? PUBLIC_HOST : `${script}.${WORKERS_DOMAIN}`;
  return forward(worker, asSeenByWorker(request, url, client, host), client.leavesAfterMs);
}

function scriptOf(request: Request, { hostname }: URL): string {
  const named = request.headers.get("x-demo-worker");
  if (named !== null) return named;
  return hostname.endsWith(LOCAL_DOMAIN) ? hostname.slice(0, -LOCAL_DOMAIN.length) : FRONT;
}

/** Cancels the invocation when the client has gone, as the real edge does. */
async function forward(worker: Fetcher, request: Request, leavesAfterMs: number | undefined): Promise<Response> {
  if (leavesAfterMs === undefined) return worker.fetch(request);
  const signal = AbortSignal.timeout(leavesAfterMs);
  try {
    return await worker.fetch(request, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  }
}

function asSeenByWorker(request: Request, url: URL, client: Client, host: string): Request {
  const seen = new URL(url.pathname + url.search, `https://${host}`);
  const headers = new Headers(request.headers);
  for (const name of ["x-demo-client", "x-demo-worker"]) headers.delete(name);
  headers.set("host", host);
  headers.set("cf-connecting-ip", client.ip);
  headers.set("cf-ipcountry", client.cf.country);
  headers.set("cf-ray", client.ray);
  headers.set("x-forwarded-proto", "https");
  headers.set("x-real-ip", client.ip);
  return new Request(seen, new Request(request, { headers, cf: client.cf }));
}
