/**
 * A Durable Object namespace for an uploaded version. The runtime hands on
 * neither namespaces nor, for more than one call, their stubs: each call comes
 * here with the object's name (`wrapper.ts` makes the other side), and goes on
 * to an object of the shop, or to the host of an uploaded class.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";
import { hostName } from "./object-host.ts";
import { OBJECT_HEADER } from "./wrapper.ts";

export type ObjectsProps =
  /** Of the shop: binding of the edge. */
  | { binding: string }
  /** Of an uploaded Worker. */
  | { script: string; className: string };

type Stub = Fetcher & Record<string, (...args: unknown[]) => unknown>;

export class ObjectNamespace extends WorkerEntrypoint<EdgeEnv, ObjectsProps> {
  call(name: string, method: string, args: unknown[]): unknown {
    return this.#object(name)[method]?.(...args);
  }

  override fetch(request: Request): Promise<Response> {
    const headers = new Headers(request.headers);
    const name = decodeURIComponent(headers.get(OBJECT_HEADER) ?? "");
    headers.delete(OBJECT_HEADER);
    return this.#object(name).fetch(new Request(request, { headers }));
  }

  #object(name: string): Stub {
    const { props } = this.ctx;
    const stub =
      "binding" in props
        ? (this.env[props.binding] as DurableObjectNamespace).getByName(name)
        : this.env.UPLOADED_OBJECTS.getByName(hostName({ ...props, name }));
    return stub as unknown as Stub;
  }
}
