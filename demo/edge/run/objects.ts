/**
 * A Durable Object namespace for an uploaded version: objects of another
 * Worker, which the launcher runs. The stub itself travels over RPC; what the
 * namespace answers at once (`idFromName`) is made on the other side, by code
 * that `wrapper.ts` puts before the version's own.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";

export interface ObjectsProps {
  /** Binding of the edge. */
  binding: string;
}

export class ObjectNamespace extends WorkerEntrypoint<EdgeEnv, ObjectsProps> {
  byName(name: string) {
    return (this.env[this.ctx.props.binding] as DurableObjectNamespace).getByName(name);
  }
}
