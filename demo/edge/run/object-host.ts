/**
 * A Durable Object of an uploaded class: this object is its storage, and runs
 * the class of the version that the object's name is drawn for as a facet. When
 * the deployment leads it to another version it starts anew with that code, as
 * Cloudflare's do. Facets have no alarms yet: setting one fails, and says so.
 */
import { DurableObject } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";
import { readLive } from "../traffic/live.ts";
import { pickVersion } from "../traffic/pick.ts";
import { load } from "./load.ts";

interface Address {
  script: string;
  className: string;
  name: string;
}

export const hostName = ({ script, className, name }: Address) => JSON.stringify([script, className, name]);

type Facet = Fetcher & Record<string, (...args: unknown[]) => unknown>;
const FACET = "object";

export class ObjectHost extends DurableObject<EdgeEnv> {
  #running: string | undefined;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    // biome-ignore lint/correctness/noConstructorReturn: whatever method is called is the uploaded class's.
    return new Proxy(this, {
      get(host, method) {
        if (method === "fetch") return async (request: Request) => (await host.#facet()).fetch(request);
        if (typeof method === "symbol" || method in host) return Reflect.get(host, method, host);
        return async (...args: unknown[]) => (await host.#facet())[method]?.(...args);
      },
    });
  }

  async #facet(): Promise<Facet> {
    const [script, className, name] = JSON.parse(this.ctx.id.name ?? "[]") as [string, string, string];
    const live = (await readLive(this.env))[script];
    const id = pickVersion(live?.shares ?? [], { script, key: name, override: null });
    const version = live?.versions.find((one) => one.id === id);
    if (version === undefined) throw new Error(`Worker "${script}" has no live deployment.`);
    if (this.#running !== undefined && this.#running !== version.id) {
      this.ctx.facets.abort(FACET, new Error("The Durable Object's code has been updated."));
    }
    this.#running = version.id;
    const worker = load(this.env, this.ctx, { ...version, script });
    const start = async () => ({ class: worker.getDurableObjectClass(className), id: this.ctx.id });
    return this.ctx.facets.get(FACET, start) as unknown as Facet;
  }
}
