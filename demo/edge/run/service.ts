/**
 * A service binding to a Worker of the account: each call is led to a version
 * of its live deployment, by the same draw as a request from outside. Workers
 * that the launcher runs, and uploaded ones, are bound to this.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";
import { type Wish, workerFor } from "../traffic/route.ts";

export interface ServiceProps {
  script: string;
  entrypoint?: string;
}

type Callee = Fetcher & Record<string, (...args: unknown[]) => unknown>;

export class Service extends WorkerEntrypoint<EdgeEnv, ServiceProps> {
  constructor(ctx: ExecutionContext<ServiceProps>, env: EdgeEnv) {
    super(ctx, env);
    // biome-ignore lint/correctness/noConstructorReturn: whatever method is called is the callee's.
    return new Proxy(this, {
      get(service, name) {
        if (name === "fetch") return (request: Request) => service.#fetch(request);
        if (typeof name === "symbol" || name in service) return Reflect.get(service, name, service);
        return (...args: unknown[]) => service.#call(name, args);
      },
    });
  }

  async #fetch(request: Request): Promise<Response> {
    const { headers } = request;
    const key = headers.get("Cloudflare-Workers-Version-Key");
    return (await this.#callee({ key, override: headers.get("Cloudflare-Workers-Version-Overrides") })).fetch(request);
  }

  async #call(method: string, args: unknown[]): Promise<unknown> {
    const { affinity } = this.env.SHOP.scripts[this.ctx.props.script] ?? {};
    const key = affinity === undefined ? null : ((args[0] as Record<string, string> | undefined)?.[affinity] ?? null);
    return (await this.#callee({ key, override: null }))[method]?.(...args);
  }

  async #callee(wish: Wish): Promise<Callee> {
    const { script, entrypoint } = this.ctx.props;
    const callee = await workerFor(this.env, this.ctx, { script, entrypoint }, wish);
    if (callee === undefined) throw new Error(`Worker "${script}" has no live deployment.`);
    return callee as Callee;
  }
}
