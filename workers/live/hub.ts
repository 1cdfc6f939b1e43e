/**
 * The live hub: a Durable Object with hibernating WebSockets. Who publishes
 * hands over a message for a topic; every socket that is subscribed to it gets
 * it. Nothing is kept: a viewer that was away reads the table that the messages
 * come from. Topic so far: `notifications` (errors/issues/notify.ts publishes).
 */
import { DurableObject } from "cloudflare:workers";

export class LiveHub extends DurableObject<Env> {
  /** `Upgrade: websocket` with `?topic=`; who may listen has been decided by `api/`. */
  override async fetch(request: Request): Promise<Response> {
    const topic = new URL(request.url).searchParams.get("topic") ?? "";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [topic]);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Returns to how many sockets it went. */
  async publish(topic: string, message: string): Promise<number> {
    const sockets = this.ctx.getWebSockets(topic);
    for (const socket of sockets) socket.send(message);
    return sockets.length;
  }
}
