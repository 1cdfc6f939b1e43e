/** The RPC entrypoint: quote, then reserve, charge and hand over to the order queue. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { CheckoutRequest, CheckoutService, PlaceOrderResult, Quote } from "../../shared/contracts.ts";
import { log, recordFact } from "../../shared/log.ts";
import type { Env, Release } from "./env.ts";
import { priceCart } from "./pricing.ts";
import { releaseStock, reserveStock } from "./reservations.ts";

export function createCheckout(release: Release) {
  return class Checkout extends WorkerEntrypoint<Env> implements CheckoutService {
    async quote(request: CheckoutRequest): Promise<Quote> {
      const quote = await priceCart(request, release);
      log.debug("quoted", {
        user: { id: request.userId },
        lines: request.lines.length,
        amount: quote.total,
        release: release.version,
      });
      return quote;
    }

    async placeOrder(request: CheckoutRequest): Promise<PlaceOrderResult> {
      const orderId = `ord_${crypto.randomUUID().slice(0, 13).replace("-", "")}`;
      const quote = await priceCart(request, release);
      const reserved = await reserveStock(orderId, request.lines, this.env);
      if (!reserved.ok) {
        log.warn("out of stock", { order_id: orderId, sku: reserved.sku, available: reserved.available });
        return { ok: false, reason: "out_of_stock", message: `Only ${reserved.available} of ${reserved.sku} are left` };
      }
      const payment = await release.charge(request, quote.total, this.env);
      if (!payment.ok) {
        await releaseStock(orderId, request.lines, this.env);
        return { ok: false, reason: "declined", message: payment.message };
      }
      const shipping = await release.ship(orderId);
      await this.env.ORDER_QUEUE.send({
        orderId,
        userId: request.userId,
        country: request.country,
        lines: request.lines,
        total: quote.total,
        currency: quote.currency,
        placedAt: Date.now(),
      });
      log.info("order accepted", {
        order_id: orderId,
        user: { id: request.userId },
        payment: { reference: payment.reference, method: request.payment.method },
        carrier: shipping.carrier,
        amount: quote.total,
        release: release.version,
      });
      recordFact("order.accepted", {
        order_id: orderId,
        amount: quote.total,
        currency: quote.currency,
        method: request.payment.method,
      });
      return { ok: true, orderId, quote };
    }
  };
}
