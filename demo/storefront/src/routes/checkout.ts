/** Buying what is in the cart, through shop-checkout over RPC. */
import type { CheckoutRequest, OrderMessage } from "../../../shared/contracts.ts";
import { json, problem, readJson } from "../../../shared/http.ts";
import { log } from "../../../shared/log.ts";
import type { Call } from "../env.ts";
import { clearCart, readCart } from "./cart.ts";

const STATUS = { out_of_stock: 409, declined: 402, invalid: 422 } as const;

export async function checkout(call: Call): Promise<Response> {
  const lines = await readCart(call);
  if (lines.length === 0) return problem(422, "empty_cart", "There is nothing in the cart");
  const body = (await readJson(call.request)) ?? {};
  const order: CheckoutRequest = {
    sessionId: call.session.id,
    userId: call.session.userId,
    country: call.session.country,
    lines,
    payment: readPayment(body),
    ...(typeof body.coupon === "string" ? { coupon: body.coupon } : {}),
  };
  const quote = await call.env.CHECKOUT.quote(order);
  log.info("checkout started", {
    user: { id: order.userId },
    cart: { size: lines.length },
    amount: quote.total,
    currency: quote.currency,
  });
  const result = await call.env.CHECKOUT.placeOrder(order);
  if (!result.ok) {
    log.warn("checkout refused", { reason: result.reason, user: { id: order.userId }, amount: quote.total });
    return problem(STATUS[result.reason], result.reason, result.message);
  }
  call.ctx.waitUntil(clearCart(call));
  log.info("order placed", { order_id: result.orderId, user: { id: order.userId }, amount: result.quote.total });
  return json({ orderId: result.orderId, total: result.quote.total, currency: result.quote.currency }, 201);
}

export async function showOrder(call: Call): Promise<Response> {
  const order = await call.env.ORDERS.get<OrderMessage>(call.params.id ?? "", "json");
  return order === null ? problem(404, "no_such_order", "That order is not there (yet)") : json(order);
}

function readPayment(body: Record<string, unknown>): CheckoutRequest["payment"] {
  const method = body.method === "invoice" || body.method === "wallet" ? body.method : "card";
  const email = String(body.email ?? "");
  return typeof body.card === "string" ? { method, email, card: body.card } : { method, email };
}
