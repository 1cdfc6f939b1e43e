/** A queue's producer side for an uploaded version, over RPC. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";

export interface QueueProps {
  /** Binding of the edge. */
  binding: string;
}

export class QueueProducer extends WorkerEntrypoint<EdgeEnv, QueueProps> {
  send(body: unknown, options?: QueueSendOptions) {
    return this.#queue.send(body, options);
  }

  sendBatch(messages: MessageSendRequest[], options?: QueueSendBatchOptions) {
    return this.#queue.sendBatch(messages, options);
  }

  get #queue(): Queue {
    return this.env[this.ctx.props.binding] as Queue;
  }
}
