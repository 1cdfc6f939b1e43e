/** A KV namespace for an uploaded version: the runtime does not hand a real one on, so that its methods come here over RPC. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";

export interface KvProps {
  /** Binding of the edge. */
  binding: string;
  /** Before every key: namespaces that are not the shop's share one. */
  prefix: string;
}

export class KvNamespace extends WorkerEntrypoint<EdgeEnv, KvProps> {
  get(key: string, options?: never) {
    return this.#namespace.get(this.#key(key), options);
  }

  getWithMetadata(key: string, options?: never) {
    return this.#namespace.getWithMetadata(this.#key(key), options);
  }

  put(key: string, value: string | ArrayBuffer | ReadableStream, options?: KVNamespacePutOptions) {
    return this.#namespace.put(this.#key(key), value, options);
  }

  delete(key: string) {
    return this.#namespace.delete(this.#key(key));
  }

  async list(options: KVNamespaceListOptions = {}) {
    const { prefix } = this.ctx.props;
    const listed = await this.#namespace.list({ ...options, prefix: prefix + (options.prefix ?? "") });
    return { ...listed, keys: listed.keys.map((key) => ({ ...key, name: key.name.slice(prefix.length) })) };
  }

  get #namespace(): KVNamespace {
    return this.env[this.ctx.props.binding] as KVNamespace;
  }

  #key(key: string): string {
    return this.ctx.props.prefix + key;
  }
}
