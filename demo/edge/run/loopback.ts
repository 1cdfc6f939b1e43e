/** The edge's own entrypoints, as stubs that an uploaded version can be given: `ctx.exports` with their props. */
import type { KvProps } from "./kv.ts";
import type { ObjectsProps } from "./objects.ts";
import type { QueueProps } from "./queue.ts";
import type { ServiceProps } from "./service.ts";
import type { TailProps } from "./tail.ts";

type Make<Props> = (options: { props: Props }) => Fetcher;

export interface Loopback {
  KvNamespace: Make<KvProps>;
  ObjectNamespace: Make<ObjectsProps>;
  QueueProducer: Make<QueueProps>;
  Service: Make<ServiceProps>;
  Tail: Make<TailProps>;
}

/** Typed by hand: `wrangler types` does not describe the edge. */
export const loopbackOf = (ctx: { exports: unknown }): Loopback => ctx.exports as Loopback;
