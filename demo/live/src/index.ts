/** Entrances to the feed: WebSocket upgrades from outside, `publish` from the shop's Workers. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { log } from "../../shared/log.ts";
import type { Announcement, Env } from "./order-feed.ts";

export { OrderFeed } from "./order-feed.ts";

const feed = (env: Env) => env.FEED.getByName("orders");

export class Feed extends WorkerEntrypoint<Env> {
  publish(order: Announcement): Promise<number> {
    return feed(this.env).publish(order);
  }
}

export default {
  async fetch(request, env) {
    if (request.headers.get("upgrade") !== "websocket") {
      log.warn("not a websocket", { upgrade: request.headers.get("upgrade") });
      return new Response("expected a WebSocket\n", { status: 426 });
    }
    return feed(env).fetch(request);
  },
} satisfies ExportedHandler<Env>;
