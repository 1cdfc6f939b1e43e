/**
 * A platform that only listens: hands every trace item, with the props of its
 * tail, to the Node side (service binding SINK). Tests of the demo and of the
 * launcher start it in place of workers/index.ts.
 */
import { DurableObject } from "cloudflare:workers";

interface SinkEnv {
  SINK: Fetcher;
}

/** wrangler.toml binds them, so they have to be there. */
export class Ingester extends DurableObject {}
export class LiveHub extends DurableObject {}
export class RolloutGuard extends DurableObject {}

export default {
  fetch: () => Response.json({ status: "ok", checks: [] }),
  async tail(items: TraceItem[], env: SinkEnv, ctx: ExecutionContext) {
    const props: unknown = (ctx as { props?: unknown }).props;
    const seen = items.map((item) => ({ props, arrived: Date.now(), item: plain(item) }));
    await env.SINK.fetch("http://sink/", { method: "POST", body: JSON.stringify(seen) });
  },
};

/** Trace items have getters on their prototypes, which JSON.stringify passes over for some kinds. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(plain);
  const out: Record<string, unknown> = {};
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== "function") out[key] = plain(member);
  }
  return out;
}
