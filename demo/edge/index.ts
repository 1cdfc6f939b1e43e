/**
 * The local edge: what Cloudflare does in front of Workers, as far as a demo
 * needs it, on PORT + 1.
 *
 *   /client/v4/…    the API (`api/`), for wrangler and whoever else deploys
 *   /__edge/faults  makes that API fail (`api/faults.ts`)
 *   anything else   traffic: gets a request.cf, an address and a ray id, is led to a
 *                   version by the live deployment's percentages (`traffic/`), and handed over
 *
 * Calls between Workers come through `run/service.ts`.
 */
import { handleApi } from "./api/api.ts";
import { handleFaults } from "./api/faults.ts";
import type { EdgeEnv } from "./env.ts";
import { serve } from "./traffic/serve.ts";

export { Registry } from "./account/registry.ts";
export { KvNamespace } from "./run/kv.ts";
export { ObjectHost } from "./run/object-host.ts";
export { ObjectNamespace } from "./run/objects.ts";
export { QueueProducer } from "./run/queue.ts";
export { Service } from "./run/service.ts";
export { Tail } from "./run/tail.ts";

export default {
  fetch(request, env, ctx): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/client/v4/")) return handleApi(request, env, ctx);
    if (pathname === "/__edge/faults") return handleFaults(request);
    return serve(request, env, ctx);
  },
} satisfies ExportedHandler<EdgeEnv>;
