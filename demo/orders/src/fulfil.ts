/** One batch of orders: stored, announced; what the carrier cannot take now is retried. */
import type { OrderMessage } from "../../shared/contracts.ts";
import { describeError, log, recordFact } from "../../shared/log.ts";
import { callUpstream } from "../../shared/upstream.ts";
import { customsForm } from "./customs.ts";
import type { Env } from "./env.ts";

const CARRIER_MEDIAN_MS = 25;
/** Carriers turn a few away at first. */
const BUSY_SHARE = 0.04;
const RETRY_DELAY_S = 5;
/** Attempts that are normal. */
const PATIENCE = 1;
/** A printer jams. */
const JAM_SHARE = 0.01;
const KEEP_ORDERS_S = 7 * 86_400;

export async function fulfil(batch: MessageBatch<OrderMessage>, env: Env): Promise<void> {
  log.info("batch received", { queue: batch.queue, size: batch.messages.length });
  for (const message of batch.messages) await fulfilOne(message, env);
}

async function fulfilOne(message: Message<OrderMessage>, env: Env): Promise<void> {
  const order = message.body;
  log.info("fulfilling", { order_id: order.orderId, user: { id: order.userId }, country: order.country });
  const parcel = customsForm(order);
  const ms = await callUpstream("carrier", CARRIER_MEDIAN_MS);
  if (Math.random() < BUSY_SHARE) {
    log.warn("carrier busy, will retry", { order_id: order.orderId, attempt: message.attempts });
    if (message.attempts > PATIENCE) {
      console.error({ message: `order ${order.orderId} waits after ${message.attempts} attempts`, carrier: "house" });
    }
    message.retry({ delaySeconds: RETRY_DELAY_S });
    return;
  }
  printLabel(order, parcel.forms);
  await env.ORDERS.put(order.orderId, JSON.stringify(order), { expirationTtl: KEEP_ORDERS_S });
  const watchers = await env.LIVE.publish({ orderId: order.orderId, country: order.country, total: order.total });
  message.ack();
  const waited = Date.now() - order.placedAt;
  log.info("order fulfilled", {
    order_id: order.orderId,
    amount: order.total,
    waited_ms: waited,
    carrier_ms: Math.round(ms),
    watchers,
  });
  recordFact("order.fulfilled", { order_id: order.orderId, waited_ms: waited });
}

/** A parcel goes out without its label rather than not at all; the error is logged as data, as some loggers do. */
function printLabel(order: OrderMessage, forms: number): void {
  try {
    if (Math.random() < JAM_SHARE) throw new Error(`printer ${forms + 1} jammed at page ${order.lines.length}`);
  } catch (error) {
    console.error({ message: "label not printed", order_id: order.orderId, error: describeError(error) });
  }
}
