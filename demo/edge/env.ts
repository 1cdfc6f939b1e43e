/** What scripts/local/demo-workers.mjs binds to the edge: the shop as it was built, and what an uploaded version may be bound to. */
import type { Registry } from "./account/registry.ts";
import type { Binding } from "./account/types.ts";
import type { ObjectHost } from "./run/object-host.ts";

/** A version that the launcher built and runs as a Worker of its own: as if it had been uploaded. */
export interface BuiltVersion {
  id: string;
  tag: string;
  message: string;
  /** Share that the version has before anyone changes the deployment. */
  percent: number;
  /** Name of the service binding that leads to it; `<binding>#<entrypoint>` leads to a named one. null: it is loaded. */
  binding: string | null;
  /** Kept, so that it can run after the next build has replaced it; null where only the launcher can run it. */
  code: string | null;
  bindings: Binding[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  migrationTag: string | null;
}

export interface BuiltScript {
  versions: BuiltVersion[];
  tailConsumers: { service: string }[];
  /** RPC calls whose first argument has this field stay with one version, by its value. */
  affinity?: string;
  /** Why nothing can be uploaded for it; undefined: it can. */
  fixed?: string;
}

export interface Shop {
  scripts: Record<string, BuiltScript>;
  /** Namespace id → binding of the edge. */
  kv: Record<string, string>;
  /** Queue name → binding of the edge. */
  queues: Record<string, string>;
  /** `script/Class` → binding of the edge. */
  objects: Record<string, string>;
}

export interface EdgeEnv {
  SHOP: Shop;
  /** The one account, and the token that may do everything in it. */
  ACCOUNT: string;
  TOKEN: string;
  REGISTRY: DurableObjectNamespace<Registry>;
  LOADER: WorkerLoader;
  /** Durable Objects of uploaded classes. */
  UPLOADED_OBJECTS: DurableObjectNamespace<ObjectHost>;
  /** KV namespaces that are not the shop's, by prefix. */
  UPLOADED_KV: KVNamespace;
  /** Takes the tails of uploaded versions; undefined when nothing is observed. */
  PLATFORM?: Fetcher;
  PLATFORM_TOKEN?: string;
  [binding: string]: unknown;
}

/** Over RPC every answer is a promise; workers-types would lose fields that are `unknown`. */
type Remote<T> = {
  [Method in keyof T]: T[Method] extends (...args: infer Args) => infer Value
    ? (...args: Args) => Promise<Value>
    : never;
};

export const registryOf = (env: EdgeEnv) => env.REGISTRY.getByName("account") as unknown as Remote<Registry>;
