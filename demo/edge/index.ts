/**
 * The local edge: what Cloudflare's network does in front of Workers, as far
 * as a demo needs it. The traffic generator and browsers send requests here
 * (PORT + 1); it gives them a request.cf, an address and a ray id, picks a
 * version of the Worker by the deployment's percentages, and hands them over.
 * Calls between Workers come through the routers in `routers.ts`.
 */
import { type Client, readClient } from "./client.ts";
import { Deployments, handleDeployments, readDeployment } from "./deployments.ts";
import type { EdgeEnv } from "./env.ts";
import { pickVersion } from "./pick.ts";

export { CheckoutRouter } from "./routers.ts";
export { Deployments };

const FRONT = "shop-storefront";
/** What the Workers believe to be called: a name that can never be resolved. */
const PUBLIC_HOST = "shop.example";

/** nginx's status for it; nobody is left to read it. */
const CLIENT_CLOSED_REQUEST = 499;

export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/__edge/deployments") return handleDeployments(request, env);
    const client = readClient(request);
    const version = pickVersion(env.VERSIONS[FRONT] ?? [], await readDeployment(env, FRONT), {
      script: FRONT,
      key: request.headers.get("Cloudflare-Workers-Version-Key"),
      override: request.headers.get("Cloudflare-Workers-Version-Overrides"),
    });
    if (version === undefined) return new Response("error code: 1042\n", { status: 404 });
    const worker = env[version.binding] as Fetcher;
    return forward(worker, asSeenByWorker(request, url, client), client.leavesAfterMs);
  },
} satisfies ExportedHandler<EdgeEnv>;

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

function asSeenByWorker(request: Request, url: URL, client: Client): Request {
  const seen = new URL(url.pathname + url.search, `https://${PUBLIC_HOST}`);
  const headers = new Headers(request.headers);
  headers.delete("x-demo-client");
  headers.set("host", PUBLIC_HOST);
  headers.set("cf-connecting-ip", client.ip);
  headers.set("cf-ipcountry", client.cf.country);
  headers.set("cf-ray", client.ray);
  headers.set("x-forwarded-proto", "https");
  headers.set("x-real-ip", client.ip);
  return new Request(seen, new Request(request, { headers, cf: client.cf }));
}
