/** The feed: every socket gets every order of the country that it asked for. Hibernates between orders. */
import { DurableObject } from "cloudflare:workers";
import type { OrderMessage } from "../../shared/contracts.ts";
import { log } from "../../shared/log.ts";

export type Announcement = Pick<OrderMessage, "orderId" | "country" | "total">;

export interface Env {
  FEED: DurableObjectNamespace<OrderFeed>;
}

const MAX_SOCKETS = 200;
/** RFC 6455, 7.4.1: the last two are only ever reported, never sent. */
const NORMAL = 1000;
const NO_STATUS = 1005;
const ABNORMAL = 1006;

export class OrderFeed extends DurableObject<Env> {
  override async fetch(_request: Request): Promise<Response> {
    if (this.ctx.getWebSockets().length >= MAX_SOCKETS) return new Response("the feed is full\n", { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ country: "*" });
    log.info("feed joined", { watchers: this.ctx.getWebSockets().length });
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const { country } = JSON.parse(String(message)) as { country?: string };
    socket.serializeAttachment({ country: country ?? "*" });
    log.info("feed subscription", { country });
    socket.send(JSON.stringify({ subscribed: country ?? "*" }));
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void> {
    socket.close(code === NO_STATUS || code === ABNORMAL ? NORMAL : code, reason);
    log.info("feed left", { code, was_clean: wasClean });
  }

  async publish(order: Announcement): Promise<number> {
    let told = 0;
    for (const socket of this.ctx.getWebSockets()) {
      const { country } = socket.deserializeAttachment() as { country: string };
      if (country !== "*" && country !== order.country) continue;
      socket.send(JSON.stringify(order));
      told++;
    }
    return told;
  }
}
